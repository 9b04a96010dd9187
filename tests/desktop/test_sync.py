"""The Sync page on a real office that meets another one in a real folder."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton

from agents.office import Office
from agents.sync_rounds import Pace, Standing
from desktop.contents import Contents
from desktop.pages.recovery_words import RecoveryWords
from desktop.pages.sync.entering import Words
from desktop.pages.sync.page import SyncPage
from memory import notes
from memory.errors import NotFound, Refused
from memory.lifecycle.subjects import Subject
from memory.locations import Locations
from memory.sync.taking import Round
from tests.agents.syncing_offices import settle
from tests.agents.test_sync_set_aside import withhold
from tests.desktop.conftest import PASSPHRASE
from tests.desktop.test_names import unnamed
from tests.desktop.test_privacy import press, said
from tests.desktop.test_purposes import buttons
from tests.desktop.waiting import until
from vault.recovery_key import words_of
from vault.secret import Secret


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shared"
    made.mkdir()
    return made


@pytest_asyncio.fixture
async def other(own_home: Path) -> AsyncIterator[Office]:
    """Another device of the same owner."""
    office = await Office.open(Locations.find(own_home / "other"), passphrase=Secret(PASSPHRASE))
    yield office
    await office.close()


@pytest.fixture
def page(session) -> SyncPage:
    page = SyncPage(session)
    session.window.add_page("sync", page)
    session.window._body.setCurrentWidget(page)
    return page


async def together(session, other: Office, folder: Path) -> None:
    """Let the office of the window and another one meet."""
    key = os.urandom(32)
    await session.office.syncing.found(folder, key)
    await other.syncing.join(folder, key)
    await settle(session.office, other)


async def test_sync_is_off_until_a_folder_is_chosen_and_the_key_kept(page, session, folder):
    await page._load()
    await until(page.beginning.isVisible)
    assert "never needs it" in said(page) and not page.on.isVisible() and unnamed(page) == []
    press(page, "Continue")
    assert "Choose the folder" in page.beginning.fault.text()
    page.beginning.folder.setText(str(folder / "away"))
    press(page, "Continue")
    await until(lambda: "cannot be used" in page.beginning.fault.text())
    page.beginning.folder.setText(str(folder))
    page.beginning.choices.boxes["chats"].click()
    QTest.keyClick(page.beginning.folder, Qt.Key.Key_Return)
    await until(lambda: any(each.isVisible() for each in page.findChildren(RecoveryWords)))
    (shown,) = page.findChildren(RecoveryWords)
    assert unnamed(page) == [] and list(folder.iterdir()) == []
    assert (await session.office.syncing.here()) is None
    shown.check.click()
    press(shown, "Done")
    await until(lambda: page.on.isVisible() and "Nothing waits to be sent." in said(page))
    here = await session.office.syncing.here()
    assert here is not None and here.folder == folder
    chosen = {one.category.name: one.chosen for one in await session.office.sync_decisions.choices()}
    assert chosen == {"agents": True, "chats": False, "files": True, "notes": True, "settings": True}
    assert not page.choices.boxes["chats"].isChecked()
    await until(lambda: "this one" in said(page.devices))
    assert unnamed(page) == []


async def test_a_folder_that_is_in_use_asks_for_its_recovery_key(page, session, other, folder):
    key = os.urandom(32)
    await other.notes.add("milk")
    await other.syncing.found(folder, key)
    await page._load()
    await until(page.beginning.isVisible)
    page.beginning.folder.setText(str(folder))
    press(page, "Continue")
    await until(lambda: any(each.isVisible() for each in page.findChildren(Words)))
    (words,) = page.findChildren(Words)
    press(page, "Join")
    assert "24" in words.hint.text() and unnamed(page) == []
    words.field.setPlainText(words_of(os.urandom(32)))
    await until(lambda: words.hint.text() == "The words are right.")
    press(page, "Join")
    await until(lambda: page.beginning.fault.text() != "")
    assert await session.office.syncing.here() is None
    words.field.setPlainText(" ".join([*words_of(key).split()[:23], "zebra"]))
    await until(lambda: words.hint.property("role") == "danger")
    words.field.setPlainText(words_of(key))
    press(page, "Join")
    await until(page.on.isVisible)
    await until(lambda: said(page.devices).count("in use") == 2)
    await until(lambda: not page.beginning.working.isVisibleTo(page.beginning), "the first round")
    assert [each.text for each in await session.office.database.read(notes.notes)] == ["milk"]


async def test_an_error_is_a_card_and_a_pause_a_pause(page, session, other, folder):
    await together(session, other, folder)
    await until(page.on.isVisible)
    folder.rename(folder.with_name("away"))
    await session.office.notes.add("bread")
    press(page, "Sync now")
    await until(page.standing.fault.isVisible)
    assert "cannot be used" in page.standing.fault.text()
    assert "did not go well" in page.standing.title.text()
    assert "1 change waits" in page.standing.queue.text()
    assert any("cannot be used" in each for each in session.window.notices.sentences())
    folder.with_name("away").rename(folder)
    press(page, "Sync now")
    await until(lambda: not page.standing.fault.isVisible() and page.standing.title.text() == "Sync is on")
    assert page.standing.queue.text() == "Nothing waits to be sent."
    press(page, "Pause")
    await until(lambda: page.standing.title.text() == "Sync is paused")
    assert not page.standing.now.isEnabled() and page.standing.pause.text() == "Go on"
    press(page, "Go on")
    await until(lambda: page.standing.now.isEnabled())


async def test_what_is_said_follows_rounds_that_nobody_asked_for(page, session, other, folder):
    await together(session, other, folder)
    rounds = session.office.sync_rounds
    rounds.pace = Pace(edits=0.02, look=0.02, rest=3600.0)
    rounds.start()
    await until(lambda: "next at" in page.standing.times.text())
    await other.notes.add("milk")
    await other.syncing.now()
    await until(lambda: rounds.standing.last is not None and rounds.standing.last.pulled)
    session.window.activateWindow()  # the notice of the device that joined came before the window was active
    page.standing.pause.setFocus()
    await until(page.standing.pause.hasFocus)
    await session.office.notes.add("bread")
    await until(lambda: rounds.standing.last.pushed)
    await until(lambda: page.standing.queue.text() == "Nothing waits to be sent.")
    assert page.standing.pause.hasFocus()


async def test_many_erasures_wait_for_the_owners_word_and_passphrase(page, session, other, folder):
    await together(session, other, folder)
    made = [await other.notes.add(f"note {number}") for number in range(12)]
    await settle(session.office, other)
    await other.erasing.erase([Subject("note", note.id) for note in made])
    await other.syncing.now()
    await until(page.on.isVisible)
    press(page, "Sync now")
    await until(page.asks.isVisible)
    assert "12 things were erased" in said(page.asks) and unnamed(page) == []
    session.office.app_lock._given_at = None
    press(page.asks, "Erase 12 here too")
    ask = page.asks.findChildren(type(page.asks._column.itemAt(0).widget()))[0]
    await until(ask.owner.isVisible)
    assert len(await session.office.database.read(notes.notes)) == 12
    ask.owner.field.setText(PASSPHRASE)
    QTest.keyClick(ask.owner.field, Qt.Key.Key_Return)
    await until(lambda: not page.asks.isVisible())
    assert await session.office.database.read(notes.notes) == ()


async def test_missing_things_and_another_generation_are_asked_about(page, session, other, folder):
    await together(session, other, folder)
    session.office.sync_rounds.standing = Standing("waiting", None, Round(missing=14, generation="0f" * 16))
    await page._load()
    await until(page.asks.isVisible)
    assert "14 more things are missing" in said(page.asks) and "begins anew" in said(page.asks)
    assert "Put 14 into the trash" in buttons(page.asks) and unnamed(page) == []
    press(page.asks, "Keep all of it here")
    press(page.asks, "Go on")
    await until(lambda: session.office.sync_rounds.standing.last.pulled == 0 and not page.asks.isVisible())


async def test_the_rail_says_that_sync_does_not_go_well_or_waits(session, other, folder):
    contents = Contents(session.window)
    await contents.fill(session)
    await together(session, other, folder)
    rounds, button = session.office.sync_rounds, session.window.rail._buttons["sync"]
    folder.rename(folder.with_name("away"))
    with pytest.raises(Refused):
        await rounds.now()
    assert "did not go well" in button.accessibleDescription()
    folder.with_name("away").rename(folder)
    made = [await other.notes.add(f"note {number}") for number in range(12)]
    await other.syncing.now()
    await rounds.now()
    assert button.accessibleDescription() == ""
    await other.erasing.erase([Subject("note", note.id) for note in made])
    await other.syncing.now()
    await rounds.now()
    assert button.accessibleDescription() == "waits for you" and "waits for you" in button.toolTip()


async def test_a_category_is_switched_off_and_on(page, session, other, folder):
    await together(session, other, folder)
    await until(page.on.isVisible)
    await page._load()
    page.choices.boxes["notes"].setFocus()
    QTest.keyClick(page.choices.boxes["notes"], Qt.Key.Key_Space)
    while len([one for one in await session.office.sync_decisions.choices() if one.chosen]) != 4:
        await asyncio.sleep(0.01)
    await session.office.notes.add("kept at home")
    await settle(session.office, other)
    assert await other.database.read(notes.notes) == ()
    page.choices.boxes["notes"].click()
    while len([one for one in await session.office.sync_decisions.choices() if one.chosen]) != 5:
        await asyncio.sleep(0.01)
    await settle(session.office, other)
    assert len(await other.database.read(notes.notes)) == 1


async def test_a_setting_of_another_device_is_known_to_the_window_at_once(session, other, folder):
    await together(session, other, folder)
    assert session.preferences.value("trash.days") == 30
    heard = []
    session.preferences.on_change(lambda key, value: heard.append((key, value)))
    await other.settings.change("trash.days", 90)
    await settle(other, session.office)
    await until(lambda: session.preferences.value("trash.days") == 90)
    assert heard == [("trash.days", 90)]


async def in_conflict(session, other: Office) -> None:
    """Change the same words on both; those of the window's office lose."""
    for office, words in ((session.office, "Write short letters."), (other, "Write long letters.")):
        writer = next(each for each in await office.roster.all() if each.name == "Writer")
        await office.roster.change(writer.id, instructions=words)
    await other.syncing.now()
    await settle(session.office, other)


