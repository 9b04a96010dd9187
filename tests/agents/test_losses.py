"""What goes away in mid-stream, a disk or a row: one sentence, and nothing that was written is lost."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from agents.events import Event, Notice, TextDelta
from agents.office import Office
from agents.runtime.recording import Recorder
from memory import ledger, runs
from memory.errors import DiskFull, NotFound
from memory.tables import ConversationTable
from tests.agents.conftest import connect, until
from tests.peers.aimock import Aimock

LONG = "The tide is out and the quay is dry. " * 200


@pytest.mark.peer
async def test_text_waits_for_room_on_the_disk(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"content": LONG}, "chunkSize": 60, "latency": 10})
    await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "Tell me")
    await until(lambda: any(isinstance(event, TextDelta) for event in heard))
    # SQLite itself refuses to grow the file from here on, as on a full disk.
    await office.database.write(_room, "full")
    await until(
        lambda: any(isinstance(event, Notice) and "disk is full" in event.sentence for event in heard)
    )
    assert sent.runs[0].id in office.runs.active
    await office.database.read(_still_readable)
    assert len((await office.message(sent.replies[0].id)).text) < len(LONG)
    office.database.write_now(_room, "free")
    await office.runs.wait([sent.runs[0].id])
    message = await office.message(sent.replies[0].id)
    assert (message.text, message.state) == (LONG.strip(), "complete") or message.text == LONG
    events = await office.database.read(runs.run_events, sent.runs[0].id)
    assert [event.kind for event in events].count("finished") == 1
    assert "".join(event.body["text"] for event in events if event.kind == "text") == message.text


def _room(session: Session, how: str) -> None:
    connection = session.connection()
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages if how == 'full' else 1_000_000}")


def _still_readable(session: Session) -> None:
    session.connection().exec_driver_sql("SELECT count(*) FROM message").scalar_one()


async def test_a_commit_whose_run_is_stopped_meanwhile_is_kept_for_later(office: Office) -> None:
    recorder = Recorder(office.database, office.events)
    begun, go_on = threading.Event(), threading.Event()
    attempts: list[str] = []

    def write(_session: Session) -> None:
        begun.set()
        go_on.wait()
        attempts.append("written" if attempts else "refused")
        if attempts == ["refused"]:
            raise DiskFull("full")

    recorder.add(write)
    committing = asyncio.create_task(recorder.flush())
    await until(begun.is_set)
    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing
    go_on.set()
    await recorder.close()
    assert attempts == ["refused", "written"]


@pytest.mark.peer
async def test_what_is_taken_away_in_mid_stream_costs_nobody_else(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"content": LONG}, "chunkSize": 60, "latency": 10})
    account = await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    kept, erased = await office.create_conversation(), await office.create_conversation()
    stays = await office.send(kept.id, "Tell me")
    goes = await office.send(erased.id, "Tell me too")
    speaking = {stays.runs[0].id, goes.runs[0].id}
    await until(lambda: speaking <= {event.run_id for event in heard if isinstance(event, TextDelta)})
    await office.database.write(_erase, erased.id)
    await office.connections.remove(account)
    await office.roster.remove(stays.agents[0].id)
    await office.runs.wait([*speaking])
    message = await office.message(stays.replies[0].id)
    assert (message.state, message.agent_name) == ("complete", "Lead")
    assert message.text == LONG or message.text == LONG.strip()
    events = await office.database.read(runs.run_events, stays.runs[0].id)
    assert "".join(event.body["text"] for event in events if event.kind == "text") == message.text
    assert (await office.database.read(ledger.usage_total)).requests == 2
    with pytest.raises(NotFound):
        await office.message(goes.replies[0].id)
    assert not office.runs.active


def _erase(session: Session, conversation_id: str) -> None:
    session.delete(session.get_one(ConversationTable, conversation_id))
