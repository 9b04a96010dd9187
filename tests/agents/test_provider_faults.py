"""What a provider can do to a run: be busy, break, cut the line, talk nonsense, refuse; and what is kept."""

import asyncio
from collections.abc import Callable

import pytest

from agents.connections import clients
from agents.connections.errors import Overloaded, RateLimited
from agents.events import Event, Notice
from agents.office import Office
from agents.runtime.gating import ATTEMPTS, pause_after
from memory import ledger, runs
from memory.runs import Run
from tests.agents.conftest import connect
from tests.peers.aimock import Aimock

ANSWER = "All is well on the quay today, and the tide is out."
KINDS = [
    ("anthropic", "claude-sonnet-5"),
    ("openai", "gpt-5.2"),
    ("openai-compatible", "some-local-model"),
]
every_kind = pytest.mark.parametrize(("kind", "model"), KINDS)
pytestmark = pytest.mark.peer


def fails(status: int, times: int = 1, message: str = "not now", **more: object) -> list[dict[str, object]]:
    return [
        {
            "match": {"sequenceIndex": number},
            "response": {"error": {"message": message, "type": "overloaded_error"}, "status": status, **more},
        }
        for number in range(times)
    ]


async def asked(office: Office, server: Aimock, kind: str, model: str) -> tuple[Run, str, str]:
    """Ask one question; returns the ended run, the message's text and its state."""
    await connect(office, kind, server.anthropic_url if kind == "anthropic" else server.openai_url, model)
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "How is the quay?")
    await office.runs.wait([sent.runs[0].id])
    message = await office.message(sent.replies[0].id)
    return await office.database.read(runs.run, sent.runs[0].id), message.text, message.state


@every_kind
@pytest.mark.req("R180")
async def test_429_waits_as_long_as_the_provider_asks_and_says_so(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock], kind: str, model: str
) -> None:
    server = aimock(*fails(429, retryAfter=1), {"match": {}, "response": {"content": ANSWER}})
    run, text, state = await asked(office, server, kind, model)
    assert (run.state, text, state) == ("done", ANSWER, "complete")
    notices = [
        event.body for event in await office.database.read(runs.run_events, run.id) if event.kind == "notice"
    ]
    assert [notice["wait"] for notice in notices if "wait" in notice] == [1.0]
    assert any("Trying again in 1 s" in notice["sentence"] for notice in notices)
    assert any(isinstance(event, Notice) for event in heard)
    assert len(server.journal()) == 2


@every_kind
@pytest.mark.parametrize("status", [500, 529])
async def test_a_busy_provider_is_asked_again(
    office: Office, aimock: Callable[..., Aimock], kind: str, model: str, status: int
) -> None:
    server = aimock(*fails(status, 2), {"match": {}, "response": {"content": ANSWER}})
    run, text, _state = await asked(office, server, kind, model)
    assert (run.state, text) == ("done", ANSWER)
    assert len(server.journal()) == 3


async def test_a_provider_that_stays_broken_is_asked_four_times_and_no_more(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"error": {"message": "broken"}, "status": 500}})
    run, text, state = await asked(office, server, "anthropic", "claude-sonnet-5")
    assert (run.state, text, state) == ("failed", "", "failed")
    assert "try again later" in run.reason
    assert len(server.journal()) == ATTEMPTS


def test_pauses_are_bounded() -> None:
    busy, limited = Overloaded("busy"), RateLimited("slow down", retry_after=3.0)
    assert pause_after(limited, 1) == 3.0
    assert pause_after(RateLimited("later", retry_after=3_600), 1) is None
    waits = [pause_after(busy, attempt) for attempt in range(1, ATTEMPTS + 1)]
    assert waits[-1] is None
    assert [wait is not None and wait < 10 for wait in waits[:-1]] == [True] * (ATTEMPTS - 1)