async def test_words_that_lost_are_shown_dismissed_put_back_and_taken(page, session, other, folder):
    await together(session, other, folder)
    await in_conflict(session, other)
    await until(page.on.isVisible)
    await page._load()
    await until(page.conflicts.isVisible)
    assert "Instructions of Writer" in said(page.conflicts) and unnamed(page) == []
    press(page.conflicts, "Let go of them")
    await until(lambda: not page.conflicts.isVisible())
    press(session.window.notices, "Undo")
    await until(page.conflicts.isVisible)
    (found,) = await session.office.sync_decisions.conflicts()
    press(page.conflicts, "Let the lost words stand again")
    await until(lambda: not page.conflicts.isVisible())
    writer = next(each for each in await session.office.roster.all() if each.name == "Writer")
    assert writer.instructions == found.lost
    await settle(session.office, other)
    assert (await other.roster.agent(writer.id)).instructions == found.lost


async def test_words_that_lost_go_with_the_agent_that_is_erased(page, session, other, folder):
    await together(session, other, folder)
    await in_conflict(session, other)
    await page._load()
    await until(page.conflicts.isVisible)
    (found,) = await session.office.sync_decisions.conflicts()
    let_go = await session.office.sync_decisions.dismiss(found.id)
    await session.office.sync_decisions.put_back(let_go)
    await session.office.erasing.erase([Subject("agent", found.local_id)])
    await until(lambda: not page.conflicts.isVisible())
    assert found.lost not in [each.text() for each in page.findChildren(QLabel)]
    with pytest.raises(NotFound):
        await session.office.sync_decisions.put_back(let_go)


