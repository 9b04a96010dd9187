"""Checking an export: every byte, every record, and who signed it; nothing is changed."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton, QVBoxLayout

from desktop.faults import sentence_of
from desktop.pages.page import Card, clear, label
from desktop.pages.privacy.words import all_counted
from desktop.pages.privacy.working import Working
from desktop.session import Session
from desktop.wording import count, size
from memory.errors import StorageError
from memory.transfer.bag_reading import Unlock
from memory.transfer.errors import ArchiveLocked, TransferCancelled
from memory.transfer.verifying import Signed, Verified
from memory.transfer.watching import Watch
from resources.language import gettext as _
from resources.language import ngettext


def signed_words(signed: Signed) -> str:
    """Return who signed an export."""
    return {
        "here": _("signed by this office"),
        "elsewhere": _("signed by another office"),
        "unsigned": _("not signed"),
    }[signed]


class VerifyCard(Card):
    """Asks for the passphrase where the file is encrypted."""

    def __init__(self, session: Session) -> None:
        super().__init__(_("Check an export"))
        self._session = session
        self._path = Path()
        column = self.column
        column.addWidget(
            label(
                _("Reads every byte and every record of an export, of this office or another."),
                "dim",
                wrap=True,
            )
        )
        self.passphrase = QLineEdit()
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self.passphrase.setPlaceholderText(_("Passphrase of the export"))
        self.passphrase.setAccessibleName(_("Passphrase of the export"))
        self.passphrase.returnPressed.connect(self._again)
        self.passphrase.hide()
        column.addWidget(self.passphrase)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        column.addWidget(self.fault)
        self.working = Working()
        column.addWidget(self.working)
        self._result = QVBoxLayout()
        self._result.setSpacing(4)
        column.addLayout(self._result)
        self.choose = QPushButton(_("Choose a file…"))
        self.choose.clicked.connect(self._choose)
        column.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignLeading)

    def look(self, path: Path, passphrase: str = "") -> None:
        """Check this file."""
        if self.working.isVisible():
            return
        self._path = path
        self._session.spawn(self._check(passphrase), name="check an export")

    def _again(self) -> None:
        self.look(self._path, self.passphrase.text())

    def _choose(self) -> None:
        dialog = QFileDialog(self, _("Check an export"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.look(Path(path)))
        dialog.open()

    async def _check(self, passphrase: str) -> None:
        clear(self._result)
        self.fault.hide()
        self.choose.hide()
        self.passphrase.hide()
        self.working.begin(_("Checking {file} …").format(file=self._path.name))
        watch = Watch(self.working.progress, self.working.cancelled)
        try:
            found = await self._session.office.transfers.verify(self._path, Unlock(passphrase), watch)
        except TransferCancelled:
            self._session.notify(_("Checking was stopped."))
        except ArchiveLocked as error:
            self._show_fault(str(error))
            self.passphrase.clear()
            self.passphrase.show()
            self.passphrase.setFocus()
        except (StorageError, OSError) as error:
            self._show_fault(sentence_of(error))
        else:
            self.passphrase.clear()
            self._show(found)
        finally:
            self.working.end()
            self.choose.show()

    def _show_fault(self, sentence: str) -> None:
        self.fault.setText(sentence)
        self.fault.show()

    def _show(self, found: Verified) -> None:
        whole = ngettext(
            "{file} is whole: {count} file, {size}.", "{file} is whole: {count} files, {size}.", found.files
        )
        self._result.addWidget(
            label(
                whole.format(file=self._path.name, count=count(found.files), size=size(found.size)),
                "ok",
                wrap=True,
            )
        )
        facts = f"{all_counted(found.summary.counts)} · {signed_words(found.signed)}"
        self._result.addWidget(label(facts, "small", wrap=True))
        if found.unknown_types:
            newer = _("Kinds of records that this version does not know: {names}").format(
                names=", ".join(found.unknown_types)
            )
            self._result.addWidget(label(newer, "small", wrap=True))
