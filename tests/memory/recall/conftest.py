"""An office with recall: a real encrypted database, a real recall process, one conversation to write in."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from memory.database import Database
from memory.locations import Locations
from memory.recall.full_text import create
from memory.recall.search import Recall
from memory.tables import Base, OfficeTable
from tests.memory.recall.writing import Writer

OFFICE = "0f" * 16


def prepare(session: Session) -> None:
    """Make the tables and the office's row."""
    Base.metadata.create_all(session.connection())
    create(session.connection())
    session.add(OfficeTable(id=OFFICE, created_at=0))


@pytest.fixture
def locations(own_home: Path) -> Locations:
    places = Locations.find()
    places.create()
    return places


@pytest.fixture
def database(locations: Locations) -> Iterator[Database]:
    opened = Database.open(locations.database, os.urandom(32))
    opened.write_now(prepare)
    yield opened
    opened.close()


@pytest.fixture
def writer(database: Database) -> Writer:
    return Writer(database)


@pytest.fixture
async def recall(database: Database, locations: Locations) -> AsyncIterator[Recall]:
    """Recall that has not been started; closed afterwards."""
    facade = Recall(database, locations, OFFICE)
    yield facade
    await facade.close()


async def warm(recall: Recall) -> None:
    """Start it and wait until all is embedded and indexed."""
    await recall.start()
    await asyncio.wait_for(recall.settled(), 60)
