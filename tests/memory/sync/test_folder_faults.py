"""A folder in which something goes wrong: a round is ended in the middle, files are damaged, power is lost."""

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from memory import notes
from memory.identifiers import now
from memory.lifecycle.subjects import Subject
from memory.sync import exchange, folder, outbox
from memory.sync.drain import drain
from memory.sync.folder import FolderCarrier, revisions
from tests.memory.sync.devices import Device, settle
from tests.memory.sync.making import SPACE


async def cut_off(work: Coroutine[Any, Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancel the work while the disk is slow to take what it wrote, and see that it goes only once that is there."""
    loop, writing, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    real = os.fsync

    def slow(descriptor: int) -> None:
        loop.call_soon_threadsafe(writing.set)
        go_on.wait()
        real(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    working = asyncio.create_task(work)
    await writing.wait()
    working.cancel()
    ended, _pending = await asyncio.wait([working], timeout=0.1)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert not ended


async def test_who_ends_a_push_waits_until_nothing_is_written_any_more(
    devices: list[Device], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next round and what is left of this one give one number to two revisions."""
    one, _other = devices
    await one.database.write(notes.add_note, "milk")
    await one.database.write(drain, one.credentials, now())
    ops = await one.database.read(outbox.next_ops, erases=False)
    await cut_off(one.carrier.push(ops), monkeypatch)
    assert list((tmp_path / "folder" / SPACE / one.keys.id).glob(".*.part")) == []


def test_what_counts_as_sent_survives_a_power_cut(
    devices: list[Device], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is not on the disk yet goes with the power, and the edit would never be sent again."""
    one, _other = devices
    mine = tmp_path / "folder" / SPACE / one.keys.id
    flushed: list[set[str]] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        real(descriptor)
        if os.path.samestat(os.fstat(descriptor), mine.stat()):
            flushed.append({path.name for path in mine.glob("*.msgpack")})

    monkeypatch.setattr(os, "fsync", noted)
    one.do(notes.add_note, "milk")
    one.sync()
    assert flushed and flushed[-1] == {path.name for path in mine.glob("*.msgpack")}


def many(session: Session) -> None:
    for number in range(450):
        notes.add_note(session, f"note {number}")


def test_the_folder_is_listed_once_in_a_round(devices: list[Device], monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = devices
    one.do(many)
    one.sync()
    listed: list[Path] = []

    def noted(where: Path) -> Iterator[tuple[int, Path]]:
        listed.append(where)
        return revisions(where)

    monkeypatch.setattr(folder, "revisions", noted)
    monkeypatch.setattr(other.carrier, "_own", {})
    done = other.sync()
    assert done.pulled == 450 and len(other.state()["note"]) == 450
    assert listed == [one.carrier._mine]


@pytest.mark.parametrize("taken", [0, 1, 4, 6])
def test_what_a_round_that_was_ended_did_not_take_comes_in_the_next(
    devices: list[Device], monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    one, other = devices
    one.do(many)
    one.sync()
    take, left = exchange.take, taken

    async def ended(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError("ended")
        return await take(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(exchange, "take", ended)
        with pytest.raises(OSError, match="ended"):
            other.sync()
    assert other.sync().pulled == 450 - 50 * taken
    assert len(other.state()["note"]) == 450


def test_a_file_without_end_is_not_read_whole(devices: list[Device], tmp_path: Path) -> None:
    one, other = devices
    stray = tmp_path / "folder" / SPACE / one.keys.id / "000000009999.msgpack"
    with stray.open("wb") as file:
        file.truncate(16 * 2**30)
    note = one.do(notes.add_note, "milk")
    one.sync()
    done = other.sync()
    assert list(other.state()["note"]) == [note.id] and [reason for _source, reason in done.refused] == [
        "too long"
    ]


@pytest.mark.parametrize("damage", [b"", b"no envelope"])
def test_a_damaged_file_of_its_own_does_not_keep_a_device_from_writing(
    devices: list[Device], tmp_path: Path, damage: bytes
) -> None:
    one, other = devices
    one.do(notes.add_note, "milk")
    one.sync()
    mine = tmp_path / "folder" / SPACE / one.keys.id
    max(mine.glob("*.msgpack")).write_bytes(damage)
    one.carrier = FolderCarrier(tmp_path / "folder", SPACE, one.keys.id)
    second = one.do(notes.add_note, "bread")
    settle(one, other)
    assert list(other.state()["note"]) == [second.id]


@pytest.mark.parametrize("damage", ["", "many", "7\0"])
def test_where_the_last_number_is_damaged_none_comes_again(
    devices: list[Device], tmp_path: Path, damage: str
) -> None:
    one, other = devices
    note = one.do(notes.add_note, "milk")
    settle(one, other)
    other.erase(Subject("note", note.id))
    settle(one, other)
    mine = tmp_path / "folder" / SPACE / one.keys.id
    assert (mine / "count").exists()
    (mine / "count").write_text(damage)
    one.carrier = FolderCarrier(tmp_path / "folder", SPACE, one.keys.id)
    later = one.do(notes.add_note, "bread")
    settle(one, other)
    assert list(other.state()["note"]) == [later.id]


async def test_who_ends_a_piece_waits_until_it_is_written(
    devices: list[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next round writes into a file that this one is just giving its name."""
    pieces, address = devices[0].carrier, bytes(32)
    (place,) = (await pieces.announce({address: 5})).values()
    await cut_off(pieces.put_piece(place, b"piece"), monkeypatch)
    assert await pieces.piece(address) == b"piece"
