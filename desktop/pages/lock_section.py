"""The app lock in Settings: which passphrase opens it, and one to be chosen where the office has none."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.page import clear, label
from desktop.session import Session
from memory.errors import Refused
from resources.language import gettext as _
from vault.errors import VaultError
from vault.secret import Secret


class LockSection(QWidget):
    """Says what the lock opens with; for an office on a keyring it takes a passphrase, and takes it away."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)
        self.fields: dict[str, QLineEdit] = {}
        session.spawn(self.show_state(), name="read the app lock")

    async def show_state(self) -> None:
        """Show what the lock is now."""
        lock = self._session.office.app_lock
        usable = await lock.usable()
        clear(self._column)
        self.fields = {}
        if lock.by_vault:
            self._say(_("The window is unlocked with the passphrase of your office."))
        else:
            self._say(
                _(
                    "The keys of this office are in your system's keyring. A passphrase of its own locks the window; "
                    "it guards the screen and not the disk."
                )
            )
            if usable:
                self._field("former", _("Passphrase of the lock"))
            self._field("new", _("New passphrase of the lock"))
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self._column.addWidget(self.fault)
        row = FlowLayout()
        if not lock.by_vault:
            self._button(row, _("Set the passphrase"), self._set)
            if usable:
                self._button(row, _("Remove it"), self._remove)
        if usable:
            self._button(row, _("Lock now"), self._lock_now)
        self._column.addLayout(row)

    def _say(self, sentence: str) -> None:
        self._column.addWidget(label(sentence, "dim", wrap=True))

    def _field(self, name: str, words: str) -> None:
        field = QLineEdit()
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setPlaceholderText(words)
        field.setAccessibleName(words)
        field.setMaximumWidth(320)
        self.fields[name] = field
        self._column.addWidget(field, 0, Qt.AlignmentFlag.AlignLeading)

    def _button(self, row: FlowLayout, words: str, act: object) -> None:
        button = QPushButton(words)
        button.clicked.connect(act)
        row.addWidget(button)

    def _set(self) -> None:
        self._session.spawn(self._choose(self._typed("new")), name="set the passphrase of the lock")

    def _remove(self) -> None:
        self._session.spawn(self._choose(None), name="remove the passphrase of the lock")

    def _lock_now(self) -> None:
        self._session.spawn(self._session.office.app_lock.lock(), name="lock the app")

    def _typed(self, name: str) -> Secret | None:
        field = self.fields.get(name)
        return Secret(field.text()) if field is not None and field.text() else None

    async def _choose(self, new: Secret | None) -> None:
        try:
            await self._session.office.app_lock.choose_passphrase(new, self._typed("former"))
        except (VaultError, Refused) as error:
            self.fault.setText(sentence_of(error))
            self.fault.show()
            return
        await self.show_state()
