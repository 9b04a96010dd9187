"""The folder in which devices meet was moved: its owner names the new place, which must hold the same space."""

import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.commands import syncing as commands
from agents.commands.serving import Served
from agents.office import Office
from memory import audit
from memory.errors import Refused
from memory.lifecycle.subjects import Subject
from memory.sync.errors import LogShorter
from memory.sync.header import ERASE, Header
from memory.sync.wire import from_msgpack
from tests.agents.syncing_offices import device_id, settle, texts
from tests.agents.test_sync_folder import several
from tests.agents.test_sync_recovery import hosted
from tests.agents.test_sync_service import found
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]

Offices = Callable[..., Awaitable[Office]]


async def place(office: Office) -> Path:
    return (await office.syncing.joined()).folder


async def test_devices_go_on_in_a_folder_that_was_moved(offices: Offices, folder: Path) -> None:
    _key, (one, other) = await several(offices, folder, "one", "other")
    await one.notes.add("before")
    await settle(one, other)
    moved = folder.with_name("moved")
    folder.rename(moved)
    with pytest.raises(Refused, match="cannot be used"):
        await one.syncing.now()
    told = await commands.move(Served(one), {"folder": str(moved)})
    assert told["folder"] == str(moved) and await place(one) == moved
    await other.syncing.move(moved)
    await one.notes.add("after")
    await other.notes.add("after it")
    await settle(one, other)
    assert await texts(one) == await texts(other) == ["after", "after it", "before"]
    assert "sync folder moved" in [entry.kind for entry in await one.database.read(audit.entries)]
    assert await commands.move(Served(one), {"folder": ""}) == {"folder": str(moved)}
    await one.syncing.switch(enabled=False)
    with pytest.raises(Refused, match="Sync is paused"):
        await one.syncing.move(folder)


async def test_a_folder_that_does_not_hold_this_space_is_not_taken(
    offices: Offices, folder: Path, tmp_path: Path
) -> None:
    _key, (one,) = await several(offices, folder, "one")
    stranger, empty = await offices("stranger"), tmp_path / "empty"
    for name in ("empty", "theirs"):
        (tmp_path / name).mkdir()
    await stranger.syncing.found(tmp_path / "theirs", os.urandom(32))
    for wrong in (empty, tmp_path / "theirs"):
        with pytest.raises(Refused, match="does not hold this office"):
            await one.syncing.move(wrong)
    with pytest.raises(Refused, match="cannot be used"):
        await one.syncing.move(tmp_path / "away")
    assert await place(one) == folder
    await settle(one)


async def test_an_older_copy_of_the_folder_is_not_taken(
    offices: Offices, folder: Path, tmp_path: Path
) -> None:
    _key, (one, other) = await several(offices, folder, "one", "other")
    shutil.copytree(folder, tmp_path / "older")
    await other.notes.add("not in the copy")
    await settle(one, other)
    with pytest.raises(Refused, match="older than what this device has read"):
        await one.syncing.move(tmp_path / "older")
    await one.syncing.folder.replace_recovery(os.urandom(32))
    with pytest.raises(LogShorter):
        await one.syncing.move(tmp_path / "older")
    assert await place(one) == folder
    await settle(one, other)


async def test_what_this_device_wrote_and_the_copy_lacks_is_written_again_under_other_numbers(
    offices: Offices, folder: Path, tmp_path: Path
) -> None:
    _key, (one, other) = await several(offices, folder, "one", "other")
    gone = await one.notes.add("to be erased")
    await settle(one, other)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    await one.notes.add("not in the copy")
    await one.erasing.erase([Subject("note", gone.id)])
    await one.syncing.now()
    await one.syncing.move(copy)
    await other.syncing.move(copy)
    await settle(one, other)
    assert await texts(one) == await texts(other) == ["not in the copy"]
    await one.notes.add("and more")
    await settle(one, other)
    assert await texts(other) == ["and more", "not in the copy"]
    (here,) = copy.glob(f"*/{await device_id(one)}")
    (there,) = folder.glob(f"*/{await device_id(one)}")
    before = {path.name for path in there.glob("*.msgpack")}
    anew = {path.name for path in here.glob("*.msgpack")} - before
    assert anew and min(anew) > max(before)


async def test_what_only_a_device_that_is_off_ordered_erased_there_is_ordered_erased_anew(
    offices: Offices, folder: Path
) -> None:
    _key, (one, other, third) = await several(offices, folder, "one", "other", "third")
    note = await third.notes.add("goes")
    await settle(one, other, third)
    await third.erasing.erase([Subject("note", note.id)])
    await settle(third, one, other)
    await one.syncing.folder.revoke([await device_id(third)])
    await settle(one, other)
    moved = folder.with_name("moved")
    folder.rename(moved)
    orders = erasures(moved, await device_id(one))
    assert len(orders) == 1
    for path in orders:
        path.unlink()  # the copy is from before it
    await one.syncing.move(moved)
    assert len(erasures(moved, await device_id(one))) == 1


def erasures(folder: Path, device: str) -> list[Path]:
    """Return the orders to erase that a device has in the folder."""
    found = folder.glob(f"*/{device}/*.msgpack")
    return [path for path in found if Header.unpack(from_msgpack(path.read_bytes()).hdr).kind == ERASE]


async def test_what_meets_at_a_service_is_not_moved(offices: Offices, hosted: Running, folder: Path) -> None:
    one = await offices("one")
    with pytest.raises(Refused, match="does not sync"):
        await one.syncing.move(folder)
    await found(one, hosted)
    with pytest.raises(Refused, match="at a service"):
        await one.syncing.move(folder)
