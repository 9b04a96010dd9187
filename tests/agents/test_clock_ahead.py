"""A device whose clock is far ahead erases nothing for its age, here or on the others, until its clock is right."""

from pathlib import Path

import pytest

from agents.commands.keeping import retention_run
from agents.commands.serving import Served
from agents.commands.syncing import status
from agents.door.protocol import CommandFailed
from agents.events import Event, RetentionAsks
from agents.lifecycle.daily import Daily
from agents.office import Office
from memory.identifiers import now
from memory.lifecycle import rounds
from memory.lifecycle.subjects import Subject
from memory.lifecycle.trash import DAY
from tests.agents.test_sync_service import Offices, found, hosted, join, settle, texts
from tests.agents.test_syncing import both
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]


def sets_clock(office: Office, days: int) -> Daily:
    """Let the clock of an office's device be ahead; return its daily round."""

    def clock() -> int:
        return now() + days * DAY

    office.syncing.clock = clock
    return Daily(office.database, office.locations, office.events, office.erasing, clock)


def ahead(events: list[Event]) -> list[tuple[int, int]]:
    return [(each.count, each.ahead // DAY) for each in events if isinstance(each, RetentionAsks)]


@pytest.mark.req("R140")
async def test_where_a_service_tells_the_time_nothing_goes_until_the_clock_is_right(
    offices: Offices, hosted: Running
) -> None:
    one, other = await offices("one"), await offices("other")
    daily = sets_clock(other, 60)
    await other.database.write(rounds.note, now() + 60 * DAY)  # it has not jumped since
    note = await one.notes.add("milk")
    await join(other, hosted, await found(one, hosted))
    await settle(one, other)
    await one.keeping.put_away([Subject("note", note.id)])
    await settle(one, other)
    heard: list[Event] = []
    other.events.subscribe(heard.append)
    done = await daily.round()
    assert (done.asks, done.trash, done.ahead // DAY) == (1, 0, 60)
    assert ahead(heard) == [(1, 60)]
    assert "60 days ahead" in (await status(Served(other), {}))["remarks"][0]
    other.__dict__["daily"] = daily
    with pytest.raises(CommandFailed, match="60 days ahead"):
        await retention_run(Served(other), {"confirmed": False})
    await settle(one, other)
    assert [each.subject.id for each in await one.keeping.trash()] == [note.id]

    daily = sets_clock(other, 0)
    await settle(one, other)
    assert (await status(Served(other), {}))["remarks"] == []
    await other.database.write(rounds.note, now())
    done = await daily.round()
    assert (done.asks, done.trash) == (0, 0)
    assert [each.subject.id for each in await other.keeping.trash()] == [note.id]


async def test_in_a_folder_its_owner_may_say_that_the_clock_is_right(offices: Offices, folder: Path) -> None:
    one, other, key = await both(offices, folder)
    note = await one.notes.add("milk")
    await one.keeping.put_away([Subject("note", note.id)])
    await settle(one, other)
    await other.syncing.leave()
    daily = sets_clock(other, 60)
    await other.database.write(rounds.note, now() + 60 * DAY)
    await other.syncing.join(folder, key)
    done = await daily.round()
    assert (done.asks, done.ahead // DAY) == (1, 60)
    assert (await daily.round(confirmed=True)).trash == 1
    await settle(one, other)
    assert await one.keeping.trash() == () and await texts(one) == []
    assert (await status(Served(other), {}))["remarks"] == []
