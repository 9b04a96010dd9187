"""An office of its own for each test, and providers that speak real HTTP on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from agents.events import Event
from agents.office import Office
from memory.locations import Locations
from vault.secret import Secret

PASSPHRASE = "six words are better than one"


@pytest.fixture
async def offices(own_home: Path) -> AsyncIterator[Callable[..., Awaitable[Office]]]:
    """A function that opens offices, all of them closed after the test."""
    opened: list[Office] = []

    async def open_one(name: str = "office") -> Office:
        office = await Office.open(Locations.find(own_home / name), passphrase=PASSPHRASE)
        opened.append(office)
        return office

    yield open_one
    for office in opened:
        await office.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where offices meet."""
    made = tmp_path / "shared"
    made.mkdir()
    return made


@pytest.fixture
async def office(offices: Callable[..., Awaitable[Office]]) -> Office:
    """An open office with its five agents and no connection."""
    return await offices()


@pytest.fixture
def heard(office: Office) -> list[Event]:
    """Everything the office tells, in order."""
    events: list[Event] = []
    office.events.subscribe(events.append)
    return events


async def connect(office: Office, kind: str, url: str, model: str) -> str:
    """Add a connection to a server on this machine; returns its id."""
    added = await office.connections.add(
        kind, Secret("loopback-test-value-0123456789"), base_url=url, model=model
    )
    return added.id


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; the test's own time limit ends a wait that is in vain."""
    while not condition():
        await asyncio.sleep(0.01)
