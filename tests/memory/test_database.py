"""The two lanes: one transaction per call, whole or not at all, whatever its caller does meanwhile."""

import asyncio
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from memory import chats
from memory.database import Database
from memory.errors import DiskReadOnly, StorageError
from tests.memory.conftest import KEY


def count(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM conversation")).scalar_one())


class Gate:
    """Holds an operation open on its lane until it is let through."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def create(self, session: Session) -> str:
        made = chats.create_conversation(session)
        self.entered.set()
        assert self.opened.wait(30)
        return made.id


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()


def test_an_operation_that_fails_leaves_nothing(database: Database) -> None:
    def fail(session: Session) -> None:
        chats.create_conversation(session)
        raise KeyError("no")

    with pytest.raises(KeyError):
        database.write_now(fail)
    assert database.write_now(count) == 0


async def test_a_cancelled_caller_does_not_tear_a_transaction(database: Database, gate: Gate) -> None:
    task = asyncio.create_task(database.write(gate.create))
    await asyncio.to_thread(gate.entered.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.opened.set()
    assert await database.write(count) == 1


async def test_reading_goes_on_while_a_write_is_open(database: Database, gate: Gate) -> None:
    await database.write(chats.create_conversation)
    writing = asyncio.create_task(database.write(gate.create))
    await asyncio.to_thread(gate.entered.wait, 30)
    assert await database.read(count) == 1  # what is not committed is not seen
    gate.opened.set()
    await writing
    assert await database.read(count) == 2


async def test_the_reading_lane_cannot_write(database: Database) -> None:
    with pytest.raises(DiskReadOnly):
        await database.read(chats.create_conversation)
    assert await database.read(count) == 0


def test_writes_are_taken_in_the_order_given(database: Database) -> None:
    async def many() -> list[str]:
        titles = [f"{n}" for n in range(50)]
        await asyncio.gather(*(database.write(chats.create_conversation, title=title) for title in titles))
        return titles

    titles = asyncio.run(many())

    def written(session: Session) -> list[str]:
        return list(session.scalars(text("SELECT title FROM conversation ORDER BY rowid")))

    assert database.write_now(written) == titles


def test_a_refused_change_names_its_reason(database: Database) -> None:
    def twice(session: Session) -> None:
        for _time in range(2):
            session.execute(text("INSERT INTO office(id, created_at, change_mark) VALUES ('a', 1, 0)"))

    with pytest.raises(StorageError, match=r"refused the change: .*office\.id"):
        database.write_now(twice)


def test_closing_folds_the_log_away_and_may_be_done_twice(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    database = Database.open(path, KEY)
    asyncio.run(database.read(lambda session: session.execute(text("SELECT 1")).scalar_one()))
    database.close()
    database.close()
    assert [each.name for each in tmp_path.iterdir()] == ["office.db"]


def test_an_error_does_not_repeat_what_was_to_be_written(database: Database) -> None:
    """Its text and its causes go to the log, and from there into a report of a fault."""

    def write(session: Session) -> None:
        session.execute(
            text("INSERT INTO conversation (id, title) VALUES (:id, :title)"),
            {"id": None, "title": "quetzal"},
        )

    with pytest.raises(StorageError) as refused:
        database.write_now(write)
    told = "".join(traceback.format_exception(refused.value))
    assert "INSERT" in told and "quetzal" not in told


class Rekeying:
    """Holds a change of keys open on the writing lane, where no other connection may be, until it is let through."""

    def __init__(self, gate: Gate) -> None:
        self.key = bytes(range(32))
        self._gate = gate

    def work(self, connection: Any) -> None:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        self._gate.entered.set()
        assert self._gate.opened.wait(30)
        connection.execute(f"PRAGMA rekey = \"x'{self.key.hex()}'\"")


async def test_what_is_read_apart_while_the_key_changes_waits_for_it(database: Database, gate: Gate) -> None:
    await database.write(chats.create_conversation)
    rekeying = Rekeying(gate)
    changing = asyncio.create_task(database.rekey(rekeying.key, rekeying.work))
    await asyncio.to_thread(gate.entered.wait, 30)
    reading = asyncio.create_task(database.read_apart(count))
    await asyncio.wait([reading], timeout=0.3)
    assert not reading.done()
    gate.opened.set()
    await changing
    assert await reading == 1
    assert await database.read(count) == 1


async def test_who_no_longer_waits_to_read_apart_leaves_no_connection_behind(
    tmp_path: Path, gate: Gate
) -> None:
    database = Database.open(tmp_path / "office.db", KEY)
    rekeying = Rekeying(gate)
    changing = asyncio.create_task(database.rekey(rekeying.key, rekeying.work))
    await asyncio.to_thread(gate.entered.wait, 30)
    reading = asyncio.create_task(
        database.read_apart(lambda session: session.execute(text("SELECT 1")).scalar_one())
    )
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    gate.opened.set()
    await changing
    await database.read(lambda session: session.execute(text("SELECT 1")).scalar_one())
    await asyncio.sleep(0)
    database.close()
    assert [each.name for each in tmp_path.iterdir()] == ["office.db"]


async def test_it_closes_while_its_key_is_changed_for_nobody(tmp_path: Path) -> None:
    """Who wanted the change has gone, and the writing lane has still to take its place."""
    database = Database.open(tmp_path / "office.db", KEY)
    await database.read(lambda session: session.execute(text("SELECT 1")).scalar_one())
    begun, go_on = threading.Event(), threading.Event()

    def work(_connection: Any) -> None:
        begun.set()
        go_on.wait()

    changing = asyncio.create_task(database.rekey(KEY, work))
    await asyncio.to_thread(begun.wait)
    changing.cancel()
    closing = asyncio.create_task(asyncio.to_thread(database.close))
    await asyncio.wait([closing], timeout=0.3)
    go_on.set()
    await asyncio.wait_for(closing, 20)
    with pytest.raises(asyncio.CancelledError):
        await changing
