"""The passphrase of the app lock, asked for again where everything is exported or something erased."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from desktop.faults import sentence_of
from desktop.pages.page import label
from desktop.session import Session
from resources.language import gettext as _
from vault.errors import PassphraseWrong, VaultError
from vault.secret import Secret


class OwnerCheck(QWidget):
    """Out of sight until the passphrase is needed; ``given`` comes when Enter is pressed in its field."""

    given = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(label(_("Only you may do this: type your passphrase, then go on."), wrap=True))
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setPlaceholderText(_("Passphrase"))
        self.field.setAccessibleName(_("Passphrase"))
        self.field.returnPressed.connect(self.given)
        column.addWidget(self.field)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        column.addWidget(self.fault)
        self.hide()

    async def passed(self) -> bool:
        """Whether to go on: nothing is asked now, or the passphrase that was typed is right. Else ask for it."""
        lock = self._session.office.app_lock
        if await lock.asks():
            if not self.field.text():
                self._ask("")
                return False
            try:
                await lock.authenticate(Secret(self.field.text()))
            except PassphraseWrong:
                self._ask(_("That is not the passphrase: try again."))
                return False
            except VaultError as error:
                self._ask(sentence_of(error))
                return False
        self.field.clear()
        self.hide()
        return True

    def _ask(self, fault: str) -> None:
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))
        self.show()
        self.field.selectAll()
        self.field.setFocus()
