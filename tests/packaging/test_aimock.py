"""aimock answers the official SDKs in their own protocols and shows what they sent."""

from collections.abc import Callable

import anthropic
import openai
import pytest

from tests.peers.aimock import Aimock

SUNNY = {
    "match": {"userMessage": "weather"},
    "response": {"content": "Sunny.", "usage": {"input_tokens": 11, "output_tokens": 7}},
}
pytestmark = pytest.mark.peer


async def test_anthropic_streams_and_the_journal_shows_the_request(aimock: Callable[..., Aimock]) -> None:
    server = aimock(SUNNY)
    async with (
        anthropic.AsyncAnthropic(base_url=server.anthropic_url, api_key="any") as client,
        client.messages.stream(
            model="claude-test", max_tokens=50, messages=[{"role": "user", "content": "the weather?"}]
        ) as stream,
    ):
        final = await stream.get_final_message()
    assert final.content[0].type == "text" and final.content[0].text == "Sunny."
    assert (final.usage.input_tokens, final.usage.output_tokens) == (11, 7)
    (entry,) = server.journal()
    assert entry["path"] == "/v1/messages"
    assert "any" not in str(entry["headers"].get("x-api-key"))
    assert "the weather?" in str(entry["body"]["messages"])


async def test_openai_answers_in_both_of_its_protocols(aimock: Callable[..., Aimock]) -> None:
    server = aimock(SUNNY)
    async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="any") as client:
        answer = await client.responses.create(model="gpt-5.1", input="the weather?")
        chat = await client.chat.completions.create(
            model="gpt-5.1", messages=[{"role": "user", "content": "the weather?"}]
        )
    assert answer.output_text == "Sunny."
    assert chat.choices[0].message.content == "Sunny."
    assert [entry["path"] for entry in server.journal()] == ["/v1/responses", "/v1/chat/completions"]


async def test_tool_calls_errors_and_wrong_keys_look_real(
    aimock: Callable[..., Aimock],
) -> None:
    call = {"name": "recall", "arguments": {"query": "tea"}}
    server = aimock({"match": {}, "response": {"toolCalls": [call, call]}}, keys=["right"])
    tools = [{"name": "recall", "description": "find", "input_schema": {"type": "object"}}]
    request = {"model": "claude-test", "max_tokens": 9, "tools": tools}
    request["messages"] = [{"role": "user", "content": "go"}]
    async with anthropic.AsyncAnthropic(base_url=server.url, api_key="right", max_retries=0) as client:
        message = await client.messages.create(**request)
        assert [block.name for block in message.content if block.type == "tool_use"] == ["recall", "recall"]
        server.fail_next(529)
        with pytest.raises(anthropic.APIStatusError) as overloaded:
            await client.messages.create(**request)
        assert overloaded.value.status_code == 529
        server.chaos(rateLimitRate=1)
        with pytest.raises(anthropic.RateLimitError) as limited:
            await client.messages.create(**request)
        assert "retry-after" in limited.value.response.headers
    async with anthropic.AsyncAnthropic(base_url=server.url, api_key="wrong", max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError):
            await client.messages.create(**request)


async def test_what_nothing_matches_is_refused(aimock: Callable[..., Aimock]) -> None:
    server = aimock(SUNNY)
    async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="any", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError):
            await client.responses.create(model="gpt-5.1", input="tea?")
        server.add({"match": {"userMessage": "tea"}, "response": {"content": "Green."}})
        assert (await client.responses.create(model="gpt-5.1", input="tea?")).output_text == "Green."
