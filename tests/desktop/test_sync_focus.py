"""Whoever uses the Sync page by the keyboard is led on, and is back where they were when something is refused."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget

from agents.office import Office
from tests.desktop.conftest import PASSPHRASE
from tests.desktop.test_sync import folder, other, page, together
from tests.desktop.test_tab_order import goes_down, gone_through
from tests.desktop.waiting import until

__all__ = ["folder", "other", "page"]


def door(parent: QWidget, words: str) -> QPushButton:
    return next(
        each for each in parent.findChildren(QPushButton) if each.text() == words and each.isVisible()
    )


async def choose(button: QPushButton) -> None:
    """Press a button as the keyboard does."""
    button.window().activateWindow()  # a notice may have come before the window was active
    button.setFocus()
    await until(button.hasFocus)
    QTest.keyClick(button, Qt.Key.Key_Space)


async def test_a_step_that_is_refused_keeps_the_focus(page, session, folder: Path) -> None:
    await page._load()
    await until(page.beginning.isVisible)
    page.beginning.folder.setText(str(folder / "away"))
    await choose(page.beginning.go_on)
    await until(page.beginning.fault.isVisible)
    await until(page.beginning.go_on.hasFocus)


async def listed(page, session, other: Office, folder: Path):
    """Return the card of the devices once both stand in it."""
    await together(session, other, folder)
    await page.devices.show_devices(await session.office.syncing.joined())
    await until(lambda: len(page.devices._name_doors) == 2)
    return page.devices


async def test_a_device_that_was_named_gives_the_focus_to_its_door(
    page, session, other: Office, folder: Path
) -> None:
    devices = await listed(page, session, other, folder)
    last = devices._listed[-1].id
    await choose(devices._name_doors[last])
    await until(lambda: isinstance(QApplication.focusWidget(), QLineEdit), "the field of the name")
    await choose(door(devices, "Cancel"))
    await until(lambda: devices._name_doors[last].hasFocus())
    await choose(devices._name_doors[last])
    await until(lambda: isinstance(QApplication.focusWidget(), QLineEdit), "the field of the name")
    field = QApplication.focusWidget()
    QTest.keyClicks(field, "Boat")
    QTest.keyClick(field, Qt.Key.Key_Return)
    await until(lambda: devices._names[last].name == "Boat")
    await until(lambda: devices._name_doors[last].hasFocus())


async def test_the_passphrase_that_is_asked_for_is_what_is_typed_next(
    page, session, other: Office, folder: Path
) -> None:
    devices = await listed(page, session, other, folder)
    session.office.app_lock._given_at = None
    await choose(door(devices, "Take it off…"))
    await until(devices.owner.field.hasFocus)
    QTest.keyClicks(devices.owner.field, PASSPHRASE)
    QTest.keyClick(devices.owner.field, Qt.Key.Key_Return)
    await until(lambda: [row.active for row in devices._listed].count(False) == 1)
    here = await session.office.syncing.joined()
    # The notice of it leaves the window of a test inactive; its focus is what it has when it is active again.
    await until(lambda: session.window.focusWidget() is devices._name_doors[here.device_id])


async def test_tab_goes_down_the_page_though_its_rows_came_later(
    page, session, other: Office, folder: Path
) -> None:
    await together(session, other, folder)
    await page.devices.show_devices(await session.office.syncing.joined())
    await until(lambda: len(page.devices._name_doors) == 2)
    session.window.resize(760, 4000)  # all of it is in sight, so that no scrolling moves it
    found = await gone_through(page.standing.now, page.on)
    assert page.leaving.leave in found
    assert set(page.devices._name_doors.values()) <= set(found)
    assert goes_down(found, page.on)