async def test_leaving_asks_once_and_keeps_everything(page, session, other, folder):
    await together(session, other, folder)
    await session.office.notes.add("milk")
    await until(page.on.isVisible)
    press(page, "Leave sync on this device…")
    assert page.leaving.sure.isVisible() and page.leaving.stay.isVisible()
    press(page, "Stay")
    press(page, "Leave sync on this device…")
    press(page, "Leave now")
    await until(page.beginning.isVisible)
    assert await session.office.syncing.here() is None
    assert [each.text for each in await session.office.database.read(notes.notes)] == ["milk"]
    assert unnamed(page) == []


async def test_what_went_missing_is_taken_back_or_let_go_by_the_passphrase(page, session, other, folder):
    office = session.office
    await together(session, other, folder)
    ids = [(await office.notes.add(each)).id for each in ("milk", "bread", "salt")]
    await settle(office, other)
    await page._load()
    await until(page.on.isVisible)
    assert not page.set_aside.isVisible() and not page.standing.see.isVisible()
    await office.database.write(withhold, *ids)
    await page._load()
    assert page.set_aside.isVisible() and unnamed(page) == []
    shown = said(page.set_aside)
    assert "milk" in shown and "note · the service has it no more" in shown and "stays until" in shown
    press(page.set_aside, "Take back")
    await until(lambda: said(page.set_aside).count("the service has it no more") == 2)
    assert len(await office.database.read(notes.notes)) == 1
    await settle(office, other)
    office.app_lock._given_at = None
    press(page.set_aside, "Let all of it go now…")
    assert "erased on this device for good" in said(page.set_aside) and unnamed(page) == []
    press(page.set_aside, "Erase it here")
    await until(page.set_aside.owner.isVisible)
    assert len(await office.sync_decisions.set_aside()) == 2
    page.set_aside.owner.field.setText(PASSPHRASE)
    QTest.keyClick(page.set_aside.owner.field, Qt.Key.Key_Return)
    await until(lambda: not page.set_aside.isVisible())
    assert len(await office.database.read(notes.notes)) == 1
    assert len(await other.database.read(notes.notes)) == 3


