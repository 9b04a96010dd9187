"""The end of sync on this device, where everything stays; and another recovery key of the account."""

import os

from PySide6.QtWidgets import QPushButton

from agents.errors import AgentsError
from agents.syncing import Here
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import Card, clear, label
from desktop.pages.recovery_words import RecoveryWords
from desktop.pages.sync.acting import ActingCard
from desktop.pages.tab_order import follow_layout
from desktop.session import Session
from memory.errors import StorageError
from resources.language import gettext as _
from vault.errors import VaultError
from vault.recovery_key import words_of


class RecoveryCard(Card):
    """Makes another recovery key of sync; the former one is worth nothing once its owner has kept the new one."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._waits = self._showing = False
        self.setAccessibleName(_("Recovery key of sync"))
        self._offer()

    def _offer(self) -> None:
        self._showing = False
        clear(self.column)
        self.column.addWidget(label(_("Recovery key of sync"), "heading", wrap=True))
        sentence = _(
            "With it a device joins, and with it you come back when all of them are lost. If somebody else may have "
            "seen it, make another one."
        )
        self.column.addWidget(label(sentence, "dim", wrap=True))
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self.column.addWidget(self.fault)
        self.owner = OwnerCheck(self._session)
        self.owner.given.connect(self._begin)
        self.column.addWidget(self.owner)
        row = FlowLayout()
        make = QPushButton(_("Make a new recovery key"))
        make.clicked.connect(self._begin)
        row.addWidget(make)
        self.column.addLayout(row)
        follow_layout(self)

    def _begin(self) -> None:
        if self._showing:  # pressed twice: one key is shown, and that one is kept
            return
        self._showing = True
        self._session.spawn(self._show(), name="make a recovery key of sync")

    async def _may_change(self) -> bool:
        """Whether the owner is known and the key can be changed now; where it cannot, the card says why."""
        if not await self.owner.passed():
            return False
        try:
            await (await self._session.office.syncing.members()).require_in()
        except (StorageError, VaultError, AgentsError) as error:
            self._say(sentence_of(error))
            return False
        return True

    async def _show(self) -> None:
        may_change = False
        try:
            may_change = await self._may_change()
        finally:
            self._showing = may_change
        if not may_change:
            return
        key = os.urandom(32)
        clear(self.column)
        sentence = _("Until you press Done the former one holds.")
        self.column.addWidget(label(sentence, "dim", wrap=True))
        words = RecoveryWords(
            self._session,
            words_of(key),
            _("Recovery key of sync between Bureau’s devices"),
            _("Whoever has these words can read what syncs."),
            "bureau-sync-recovery-key",
        )
        words.kept.connect(lambda: self._session.spawn(self._replace(key), name="replace the recovery key"))
        self.column.addWidget(words)
        follow_layout(self)
        words.setFocus()

    async def _replace(self, key: bytes) -> None:
        try:
            await (await self._session.office.syncing.members()).replace_recovery(key)
        except (StorageError, VaultError, AgentsError) as error:
            self._waits = await self._session.office.syncing.recovery.waits()
            self._offer()
            self._say(sentence_of(error))
            return
        self._offer()
        self._session.notify(_("The new recovery key holds; the former one is worth nothing."))

    def show_waiting(self, waits: bool) -> None:
        """Say that a new recovery key which its owner has noted is not in force yet, or no longer say so."""
        if self._showing:
            return
        if waits:
            self._say(
                _(
                    "Keep both recovery keys for now: the new one takes the place of the former one in the next round "
                    "that goes well."
                )
            )
        elif self._waits:
            self.fault.hide()
        self._waits = waits

    def _say(self, sentence: str) -> None:
        self.fault.setText(sentence)
        self.fault.show()


class LeavingCard(ActingCard):
    """Asks once more in its place; nothing here is lost by leaving."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Leave"))
        column = self.column
        self.words = label("", "dim", wrap=True)
        column.addWidget(self.words)
        column.addWidget(self.fault)
        row = FlowLayout()
        self.leave = self.button(row, _("Leave sync on this device…"), lambda: self._ask(True))
        self.sure = self.button(row, _("Leave now"), lambda: self.attempt(self._leave))
        self.sure.setProperty("kind", "danger")
        self.stay = self.button(row, _("Stay"), lambda: self._ask(False))
        column.addLayout(row)
        self._ask(False)

    def show_place(self, here: Here) -> None:
        """Say what leaving means where the devices meet."""
        place = (
            _("What the service has stays there for your other devices.")
            if here.hosted
            else _("The folder stays as it is for your other devices.")
        )
        sentence = _(
            "Everything stays in this office. It forgets its keys of sync and is told nothing more; to come back it "
            "needs the recovery key."
        )
        self.words.setText(f"{sentence} {place}")

    def _ask(self, asking: bool) -> None:
        focused = self.leave.hasFocus() or self.stay.hasFocus()
        self.leave.setVisible(not asking)
        self.sure.setVisible(asking)
        self.stay.setVisible(asking)
        if focused:
            (self.stay if asking else self.leave).setFocus()

    async def _leave(self) -> None:
        await self._session.office.syncing.leave()
        self._ask(False)
        self._session.notify(_("This device has left; everything is still here."))
