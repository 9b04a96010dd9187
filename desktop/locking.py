"""Locks the window: after idle time, at sleep where the system tells, and at its owner's word."""

import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QWidget

from agents.events import AppLocked, AppUnlocked
from desktop.faults import sentence_of
from desktop.pages.gates import PassphraseGate
from desktop.session import Session
from desktop.widgets.overlay import Overlay
from memory.errors import StorageError
from resources.language import gettext as _
from vault.errors import PassphraseWrong, VaultError
from vault.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QShortcut

_LOOK_MILLISECONDS = 5_000
_ACTIVITY = {
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.TouchBegin,
    QEvent.Type.InputMethod,
}
_LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")

log = logging.getLogger(__name__)


class LockGate(PassphraseGate):
    """Stands in front of everything while the app is locked: verb ``unlock`` with the passphrase."""

    def __init__(self, *, by_vault: bool) -> None:
        sentence = (
            _("Your agents go on working. Type the passphrase of your office to see it again.")
            if by_vault
            else _("Your agents go on working. Type the passphrase of the lock to see your office again.")
        )
        super().__init__(_("Bureau is locked"), sentence)


class Locking(QObject):
    """Watches for idle time and sleep, and shows the gate while the office is locked.

    While it is locked nothing else of the window is seen, read out or reached by a key.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._shortcuts: Sequence[QShortcut] = ()
        self._overlays: Sequence[QWidget] = ()
        self._gate: LockGate | None = None
        self._active_at = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MILLISECONDS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)
        session.on(AppLocked, lambda _event: self._show())
        session.on(AppUnlocked, lambda _event: self._leave())
        self.hears_sleep = _listen_for_sleep(self)

    def guard(self, shortcuts: "Sequence[QShortcut]", overlays: "Sequence[QWidget]") -> None:
        """Switch these keys of the window off while it is locked, and hide what may lie over it."""
        self._shortcuts, self._overlays = shortcuts, overlays
        self._hide_all()

    @property
    def idle_seconds(self) -> float:
        """How long nobody has touched keyboard, mouse or screen in this window."""
        return time.monotonic() - self._active_at

    def lock(self) -> None:
        """Lock now; where nothing could unlock it, say so instead."""
        self._session.spawn(self._session.office.app_lock.lock(), name="lock the app")

    def look(self) -> None:
        """Lock where the window was idle for as long as the setting says."""
        self._session.spawn(self._lock_if_idle(), name="look whether to lock the app")

    async def _lock_if_idle(self) -> None:
        office = self._session.office
        minutes = await office.settings.value("lock.after_minutes")
        idle = minutes and self.idle_seconds >= minutes * 60
        if idle and not office.app_lock.locked and await office.app_lock.usable():
            await office.app_lock.lock()

    async def _lock_for_sleep(self) -> None:
        office = self._session.office
        if await office.settings.value("lock.at_sleep") and await office.app_lock.usable():
            await office.app_lock.lock()

    @Slot(bool)
    def prepare_for_sleep(self, begins: bool) -> None:
        """Hear from the system that the machine goes to sleep, or wakes up."""
        if begins:
            self._session.spawn(self._lock_for_sleep(), name="lock the app for sleep")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _ACTIVITY:
            self._active_at = time.monotonic()
        return super().eventFilter(watched, event)

    def _hide_all(self) -> None:
        if not self._session.office.app_lock.locked:
            return
        window = self._session.window
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
        for other in QApplication.topLevelWidgets():
            if other is not window and other.isVisible():
                other.close()
        for overlay in self._overlays:
            overlay.hide()
        for question in window.findChildren(Overlay):
            question.leave()
        window.notices.mute(True)

    def _show(self) -> None:
        self._hide_all()
        window = self._session.window
        gate = LockGate(by_vault=self._session.office.app_lock.by_vault)
        gate.decided.connect(lambda _verb, text: self._try(text))
        self._gate = gate
        window.show_gate(gate)
        gate.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)

    def _try(self, text: str) -> None:
        self._session.spawn(self._unlock(Secret(text)), name="unlock the app")

    async def _unlock(self, passphrase: Secret) -> None:
        try:
            await self._session.office.app_lock.unlock(passphrase)
        except PassphraseWrong:
            if self._gate is not None:
                self._gate.show_fault(_("That is not the passphrase: try again."))
        except (VaultError, StorageError) as error:
            if self._gate is not None:
                self._gate.show_fault(sentence_of(error))

    def _leave(self) -> None:
        self._gate = None
        for shortcut in self._shortcuts:
            shortcut.setEnabled(True)
        self._active_at = time.monotonic()
        self._session.window.open_gate()
        self._session.window.notices.mute(False)


def _listen_for_sleep(receiver: Locking) -> bool:
    """Hear of sleep from logind on Linux; False where the system does not tell."""
    if sys.platform != "linux" or not Path("/run/dbus/system_bus_socket").exists():
        return False
    from PySide6.QtCore import SLOT
    from PySide6.QtDBus import QDBusConnection

    bus = QDBusConnection.systemBus()
    heard = bus.isConnected() and bus.connect(
        _LOGIND[0],
        _LOGIND[1],
        _LOGIND[2],
        "PrepareForSleep",
        receiver,
        SLOT("prepare_for_sleep(bool)").encode(),
    )
    if not heard:
        log.info("the system does not tell when it goes to sleep")
    return heard
