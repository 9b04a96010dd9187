"""Tools in a run: side by side, recorded, guarded, their results marked as data."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy.orm import Session

from agents.events import AttachmentChanged, Event, ToolFinished, ToolStarted
from agents.office import Office
from agents.runtime.history import keep
from memory import notes, runs
from memory.notes import Note
from memory.runs import RunEvent
from tests.agents.conftest import connect, until
from tests.peers.aimock import Aimock

pytestmark = pytest.mark.peer
MODEL = "claude-sonnet-5"


def calls(*tools: tuple[str, dict[str, object]], **match: object) -> dict[str, object]:
    made = [
        {"id": f"call_{number}", "name": name, "arguments": json.dumps(arguments)}
        for number, (name, arguments) in enumerate(tools)
    ]
    return {"match": {"hasToolResult": False, **match}, "response": {"toolCalls": made}}


def then(text: str, **match: object) -> dict[str, object]:
    return {"match": {"hasToolResult": True, **match}, "response": {"content": text}}


async def ask(office: Office, text: str, attachment_ids: tuple[str, ...] = ()) -> tuple[str, str]:
    """Ask in a new conversation and wait; returns the run's id and the answer."""
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, text, attachment_ids)
    await office.runs.wait([sent.runs[0].id])
    return sent.runs[0].id, (await office.message(sent.replies[0].id)).text


async def events_of(office: Office, run_id: str) -> list[RunEvent]:
    return list(await office.database.read(runs.run_events, run_id))


def results_sent(server: Aimock) -> str:
    """What the last request gave the model as tool results."""
    messages = server.journal()[-1]["body"]["messages"]
    return "\n".join(str(message["content"]) for message in messages if message["role"] == "tool")


@pytest.mark.parametrize(
    ("kind", "model"),
    [("anthropic", MODEL), ("openai", "gpt-5.2"), ("openai-compatible", "some-local-model")],
)
async def test_tools_called_together_overlap_and_are_recorded(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock], kind: str, model: str
) -> None:
    server = aimock(
        calls(("recall", {"query": "quay depth"}), ("recall", {"query": "tides"})), then("Nothing there.")
    )
    await connect(office, kind, server.anthropic_url if kind == "anthropic" else server.openai_url, model)
    run_id, text = await ask(office, "What do we know?")
    assert text == "Nothing there.", [event.body for event in await events_of(office, run_id)]
    kinds = [type(event) for event in heard if isinstance(event, ToolStarted | ToolFinished)]
    assert kinds == [ToolStarted, ToolStarted, ToolFinished, ToolFinished], "one waited for the other"
    events = await events_of(office, run_id)
    started = [event.body for event in events if event.kind == "tool_started"]
    assert [(body["tool"], body["arguments"], body["effect"]) for body in started] == [
        ("recall", {"query": "quay depth", "limit": 8}, "read"),
        ("recall", {"query": "tides", "limit": 8}, "read"),
    ]
    finished = {event.body["call"] for event in events if event.kind == "tool_finished"}
    assert finished == {body["call"] for body in started}


