"""The cards in place of an office that does not open by itself, and the ways out of them."""

import asyncio

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from agents.office import Office
from desktop.chats.area import ChatsArea
from desktop.diagnostics import Diagnostics
from desktop.first_look import FirstLook
from desktop.opening import Opening
from desktop.pages.gates import NewPassphraseGate, RecoveryGate, TroubleGate, UnlockGate
from desktop.tasks import Tasks
from desktop.theme.appearance import appearance
from desktop.window import Window
from memory.locations import Locations
from tests.desktop.conftest import PASSPHRASE
from tests.desktop.waiting import until
from vault.office_keys import unlock_with_recovery
from vault.secret import Secret


class Start:
    """One start of the window without its loop's own end."""

    def __init__(self, locations, passphrase_file=None):
        self.failures: list[BaseException] = []
        self.ended = False
        self.tasks = Tasks(self.failures.append)
        self.window = Window(FirstLook(width=1000, height=700))
        self.window.add_page("chats", ChatsArea())
        self.window.show_page("chats")
        self.window.show()
        self.opening = Opening(self.window, self.tasks, locations, passphrase_file)
        self.diagnostics = Diagnostics(self.failures.append)

    def begin(self):
        self.tasks.spawn(self.opening.open(self.diagnostics), name="open")

    async def gate(self, kind):
        await until(lambda: isinstance(self.window._gate, kind), f"a {kind.__name__}")
        return self.window._gate

    async def opened(self):
        await until(lambda: self.opening.contents is not None, "the office opens")
        return self.opening.session.office

    async def end(self):
        if self.ended:
            return
        self.ended = True
        await self.opening.close_door()
        await self.tasks.cancel(3)
        if self.opening.session is not None:
            self.opening.session.detach()
            await self.opening.session.office.close()
        self.window.close_for_good()
        self.window.deleteLater()
        self.diagnostics.remove()


@pytest_asyncio.fixture
async def start(qapp, own_home):
    appearance().apply(qapp)
    qapp.setQuitOnLastWindowClosed(False)
    started: list[Start] = []

    def begin(passphrase_file=None) -> Start:
        one = Start(Locations.find(), passphrase_file)
        started.append(one)
        one.begin()
        return one

    yield begin
    for one in started:
        await one.end()
        assert one.failures == []


async def make_office() -> str:
    """Make an office with a recovery key and return its words."""
    office = await Office.open(Locations.find(), passphrase=Secret(PASSPHRASE))
    words = office.vault.new_recovery_key()
    await office.close()
    return words


def press(gate, words: str) -> None:
    found = [b for b in gate.findChildren(QPushButton) if b.text() == words]
    assert found, [b.text() for b in gate.findChildren(QPushButton)]
    QTest.mouseClick(found[0], Qt.MouseButton.LeftButton)


async def test_a_passphrase_office_asks_until_the_passphrase_is_right(start):
    await make_office()
    one = start()
    gate = await one.gate(UnlockGate)
    assert not one.window.rail.isVisible()
    QTest.keyClicks(gate.passphrase, "not this one")
    QTest.keyClick(gate.passphrase, Qt.Key.Key_Return)
    await until(lambda: one.window._gate is not gate)
    again = await one.gate(UnlockGate)
    assert "does not open" in again.fault.text()
    QTest.keyClicks(again.passphrase, PASSPHRASE)
    QTest.keyClick(again.passphrase, Qt.Key.Key_Return)
    await one.opened()
    assert one.window.rail.isVisible() and one.window._gate is None


async def test_the_recovery_key_opens_and_sets_another_passphrase(start):
    words = await make_office()
    one = start()
    gate = await one.gate(UnlockGate)
    press(gate, "I have only the recovery key")
    recovery = await one.gate(RecoveryGate)
    recovery.words.setPlainText("twelve words are not enough")
    recovery.passphrase.setText("another passphrase")
    press(recovery, "Open the office")
    await until(lambda: "24 words" in recovery.fault.text())
    recovery.words.setPlainText(words.upper())
    press(recovery, "Open the office")
    await one.opened()
    assert one.window._gate is None and one.window.rail.isVisible()
    await one.end()
    office = await Office.open(Locations.find(), passphrase=Secret("another passphrase"))
    await office.close()


@pytest.mark.parametrize("at", ["unlock", "recover"])
async def test_a_window_that_waits_notices_that_a_terminal_unlocked_the_office(start, at):
    words = await make_office()
    one = start()
    gate = await one.gate(UnlockGate)
    if at == "recover":
        press(gate, "I have only the recovery key")
        gate = await one.gate(RecoveryGate)
    unlock_with_recovery(Locations.find().home, Secret(words), passphrase=Secret("another passphrase"))
    await until(lambda: one.window._gate is not gate, "the window notices")
    again = await one.gate(UnlockGate)
    assert at == "recover" or "passphrase it has now" in again.fault.text()
    QTest.keyClicks(again.passphrase, "another passphrase")
    QTest.keyClick(again.passphrase, Qt.Key.Key_Return)
    await one.opened()


@pytest.mark.keyring
async def test_a_window_opens_by_itself_once_a_lost_keyring_item_is_put_back(start, unlocked_keyring):
    office = await Office.open(Locations.find())
    words = office.vault.new_recovery_key()
    await office.close()
    office.vault.store.delete(f"office-{office.vault.office_id}")
    one = start()
    assert "recovery key" in (await one.gate(TroubleGate))._sentence.text()
    unlock_with_recovery(Locations.find().home, Secret(words))
    await one.opened()


async def test_without_a_keyring_a_new_office_is_protected_by_a_passphrase(start):
    one = start()
    trouble = await one.gate(TroubleGate)
    assert "keyring" in trouble._sentence.text()
    press(trouble, "Use a passphrase instead")
    gate = await one.gate(NewPassphraseGate)
    gate.first.setText("long enough")
    gate.second.setText("not the same")
    press(gate, "Create the office")
    assert "not the same" in gate.fault.text()
    gate.second.setText("long enough")
    press(gate, "Create the office")
    office = await one.opened()
    assert len(await office.roster.all()) == 5


async def test_an_office_that_another_holds_opens_as_soon_as_it_is_free(start):
    await make_office()
    holder = await Office.open(Locations.find(), passphrase=Secret(PASSPHRASE))
    file = Locations.find().home / "passphrase"
    file.write_text(PASSPHRASE)
    one = start(file)
    await asyncio.sleep(0.3)
    assert one.opening.session is None
    await holder.close()
    await one.opened()


@pytest.mark.parametrize("damage", ["not a database at all" * 300])
async def test_a_damaged_database_is_told_with_its_fix_and_nothing_is_lost(start, damage):
    await make_office()
    database = Locations.find().database
    database.write_text(damage)
    file = Locations.find().home / "passphrase"
    file.write_text(PASSPHRASE)
    one = start(file)
    trouble = await one.gate(TroubleGate)
    assert trouble._sentence.text()
    assert database.read_text() == damage
    assert any(b.text() == "Try again" for b in trouble.findChildren(QPushButton))
