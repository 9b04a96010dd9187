"""A folder that was moved: its owner chooses the new place, and the office sees that the same space lies there."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton, QVBoxLayout, QWidget

from agents.errors import AgentsError
from agents.syncing import Here
from desktop.faults import sentence_of
from desktop.pages.page import label
from desktop.session import Session
from memory.errors import StorageError
from resources.language import gettext as _
from vault.errors import VaultError


class MovedFolder(QWidget):
    """Says what was refused, and the former place stays; its ``button`` stands where its owner puts it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._place = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.button = QPushButton(_("The folder was moved…"))
        self.button.setProperty("kind", "flat")
        self.button.clicked.connect(self._choose)
        self.fault = label("", "danger", wrap=True)
        column.addWidget(self.fault)
        self.hide()

    def show_place(self, here: Here) -> None:
        """Offer it where the devices meet in a folder, and rounds go on."""
        self.button.setVisible(not here.hosted and here.enabled)
        if here.place != self._place:
            self._place = here.place
            self.hide()

    def _choose(self) -> None:
        dialog = QFileDialog(self, _("Folder in which your devices meet"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda path: self.move_to(Path(path)))
        dialog.open()

    def move_to(self, folder: Path) -> None:
        """Go on in a folder."""
        self._session.spawn(self._move(folder), name="go on in a folder that was moved")

    async def _move(self, folder: Path) -> None:
        self.hide()
        self.button.setEnabled(False)
        try:
            await self._session.office.syncing.move(folder)
        except (StorageError, VaultError, AgentsError) as error:
            self.fault.setText(sentence_of(error))
            self.show()
            return
        finally:
            self.button.setEnabled(True)
        self._session.notify(_("Your devices meet in {path} from now on.").format(path=folder))
