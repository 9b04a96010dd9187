"""Faults that a provider tells in the middle of a reply that began well: the status said 200."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from agents.office import Office
from agents.runtime.budget import Caps
from memory import ledger, runs
from memory.runs import Run
from tests.agents.conftest import connect

Visit = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def event(name: str, **data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


def spoken(kind: str) -> bytes:
    """The beginning of a reply: a few words."""
    if kind == "anthropic":
        message = {
            "id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None,
            "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1},
        }  # fmt: skip
        block = {"type": "text", "text": ""}
        words = {"type": "text_delta", "text": "The quay is "}
        return (
            event("message_start", message=message)
            + event("content_block_start", index=0, content_block=block)
            + event("content_block_delta", index=0, delta=words)
        )
    if kind == "openai":
        response = {
            "id": "r", "object": "response", "created_at": 1, "model": "m", "output": [], "tools": [],
            "parallel_tool_calls": True, "tool_choice": "auto", "status": "in_progress",
        }  # fmt: skip
        item = {"id": "i", "type": "message", "role": "assistant", "content": [], "status": "in_progress"}
        place = {"item_id": "i", "output_index": 0, "content_index": 0}
        return (
            event("response.created", sequence_number=0, response=response)
            + event("response.output_item.added", sequence_number=1, output_index=0, item=item)
            + event(
                "response.output_text.delta", sequence_number=2, delta="The quay is ", logprobs=[], **place
            )
        )
    delta = {"index": 0, "delta": {"role": "assistant", "content": "The quay is "}, "finish_reason": None}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [delta]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def fault(kind: str, code: str, message: str) -> bytes:
    """What each API sends when it breaks off."""
    if kind == "anthropic":
        return event("error", error={"type": code, "message": message})
    if kind == "openai":
        return event("error", code=code, message=message, param=None, sequence_number=3)
    return f"data: {json.dumps({'error': {'code': code, 'message': message}})}\n\n".encode()


async def asked(office: Office, kind: str, *replies: bytes, model: str = "m") -> tuple[Run, str, int]:
    """Ask one question of a server that gives these replies; returns the run, the text and how often it was asked."""
    asked_it = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked_it
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in head.lower().splitlines() if line.startswith(b"content-length:")
        )
        await reader.readexactly(length)
        writer.write(HEAD + replies[min(asked_it, len(replies) - 1)])
        asked_it += 1
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        host, port = server.sockets[0].getsockname()
        await connect(office, kind, f"http://{host}:{port}", model)
        conversation = await office.create_conversation()
        sent = await office.send(conversation.id, "How is the quay?")
        await office.runs.wait([sent.runs[0].id])
    run = await office.database.read(runs.run, sent.runs[0].id)
    return run, (await office.message(sent.replies[0].id)).text, asked_it


FAULTS = [
    ("anthropic", "overloaded_error", "Overloaded", "busy or broken at the moment"),
    ("anthropic", "api_error", "Internal server error", "busy or broken at the moment"),
    ("anthropic", "rate_limit_error", "Too many", "asks to slow down"),
    ("openai", "server_error", "The server had an error", "busy or broken at the moment"),
    ("openai", "rate_limit_exceeded", "Rate limit reached", "asks to slow down"),
    ("openai", "insufficient_quota", "You exceeded your current quota", "no credit left"),
    ("openai-compatible", "server_error", "The server had an error", "busy or broken at the moment"),
    ("openai-compatible", "rate_limit_exceeded", "Rate limit reached", "asks to slow down"),
]


@pytest.mark.parametrize(("kind", "code", "message", "words"), FAULTS)
async def test_a_fault_in_mid_reply_is_told_by_its_name_and_the_text_stays(
    office: Office, kind: str, code: str, message: str, words: str
) -> None:
    run, text, asked_it = await asked(office, kind, spoken(kind) + fault(kind, code, message))
    assert words in run.reason
    assert text == "The quay is "
    assert run.state in runs.RESUMABLE
    assert asked_it == 1


async def test_a_provider_that_is_busy_before_its_first_word_is_asked_again(office: Office) -> None:
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    end = (
        event("content_block_stop", index=0)
        + event("message_delta", delta=stop, usage={"output_tokens": 4})
        + event("message_stop")
    )
    busy = fault("anthropic", "overloaded_error", "Overloaded")
    run, text, asked_it = await asked(office, "anthropic", busy, spoken("anthropic") + end)
    assert (run.state, text, asked_it) == ("done", "The quay is ", 2)


async def test_a_reply_that_broke_off_uncounted_costs_the_cap_what_was_sent(office: Office) -> None:
    # OpenAI counts at the end of a reply only.
    broken = spoken("openai") + fault("openai", "server_error", "The server had an error")
    await asked(office, "openai", broken, model="gpt-5.5")
    caps, today = Caps(office_day=1_000_000), ledger.calendar_day()
    left = office._spending.budget.room("another", "lead", today, caps)
    assert left is not None and left < 1_000_000
    (used,) = await office.database.read(ledger.usage_by, "agent", since=today, until=today)
    assert used.cost is None or used.unpriced == 1, "a cost that nobody knows must not be called nothing"
    # The next start knows it too: for the day, and for the run where it is resumed.
    run = (await office.database.read(runs.runs))[0]
    counted = await office.database.read(ledger.counted_of, run.id)
    assert counted == 1_000_000 - left
    assert sum((await office.database.read(ledger.counted_on, today)).values()) == counted
