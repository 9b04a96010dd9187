"""Another recovery key: cut off anywhere, its owner is left with words that work and knows which."""

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from agents.events import Notice
from agents.office import Office
from agents.sync_recovery import RecoveryWaits
from agents.sync_service.device_item import CHANGE_ITEM
from memory.errors import Refused
from memory.sync import folder_membership
from memory.sync.errors import WrapRefused
from memory.sync.service import membership as service_membership
from memory.sync.service.faults import Unreachable
from tests.agents.test_sync_folder import several
from tests.agents.test_sync_service import found, join
from tests.memory.sync.hosted.running import Running, running
from vault.errors import KeyNotFound

Offices = Callable[..., Awaitable[Office]]


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "hosted") as made:
        yield made


def heard(office: Office) -> list[str]:
    told: list[str] = []
    office.events.subscribe(lambda event: told.append(event.sentence) if isinstance(event, Notice) else None)
    return told


async def nothing_waits(office: Office) -> bool:
    with pytest.raises(KeyNotFound):
        office.vault.read_key(CHANGE_ITEM)
    return not await office.syncing.recovery.waits()


@pytest.mark.parametrize("written", [False, True], ids=["before its entry", "after it"])
async def test_a_new_recovery_key_that_is_cut_off_in_a_folder_holds_after_the_next_round(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    key, (one,) = await several(offices, folder, "one")
    new, work = os.urandom(32), folder_membership.replace_recovery

    def cut_off(*arguments: object) -> object:
        if written:
            work(*arguments)  # type: ignore[arg-type]  # as they were given
        raise OSError("the stick was pulled")

    with monkeypatch.context() as patched:
        patched.setattr(folder_membership, "replace_recovery", cut_off)
        with pytest.raises(RecoveryWaits, match="Keep both"):
            await one.syncing.folder.replace_recovery(new)
    assert await one.syncing.recovery.waits()
    await one.close()
    again = await offices("one")
    told = heard(again)
    assert await again.syncing.recovery.waits()
    await again.syncing.now()
    assert told == ["The new recovery key holds; the former one is worth nothing."]
    assert await nothing_waits(again)
    fresh = await offices("fresh")
    with pytest.raises(WrapRefused):
        await fresh.syncing.join(folder, key)
    await fresh.syncing.join(folder, new)
    await again.syncing.now()
    assert len(told) == 2  # the second tells of the device


@pytest.mark.parametrize("written", [False, True], ids=["not sent", "not answered"])
async def test_a_new_recovery_key_whose_answer_is_lost_at_a_service_holds_after_the_next_round(
    offices: Offices, hosted: Running, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    one, new = await offices("one"), os.urandom(32)
    key = await found(one, hosted)
    work = service_membership.replace_recovery

    async def cut_off(*arguments: object) -> object:
        if written:
            await work(*arguments)  # type: ignore[arg-type]  # as they were given
        raise Unreachable("cut")

    with monkeypatch.context() as patched:
        patched.setattr(service_membership, "replace_recovery", cut_off)
        with pytest.raises(RecoveryWaits, match="Keep both"):
            await one.syncing.account.replace_recovery(new)
    told = heard(one)
    await one.syncing.now()
    assert told == ["The new recovery key holds; the former one is worth nothing."]
    assert await nothing_waits(one)
    fresh = await offices("fresh")
    with pytest.raises(WrapRefused):
        await join(fresh, hosted, key)
    await join(fresh, hosted, new)


async def test_a_recovery_key_that_another_device_made_meanwhile_stays(
    offices: Offices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _key, (one, other) = await several(offices, folder, "one", "other")
    mine, theirs = os.urandom(32), os.urandom(32)

    def cut_off(*_arguments: object) -> object:
        raise OSError("the stick was pulled")

    with monkeypatch.context() as patched:
        patched.setattr(folder_membership, "replace_recovery", cut_off)
        with pytest.raises(RecoveryWaits):
            await one.syncing.folder.replace_recovery(mine)
    await other.syncing.folder.replace_recovery(theirs)
    told = heard(one)
    await one.syncing.now()
    assert told == ["Another recovery key was made on another device: the one shown there holds."]
    assert await nothing_waits(one)
    fresh = await offices("fresh")
    with pytest.raises(WrapRefused):
        await fresh.syncing.join(folder, mine)
    await fresh.syncing.join(folder, theirs)


async def test_where_the_account_is_not_reached_the_former_recovery_key_holds_and_it_is_said(
    offices: Offices, folder: Path
) -> None:
    key, (one,) = await several(offices, folder, "one")
    folder.rename(folder.with_name("away"))
    with pytest.raises(Refused, match="cannot be used"):
        await one.syncing.folder.require_in()
    with pytest.raises(Refused, match="former recovery key still holds"):
        await one.syncing.folder.replace_recovery(os.urandom(32))
    assert await nothing_waits(one)
    folder.with_name("away").rename(folder)
    fresh = await offices("fresh")
    await fresh.syncing.join(folder, key)