@every_kind
async def test_a_cut_stream_keeps_its_text_and_can_be_resumed(
    office: Office, aimock: Callable[..., Aimock], kind: str, model: str
) -> None:
    server = aimock(
        {"match": {"userMessage": "cut off"}, "response": {"content": " (resumed)"}},
        {
            "match": {},
            "response": {"content": ANSWER * 5},
            "chunkSize": 5,
            "latency": 10,
            "disconnectAfterMs": 300,
        },
    )
    run, text, state = await asked(office, server, kind, model)
    assert (run.state, state) == ("interrupted", "interrupted")
    assert "resume the run" in run.reason
    assert text
    assert (ANSWER * 5).startswith(text)
    assert len(text) < len(ANSWER * 5)
    await office.resume(run.id)
    await office.runs.wait([run.id])
    assert (await office.database.read(runs.run, run.id)).state == "done"
    message = await office.message(await office.database.read(_message_of, run.id))
    assert message.text == text + " (resumed)"


@every_kind
async def test_a_malformed_reply_fails_with_a_sentence(
    office: Office, aimock: Callable[..., Aimock], kind: str, model: str
) -> None:
    server = aimock({"match": {}, "response": {"content": ANSWER}, "chaos": {"malformedRate": 1}})
    run, _text, state = await asked(office, server, kind, model)
    assert (run.state, state) == ("failed", "failed")
    assert "could not be read" in run.reason


@every_kind
@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (401, "invalid api key", "does not accept the key"),
        (402, "insufficient_quota", "no credit left"),
        (404, "model: does not exist", "choose another model"),
    ],
)
async def test_a_refusal_names_its_fix_and_is_not_repeated(
    office: Office,
    aimock: Callable[..., Aimock],
    kind: str,
    model: str,
    status: int,
    message: str,
    words: str,
) -> None:
    server = aimock({"match": {}, "response": {"error": {"message": message}, "status": status}})
    run, _text, state = await asked(office, server, kind, model)
    assert (run.state, state) == ("failed", "failed")
    assert words in run.reason
    assert len(server.journal()) == 1


@every_kind
async def test_a_key_that_the_provider_repeats_is_not_kept(
    office: Office, aimock: Callable[..., Aimock], kind: str, model: str
) -> None:
    key = "loopback-test-value-0123456789"  # what connect() adds
    server = aimock(*fails(400, 9, f"bad header Bearer {key}, or {key!r}"))
    run, text, _state = await asked(office, server, kind, model)
    assert "bad header" in run.reason and key not in f"{run.reason}{text}"
    (connection,) = await office.connections.all()
    steps = [step.sentence async for step in office.connections.check(connection.id)]
    assert not any(key in sentence for sentence in steps)


@every_kind
@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"])
async def test_a_server_that_never_answers_is_given_up_once_with_a_sentence(
    office: Office, monkeypatch: pytest.MonkeyPatch, kind: str, model: str, greeting: bytes
) -> None:
    monkeypatch.setitem(clients._TIMEOUT, "read", 0.3)
    asked_it = 0
    leaving = asyncio.Event()

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked_it
        asked_it += 1
        writer.write(greeting)
        await leaving.wait()
        writer.close()

    async with await asyncio.start_server(stay_silent, "127.0.0.1") as server:
        host, port = server.sockets[0].getsockname()
        await connect(office, kind, f"http://{host}:{port}", model)
        conversation = await office.create_conversation()
        sent = await office.send(conversation.id, "How is the quay?")
        await office.runs.wait([sent.runs[0].id])
        leaving.set()
    run = await office.database.read(runs.run, sent.runs[0].id)
    assert run.state in {"failed", "interrupted"}
    assert "did not answer in time" in run.reason
    assert asked_it == 1
    (booked,) = [row for row in await office.database.read(ledger.outbox) if row.run_id == run.id]
    assert booked.error == "ReadTimeout"


async def test_nobody_at_the_address(office: Office, aimock: Callable[..., Aimock]) -> None:
    server = aimock({"match": {}, "response": {"content": ANSWER}})
    server.stop()
    run, _text, _state = await asked(office, server, "openai-compatible", "some-local-model")
    assert run.state == "failed"
    assert "No server answers" in run.reason


def _message_of(session, run_id):
    from memory import messages

    return messages.messages_of_run(session, run_id)[0].id
