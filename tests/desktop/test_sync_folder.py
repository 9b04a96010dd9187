"""The Sync page where devices meet in a folder: one is taken off, and the recovery key is replaced."""

from pathlib import Path

import pytest

from agents.office import Office
from desktop.pages.recovery_words import RecoveryWords
from memory.sync.errors import WrapRefused
from memory.sync.service.faults import DeviceRevoked
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
