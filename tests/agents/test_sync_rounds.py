"""Rounds of sync by themselves, between two real offices and a real folder: nobody asks for one here."""

import asyncio
import math
import os
import shutil
from pathlib import Path

import pytest

from agents.office import Office
from agents.sync_rounds import Pace, Standing
from agents.sync_service.connecting import NotReached
from memory import attachments
from memory.errors import Refused
from memory.lifecycle.subjects import Subject
from memory.sync import fetching_files, sending_files
from memory.sync.due import is_due
from memory.sync.service.faults import DeviceRevoked
from tests.agents.conftest import until
from tests.agents.syncing_offices import texts
from tests.agents.test_sync_service import found, hosted, join
from tests.agents.test_syncing import Offices
from tests.memory.sync.hosted.running import Running, running
from vault.secret import Secret

__all__ = ["hosted"]

QUICK = Pace(edits=0.02, look=0.02, rest=3600.0, first_again=0.02, latest_again=0.04)
"""No round comes by the hour here: what happens, happens for a reason."""


async def both(offices: Offices, folder: Path, pace: Pace = QUICK) -> tuple[Office, Office]:
    key = os.urandom(32)
    one, other = await offices("one"), await offices("other")
    await one.syncing.found(folder, key)
    await other.syncing.join(folder, key)
    for office in (one, other):
        office.sync_rounds.pace = pace
        office.sync_rounds.start()
    await until(lambda: all(phase(office) == "waiting" for office in (one, other)))
    return one, other


def phase(office: Office) -> str:
    return office.sync_rounds.standing.phase


async def arrives(office: Office, wanted: list[str]) -> None:
    while await texts(office) != wanted:
        await asyncio.sleep(0.01)


async def test_edits_and_erasures_reach_the_other_office_unasked(offices: Offices, folder: Path) -> None:
    one, other = await both(offices, folder)
    note = await one.notes.add("milk")
    await arrives(other, ["milk"])
    await other.notes.add("bread")
    await arrives(one, ["bread", "milk"])
    await one.erasing.erase([Subject("note", note.id)])
    await arrives(other, ["bread"])
    here = await one.syncing.here()
    assert here is not None and here.fault == "" and here.round_at is not None


async def test_a_round_leaves_nothing_that_would_bring_another(offices: Offices, folder: Path) -> None:
    one, other = await both(offices, folder)
    await one.notes.add("milk")
    await arrives(other, ["milk"])
    for office in (one, other):
        await until(lambda office=office: phase(office) == "waiting")
        assert not await office.database.read(is_due)
    await one.notes.add("bread")
    assert await one.database.read(is_due) or "bread" in await texts(other)


async def test_a_file_larger_than_a_round_moves_is_there_without_a_pause(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sending_files, fetching_files):
        monkeypatch.setattr(module, "AT_ONCE", 1)
    one, other = await both(offices, folder)
    conversation = await one.create_conversation(title="Film")
    content = os.urandom(3 * 4 * 2**20)
    file = await one.attach(conversation.id, content, "film.bin")
    await one.send(conversation.id, "@Librarian Look at this", attachment_ids=[file.id])
    while not (files := await other.database.read(attachments.attachments, conversation.id)):
        await asyncio.sleep(0.01)
    while files[0].blob_id is None:
        await asyncio.sleep(0.01)
        files = await other.database.read(attachments.attachments, conversation.id)
    assert await other.files.content(files[0]) == content


async def test_a_folder_that_is_away_is_said_tried_again_and_found_again(
    offices: Offices, folder: Path
) -> None:
    one, other = await both(offices, folder)
    folder.rename(folder.with_name("away"))
    await one.notes.add("milk")
    await until(lambda: phase(one) == "failed" and one.sync_rounds._failures >= 3)
    here = await one.syncing.here()
    assert here is not None and "cannot be used" in here.fault and here.fault_at is not None
    assert one.sync_rounds.standing.next_at is not None
    folder.with_name("away").rename(folder)
    await arrives(other, ["milk"])
    await until(lambda: phase(one) == "waiting")
    here = await one.syncing.here()
    assert here is not None and here.fault == ""


async def test_a_folder_that_comes_back_is_not_waited_for(offices: Offices, folder: Path) -> None:
    one, other = await both(offices, folder)
    one.sync_rounds.pace = Pace(edits=0.02, look=0.02, rest=3600.0, first_again=3600.0, latest_again=3600.0)
    folder.rename(folder.with_name("away"))
    await one.notes.add("milk")
    await until(lambda: phase(one) == "failed")
    folder.with_name("away").rename(folder)
    await arrives(other, ["milk"])
    await until(lambda: phase(one) == "waiting")
    assert one.sync_rounds._failures == 0


@pytest.mark.req("R180")
async def test_the_pauses_grow_are_spread_and_keep_what_the_service_asks(office: Office) -> None:
    rounds = office.sync_rounds
    rounds.pace = Pace(first_again=4.0, latest_again=60.0)
    pauses = []
    for chance in (0.0, 1.0):
        rounds._chance = lambda chance=chance: chance
        for rounds._failures in (1, 2, 3, 20, 2000):
            pauses.append(rounds._pause(None))
    assert pauses == [2.0, 4.0, 8.0, 30.0, 30.0, 4.0, 8.0, 16.0, 60.0, 60.0]
    rounds._failures = 1
    assert rounds._pause(NotReached("busy", 300)) == 300.0


