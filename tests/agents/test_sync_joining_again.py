"""A device that is cut off while it joins goes on as the same one: none stays listed that never came in."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.commands import sync_account
from agents.commands.serving import Served
from agents.office import Office
from agents.sync_service import joining as service_joining
from agents.sync_service.device_item import BEGUN_ITEM, DeviceItem
from memory.errors import Refused, StorageError
from memory.sync import membership, space
from memory.sync.folder_account import FolderAccount
from memory.sync.service.faults import Unreachable
from tests.agents.syncing_offices import device_id, settle, texts
from tests.agents.test_sync_folder import several
from tests.agents.test_sync_recovery import hosted
from tests.agents.test_sync_service import code_of, found, join
from tests.memory.sync.hosted.running import Running
from vault.errors import KeyNotFound, VaultError

__all__ = ["hosted"]

Offices = Callable[..., Awaitable[Office]]
CUTS = {
    "after its entry": (FolderAccount, "append", OSError("full"), True),
    "before the vault": (DeviceItem, "write", VaultError("locked"), False),
    "before the database": (space, "begin", StorageError("full"), False),
}


def cut_off(monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    where, name, error, done = CUTS[cut]
    work = getattr(where, name)

    def stop(*arguments: object, **more: object) -> object:
        if done:
            work(*arguments, **more)
        raise error

    monkeypatch.setattr(where, name, stop)


async def listed(office: Office) -> set[str]:
    return {each.public.id for each in (await office.syncing.devices()).active()}


@pytest.mark.parametrize("cut", CUTS)
async def test_who_is_cut_off_while_joining_a_folder_goes_on_as_the_same_device(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    key, (one,) = await several(offices, folder, "one")
    await one.notes.add("of the first")
    other = await offices("other")
    with monkeypatch.context() as patched:
        cut_off(patched, cut)
        with pytest.raises((StorageError, VaultError)):
            await other.syncing.join(folder, key)
    await other.close()
    other = await offices("other")
    await other.syncing.join(folder, key)
    await settle(one, other)
    assert await listed(one) == {await device_id(one), await device_id(other)}
    assert await texts(other) == ["of the first"]
    with pytest.raises(KeyNotFound):
        other.vault.read_key(BEGUN_ITEM)


@pytest.mark.parametrize("cut", ["before the vault", "before the database"])
async def test_who_is_cut_off_while_founding_in_a_folder_goes_on_as_the_first_device(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    one, key = await offices("one"), os.urandom(32)
    await one.notes.add("of the first")
    with monkeypatch.context() as patched:
        cut_off(patched, cut)
        with pytest.raises((StorageError, VaultError)):
            await one.syncing.found(folder, key)
    with pytest.raises(Refused, match="uses this folder already"):
        await one.syncing.require_free(folder)
    await one.syncing.found(folder, key)  # what “Done” does once more; “join” with the words does the same
    other = await offices("other")
    await other.syncing.join(folder, key)
    await settle(one, other)
    assert await listed(one) == {await device_id(one), await device_id(other)}
    assert await texts(other) == ["of the first"]


async def test_a_space_that_could_not_be_founded_whole_leaves_the_folder_free(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await offices("one")
    with monkeypatch.context() as patched:
        cut_off(patched, "after its entry")
        with pytest.raises(Refused):
            await one.syncing.found(folder, os.urandom(32))
    assert list(folder.iterdir()) == []
    await one.syncing.require_free(folder)


async def test_who_left_joins_again_as_another_device(offices: Offices, folder: Path) -> None:
    key, (one, other) = await several(offices, folder, "one", "other")
    former = await device_id(other)
    await other.syncing.leave()
    await other.syncing.join(folder, key)
    await settle(one, other)
    assert await device_id(other) != former


async def test_nothing_is_said_while_what_was_begun_is_still_kept(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup from before would else join again as the same device, and name everything anew."""
    one, key = await offices("one"), os.urandom(32)
    with monkeypatch.context() as patched:
        patched.setattr(DeviceItem, "forget_begun", _locked)
        with pytest.raises(VaultError):
            await one.syncing.found(folder, key)
        with pytest.raises(VaultError):
            await one.syncing.now()
    assert not list(folder.glob("*/*/*.msgpack"))
    await one.close()
    one = await offices("one")
    await one.syncing.now()
    assert list(folder.glob("*/*/*.msgpack"))
    with pytest.raises(KeyNotFound):
        one.vault.read_key(BEGUN_ITEM)


async def _locked(_item: DeviceItem) -> None:
    raise VaultError("locked")


async def test_a_device_from_which_nothing_came_is_listed_as_that(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, (one, other) = await several(offices, folder, "one", "other")
    lost = await offices("lost")
    with monkeypatch.context() as patched:
        cut_off(patched, "before the vault")
        with pytest.raises(VaultError):
            await lost.syncing.join(folder, key)
    for each in (one, other):
        await each.syncing.now()
        rows = await sync_account.devices(Served(each), {})
        assert sorted(row["note"] for row in rows) == ["", "", "nothing has come from it yet"]


@pytest.mark.parametrize("first", [True, False], ids=["the first device", "another device"])
async def test_who_is_cut_off_at_a_service_goes_on_as_the_same_device(
    offices: Offices, hosted: Running, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    one, other = await offices("one"), await offices("other")
    key = os.urandom(32) if first else await found(one, hosted)
    if not first:
        await one.notes.add("of the first")
        await one.syncing.now()
    asked, code = await code_of(other, hosted)
    joining = other.syncing.joining
    enter = joining.found if first else joining.join
    with monkeypatch.context() as patched:
        cut_off(patched, "before the vault")
        with pytest.raises(VaultError):
            await enter(asked, code, key)
    if first:
        with pytest.raises(Refused, match="has devices already"):
            await joining.sign_in(*await code_of(other, hosted), begins=True)
    await join(other, hosted, key)
    assert len(await listed(other)) == (1 if first else 2)
    fresh = await offices("fresh")
    await join(fresh, hosted, key)
    await other.notes.add("of the other")
    await settle(other, fresh)
    assert "of the other" in await texts(fresh)


async def test_an_account_whose_first_answer_was_lost_is_gone_on_with_by_the_same_key(
    offices: Offices, hosted: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, key = await offices("one"), os.urandom(32)
    asked, code = await code_of(one, hosted)
    with monkeypatch.context() as patched:
        patched.setattr(service_joining.membership, "found_space", _unreachable)
        patched.setattr("memory.sync.service.calls.Calls.sign_in", _unreachable)
        with pytest.raises(Refused, match="cannot be reached"):
            await one.syncing.joining.found(asked, code, key)
    await one.syncing.joining.found(*await code_of(one, hosted), key)
    await one.notes.add("all there")
    await settle(one)
    assert await listed(one) == {await device_id(one)}
    fresh = await offices("fresh")
    await join(fresh, hosted, key)
    assert await texts(fresh) == ["all there"]


async def _unreachable(*_arguments: object, **_more: object) -> object:
    raise Unreachable("cut")


def test_a_device_that_is_off_is_not_gone_on_with(tmp_path: Path) -> None:
    first = membership.found(tmp_path, bytes(32), 0)
    begun = membership.Begun(membership.DeviceKeys.new())
    kept: list[membership.Begun] = []
    second = membership.join(tmp_path, first.space_id, bytes(32), 0, begun, kept.append)
    assert second.device.id == begun.device.id and kept == [begun]
    again = membership.join(tmp_path, first.space_id, bytes(32), 0, begun, kept.append)
    assert again.account.n == second.account.n and kept == [begun]
