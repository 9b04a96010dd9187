"""The app lock in the real window: what is hidden, what opens it, what answers meanwhile."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from agents.commands.registry import run_command
from agents.commands.serving import Served
from agents.door.protocol import Caller, CommandFailed
from desktop import locking
from desktop.contents import Contents
from desktop.locking import LockGate
from desktop.session import Session
from memory import audit
from memory.errors import Refused, StorageError
from tests.desktop.conftest import PASSPHRASE
from tests.desktop.waiting import until
from vault import lock_passphrase
from vault.errors import PassphraseTooShort
from vault.secret import Secret


@pytest_asyncio.fixture
async def contents(session: Session) -> AsyncIterator[Contents]:
    contents = Contents(session.window)
    await contents.fill(session)
    yield contents
    contents.locking.deleteLater()


def gate_of(session: Session) -> LockGate | None:
    return next(iter(session.window.findChildren(LockGate)), None)


def shown_names(root: QWidget) -> set[str]:
    """Return what a screen reader finds that is not invisible."""
    found: set[str] = set()
    waiting = [QAccessible.queryAccessibleInterface(root)]
    while waiting:
        one = waiting.pop()
        if one is None or one.state().invisible:
            continue
        found.add(one.text(QAccessible.Text.Name))
        waiting += [one.child(number) for number in range(one.childCount())]
    return found


@pytest.mark.req("R175")
async def test_locked_nothing_is_seen_read_out_or_reached(session: Session, contents: Contents) -> None:
    await session.office.create_conversation(title="Secret plans")
    await contents.listing.read()
    contents.show_page("chats")
    dialog = QWidget()
    dialog.show()
    contents.sheet.toggle()
    await session.office.app_lock.lock()
    gate = gate_of(session)
    assert gate is not None and gate.isVisible()
    assert not dialog.isVisible() and not contents.sheet.isVisible()
    assert not contents.area.isVisible() and not session.window.rail.isVisible()
    assert "Bureau is locked" in shown_names(session.window)
    assert "Passphrase" in shown_names(session.window)
    assert not [name for name in shown_names(session.window) if "Secret plans" in name]
    session.notify("An answer about the secret plans")
    assert not session.window.notices.isVisible()
    QTest.keyClick(session.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert not contents.palette.isVisible()
    dialog.deleteLater()

    assert gate.passphrase.hasFocus() or gate.focusProxy() is gate.passphrase
    QTest.keyClicks(gate.passphrase, "wrong words here")
    QTest.keyClick(gate.passphrase, Qt.Key.Key_Return)
    await until(lambda: bool(gate.fault.text()))
    assert session.office.app_lock.locked and gate.isEnabled()
    gate.passphrase.setText(PASSPHRASE)
    QTest.keyClick(gate.passphrase, Qt.Key.Key_Return)
    await until(lambda: not session.office.app_lock.locked)
    await until(session.window.rail.isVisible)
    assert contents.area.isVisible()
    assert session.window.notices.isVisible()
    assert all(shortcut.isEnabled() for shortcut in contents._bound)
    kinds = [entry.kind for entry in await session.office.database.read(audit.entries)][:3]
    assert kinds == ["app unlocked", "app lock refused", "app locked"]


@pytest.mark.req("R175")
async def test_it_locks_after_idle_time_and_at_sleep(
    session: Session, contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = session.office
    clock = [1000.0]
    monkeypatch.setattr(locking.time, "monotonic", lambda: clock[0])
    QApplication.sendEvent(
        session.window, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Shift, Qt.KeyboardModifier.NoModifier)
    )
    clock[0] += 3600
    await contents.locking._lock_if_idle()
    assert not office.app_lock.locked
    await office.settings.change("lock.after_minutes", 10)
    clock[0] += 1
    QApplication.sendEvent(
        session.window, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Shift, Qt.KeyboardModifier.NoModifier)
    )
    clock[0] += 599
    await contents.locking._lock_if_idle()
    assert not office.app_lock.locked
    clock[0] += 1
    contents.locking.look()
    await until(lambda: office.app_lock.locked)
    await office.app_lock.unlock(Secret(PASSPHRASE))
    await office.settings.change("lock.at_sleep", False)
    contents.locking.prepare_for_sleep(False)
    await contents.locking._lock_for_sleep()
    assert not office.app_lock.locked
    await office.settings.change("lock.at_sleep", True)
    contents.locking.prepare_for_sleep(True)
    await until(lambda: office.app_lock.locked)


async def test_locked_the_door_only_brings_up_the_window(session: Session, contents: Contents) -> None:
    raised: list[bool] = []
    served = Served(session.office, lambda: raised.append(True))

    async def ask(command: str) -> list[dict[str, object]]:
        return [item async for item in run_command(served, command, {}, Caller())]

    await ask("lock now")
    assert session.office.app_lock.locked
    for command in ("agents list", "privacy data", "backup list", "ask", "lock passphrase"):
        with pytest.raises(CommandFailed, match="locked"):
            await ask(command)
    await ask("raise")
    assert raised == [True]
    await session.office.app_lock.unlock(Secret(PASSPHRASE))
    assert (await ask("agents list"))[0]["kind"] == "result"


async def test_an_office_that_was_locked_when_it_ended_begins_locked(
    session: Session, contents: Contents
) -> None:
    await session.office.app_lock.lock()
    session.office.app_lock.locked = False  # as in the next process
    await session.office.app_lock.begin()
    assert session.office.app_lock.locked


async def test_the_passphrase_of_a_vault_is_the_one_of_the_lock(session: Session) -> None:
    with pytest.raises(Refused, match="no other one"):
        await session.office.app_lock.choose_passphrase(Secret("another one"))
    assert session.office.vault.opens_with(Secret(PASSPHRASE))
    assert not session.office.vault.opens_with(Secret("another one"))


def test_a_passphrase_of_the_lock_is_recognised_and_not_kept() -> None:
    kept = lock_passphrase.verifier(Secret("little screen"))
    assert lock_passphrase.recognises(kept, Secret("little screen"))
    assert not lock_passphrase.recognises(kept, Secret("little screens"))
    assert not lock_passphrase.recognises({}, Secret("little screen"))
    assert not lock_passphrase.recognises({**kept, "memory_kib": 1 << 30}, Secret("little screen"))
    assert "little" not in str(kept)
    with pytest.raises(PassphraseTooShort):
        lock_passphrase.verifier(Secret("abc"))


@pytest.mark.req("R175")
async def test_what_opens_behind_the_lock_leaves_the_keyboard_to_the_passphrase(
    session: Session, contents: Contents
) -> None:
    chat = await session.office.create_conversation(title="Secret plans")
    contents.show_page("chats")
    await session.office.app_lock.lock()
    gate = gate_of(session)
    assert gate is not None
    await contents.chat._open(chat.id, "")
    focused = QApplication.focusWidget()
    assert focused is gate.passphrase
    QTest.keyClicks(focused, PASSPHRASE)
    QTest.keyClick(focused, Qt.Key.Key_Return)
    await until(lambda: not session.office.app_lock.locked)
    assert contents.chat.composer.text() == ""
    assert QApplication.focusWidget() is contents.chat.composer.editor


@pytest.mark.req("R175")
async def test_who_unlocks_goes_on_in_the_field_where_the_keyboard_was(
    session: Session, contents: Contents
) -> None:
    page = contents.show_page("memory")
    await until(lambda: page.isVisible() and not page._stale)
    fields = [each for each in page.findChildren(QLineEdit) if each.isVisible() and each.isEnabled()]
    assert len(fields) > 1
    fields[-1].setFocus()
    await until(fields[-1].hasFocus)
    await session.office.app_lock.lock()
    gate = gate_of(session)
    assert gate is not None
    gate.passphrase.setText(PASSPHRASE)
    QTest.keyClick(gate.passphrase, Qt.Key.Key_Return)
    await until(lambda: not session.office.app_lock.locked)
    await until(fields[-1].hasFocus)


@pytest.mark.req("R175")
async def test_an_unlocking_that_cannot_be_written_can_be_tried_again(
    session: Session, contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_args: object, **_named: object) -> None:
        raise StorageError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(session.office.database, "write", full)
        with pytest.raises(StorageError):
            await session.office.app_lock.lock()
        gate = gate_of(session)
        assert gate is not None and gate.isVisible()
        gate.passphrase.setText(PASSPHRASE)
        QTest.keyClick(gate.passphrase, Qt.Key.Key_Return)
        await until(lambda: bool(gate.fault.text()))
        assert gate.isEnabled() and session.office.app_lock.locked
    gate.passphrase.setText(PASSPHRASE)
    QTest.keyClick(gate.passphrase, Qt.Key.Key_Return)
    await until(lambda: not session.office.app_lock.locked)