async def test_a_fact_is_proposed_accepted_and_recalled_elsewhere(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    fact = "The owner's boat is called Petrel and lies at the east quay."
    server = aimock(
        calls(("remember", {"text": fact}), userMessage="keep this"),
        then("Kept.", userMessage="keep this"),
        calls(("recall", {"query": "name of the boat Petrel"}), userMessage="boat"),
        then("It is called Petrel.", userMessage="boat"),
    )
    await connect(office, "anthropic", server.anthropic_url, MODEL)
    run_id, _text = await ask(office, "keep this")
    proposed = await office.database.read(_notes, "proposed")
    assert [note.text for note in proposed] == [fact]
    run = await office.database.read(runs.run, run_id)
    assert proposed[0].agent_id == run.agent_id
    assert proposed[0].model == MODEL
    source = await office.message(proposed[0].source_message_id or "")
    assert source.text == "keep this"
    effects = [
        event.body["effect"] for event in await events_of(office, run_id) if event.kind == "tool_started"
    ]
    assert effects == ["write-local"]

    lead = (await office.roster.all())[0]
    await office.roster.change(lead.id, accepts_own_notes=True)
    await ask(office, "keep this")
    accepted = await office.database.read(_notes, "accepted")
    assert [note.text for note in accepted] == [fact]
    why = await office.recall.why("Petrel, the boat at the east quay", kinds=("note",))
    assert why["hits"][0]["source"]["source_message_id"] == accepted[0].source_message_id
    assert (await office.message(accepted[0].source_message_id or "")).text == "keep this"
    _run, text = await ask(office, "What is my boat called?")
    assert text == "It is called Petrel."
    assert "<data" in results_sent(server)
    assert fact in results_sent(server)
    # Recalled notes go along by themselves too, with their reason, in the X-ray and in the user's turn.
    run = await office.database.read(runs.run, _run)
    recalled = [part for part in run.context if part.kind == "notes"]
    assert any("Petrel" in part.label and part.reason for part in recalled)
    told = [m for m in server.journal()[-2]["body"]["messages"] if m["role"] == "user"]
    assert any('<data kind="note"' in str(message["content"]) for message in told)
    used = [event.body["used"] for event in await events_of(office, _run) if event.kind == "memory_used"]
    assert used
    assert (await office.database.read(notes.note, accepted[0].id)).uses == 1


async def test_a_long_file_is_given_in_part_and_read_on(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock], tmp_path: Path
) -> None:
    lines = [f"Line {number}: the tide stood at {number} centimetres." for number in range(1, 2001)]
    path = tmp_path / 'tides "quoted" ‮.txt'
    path.write_text("\n".join(lines), "utf-8")
    server = aimock(
        calls(
            ("read_attachment", {"file": path.name, "offset": 8000}),
            ("read_attachment", {"file": path.name, "search": "at 1999 centimetres"}),
            ("read_attachment", {"file": "other.txt"}),
        ),
        then("Read."),
    )
    await connect(office, "openai-compatible", server.openai_url, "some-local-model")
    conversation = await office.create_conversation()
    attachment = await office.attach(conversation.id, path)
    await until(
        lambda: any(isinstance(e, AttachmentChanged) and e.attachment.state == "ready" for e in heard)
    )
    preview = await office.preview(conversation.id, "What about the tides?", [attachment.id])
    sent = await office.send(conversation.id, "What about the tides?", [attachment.id])
    await office.runs.wait([sent.runs[0].id])
    run = await office.database.read(runs.run, sent.runs[0].id)
    assert run.state == "done", run.reason
    part = next(part for part in run.context if part.kind == "attachment")
    assert part in preview[0].parts
    assert "first 8,000 of" in part.label
    assert "read more with the tool" in part.label
    given = str(server.journal()[0]["body"]["messages"])
    assert "Line 1: the tide" in given
    assert "Line 1000:" not in given
    results = results_sent(server)
    assert "characters 8000 to 16000 of" in results
    assert "line 1999" in results.lower()
    assert "There is no such file here" in results


@pytest.mark.parametrize(
    ("kind", "model", "goes"),
    [
        ("anthropic", MODEL, True),
        ("openai", "gpt-5.2", True),
        ("openai-compatible", "some-local-model", False),
    ],
)
async def test_an_image_goes_as_it_is_where_the_model_sees(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock], kind: str, model: str, goes: bool
) -> None:
    server = aimock({"match": {}, "response": {"content": "A red dot."}})
    async with relay(server.url) as (url, wire):
        await connect(office, kind, url if kind == "anthropic" else f"{url}/v1", model)
        conversation = await office.create_conversation()
        attachment = await office.attach(conversation.id, RED_DOT, "dot.png")
        await until(
            lambda: any(isinstance(e, AttachmentChanged) and e.attachment.state == "ready" for e in heard)
        )
        sent = await office.send(conversation.id, "What is it?", [attachment.id])
        await office.runs.wait([sent.runs[0].id])
        run = await office.database.read(runs.run, sent.runs[0].id)
        await office.close()
    assert run.state == "done", run.reason
    label = next(part.label for part in run.context if part.kind == "attachment")
    assert ("the whole image" in label) is goes
    assert ("not sent" in label) is not goes
    assert (base64.b64encode(RED_DOT) in bytes(wire)) is goes
    assert (b'"store":false' in bytes(wire)) is (kind == "openai"), "OpenAI must not keep what it was sent"


