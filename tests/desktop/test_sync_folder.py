"""The Sync page where devices meet in a folder: one is taken off, and the recovery key is replaced."""

from pathlib import Path
from typing import Any

import pytest

from agents.office import Office
from desktop.pages.recovery_words import RecoveryWords
from desktop.pages.sync import leaving
from memory.sync import folder_membership, membership
from memory.sync.errors import WrapRefused
from memory.sync.service.faults import DeviceRevoked
from tests.desktop.test_names import unnamed
from tests.desktop.test_privacy import press, said
from tests.desktop.test_sync import folder, other, page, together
from tests.desktop.waiting import until
from vault.recovery_key import key_of
from vault.secret import Secret

__all__ = ["folder", "other", "page"]


async def test_a_device_is_taken_off_in_a_folder(page, session, other: Office, folder: Path) -> None:
    await together(session, other, folder)
    await page.devices.show_devices(await session.office.syncing.joined())
    await until(lambda: said(page.devices).count("in use") == 2)
    press(page.devices, "Take it off…")
    await until(lambda: "taken off the account" in said(page.devices))
    with pytest.raises(DeviceRevoked):
        await other.syncing.now()
    here = await session.office.syncing.here()
    assert here is not None and here.epoch == 2


async def test_a_device_that_was_cut_off_while_joining_is_said_to_be_that(
    page,
    session,
    other: Office,
    folder: Path,
) -> None:
    await together(session, other, folder)
    membership.join(folder, (await other.syncing.joined()).space_id, await another_key(other), 0)
    await page.devices.show_devices(await session.office.syncing.joined())
    await until(lambda: "nothing has come from it yet" in said(page.devices))
    assert said(page.devices).count("in use") == 2


async def another_key(office: Office) -> bytes:
    key = bytes(range(32))
    await office.syncing.folder.replace_recovery(key)
    return key


async def test_a_folder_that_was_moved_is_found_again(page, session, folder: Path) -> None:
    await session.office.syncing.found(folder, bytes(range(32)))
    moved = page.standing.moved
    await until(moved.button.isVisible)
    here = folder.with_name("moved")
    folder.rename(here)
    folder.mkdir()
    press(page, "Sync now")
    await until(lambda: "cannot be used" in said(page.standing))
    moved.move_to(folder)
    await until(lambda: "does not hold this office" in said(moved))
    assert page.standing.place.text() == str(folder) and unnamed(page) == []
    moved.move_to(here)
    await until(
        lambda: page.standing.place.text() == str(here) and "cannot be used" not in said(page.standing)
    )
    assert not moved.fault.isVisible() and moved.button.isEnabled()


async def test_where_the_folder_is_away_no_other_recovery_key_is_shown(page, session, folder: Path) -> None:
    await session.office.syncing.found(folder, bytes(range(32)))
    await until(lambda: "Recovery key of sync" in said(page.recovery))
    folder.rename(folder.with_name("away"))
    press(page.recovery, "Make a new recovery key")
    await until(lambda: "cannot be used" in said(page.recovery))
    assert page.recovery.findChildren(RecoveryWords) == []


async def test_a_recovery_key_that_waits_for_a_round_is_said_to_wait(
    page,
    session,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await session.office.syncing.found(folder, bytes(range(32)))
    await until(lambda: "Recovery key of sync" in said(page.recovery))
    press(page.recovery, "Make a new recovery key")
    await until(lambda: bool(page.recovery.findChildren(RecoveryWords)))
    (words,) = page.recovery.findChildren(RecoveryWords)
    assert "the former one holds" in said(page.recovery)

    def cut_off(*_arguments: object) -> object:
        raise OSError("the stick was pulled")

    with monkeypatch.context() as patched:
        patched.setattr(folder_membership, "replace_recovery", cut_off)
        words.kept.emit()
        await until(lambda: "Keep both recovery keys" in said(page.recovery))
    await session.office.syncing.now()
    await until(lambda: "Keep both recovery keys" not in said(page.recovery))


async def test_a_recovery_key_asked_for_twice_at_once_is_shown_once(
    page, session, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the first one, which its owner may be reading, is taken away for another."""
    await session.office.syncing.found(folder, bytes(range(32)))
    await until(lambda: "Recovery key of sync" in said(page.recovery))
    shown: list[RecoveryWords] = []

    def note_shown(*arguments: Any) -> RecoveryWords:
        shown.append(RecoveryWords(*arguments))
        return shown[-1]

    monkeypatch.setattr(leaving, "RecoveryWords", note_shown)
    for _press in range(2):
        press(page.recovery, "Make a new recovery key")
    await until(lambda: bool(shown) and len(session._tasks) == 0)
    assert len(shown) == 1


async def test_another_recovery_key_holds_in_a_folder(page, session, other: Office, folder: Path) -> None:
    former = bytes(range(32))
    await session.office.syncing.found(folder, former)
    await until(lambda: "Recovery key of sync" in said(page.recovery))
    press(page.recovery, "Make a new recovery key")
    await until(lambda: bool(page.recovery.findChildren(RecoveryWords)))
    (words,) = page.recovery.findChildren(RecoveryWords)
    kept = key_of(Secret(words._words))
    words.check.setChecked(True)
    words.kept.emit()
    await until(lambda: not page.recovery.findChildren(RecoveryWords))
    with pytest.raises(WrapRefused):
        await other.syncing.join(folder, former)
    await other.syncing.join(folder, kept)