async def test_pause_and_lock_keep_rounds_from_coming(offices: Offices, folder: Path) -> None:
    one, other = await both(offices, folder)
    await one.app_lock.lock()
    await until(lambda: phase(one) == "locked")
    before = {*folder.rglob("*.msgpack")}
    await other.notes.add("milk")
    await until(lambda: {*folder.rglob("*.msgpack")} - before)
    one.sync_rounds.hasten()
    assert await one.sync_rounds._next() is None and await texts(one) == []
    await one.app_lock.unlock(Secret("six words are better than one"))
    await arrives(one, ["milk"])
    await one.syncing.switch(enabled=False)
    await until(lambda: phase(one) == "paused")
    await one.notes.add("written in the pause")
    with pytest.raises(Refused, match="paused"):
        await one.sync_rounds.now()
    assert phase(one) == "paused" and await texts(other) == ["milk"]
    await one.syncing.switch(enabled=True)
    await arrives(other, ["milk", "written in the pause"])
    await one.syncing.leave()
    await until(lambda: phase(one) == "off")


async def test_what_only_the_owner_can_mend_is_not_tried_again(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _other = await both(offices, folder)
    tried = []

    async def revoked(here: object, word: object, done: object) -> None:
        tried.append(word)
        raise DeviceRevoked

    monkeypatch.setattr(one.syncing, "_folder_round", revoked)
    await one.notes.add("milk")
    await until(lambda: phase(one) == "stopped")
    assert one.sync_rounds.standing.next_at is None
    await one.notes.add("bread")
    assert await one.sync_rounds._next() == math.inf and len(tried) == 1
    here = await one.syncing.here()
    assert here is not None and "taken off your account" in here.fault


async def test_a_fault_in_the_program_is_said_and_does_not_end_the_rounds(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = await both(offices, folder)
    real = one.syncing._folder_round

    async def broken(here: object, word: object, done: object) -> None:
        monkeypatch.setattr(one.syncing, "_folder_round", real)
        raise ZeroDivisionError

    monkeypatch.setattr(one.syncing, "_folder_round", broken)
    await one.notes.add("milk")
    await arrives(other, ["milk"])
    assert "broke off" in caplog.text


async def test_closing_ends_a_round_that_is_under_way(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await both(offices, folder)
    begun = asyncio.Event()

    async def for_ever(here: object, word: object, done: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(one.syncing, "_folder_round", for_ever)
    await one.notes.add("milk")
    await begun.wait()
    await one.close()
    assert one.sync_rounds._tasks == []
    again = await offices("one")
    again.sync_rounds.start()
    await arrives(other, ["milk"])


async def test_leaving_ends_a_round_that_is_under_way(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _other = await both(offices, folder)
    begun = asyncio.Event()

    async def for_ever(here: object, word: object, done: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(one.syncing, "_folder_round", for_ever)
    asked = asyncio.create_task(one.sync_rounds.now())
    await begun.wait()
    await one.syncing.leave()
    with pytest.raises(Refused, match="was ended"):
        await asked
    await until(lambda: phase(one) == "off")


async def test_an_office_that_syncs_begins_by_itself_and_another_does_not(
    offices: Offices, folder: Path
) -> None:
    one, other = await offices("one"), await offices("other")
    await other.housekeeping.begin()
    assert "sync_rounds" not in other.__dict__
    await one.syncing.found(folder, os.urandom(32))
    assert "sync_rounds" not in one.__dict__
    await one.housekeeping.begin()
    await until(lambda: phase(one) == "waiting")
    shutil.rmtree(folder)
    folder.mkdir()
    await other.syncing.found(folder, os.urandom(32))
    await until(lambda: phase(other) == "waiting")
    assert one.sync_rounds.standing != Standing()


async def test_a_service_says_that_another_device_wrote(offices: Offices, hosted: Running) -> None:
    one, other = await offices("one"), await offices("other")
    key = await found(one, hosted)
    await join(other, hosted, key)
    for office in (one, other):
        office.sync_rounds.pace = QUICK
        office.sync_rounds.start()
    await until(lambda: all(office.sync_rounds._listener is not None for office in (one, other)))
    await one.notes.add("milk")
    await arrives(other, ["milk"])
    await other.notes.add("bread")
    await arrives(one, ["bread", "milk"])
    listener = other.sync_rounds._listener
    await other.syncing.switch(enabled=False)
    await until(lambda: phase(other) == "paused")
    assert other.sync_rounds._listener is None and listener is not None
    await until(listener.done)
    await other.syncing.switch(enabled=True)
    await until(lambda: other.sync_rounds._listener is not None)
    await one.notes.add("salt")
    await arrives(other, ["bread", "milk", "salt"])


async def test_a_service_that_is_away_is_said_and_tried_again(offices: Offices, tmp_path: Path) -> None:
    one = await offices("one")
    with running(tmp_path / "hosted") as hosted:
        await found(one, hosted)
        one.sync_rounds.pace = QUICK
        one.sync_rounds.start()
        await until(lambda: one.sync_rounds._listener is not None)
    await one.notes.add("milk")
    await until(lambda: phase(one) == "failed" and one.sync_rounds._failures >= 2)
    here = await one.syncing.here()
    assert here is not None and "cannot be reached" in here.fault
    assert one.sync_rounds._listener is None and one.sync_rounds.standing.next_at is not None
