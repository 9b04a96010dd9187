"""A revision that changes a synced table leaves no edit unmarked: the triggers are those that the tables demand."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from memory import chats, notes, office_store
from memory.database import Database
from memory.errors import MigrationFailed
from memory.locations import Locations
from memory.migrations import schema, upgrade
from memory.sync import hooks, space
from memory.sync.device_keys import DeviceKeys
from memory.sync.shapes import Shape, shapes
from memory.tables import NoteTable, SyncChangeTable, SyncSpaceTable
from tests.memory.conftest import KEY
from tests.memory.sync.devices import TYPES, Ring
from tests.memory.sync.making import SPACE

SECOND = '''
"""A second revision, which rebuilds a synced table and a table of sync, and adds a column that syncs."""

import os
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    for table, column in (("note", "text"), ("sync_record", "rev")):
        with op.batch_alter_table(table) as batch:
            batch.alter_column(column, server_default="")
    op.execute("ALTER TABLE conversation ADD COLUMN colour VARCHAR")
    if os.environ.get("HOW") == "raise":
        raise RuntimeError("no")
'''


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    made = Locations.find(tmp_path / "office")
    made.create()
    return made


@pytest.fixture
def syncing(locations: Locations) -> Locations:
    """An office with a space, in which nothing is marked."""
    database = office_store.open_database(locations, KEY)
    keys = DeviceKeys.new()
    ring = Ring([keys])
    database.write_now(space.begin, SPACE, keys.id, "folder", ring.account, types=TYPES, founds=True)
    database.write_now(_settle)
    database.write_now(notes.add_note, "milk")
    database.write_now(_settle)
    database.close()
    return locations


@pytest.fixture
def second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revision after today's, with a column of chats that syncs."""
    folder = tmp_path / "migrations"
    shutil.copytree(upgrade.FOLDER, folder)
    (folder / "versions" / "revision_0002.py").write_text(SECOND)
    monkeypatch.setattr(upgrade, "FOLDER", folder)
    for module in (upgrade, schema):
        monkeypatch.setattr(module, "REVISIONS", ("0001", "0002"))
    monkeypatch.setattr(office_store, "HEAD", "0002")
    monkeypatch.setattr(hooks, "shapes", _with_colour)


def _with_colour() -> dict[str, Shape]:
    found = dict(shapes())
    chat = found["conversation"]
    found["conversation"] = replace(
        chat, synced=replace(chat.synced, columns=(*chat.synced.columns, "colour"))
    )
    return found


def _settle(session: Session) -> None:
    session.execute(delete(SyncChangeTable))
    session.execute(update(SyncSpaceTable).values(marking={}))


def marked(database: Database) -> set[str]:
    def read(session: Session) -> set[str]:
        return set(session.scalars(select(SyncChangeTable.type)))

    found: set[str] = database.write_now(read)
    return found


def is_compared_anew(database: Database) -> bool:
    """Whether every row is about to be compared with what the others know."""

    def read(session: Session) -> bool:
        return bool(session.scalars(select(SyncSpaceTable.marking)).one())

    found: bool = database.write_now(read)
    return found


def edit(database: Database) -> None:
    def write(session: Session) -> None:
        session.execute(update(NoteTable).values(text="bread"))

    database.write_now(write)


def triggers(database: Database) -> set[str]:
    def read(session: Session) -> set[str]:
        return set(session.scalars(text("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")))

    found: set[str] = database.write_now(read)
    return found


@pytest.mark.usefixtures("second")
def test_edits_are_marked_after_a_revision_that_rebuilt_a_table(syncing: Locations) -> None:
    database = office_store.open_database(syncing, KEY)
    assert is_compared_anew(database)  # what the revision changed is found by comparing
    database.write_now(_settle)
    edit(database)
    assert marked(database) == {"note"}
    database.write_now(_settle)
    database.write_now(chats.create_conversation)
    assert marked(database) == {"conversation"}
    database.write_now(_settle)
    database.write_now(lambda session: session.execute(text("UPDATE conversation SET colour = 'teal'")))
    assert marked(database) == {"conversation"}
    database.write_now(_settle)
    database.close()
    database = office_store.open_database(syncing, KEY)
    assert not is_compared_anew(database) and marked(database) == set()
    database.close()


@pytest.mark.usefixtures("second")
def test_a_revision_that_fails_leaves_the_triggers(
    syncing: Locations, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.open(syncing.database, KEY)
    before = triggers(database)
    database.close()
    monkeypatch.setenv("HOW", "raise")
    with pytest.raises(MigrationFailed):
        office_store.open_database(syncing, KEY)
    database = Database.open(syncing.database, KEY)
    assert triggers(database) == before
    edit(database)
    assert marked(database) == {"note"}
    database.close()


def test_an_office_of_today_is_opened_without_comparing(syncing: Locations) -> None:
    database = office_store.open_database(syncing, KEY)
    assert not is_compared_anew(database)
    database.close()


def test_triggers_of_an_earlier_data_map_are_made_anew_without_a_revision(
    syncing: Locations, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.open(syncing.database, KEY)
    database.write_now(lambda session: session.execute(text("DROP TRIGGER sync_note_changed")))
    database.close()
    database = office_store.open_database(syncing, KEY)
    assert is_compared_anew(database)
    database.write_now(_settle)
    edit(database)
    assert marked(database) == {"note"}
    database.close()


def test_an_office_without_a_space_gets_no_triggers(locations: Locations) -> None:
    office_store.open_database(locations, KEY).close()
    database = office_store.open_database(locations, KEY)
    assert not any("sync_" in each for each in triggers(database))
    database.close()
