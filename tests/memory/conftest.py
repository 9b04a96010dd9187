"""An open office database with all tables, and a conversation in it."""

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


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "office.db", KEY)
    opened.write_now(_make_tables)
    yield opened
    opened.close()


@pytest.fixture
def conversation(database: Database) -> Conversation:
    return database.write_now(chats.create_conversation)
