"""A disk that fills up in mid-stream: one sentence, and nothing that was written is lost."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from agents.events import Event, Notice, TextDelta
from agents.office import Office
from memory import runs
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
