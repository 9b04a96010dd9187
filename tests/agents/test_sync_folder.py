"""Devices of real offices are taken off in a folder: its key is renewed, what they wrote stays, the former key goes."""

import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from agents.commands import sync_account
from agents.commands.serving import Served
from agents.office import Office
from memory import attachments, audit, settings
from memory.errors import Refused
from memory.lifecycle.subjects import Subject
from memory.sync import folder_membership, wire
from memory.sync.envelope import Envelope
from memory.sync.errors import WrapRefused
from memory.sync.header import ERASE, Header
from memory.sync.service.faults import DeviceRevoked
from memory.sync.space_keys import wrap_epoch
from memory.tables import SyncSpaceTable
from tests.agents.conftest import until
from tests.agents.syncing_offices import device_id, settle, texts
from vault.recovery_key import words_of

Offices = Callable[..., Awaitable[Office]]


async def several(offices: Offices, folder: Path, *names: str) -> tuple[bytes, list[Office]]:
    """Open offices that sync; the first founded the space."""
    key = os.urandom(32)
    made = [await offices(name) for name in names]
    await made[0].syncing.found(folder, key)
    for each in made[1:]:
        await each.syncing.join(folder, key)
    await settle(*made)
    return key, made


async def epoch(office: Office) -> int:
    return (await office.syncing.joined()).epoch


def sealed(folder: Path, device: str) -> list[Envelope]:
    (below,) = folder.glob(f"*/{device}")
    found = [wire.from_msgpack(path.read_bytes()) for path in sorted(below.glob("*.msgpack"))]
    return [each for each in found if isinstance(each, Envelope)]


def wraps(folder: Path, device: str = "*", epoch: str = "*") -> list[Path]:
    return sorted(folder.glob(f"*/{device}/wrap-{epoch}-*.json"))


async def test_who_is_taken_off_reads_nothing_new_and_what_it_wrote_stays(
    offices: Offices, folder: Path
) -> None:
    key, (one, lost, other) = await several(offices, folder, "lost", "one", "other")
    one, lost = lost, one  # the one that goes founded the space: the secret that names records is its own
    await lost.notes.add("of the lost one")
    gone = await lost.notes.add("erased by the lost one")
    await settle(one, lost, other)
    await lost.erasing.erase([Subject("note", gone.id)])
    await settle(one, lost, other)
    off = await device_id(lost)
    await one.syncing.folder.revoke([off[:8]])
    await settle(one, other)
    assert await epoch(one) == await epoch(other) == 2
    with pytest.raises(DeviceRevoked):
        await lost.syncing.now()
    await one.notes.add("after it")
    await settle(one, other)
    assert await texts(one) == await texts(other) == ["after it", "of the lost one"]
    assert await texts(lost) == ["of the lost one"]
    for each in (one, other):
        mine = sealed(folder, await device_id(each))
        assert {wrap_epoch(every.dek) for every in mine if Header.unpack(every.hdr).kind != ERASE} <= {2}
        assert wraps(folder, await device_id(each), "1") == [] and wraps(folder, await device_id(each), "2")
    assert not [path for path in wraps(folder, epoch="2") if off in path.name]
    fresh = await offices("fresh")
    await fresh.syncing.join(folder, key)
    await settle(one, other, fresh)
    assert await texts(fresh) == ["after it", "of the lost one"]
    assert (await fresh.syncing.now()).refused == []
    kinds = [entry.kind for entry in await one.database.read(audit.entries)]
    assert "sync device revoked" in kinds and "sync key renewed" in kinds


async def test_what_the_last_of_two_wrote_stays_when_both_are_taken_off(
    offices: Offices, folder: Path
) -> None:
    key, (later, one, earlier) = await several(offices, folder, "later", "one", "earlier")
    for days, writer in ((5, earlier), (7, later)):
        await writer.database.write(settings.change, "trash.days", days)
        await settle(writer, later, one, earlier)
    await one.syncing.folder.revoke([await device_id(later), await device_id(earlier)])
    await settle(one)
    fresh = await offices("fresh")
    await fresh.syncing.join(folder, key)
    await settle(one, fresh)
    assert await fresh.database.read(settings.value, "trash.days") == 7


async def test_what_comes_later_from_who_was_taken_off_is_not_taken(offices: Offices, folder: Path) -> None:
    key, (one, lost) = await several(offices, folder, "one", "lost")
    off = await device_id(lost)
    kept = await one.notes.add("kept")
    await settle(one, lost)
    (theirs,) = folder.glob(f"*/{off}")
    there = theirs.with_name("there")
    shutil.copytree(theirs, there)
    await one.syncing.folder.revoke([off])
    account = [path for path in folder.rglob("log*.json") if path.parent.name == await device_id(one)]
    hidden = [
        (path, path.read_bytes())
        for path in account
        if path.name == "log.json" or int(path.stem.split("-")[1]) > 2
    ]
    for path, _data in hidden:
        path.unlink()  # the revocation has not reached the device
    shutil.rmtree(there)
    await lost.notes.add("written after it was lost")
    await lost.erasing.erase([Subject("note", kept.id)])
    await lost.syncing.now()
    for path, data in hidden:
        path.write_bytes(data)
    done = await one.syncing.now()
    assert any("revoked" in reason for _source, reason in done.refused) and done.aside == 1
    assert (await one.syncing.now()).refused == []  # told once
    fresh = await offices("fresh")
    await fresh.syncing.join(folder, key)
    await settle(one, fresh)
    assert "written after it was lost" not in await texts(fresh)


