"""Import: an export of another app is looked into first, then brought in, wholly or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QPushButton, QVBoxLayout

from agents.events import ConversationChanged
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.page import Page, card, clear, label
from desktop.pages.privacy.import_result import ImportResult, MadeCard
from desktop.pages.privacy.own_import import OwnPreview, done_words
from desktop.pages.privacy.working import Working
from desktop.session import Session
from memory.errors import StorageError
from memory.transfer.age import is_encrypted
from memory.transfer.archives import open_archive
from memory.transfer.bag_reading import Unlock
from memory.transfer.comparing import Choice
from memory.transfer.errors import ArchiveLocked, TransferCancelled
from memory.transfer.imports_made import imports_made
from memory.transfer.recognition import recognise
from memory.transfer.watching import Watch
from resources.language import gettext as _

T = TypeVar("T")


class ImportPart(Page):
    """One archive at a time; files and folders may be dropped anywhere on the page."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Import"))
        self.setAcceptDrops(True)
        self._path = Path()
        self._passphrase = ""
        self.working = Working()
        self.begin = self._beginning()
        self.result = ImportResult()
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self._made = QVBoxLayout()
        self._made.setSpacing(8)
        for widget in (self.begin, self.fault, self.working, self.result):
            self.column.addWidget(widget)
        self.column.addLayout(self._made)
        self.column.addStretch(1)
        session.on(ConversationChanged, lambda event: None if event.conversation_id else self.mark_stale())

    async def load(self) -> None:
        made = await self.session.office.database.read(imports_made)
        clear(self._made)
        if made:
            self._made.addSpacing(4)
            self._made.addWidget(label(_("Brought in so far"), "heading"))
        for one in made:
            self._made.addWidget(MadeCard(one))
        self.show_content()

    def look(self, path: Path) -> None:
        """Look into an archive and say what would come in; nothing is written."""
        if self.working.isVisible():
            self.session.fail(_("An import is under way: wait for its end, or cancel it first."))
            return
        self._path, self._passphrase = path, ""
        self.result.hide()
        self.fault.hide()
        self.session.spawn(self._look(), name="look into an archive")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome a file or folder of this machine."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Look into the first file that was let go."""
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.look(Path(files[0]))

    async def _look(self) -> None:
        imports = self.session.office.imports
        words = _("Looking into {file} …").format(file=self._path.name)
        try:
            kind = await asyncio.to_thread(kind_of_archive, self._path)
        except (StorageError, OSError) as error:
            self._show_fault(error)
            return
        if kind == "sealed" and not self._passphrase:
            self._ask_passphrase("")
        elif kind in ("sealed", "bureau"):
            await self._look_into_own(words)
        else:
            found = await self._work(words, lambda watch: imports.look_into(self._path, watch))
            if found is not None:
                self.result.show_preview(found, self._bring, self._begin_again)

    async def _look_into_own(self, words: str) -> None:
        transfers, unlock = self.session.office.transfers, Unlock(self._passphrase)
        try:
            found = await self._work(
                words, lambda watch: transfers.look_into(self._path, Choice(), unlock, watch)
            )
        except ArchiveLocked as error:
            self._ask_passphrase(str(error))
            return
        if found is not None:
            preview = OwnPreview(found)
            self.result.show_own(
                self._path.name, preview, lambda: self._bring_own(preview), self._begin_again
            )

    def _ask_passphrase(self, fault: str) -> None:
        self.begin.hide()
        self.result.ask_passphrase(self._path.name, self._open, self._begin_again, fault)

    def _open(self, passphrase: str) -> None:
        self._passphrase = passphrase
        self.session.spawn(self._look(), name="look into an archive")

    def _bring(self) -> None:
        self.session.spawn(self._bring_in(), name="bring in an archive")

    def _bring_own(self, preview: OwnPreview) -> None:
        self.session.spawn(self._bring_in_own(preview.choice), name="bring in an export")

    async def _bring_in(self) -> None:
        imports = self.session.office.imports
        words = _("Bringing in {file} …").format(file=self._path.name)
        brought = await self._work(words, lambda watch: imports.bring_in(self._path, watch))
        if brought is not None:
            self.result.show_done(brought, self._show_chats, self._begin_again)
            self.mark_stale()

    async def _bring_in_own(self, choice: Choice) -> None:
        transfers, unlock = self.session.office.transfers, Unlock(self._passphrase)
        words = _("Bringing in {file} …").format(file=self._path.name)
        merged = await self._work(words, lambda watch: transfers.bring_in(self._path, choice, unlock, watch))
        if merged is not None:
            self.result.show_own_done(
                self._path.name, done_words(merged), self._show_chats, self._begin_again
            )
            self.mark_stale()

    async def _work(self, words: str, act: Callable[[Watch], Awaitable[T]]) -> T | None:
        """Run a look or an import under the progress bar; None where it ended otherwise than it was meant.

        Raises ArchiveLocked.
        """
        self.fault.hide()
        self.result.hide()
        self.begin.hide()
        self.working.begin(words)
        try:
            return await act(Watch(self.working.progress, self.working.cancelled))
        except ArchiveLocked:
            raise
        except TransferCancelled as error:
            self.session.notify(str(error))
        except (StorageError, OSError) as error:
            self._show_fault(error)
        finally:
            self.working.end()
        self.begin.show()
        return None

    def _show_fault(self, error: Exception) -> None:
        self.fault.setText(sentence_of(error))
        self.fault.show()
        self.begin.show()

    def _begin_again(self) -> None:
        self._passphrase = ""
        self.result.hide()
        self.begin.show()
        self.choose.setFocus()

    def _show_chats(self) -> None:
        self.session.page_wanted.emit("chats")

    def _beginning(self) -> QFrame:
        frame, column = card()
        column.addWidget(label(_("Bring in an export"), "heading", wrap=True))
        column.addWidget(
            label(
                _(
                    "Drop an export of Bureau, ChatGPT or Claude here: the file as you received it, or its unpacked "
                    "folder. It is looked into first; nothing is written before you have seen what would come "
                    "in."
                ),
                "dim",
                wrap=True,
            )
        )
        row = FlowLayout()
        self.choose = QPushButton(_("Choose a file…"))
        self.choose.setProperty("kind", "primary")
        self.choose.clicked.connect(lambda: self._choose(QFileDialog.FileMode.ExistingFile))
        folder = QPushButton(_("Choose a folder…"))
        folder.clicked.connect(lambda: self._choose(QFileDialog.FileMode.Directory))
        row.addWidget(self.choose)
        row.addWidget(folder)
        column.addLayout(row)
        return frame

    def _choose(self, mode: QFileDialog.FileMode) -> None:
        dialog = QFileDialog(self, _("Import"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        dialog.fileSelected.connect(lambda path: self.look(Path(path)))
        dialog.open()


def kind_of_archive(path: Path) -> str:
    """Return what a file or folder is: ``bureau``, ``chatgpt``, ``claude``, or ``sealed`` where it is encrypted.

    Raises TransferError.
    """
    if path.is_file():
        with path.open("rb") as file:
            if is_encrypted(file):
                return "sealed"
    with open_archive(path) as archive:
        return recognise(archive).kind
