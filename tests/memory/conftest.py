"""An open office database with all tables, and a conversation in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from memory import chats
from memory.chats import Conversation
from memory.database import Database
from memory.tables import Base

KEY = bytes(range(32))


def _make_tables(session: Session) -> None:
    Base.metadata.create_all(session.connection())


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and no row: made once, copied for every test."""
    path = tmp_path_factory.mktemp("empty") / "office.db"
    made = Database.open(path, KEY)
    made.write_now(_make_tables)
    made.close()
    return path


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Iterator[Database]:
    shutil.copy(empty_database, tmp_path / "office.db")
    opened = Database.open(tmp_path / "office.db", KEY)
    yield opened
    opened.close()


@pytest.fixture
def conversation(database: Database) -> Conversation:
    return database.write_now(chats.create_conversation)
