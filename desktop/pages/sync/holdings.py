"""What the service holds, in its owner's hands: an export of it, its deletion, and the receipts that prove one."""

import asyncio
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QFrame, QLineEdit

from agents.sync_service.holdings import What
from desktop.pages.folding import FlowLayout
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import card, label
from desktop.pages.sync.acting import ActingCard
from desktop.session import Session
from desktop.wording import moment, plural
from memory.errors import StorageError
from memory.sync import kept_receipts
from memory.sync.kept_receipts import KeptReceipt
from memory.sync.service.deletion import Mode
from memory.sync.service.exports import FAILED, READY, Kind
from memory.sync.service.faults import DeletionPending
from memory.sync.taking import Round
from resources.language import gettext as _

_HOURS = 24
_ASK_SECONDS = 2.0
_CONTENTS, _INNER_CONTENTS = 18, 10
"""Letters that a choice shows at least, in the card and in the well inside it."""
_PENDING = "deletion_pending"


class HoldingsCard(ActingCard):
    """The parts of what the service holds, each with its door."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("At the service"))
        column = self.column
        sentence = _(
            "What is exported there is sealed as it is stored; what you can read is exported on the Privacy page, and "
            "can be shared here where a passphrase protects it. Deleting it there leaves everything on your devices."
        )
        column.addWidget(label(sentence, "dim", wrap=True))
        self.pending = label("", "strong", wrap=True)
        self.pending.hide()
        column.addWidget(self.pending)
        self.says = label("", "strong", wrap=True)
        self.says.hide()
        column.addWidget(self.says)
        self.link = QLineEdit()
        self.link.setReadOnly(True)
        self.link.setAccessibleName(_("Link of the export"))
        self.link.hide()
        column.addWidget(self.link)
        column.addWidget(self.fault)
        self.exporter = OwnerCheck(self._session)
        self.exporter.given.connect(lambda: self.attempt(self._export))
        column.addWidget(self.exporter)
        doors = FlowLayout()
        self.kind = _choice(_CONTENTS)
        self.kind.setAccessibleName(_("What is exported"))
        self.kind.addItem(_("What it knows of you"), "metadata")
        self.kind.addItem(_("All of it, with the sealed records"), "full")
        doors.addWidget(self.kind)
        self.button(doors, _("Export…"), lambda: self.attempt(self._export))
        self.button(doors, _("Share an export…"), self._choose_file)
        self.button(doors, _("Receipts…"), lambda: self.attempt(self._receipts))
        self.deletes = self.button(doors, _("Delete there…"), lambda: self.deletion.setVisible(True))
        self.restore = self.button(doors, _("Call the deletion off"), lambda: self.attempt(self._restore))
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

    def show_deletion(self, deleted_at: int | None) -> None:
        """Show when the service deletes, if it is to, whoever asked for it or called it off."""
        self.restore.setVisible(deleted_at is not None)
        self.pending.setVisible(deleted_at is not None)
        if deleted_at is not None:
            sentence = _("The service deletes it on {when}; until then you can call it off here.")
            self.pending.setText(sentence.format(when=moment(deleted_at)))

    def _deletion_card(self) -> QFrame:
        frame, column = card()
        frame.setProperty("kind", "well")
        frame.setAccessibleName(_("Delete at the service"))
        self.what = _choice(_INNER_CONTENTS)
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
        self.owner.given.connect(lambda: self.attempt(self._delete))
        column.addWidget(self.owner)
        row = FlowLayout()
        self.sure = self.button(row, _("Delete at the service"), lambda: self.attempt(self._delete))
        self.sure.setProperty("kind", "danger")
        self.button(row, _("Cancel"), frame.hide)
        column.addLayout(row)
        frame.hide()
        return frame

    def _ask_for_code(self, at_once: bool) -> None:
        self.code.setVisible(at_once)
        if at_once:
            self.attempt(self._mail_code)

    def _say(self, sentence: str) -> None:
        self.says.setText(sentence)
        self.says.show()

    async def _mail_code(self) -> None:
        await self._session.office.syncing.holdings.ask_mail_code()
        self._say(_("A code is on its way to your mail address."))
        self.focus_next = self.code

    async def _delete(self) -> None:
        if not await self.passed(self.owner):
            return
        what: What = self.what.currentData()
        mode: Mode = "now" if self.at_once.isChecked() else "grace"
        holdings = self._session.office.syncing.holdings
        begun = await holdings.delete(what, mode, self.code.text().strip())
        self.deletion.hide()
        self.code.clear()
        self.says.hide()
        self.show_deletion(begun.grace_until)
        if begun.grace_until is None:
            self._say(_("The service deletes it now; its receipt comes with the next round."))

    async def _restore(self) -> None:
        """Call off what is pending, be it of the account, of this office, or of both."""
        await self._session.office.syncing.holdings.restore_pending()
        self.show_deletion(None)
        self._say(_("The deletion is called off."))
        self._session.office.sync_rounds.hasten()

    async def _export(self) -> None:
        if not await self.exporter.passed():
            return
        holdings = self._session.office.syncing.holdings
        kind: Kind = self.kind.currentData()
        asked = await holdings.ask_export(kind, _HOURS)
        self._say(_("The service puts it together …"))
        if await self._ended(asked.export_id) == FAILED:
            self.says.hide()
            self.fault.setText(_("The service could not make the export: ask for another one."))
            self.fault.show()
            return
        self._show_link(asked.link)
        self._say(_("The export is there for 24 hours and five downloads; its link is on the clipboard."))

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, _("An export that a passphrase protects"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.share(Path(path)))
        dialog.open()

    def share(self, path: Path) -> None:
        """Hand out an encrypted export by a link."""
        self.attempt(lambda: self._share(path))

    async def _share(self, path: Path) -> None:
        self._say(_("{name} is on its way to the service …").format(name=path.name))
        try:
            shared = await self._session.office.syncing.holdings.share(path, _HOURS)
        except BaseException:
            self.says.hide()
            raise
        self._show_link(shared.link)
        sentence = _(
            "The link to {name} is on the clipboard: whoever has it can fetch the file for 24 hours, five times at "
            "most, and needs its passphrase to read it."
        )
        self._say(sentence.format(name=path.name))

    def _show_link(self, link: str) -> None:
        self.link.setText(link)
        self.link.setCursorPosition(0)
        self.link.show()
        QGuiApplication.clipboard().setText(link)

    async def _ended(self, export_id: str) -> str:
        while True:
            state = await self._session.office.syncing.holdings.export_state(export_id)
            if state in (READY, FAILED):
                return state
            await asyncio.sleep(_ASK_SECONDS)

    async def _receipts(self) -> None:
        holdings = self._session.office.syncing.holdings
        try:
            await holdings.fetch_receipts()
        except StorageError:
            # What was proved before stays so, whatever the service says now.
            self._offer(await holdings.receipts())
            raise
        kept = await holdings.receipts()
        if not kept:
            self._say(_("There is no receipt: the service has deleted nothing of yours."))
        self._offer(kept)

    def _offer(self, kept: tuple[KeptReceipt, ...]) -> None:
        self._kept = kept
        if not kept:
            return
        words = plural(
            "{count} receipt is here, and checks out.",
            "{count} receipts are here, and check out.",
            len(self._kept),
        )
        self._say(words)
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


def _choice(contents: int) -> QComboBox:
    """Return a choice that a narrow window may cut short."""
    choice = QComboBox()
    choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    choice.setMinimumContentsLength(contents)
    return choice
