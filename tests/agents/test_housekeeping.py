"""What an office does by itself, also where it is opened for one command at a time."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from agents.commands.serving import serving
from memory.identifiers import now
from memory.lifecycle import rounds
from memory.lifecycle.subjects import Subject
from memory.lifecycle.trash import DAY
from memory.locations import Locations
from memory.tables import NoteTable
from tests.agents.conftest import PASSPHRASE
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


def _age(session: Session, identity: str) -> None:
    session.get_one(NoteTable, identity).trashed_at = now() - 31 * DAY


def _is_there(session: Session, identity: str) -> bool:
    return session.get(NoteTable, identity) is not None