@asynccontextmanager
async def relay(url: str) -> AsyncIterator[tuple[str, bytearray]]:
    """Stand between the office and a server and keep what the office sent: aimock's journal has no images."""
    target, sent = urlsplit(url), bytearray()

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, keep: bool) -> None:
        while piece := await source.read(65536):
            if keep:
                sent.extend(piece)
            sink.write(piece)
            await sink.drain()
        sink.close()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(carry(reader, far_writer, True), carry(far_reader, writer, False))

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", sent


async def test_a_call_repeated_is_explained_and_then_stopped(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock(
        {
            "match": {},
            "response": {"toolCalls": [{"name": "recall", "arguments": json.dumps({"query": "again"})}]},
        }
    )
    await connect(office, "anthropic", server.anthropic_url, MODEL)
    run_id, _text = await ask(office, "Loop, please")
    run = await office.database.read(runs.run, run_id)
    assert run.state == "stopped"
    assert "five times" in run.reason
    assert len(server.journal()) == 5
    results = [e.body["result"] for e in await events_of(office, run_id) if e.kind == "tool_finished"]
    assert "exactly these arguments before" not in results[1]
    assert "exactly these arguments before" in results[2]


async def test_a_call_that_a_stop_or_a_crash_left_open_is_closed_as_unknown(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock(
        {"match": {"sequenceIndex": 0}, "response": {"error": {"message": "broken"}, "status": 400}},
        {"match": {}, "response": {"content": "Done."}},
    )
    await connect(office, "anthropic", server.anthropic_url, MODEL)
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "remember this")
    run_id = sent.runs[0].id
    await office.runs.wait([run_id])
    # What a kill −9 between "started" and "finished" of a writing tool leaves behind.
    await office.database.write(_left_open, run_id)
    await office.resume(run_id)
    await office.runs.wait([run_id])
    assert (await office.message(sent.replies[0].id)).text == "Done."
    finished = [event.body for event in await events_of(office, run_id) if event.kind == "tool_finished"]
    assert [(body["call"], body["failed"]) for body in finished] == [("call_1", True)]
    assert "it may have happened or not" in results_sent(server)
    assert await office.database.read(_notes, "proposed") == (), "a write is never repeated by itself"


def _left_open(session: Session, run_id: str) -> None:
    from pydantic_ai.messages import ModelResponse, ToolCallPart

    call = ToolCallPart("remember", {"text": "x"}, "call_1")
    runs.set_history(session, run_id, keep("elsewhere/model", 0, [ModelResponse(parts=[call])]).to_json())
    body = {"call": "call_1", "tool": "remember", "arguments": {"text": "x"}, "effect": "write-local"}
    runs.append_event(session, run_id, "tool_started", body)


async def test_the_last_requests_are_for_the_closing_answer(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    looks = [
        {
            "match": {"sequenceIndex": number},
            "response": {"toolCalls": [{"name": "recall", "arguments": json.dumps({"query": f"q{number}"})}]},
        }
        for number in range(6)
    ]
    server = aimock(*looks, {"match": {}, "response": {"content": "too late"}})
    await connect(office, "anthropic", server.anthropic_url, MODEL)
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "Search for ever", effort="quick")
    await office.runs.wait([sent.runs[0].id])
    run = await office.database.read(runs.run, sent.runs[0].id)
    assert run.state == "stopped"
    assert "6 steps" in run.reason
    requests = [json.dumps(entry["body"]) for entry in server.journal()]
    assert len(requests) == 6
    assert ["your last request" in request for request in requests] == [False] * 4 + [True] * 2


def _notes(session: Session, state: str) -> tuple[Note, ...]:
    return notes.notes(session, state=state)


RED_DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100"
    "c9fe92ef0000000049454e44ae426082"
)
