"""Rounds that end before their end: what they brought is told, and nothing is sent once sync is off."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.events import NotesChanged
from agents.office import Office
from agents.syncing import Syncing
from memory import notes
from memory.errors import DiskFull, Refused
from memory.sync import exchange
from memory.sync.folder import FolderCarrier
from memory.sync.service.carrier import HostedCarrier
from memory.sync.service.faults import Unreachable
from memory.sync.taking import Parts
from tests.agents.syncing_offices import settle
from tests.agents.test_sync_service import found, hosted, join
from tests.agents.test_syncing import Offices, both
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]


def hears(office: Office) -> list[NotesChanged]:
    heard: list[NotesChanged] = []
    office.events.subscribe(lambda event: heard.append(event) if isinstance(event, NotesChanged) else None)
    return heard


async def test_what_a_round_brought_is_told_though_it_could_send_nothing(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, _key = await both(offices, folder)
    await settle(one, other)
    await one.notes.add("milk")
    await one.syncing.now()
    await other.notes.add("bread")
    heard = hears(other)

    def full(carrier: FolderCarrier, ops: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FolderCarrier, "_push", full)
    with pytest.raises(DiskFull):
        await other.syncing.now()
    assert len(await other.database.read(notes.notes)) == 2 and heard


async def test_what_a_round_brought_is_told_though_the_service_went_away(
    offices: Offices, hosted: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await offices("one"), await offices("other")
    await join(other, hosted, await found(one, hosted))
    await settle(one, other)
    await one.notes.add("milk")
    await one.syncing.now()
    await other.notes.add("bread")
    heard = hears(other)

    async def away(carrier: object, ops: object) -> None:
        raise Unreachable("ReadError")

    monkeypatch.setattr(HostedCarrier, "push", away)
    with pytest.raises(Refused):
        await other.syncing.now()
    assert len(await other.database.read(notes.notes)) == 2 and heard


async def test_no_round_begins_while_sync_is_being_switched_off(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that had seen it on would read for ever, since nothing that it reads counts any more."""
    one, other, _key = await both(offices, folder)
    await settle(one, other)
    seen, go_on = asyncio.Event(), asyncio.Event()
    real = Syncing.joined

    async def slow(syncing: Syncing) -> object:
        here = await real(syncing)
        if asyncio.current_task() is not switching:
            seen.set()
            await go_on.wait()
        return here

    monkeypatch.setattr(Syncing, "joined", slow)
    switching: asyncio.Task[None] | None = None
    rounding = asyncio.create_task(one.syncing.now())
    await seen.wait()
    switching = asyncio.create_task(one.syncing.switch(enabled=False))
    await switching
    go_on.set()
    with pytest.raises(Refused, match="Sync is paused"):
        await rounding


async def test_who_ends_a_round_that_is_sending_ends_the_sending(
    offices: Offices, hosted: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await offices("one")
    await found(one, hosted)
    await one.notes.add("milk")
    begun, ended = asyncio.Event(), asyncio.Event()

    async def for_ever(carrier: object, ops: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(HostedCarrier, "push", for_ever)
    monkeypatch.setattr(exchange, "_seal_some", _never_done(exchange._seal_some, begun))
    rounding = asyncio.create_task(one.syncing.now())
    await begun.wait()
    await one.syncing.switch(enabled=False)
    done, _pending = await asyncio.wait([rounding], timeout=5)
    rounding.cancel()
    with pytest.raises(Refused, match="ended"):
        await rounding
    assert done and ended.is_set()


def _never_done(real: Callable[[Parts], Awaitable[bool]], begun: asyncio.Event) -> object:
    async def seal(parts: Parts) -> bool:
        if begun.is_set():
            await asyncio.Event().wait()
        return await real(parts)

    return seal
