"""What may be done with a message: by its menu, its bar of actions and the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QTextDocument, QTextDocumentFragment
from PySide6.QtWidgets import QMenu

from desktop.theme.appearance import look
from desktop.theme.icons import icon
from desktop.transcript.action_bar import message_actions
from desktop.transcript.citing import without_chips
from desktop.transcript.embedding import without_pictures
from desktop.transcript.rows import RowKind
from desktop.transcript.segments import split
from desktop.transcript.text_segment import plain_text
from resources.language import gettext as _

if TYPE_CHECKING:
    from desktop.transcript.view import TranscriptView


def as_plain_text(markdown: str) -> str:
    """Return Markdown as the text that its reader sees."""
    pieces: list[str] = []
    for segment in split(markdown):
        if segment.html:
            document = QTextDocument()
            document.setHtml(segment.html)
            pieces.append(plain_text(QTextDocumentFragment(document)).strip())
        else:
            pieces.append(segment.source)
    return "\n\n".join(pieces)


def as_quote(markdown: str) -> str:
    """Return a text as a Markdown quotation."""
    return "\n".join(f"> {line}".rstrip() for line in markdown.strip().split("\n")) + "\n\n"


class MessageCommands:
    """Runs the actions that the transcript can do itself and passes the others on."""

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self._menu: QMenu | None = None

    def run(self, message_id: str, name: str) -> None:
        """Run an action by its name."""
        model = self._view.model()
        message = model.message(message_id) if model is not None else None
        if model is None or message is None:
            return
        text = model.text(message_id) or (message.notice.sentence if message.notice else "")
        written = without_pictures(without_chips(text, message.citations), message.images)
        match name:
            case "copy":
                QGuiApplication.clipboard().setText(as_plain_text(text))
            case "copy_markdown":
                QGuiApplication.clipboard().setText(written)
            case "quote":
                self._view.quote_requested.emit(as_quote(self._view.selection.text() or written))
            case "edit":
                self._view.edit_requested.emit(message_id)
            case _:
                self._view.action_requested.emit(message_id, name)

    def open_menu(self, message_id: str, where: QPoint) -> None:
        """Open the menu of a message; it does not block."""
        card = self._view.card_at(message_id)
        if card is None:
            return
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        tint = look().theme.dim
        if not self._view.selection.empty:
            chosen = menu.addAction(icon("copy", tint), _("Copy selection"))
            chosen.triggered.connect(self.copy)
            menu.addSeparator()
        for name, picture, label in message_actions(card.message, card.kind):
            action = menu.addAction(icon(picture, tint), label)
            action.triggered.connect(lambda _on=False, it=name: self.run(message_id, it))
        if card.kind not in (RowKind.NOTICE, RowKind.ERROR):
            menu.addSeparator()
            for name, picture, words in (
                ("trash", "trash", _("Move to the trash")),
                ("marks", "lock", _("Hold and restrict…")),
                ("erase", "erase", _("Erase…")),
            ):
                action = menu.addAction(icon(picture, tint), words)
                action.triggered.connect(lambda _on=False, it=name: self.run(message_id, it))
        menu.addSeparator()
        everything = menu.addAction(_("Select all"))
        everything.triggered.connect(self._view.selection.select_all)
        find = menu.addAction(icon("search", tint), _("Find in this chat…"))
        find.triggered.connect(self._view.finding.open)
        self._menu = menu
        menu.popup(where)

    def copy(self) -> None:
        """Copy the selection, or the message that the keyboard is on."""
        view = self._view
        if not view.selection.empty:
            QGuiApplication.clipboard().setText(view.selection.text())
        elif view.current_message:
            self.run(view.current_message, "copy")

    def press(self, event: QKeyEvent) -> bool:
        """Answer a key; False leaves it to Qt."""
        view = self._view
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.Find):
            view.finding.open()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            view.selection.select_all()
        elif event.matches(QKeySequence.StandardKey.FindNext):
            view.finding.step(1)
        elif event.matches(QKeySequence.StandardKey.FindPrevious):
            view.finding.step(-1)
        else:
            return self._press_plain(event)
        return True

    def _press_plain(self, event: QKeyEvent) -> bool:
        view, page = self._view, self._view.viewport().height() - look().px(60)
        match event.key():
            case Qt.Key.Key_Up:
                view.step(-1)
            case Qt.Key.Key_Down:
                view.step(1)
            case Qt.Key.Key_PageUp:
                view.scroll_by(-page)
            case Qt.Key.Key_PageDown | Qt.Key.Key_Space:
                view.scroll_by(page)
            case Qt.Key.Key_Home:
                view.scroll_by(-view.layout_.total)
            case Qt.Key.Key_End:
                view.scroll_to_end()
            case Qt.Key.Key_Escape if not view.selection.empty:
                view.selection.clear()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if view.current_message:
                self._open_menu_at_current()
            case _:
                return self._pass_letter(event)
        return True

    def _open_menu_at_current(self) -> None:
        card = self._view.card_at(self._view.current_message)
        if card is not None:
            self.open_menu(card.message.id, card.mapToGlobal(QPoint(look().px(40), look().px(40))))

    def _pass_letter(self, event: QKeyEvent) -> bool:
        command = event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier
            | Qt.KeyboardModifier.AltModifier
            | Qt.KeyboardModifier.MetaModifier
        )
        if command or not event.text().strip() or not event.text().isprintable():
            return False
        self._view.typed.emit(event.text())
        return True
