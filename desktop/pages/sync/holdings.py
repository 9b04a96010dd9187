"""What the service holds, in its owner's hands: an export of it, its deletion, and the receipts that prove one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QFrame, QLineEdit, QPushButton

from agents.errors import AgentsError
from agents.sync_service.holdings import What
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import Card, card, label
from desktop.session import Session
from desktop.wording import count, moment
from memory.errors import StorageError
from memory.sync import kept_receipts
from memory.sync.kept_receipts import KeptReceipt
from memory.sync.service.deletion import Mode
from memory.sync.service.exports import FAILED, READY, Kind
from memory.sync.service.faults import DeletionPending, ServiceRefused
from memory.sync.taking import Round
from resources.language import gettext as _
from resources.language import ngettext
from vault.errors import VaultError

_HOURS = 24
_ASK_SECONDS = 2.0
_CONTENTS = 18
_PENDING, _NOTHING_PENDING = "deletion_pending", "nothing_pending"
WHATS: tuple[What, ...] = ("office", "account")


class HoldingsCard(Card):
    """One thing at a time; what is refused is said in the card."""

    def __init__(self, session: Session) -> None:
        super().__init__(_("At the service"))
        self._session = session
        column = self.column
        sentence = _(
            "What is exported there is sealed as it is stored; what you can read is exported on the Privacy page. "
            "Deleting it there leaves everything on your devices."
        )
        column.addWidget(label(sentence, "dim", wrap=True))
        self.says = label("", "strong", wrap=True)
        self.says.hide()
        column.addWidget(self.says)
        self.link = QLineEdit()
        self.link.setReadOnly(True)
        self.link.setAccessibleName(_("Link of the export"))
        self.link.hide()
        column.addWidget(self.link)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        column.addWidget(self.fault)
        doors = FlowLayout()
        self.kind = _choice()
        self.kind.setAccessibleName(_("What is exported"))
        self.kind.addItem(_("What it knows of you"), "metadata")
        self.kind.addItem(_("All of it, with the sealed records"), "full")
        doors.addWidget(self.kind)
        self._button(doors, _("Export…"), lambda: self._attempt(self._export))
        self._button(doors, _("Receipts…"), lambda: self._attempt(self._receipts))
        self.deletes = self._button(doors, _("Delete there…"), lambda: self.deletion.setVisible(True))
        self.restore = self._button(doors, _("Call the deletion off"), lambda: self._attempt(self._restore))
        column.addLayout(doors)
        self.restore.hide()
        self.deletion = self._deletion_card()
        column.addWidget(self.deletion)
        self._kept: tuple[KeptReceipt, ...] = ()

    def show_round(self, done: Round | None) -> None:
        """Offer to call a deletion off where the last round met one."""
        refusal = done.refusal if done is not None else None
        if isinstance(refusal, DeletionPending) and refusal.state == _PENDING:
            self.restore.show()

    def _button(self, row: FlowLayout, words: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(words)
        button.clicked.connect(act)
        row.addWidget(button)
        return button

    def _deletion_card(self) -> QFrame:
        frame, column = card()
        frame.setProperty("kind", "well")
        frame.setAccessibleName(_("Delete at the service"))
        self.what = _choice()
        self.what.setAccessibleName(_("What is deleted"))
        self.what.addItem(_("The copy of this office"), "office")
        self.what.addItem(_("The whole account, with every office in it"), "account")
        column.addWidget(self.what)
        self.at_once = QCheckBox(_("At once"))
        self.at_once.toggled.connect(self._ask_for_code)
        column.addWidget(self.at_once)
        sentence = _(
            "At once needs a code from the mail; otherwise it waits some days, in which each of your devices can call "
            "it off."
        )
        column.addWidget(label(sentence, "small", wrap=True))
        self.code = QLineEdit()
        self.code.setPlaceholderText(_("Code from the mail"))
        self.code.setAccessibleName(_("Code from the mail"))
        self.code.hide()
        column.addWidget(self.code)
        self.owner = OwnerCheck(self._session)
        self.owner.given.connect(lambda: self._attempt(self._delete))
        column.addWidget(self.owner)
        row = FlowLayout()
        self.sure = self._button(row, _("Delete at the service"), lambda: self._attempt(self._delete))
        self.sure.setProperty("kind", "danger")
        self._button(row, _("Cancel"), frame.hide)
        column.addLayout(row)
        frame.hide()
        return frame

    def _ask_for_code(self, at_once: bool) -> None:
        self.code.setVisible(at_once)
        if at_once:
            self._attempt(self._mail_code)

    def _attempt(self, act: Callable[[], Awaitable[None]]) -> None:
        self._session.spawn(self._try(act), name="ask the service")

    async def _try(self, act: Callable[[], Awaitable[None]]) -> None:
        self.fault.hide()
        self.setEnabled(False)
        try:
            await act()
        except (StorageError, VaultError, AgentsError) as error:
            self.fault.setText(sentence_of(error))
            self.fault.show()
        finally:
            self.setEnabled(True)

    def _say(self, sentence: str) -> None:
        self.says.setText(sentence)
        self.says.show()

    async def _mail_code(self) -> None:
        await self._session.office.syncing.holdings.ask_mail_code()
        self._say(_("A code is on its way to your mail address."))
        self.code.setFocus()

    async def _delete(self) -> None:
        if not await self.owner.passed():
            return
        what: What = self.what.currentData()
        mode: Mode = "now" if self.at_once.isChecked() else "grace"
        holdings = self._session.office.syncing.holdings
        begun = await holdings.delete(what, mode, self.code.text().strip())
        self.deletion.hide()
        self.code.clear()
        self.restore.setVisible(begun.grace_until is not None)
        if begun.grace_until is None:
            self._say(_("The service deletes it now; its receipt comes with the next round."))
        else:
            sentence = _("The service deletes it on {when}; until then you can call it off here.")
            self._say(sentence.format(when=moment(begun.grace_until)))

    async def _restore(self) -> None:
        """Call off what is pending, be it of the account, of this office, or of both."""
        holdings = self._session.office.syncing.holdings
        refused: list[ServiceRefused] = []
        for what in WHATS:
            try:
                await holdings.restore(what)
            except ServiceRefused as refusal:
                if refusal.code != _NOTHING_PENDING:
                    raise
                refused.append(refusal)
        if len(refused) == len(WHATS):
            raise refused[0]
        self.restore.hide()
        self._say(_("The deletion is called off."))
        self._session.office.sync_rounds.hasten()

    async def _export(self) -> None:
        holdings = self._session.office.syncing.holdings
        kind: Kind = self.kind.currentData()
        asked = await holdings.ask_export(kind, _HOURS)
        self._say(_("The service puts it together …"))
        if await self._ended(asked.export_id) == FAILED:
            self.says.hide()
            self.fault.setText(_("The service could not make the export: ask for another one."))
            self.fault.show()
            return
        self.link.setText(asked.link)
        self.link.show()
        QGuiApplication.clipboard().setText(asked.link)
        self._say(_("The export is there for 24 hours and five downloads; its link is on the clipboard."))

    async def _ended(self, export_id: str) -> str:
        while True:
            state = await self._session.office.syncing.holdings.export_state(export_id)
            if state in (READY, FAILED):
                return state
            await asyncio.sleep(_ASK_SECONDS)

    async def _receipts(self) -> None:
        holdings = self._session.office.syncing.holdings
        await holdings.fetch_receipts()
        self._kept = await holdings.receipts()
        if not self._kept:
            self._say(_("There is no receipt: the service has deleted nothing of yours."))
            return
        words = ngettext(
            "{count} receipt is here, and checks out.",
            "{count} receipts are here, and check out.",
            len(self._kept),
        )
        self._say(words.format(count=count(len(self._kept))))
        dialog = QFileDialog(self, _("Folder for the receipts"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda path: self.save_receipts(Path(path)))
        dialog.open()

    def save_receipts(self, folder: Path) -> None:
        """Write each receipt into a folder as a file that proves itself."""

        def write() -> None:
            for each in self._kept:
                (folder / f"receipt-{each.receipt.receipt_id}.json").write_bytes(kept_receipts.to_file(each))

        self._session.attempt(write)


def _choice() -> QComboBox:
    """Return a choice that a narrow window may cut short."""
    choice = QComboBox()
    choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    choice.setMinimumContentsLength(_CONTENTS)
    return choice
