"""Opens what an answer cites and what a message carries: the file at its place, the message, the note."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from desktop.chats.area import ChatsArea
from desktop.chats.picturing import Pictures
from desktop.chats.projection import file_detail
from desktop.chats.source_pane import SourcePane
from desktop.chats.source_text import find, leaves
from desktop.session import Session
from memory import attachments, notes
from memory.attachments import Attachment
from memory.errors import NotFound, StorageError
from memory.lifecycle.subjects import Subject
from memory.readers.errors import ReadingError
from resources.language import gettext as _


class Sources:
    """Fills the source column; what cannot be shown says so there."""

    def __init__(self, session: Session, area: ChatsArea, pictures: Pictures) -> None:
        self._session = session
        self._area = area
        self._pictures = pictures
        self._wanted = 0
        self._file: Attachment | None = None
        self.pane = SourcePane()
        area.set_source(self.pane)
        self.pane.closed.connect(area.hide_source)
        self.pane.menu_wanted.connect(self._open_menu)

    def open_citation(self, citation: Mapping[str, Any]) -> None:
        """Show what a citation names."""
        if citation.get("attachment_id"):
            self._session.spawn(self._show(str(citation["attachment_id"]), citation), name="show a source")
        elif citation.get("message_id") and citation.get("conversation_id"):
            self._session.open_chat(str(citation["conversation_id"]), str(citation["message_id"]))
        elif citation.get("note_id"):
            self._session.spawn(self._show_note(str(citation["note_id"])), name="show a note")
        else:
            self._session.fail(_("This citation names no file, message or note that can be opened."))

    def open_file(self, attachment_id: str) -> None:
        """Show a file from its beginning."""
        self._session.spawn(self._show(attachment_id, {}), name="show a file")

    async def _show(self, attachment_id: str, citation: Mapping[str, Any]) -> None:
        self._wanted += 1
        turn, self._file = self._wanted, None
        name = str(citation.get("file") or "")
        try:
            file = await self._session.office.database.read(attachments.attachment, attachment_id)
            name, self._file = file.name, file
            self.pane.show_words(name, _("This file is being opened…"))
            self._area.show_source()
            await self._fill(file, citation, turn)
        except NotFound:
            self._say(turn, name, _("This file is no longer in the office."))
        except (ReadingError, StorageError) as error:
            self._say(turn, name, str(error))

    async def _fill(self, file: Attachment, citation: Mapping[str, Any], turn: int) -> None:
        if file.kind == "image":
            image = await self._pictures.large(file)
            if turn != self._wanted:
                return
            if image is None:
                self._say(turn, file.name, _("This picture cannot be shown; its file may be damaged."))
            else:
                self.pane.show_picture(file.name, file_detail(file), image)
            return
        found = leaves(await self._session.office.files.readable(file))
        if turn != self._wanted:
            return  # another one was asked for meanwhile
        if not found:
            self._say(turn, file.name, _("There is no text in this file."))
        else:
            self.pane.show_leaves(file.name, found, find(found, citation), quoted=bool(citation.get("quote")))

    def _open_menu(self) -> None:
        from desktop.pages.privacy.doing import add_life_actions

        if self._file is None:
            return
        menu = QMenu(self.pane)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_life_actions(menu, self._session, Subject("file", self._file.id), self._file.name)
        more = self.pane.more
        menu.popup(more.mapToGlobal(more.rect().bottomLeft()))

    def _say(self, turn: int, name: str, sentence: str) -> None:
        if turn == self._wanted:
            self.pane.show_words(name, sentence)
            self._area.show_source()

    async def _show_note(self, note_id: str) -> None:
        try:
            note = await self._session.office.database.read(notes.note, note_id)
        except NotFound:
            self._session.fail(_("This note is no longer in the office."))
            return
        self._session.note_wanted.emit(note.text)
