"""What every text widget of a row has in common: measuring, selecting, finding, leaving the wheel alone."""

import re
from collections.abc import Iterator
from html import escape

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QMouseEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextDocumentFragment,
    QWheelEvent,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextBrowser, QTextEdit

from desktop.theme.appearance import look
from desktop.theme.tokens import colour
from desktop.transcript.events import RowEvents
from desktop.transcript.markdown_html import CHIP, chip_words

_FOUND_LIMIT = 400
_CHIP_IMAGE = re.compile(rf'<img src="{CHIP}([^"]*)"[^>]*>')


class TextSegment:
    """Mixed into a QTextBrowser or QPlainTextEdit; selection over several segments is the view's."""

    segment_index = 0
    message_id = ""
    events: RowEvents

    def prepare(self, events: RowEvents) -> None:
        """Set what holds for every text of a transcript."""
        self.events = events
        widget = self.editor()
        widget.setFrameShape(widget.Shape.NoFrame)
        widget.setReadOnly(True)
        widget.setUndoRedoEnabled(False)
        widget.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        widget.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        widget.document().setDocumentMargin(0)
        widget.viewport().setAutoFillBackground(False)
        for part in (widget, widget.viewport()):
            part.setAttribute(Qt.WidgetAttribute.WA_StaticContents)
        widget.viewport().setCursor(Qt.CursorShape.IBeamCursor)

    def editor(self) -> QTextBrowser | QPlainTextEdit:
        """Return this widget with its Qt type."""
        assert isinstance(self, QTextBrowser | QPlainTextEdit)
        return self

    def length(self) -> int:
        """Return the number of characters, the end of the selection of everything."""
        return max(0, self.editor().document().characterCount() - 1)

    def position_at(self, point: QPoint) -> int:
        """Return the character position nearest to a point of this widget."""
        widget = self.editor()
        if point.y() < 0:
            return 0
        if point.y() >= widget.height():
            return self.length()
        return widget.cursorForPosition(widget.viewport().mapFrom(widget, point)).position()

    def select(self, start: int, end: int) -> None:
        """Select characters; start equal to end clears the selection."""
        widget = self.editor()
        cursor = QTextCursor(widget.document())
        cursor.setPosition(min(start, self.length()))
        cursor.setPosition(min(end, self.length()), QTextCursor.MoveMode.KeepAnchor)
        widget.setTextCursor(cursor)

    def show_found(self, needle: str, current: bool) -> None:
        """Highlight every occurrence of a text; an empty one clears."""
        widget = self.editor()
        marks: list[QTextEdit.ExtraSelection] = []
        if needle:
            theme = look().theme
            style = QTextCharFormat()
            style.setBackground(colour(theme.find_current if current else theme.find))
            style.setForeground(colour(theme.text))
            for cursor in occurrences(widget.document(), needle):
                mark = QTextEdit.ExtraSelection()
                mark.cursor, mark.format = cursor, style
                marks.append(mark)
        if marks or widget.extraSelections():
            widget.setExtraSelections(marks)

    def first_found_y(self, needle: str) -> int | None:
        """Return the height of the first occurrence within this widget, None if there is none."""
        for cursor in occurrences(self.editor().document(), needle):
            return self.editor().cursorRect(cursor).top()
        return None

    # Events of the pointer: the selection belongs to the view.

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the transcript."""
        event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Leave the menu to the card."""
        event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a selection."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.editor().setFocus(Qt.FocusReason.MouseFocusReason)
            self.events.pressed.emit(self, event.position().toPoint(), event.modifiers())
            event.accept()
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Extend the selection or show what is under the pointer."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.events.moved.emit(self, event.globalPosition().toPoint())
        else:
            self.hover(event.position().toPoint())
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the selection; a click without one opens the link below."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.events.released.emit(self, event.position().toPoint())
            event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Select a word."""
        cursor = self.editor().cursorForPosition(event.position().toPoint())
        cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        self.editor().setTextCursor(cursor)
        self.events.word_selected.emit(self)
        event.accept()

    def hover(self, point: QPoint) -> None:
        """Follow the pointer; prose shows the hand over links."""

    def click(self, point: QPoint) -> None:
        """Answer a click that selected nothing."""


def occurrences(document: QTextDocument, needle: str) -> Iterator[QTextCursor]:
    """Yield a cursor for every occurrence of a text, whatever its case, up to some hundreds."""
    cursor = document.find(needle, 0)
    count = 0
    while not cursor.isNull() and count < _FOUND_LIMIT:
        yield QTextCursor(cursor)
        cursor = document.find(needle, cursor)
        count += 1


def plain_text(fragment: QTextDocumentFragment) -> str:
    """Return a selection as text, chips included by their label."""
    text = fragment.toPlainText()
    if "\ufffc" in text:
        html = _CHIP_IMAGE.sub(lambda match: escape("".join(chip_words(match.group(1)))), fragment.toHtml())
        text = QTextDocumentFragment.fromHtml(html).toPlainText()
    return text.replace("\u200a", "").replace("\ufffc", "")