async def test_what_does_not_sync_is_seen_one_by_one(page, session, other, folder):
    await together(session, other, folder)
    await session.office.notes.add("An endless tale. " + "word " * 260_000)
    await settle(session.office, other)
    await page._load()
    await until(page.on.isVisible)
    assert "1 text is too long to sync" in said(page.standing) and not page.standing.which.isVisible()
    page.standing.see.setFocus()
    QTest.keyClick(page.standing.see, Qt.Key.Key_Space)
    assert page.standing.which.isVisible() and unnamed(page) == []
    assert "An endless tale. | note · too long to sync" in said(page.standing)


async def test_devices_are_named_by_keyboard(page, session, other, folder):
    await together(session, other, folder)
    await page._load()
    await until(lambda: said(page.devices).count("Linux computer") == 2)
    shown = {each.accessibleName(): each for each in page.devices.findChildren(QPushButton)}
    here = await session.office.syncing.joined()
    name = shown[f"Name Linux computer {here.device_id[:8]}"]
    session.window.activateWindow()  # the notice of the device that joined came before the window was active
    name.setFocus()
    await until(name.hasFocus)
    QTest.keyClick(name, Qt.Key.Key_Space)
    await until(lambda: isinstance(QApplication.focusWidget(), QLineEdit))
    assert unnamed(page) == []
    QTest.keyClicks(QApplication.focusWidget(), "Laptop")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    await until(lambda: "Laptop · this one" in said(page.devices))
    assert f"Linux computer · {here.device_id[:8]} · in use" in said(page.devices) and unnamed(page) == []
    await settle(session.office, other)
    theirs = await other.sync_decisions.device_names()
    assert theirs[here.device_id].title == "Laptop"
    there = await other.syncing.joined()
    await other.sync_decisions.name_device("Desk")
    await settle(session.office, other)
    await until(lambda: "Desk |" in said(page.devices) and there.device_id[:8] in said(page.devices))
