"""One turn through the whole office: committed, sent by the official SDK, streamed, written down."""

from collections.abc import Callable

import pytest

from agents.events import Event, TextDelta
from agents.office import Office
from agents.runtime.gate import MAX_TOKENS
from memory import branches, ledger, messages, runs
from tests.agents.conftest import connect
from tests.peers.aimock import Aimock

ANSWER = "The quay is 6.4 metres deep at low water."


@pytest.mark.peer
@pytest.mark.parametrize(
    ("kind", "model", "path"),
    [
        ("anthropic", "claude-sonnet-5", "/v1/messages"),
        ("openai", "gpt-5.2", "/v1/responses"),
        ("openai-compatible", "some-local-model", "/v1/chat/completions"),
    ],
)
async def test_an_answer_is_streamed_and_written_down(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock], kind: str, model: str, path: str
) -> None:
    usage = {"input_tokens": 120, "output_tokens": 30, "prompt_tokens": 120, "completion_tokens": 30}
    server = aimock({"match": {}, "response": {"content": ANSWER, "usage": usage}, "chunkSize": 7})
    await connect(office, kind, server.anthropic_url if kind == "anthropic" else server.openai_url, model)
    conversation = await office.create_conversation()

    sent = await office.send(conversation.id, "How deep is the quay?")
    assert not sent.queued
    await office.runs.wait([run.id for run in sent.runs])

    reply = await office.message(sent.replies[0].id)
    assert (reply.text, reply.state, reply.agent_name) == (ANSWER, "complete", "Lead")
    assert reply.run_id == sent.runs[0].id
    deltas = [event for event in heard if isinstance(event, TextDelta)]
    assert len(deltas) > 2
    assert "".join(event.text for event in deltas) == ANSWER
    run = await office.database.read(runs.run, sent.runs[0].id)
    assert (run.state, run.model) == ("done", model)
    assert {part.kind for part in run.context} >= {"instructions", "question"}
    events = await office.database.read(runs.run_events, run.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert "".join(event.body["text"] for event in events if event.kind == "text") == ANSWER
    assert events[-1].kind == "finished"
    total = await office.database.read(ledger.usage_total)
    assert (total.requests, total.input_tokens, total.output_tokens) == (1, 120, 30)
    sent_requests = server.journal(path=path)
    assert [entry["path"] for entry in sent_requests] == [path]
    assert sent_requests[0]["body"]["max_tokens"] == MAX_TOKENS["normal"]
    assert "max_completion_tokens" not in sent_requests[0]["body"]
    shown = await office.database.read(branches.path, conversation.id)
    assert [message.text for turn in shown for message in turn.messages] == ["How deep is the quay?", ANSWER]
    assert await office.database.read(messages.messages_of_run, run.id) == (reply,)
