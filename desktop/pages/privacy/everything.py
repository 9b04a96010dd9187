"""Erasing the whole office, after its owner typed that they want it."""

from PySide6.QtWidgets import QLineEdit, QPushButton

from agents.lifecycle.everything import copies_elsewhere, erase_everything
from desktop.faults import sentence_of
from desktop.pages.folding import FoldingRow
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import Card, label
from desktop.pages.privacy.working import Working
from desktop.session import Session
from memory.errors import StorageError
from resources.language import gettext as _
from vault.errors import VaultError


class EverythingCard(Card):
    """The words must be typed; then the keys are destroyed, the files removed, and Bureau closes."""

    def __init__(self, session: Session) -> None:
        super().__init__(_("Erase the office"))
        self._session = session
        column = self.column
        column.addWidget(
            label(
                _(
                    "Destroys every key and removes every file of this office, chats, files, notes, team and "
                    "settings; then Bureau closes. Backups in its folder go too; exports, and backups in other "
                    "folders, stay, but what is encrypted there opens only with the recovery key or a passphrase."
                ),
                "dim",
                wrap=True,
            )
        )
        self.copies = label("", "small", wrap=True)
        self.copies.hide()
        column.addWidget(self.copies)
        self.phrase = _("erase everything")
        column.addWidget(label(_("To confirm, type: {phrase}").format(phrase=self.phrase), wrap=True))
        row = FoldingRow(400)
        self.field = QLineEdit()
        self.field.setAccessibleName(_("To confirm, type: {phrase}").format(phrase=self.phrase))
        self.field.textChanged.connect(self._compare)
        self.erase = QPushButton(_("Erase the office"))
        self.erase.setProperty("kind", "danger")
        self.erase.setEnabled(False)
        self.erase.clicked.connect(lambda: session.spawn(self._erase(), name="erase the office"))
        row.row.addWidget(self.field, 1)
        row.row.addWidget(self.erase)
        column.addWidget(row)
        self.owner = OwnerCheck(session)
        self.owner.given.connect(self.erase.click)
        column.addWidget(self.owner)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        column.addWidget(self.fault)
        self.working = Working()
        column.addWidget(self.working)

    async def load(self) -> None:
        """Name the copies that stay. Raises StorageError."""
        paths = [copy.path for copy in await copies_elsewhere(self._session.office)]
        self.copies.setText("\n".join([_("These copies stay; destroy those you do not want:"), *paths]))
        self.copies.setVisible(bool(paths))

    def _compare(self, text: str) -> None:
        self.erase.setEnabled(text.strip().casefold() == self.phrase.casefold())

    async def _erase(self) -> None:
        self.erase.setEnabled(False)
        if not await self.owner.passed():
            self._compare(self.field.text())
            return
        self.working.begin(_("Erasing everything …"), cancellable=False)
        try:
            await erase_everything(self._session.office)
        except (StorageError, VaultError) as error:
            self.working.end()
            self.fault.setText(sentence_of(error))
            self.fault.show()
            self._compare(self.field.text())
            return
        self._session.drop_unsaved()
        self._session.window.closing.emit()