async def test_a_device_that_was_away_takes_the_new_key_and_brings_what_it_wrote(
    offices: Offices, folder: Path
) -> None:
    _key, (one, away, lost) = await several(offices, folder, "one", "away", "lost")
    await away.notes.add("before")
    await settle(one, away, lost)
    await away.notes.add("written while away")
    await one.syncing.folder.revoke([await device_id(lost)])
    assert wraps(folder, await device_id(one), "1")  # what the one that is away has is still under that key
    await settle(one, away)
    assert await epoch(away) == 2 and await texts(one) == ["before", "written while away"]
    await one.syncing.now()
    assert wraps(folder, await device_id(one), "1") == []


@pytest.mark.parametrize("step", ["add_wrap", "append", "wraps_by"])
async def test_what_one_device_leaves_of_a_rotation_another_finishes(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    _key, (one, other, lost) = await several(offices, folder, "one", "other", "lost")
    await lost.notes.add("of the lost one")
    await settle(one, other, lost)
    off, work = await device_id(lost), getattr(folder_membership.FolderAccount, step)
    calls = 0

    def cut_off(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if step != "append" or calls == 2:  # the first entry takes the device off
            raise OSError("full")
        return work(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(folder_membership.FolderAccount, step, cut_off)
        with pytest.raises(Refused):
            await one.syncing.folder.revoke([off])
    await other.syncing.now()
    await settle(one, other)
    assert off not in {each.public.id for each in (await one.syncing.devices()).active()}
    assert await epoch(one) == await epoch(other) == 2
    await one.notes.add("after it")
    await settle(one, other)
    assert await texts(other) == ["after it", "of the lost one"]


async def test_a_new_recovery_key_joins_and_the_former_one_does_not(offices: Offices, folder: Path) -> None:
    key, (one, other) = await several(offices, folder, "one", "other")
    words = words_of(new := os.urandom(32))
    assert await sync_account.recovery(Served(one), {"words": words}) == {"recovery key": "replaced"}
    fresh = await offices("fresh")
    with pytest.raises(WrapRefused):
        await fresh.syncing.join(folder, key)
    await fresh.syncing.join(folder, new)
    await settle(one, other, fresh)
    await fresh.notes.add("by the new key")
    await settle(one, other, fresh)
    assert await texts(other) == ["by the new key"]


async def test_after_everything_was_lost_the_recovery_key_takes_all_others_off(
    offices: Offices, folder: Path
) -> None:
    key, (one, other) = await several(offices, folder, "one", "other")
    await one.notes.add("before")
    await settle(one, other)
    fresh = await offices("fresh")
    await fresh.syncing.join(folder, key)
    told = await sync_account.revoke(Served(fresh), {"devices": [], "others": True, "keep": []})
    assert told["devices"] == 1 and told["sealed anew"] > 0
    with pytest.raises(DeviceRevoked):
        await one.syncing.now()
    again = await offices("again")
    await again.syncing.join(folder, key)
    await settle(fresh, again)
    assert await texts(again) == ["before"]


async def test_pieces_that_somebody_removed_are_put_again_within_a_day(
    offices: Offices, folder: Path
) -> None:
    key, (one, other) = await several(offices, folder, "one", "other")
    content = os.urandom(5 * 2**20)
    conversation = await one.create_conversation(title="Lease")
    file = await one.attach(conversation.id, content, "scan.bin")
    await one.send(conversation.id, "@Librarian What is the deposit?", attachment_ids=[file.id])
    await until(lambda: not one.runs.busy(conversation.id))
    await settle(one, other)
    await one.files.settled([file.id])
    pieces = sorted(folder.glob("*/*/blobs/*"))
    first, _last = pieces
    whole = first.read_bytes()
    first.unlink()
    await settle(one, other)
    assert not first.exists()  # it is looked at once a day
    await day_passes(other)
    await settle(other)
    (again,) = [path for path in folder.glob("*/*/blobs/*") if path.name == first.name]
    assert again.read_bytes() == whole and again.parent.parent.name == await device_id(other)
    await day_passes(one)
    await settle(one, other)
    assert not first.exists()  # what lies there from another device is not put twice
    fresh = await offices("fresh")
    await fresh.syncing.join(folder, key)
    await settle(fresh)
    arrived = await fresh.database.read(attachments.attachment, file.id)
    assert await fresh.files.content(arrived) == content


async def day_passes(office: Office) -> None:
    """Let the last look at the files of an office have been yesterday."""
    await office.database.write(lambda session: session.execute(update(SyncSpaceTable).values(compared_at=1)))


async def test_a_name_that_fits_no_device_or_this_one_takes_nobody_off(
    offices: Offices, folder: Path
) -> None:
    _key, (one, other) = await several(offices, folder, "one", "other")
    for wrong, told in (
        ("zz", "names no device"),
        ("", "names no device"),
        (await device_id(one), "this device"),
    ):
        with pytest.raises(Refused, match=told):
            await one.syncing.folder.revoke([wrong])
    await settle(one, other)
    assert await epoch(one) == 1


class Apart:
    """Each office has a copy of the folder of its own, which a test carries to the others."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._places: dict[str, Path] = {}

    def place(self, name: str) -> Path:
        made = self._home / name
        self._places[name] = made
        made.mkdir(parents=True, exist_ok=True)
        return made

    async def carry(self, **offices: Office) -> None:
        for name, office in offices.items():
            here = await office.syncing.joined()
            source = self._places[name] / here.space_id / here.device_id
            for other in offices.keys() - {name}:
                target = self._places[other] / here.space_id / here.device_id
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(source, target)

    async def settle(self, gone: tuple[str, ...] = (), **offices: Office) -> None:
        for _turn in range(10):
            await self.carry(**offices)
            done = [await office.syncing.now() for name, office in offices.items() if name not in gone]
            if not any(each.pulled or each.pushed or each.erased for each in done):
                return
        raise AssertionError("the devices talk for ever")


async def apart(offices: Offices, home: Path) -> tuple[Apart, Office, Office, Office]:
    """Open three offices that sync, each by its own copy of the folder."""
    folders, key = Apart(home), os.urandom(32)
    one = await offices("one")
    await one.syncing.found(folders.place("one"), key)
    made = {"one": one}
    for name in ("two", "three"):
        shutil.copytree(folders.place("one"), folders.place(name), dirs_exist_ok=True)
        made[name] = await offices(name)
        await made[name].syncing.join(folders.place(name), key)
        await folders.settle(**made)
    return folders, one, made["two"], made["three"]


async def test_two_rotations_at_once_lose_nothing_that_was_written_under_either_key(
    offices: Offices, tmp_path: Path
) -> None:
    folders, one, two, lost = await apart(offices, tmp_path / "places")
    off = await device_id(lost)
    for number, each in enumerate((one, two)):
        await each.syncing.folder.revoke([off])
        await each.notes.add(f"under key {number}")
        await each.syncing.now()
        assert await epoch(each) == 2
    await folders.settle(one=one, two=two)
    assert await texts(one) == await texts(two) == ["under key 0", "under key 1"]
    assert await epoch(one) == await epoch(two)
    for each in (one, two):
        assert (await each.syncing.now()).refused == []
        assert {device.public.id for device in (await each.syncing.devices()).active()} == {
            await device_id(one),
            await device_id(two),
        }


async def test_of_two_that_take_each_other_off_neither_stays_and_the_third_goes_on(
    offices: Offices, tmp_path: Path
) -> None:
    folders, one, two, three = await apart(offices, tmp_path / "places")
    await one.notes.add("of one")
    await two.notes.add("of two")
    await folders.settle(one=one, two=two, three=three)
    await one.syncing.folder.revoke([await device_id(two)])
    await two.syncing.folder.revoke([await device_id(one)])
    await folders.carry(one=one, two=two, three=three)
    for each in (one, two):
        with pytest.raises(DeviceRevoked):
            await each.syncing.now()
    await three.syncing.now()
    assert [device.public.id for device in (await three.syncing.devices()).active()] == [
        await device_id(three)
    ]
    assert await texts(three) == ["of one", "of two"]
    mine = sealed(tmp_path / "places" / "three", await device_id(three))
    current = await epoch(three)
    assert current > 1 and {
        wrap_epoch(each.dek) for each in mine if Header.unpack(each.hdr).kind != ERASE
    } == {current}


async def test_who_joined_while_the_list_was_changed_elsewhere_is_let_in_by_the_others(
    offices: Offices, tmp_path: Path
) -> None:
    folders, one, two, _three = await apart(offices, tmp_path / "places")
    key = os.urandom(32)
    await one.syncing.folder.replace_recovery(key)
    await folders.settle(one=one, two=two)
    shutil.copytree(folders.place("one"), folders.place("fresh"), dirs_exist_ok=True)
    fresh = await offices("fresh")
    await fresh.syncing.join(folders.place("fresh"), key)
    await one.syncing.folder.revoke([await device_id(_three)])
    await folders.carry(one=one, two=two, fresh=fresh)
    with pytest.raises(Refused, match="do not know this one yet"):
        await fresh.syncing.now()
    await fresh.notes.add("of the fresh one")
    await one.syncing.now()
    await folders.settle(one=one, two=two, fresh=fresh)
    assert await texts(two) == ["of the fresh one"]
    assert await epoch(fresh) == await epoch(one)
