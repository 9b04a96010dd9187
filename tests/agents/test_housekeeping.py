"""What an office does by itself, also where it is opened for one command at a time."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from agents import housekeeping
from agents.commands.serving import serving
from agents.events import Event, Notice
from agents.office import Office
from memory.errors import DiskFull
from memory.identifiers import now
from memory.lifecycle import rounds
from memory.lifecycle.subjects import Subject
from memory.lifecycle.trash import DAY
from memory.locations import Locations
from memory.tables import NoteTable
from tests.agents.conftest import PASSPHRASE, until
from vault.secret import Secret


@pytest.mark.req("R140")
async def test_an_office_of_short_commands_does_the_round_once_a_day(own_home: Path) -> None:
    locations, passphrase = Locations.find(own_home / "office"), Secret(PASSPHRASE)
    async with serving(locations, passphrase) as served:
        office = served.office
        note = await office.notes.add("The crane is red")
        await office.keeping.put_away([Subject("note", note.id)])
        await office.database.write(_age, note.id)
        assert await office.database.read(rounds.is_due, now())
    async with serving(locations, passphrase) as served:
        database = served.office.database
        assert await database.read(_is_there, note.id), (
            "a command that asked nothing does not hold its caller up"
        )
        await served.office.warm()
        assert await database.read(_is_there, note.id), "the question comes first"
    async with serving(locations, passphrase) as served:
        database = served.office.database
        assert not await database.read(_is_there, note.id)
        done = await database.read(rounds.last)
        assert done is not None and not await database.read(rounds.is_due, now())
        assert await database.read(rounds.is_due, done + DAY)
        await served.office.warm()
    async with serving(locations, passphrase) as served:
        assert await served.office.database.read(rounds.last) == done


async def test_a_full_disk_puts_it_off_and_says_nothing_of_its_own(
    office: Office, heard: list[Event], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(housekeeping, "LEISURE_SECONDS", 0.0)
    monkeypatch.setattr(housekeeping, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(office.daily, "start", full := FullOnce(office.daily.start))
    office.housekeeping.begin_soon()
    await until(lambda: full.times == 2)
    await office.daily.first_round()
    assert "does not keep house yet" in caplog.text
    assert not any(isinstance(event, Notice) for event in heard)


class FullOnce:
    """Refuses the first call as a full disk does."""

    def __init__(self, call: Callable[[], Awaitable[None]]) -> None:
        self._call = call
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1
        if self.times == 1:
            raise DiskFull("The disk is full.")
        await self._call()


def _age(session: Session, identity: str) -> None:
    session.get_one(NoteTable, identity).trashed_at = now() - 31 * DAY


def _is_there(session: Session, identity: str) -> bool:
    return session.get(NoteTable, identity) is not None
