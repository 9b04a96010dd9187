"""The composer's text: grows with its lines, sends on Enter, takes files, pictures and long pastes."""

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QKeyEvent, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from desktop.theme.appearance import appearance, look
from resources.language import gettext as _

LONG_PASTE = 4_000
"""Characters from which pasted text becomes an attachment."""


class ComposerEditor(QPlainTextEdit):
    """Plain text with these signals beside Qt's own.

    ``submit()``: Enter; ``stop()``: Esc with nothing else to close; ``recall()``: ↑ in an empty text;
    ``files_pasted(paths)``, ``image_pasted(QImage)``, ``long_pasted(text)``: what a paste or drop brought;
    ``height_wanted()``: the number of lines has changed.
    """

    submit = Signal()
    stop = Signal()
    recall = Signal()
    files_pasted = Signal(list)
    image_pasted = Signal(object)
    long_pasted = Signal(str)
    height_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(_("Message"))
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(0)
        self.viewport().setAutoFillBackground(False)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self.height_wanted.emit())
        appearance().changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.setFont(look().font())
        self.viewport().setFont(look().font())  # the words that invite to write are drawn with this one
        self._elide()
        self.height_wanted.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the words that invite to write where they would wrap."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        words = "" if self.isReadOnly() else _("Write to the office, @ for an agent, / for a command")
        room = self.viewport().width() - look().px(4)
        shown = self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room)
        if shown != self.placeholderText():
            self.setPlaceholderText(shown)

    def set_closed(self, closed: bool) -> None:
        """Take nothing, and invite nobody to write; what is written can be read and copied."""
        self.setReadOnly(closed)
        self._elide()

    def wanted_height(self) -> int:
        """Return the height of all lines."""
        # The layout of a plain text counts lines, not pixels.
        lines = max(1, round(self.document().documentLayout().documentSize().height()))
        return lines * self.fontMetrics().lineSpacing() + look().px(4)

    def set_scrolling(self, needed: bool) -> None:
        """Show the scroll bar only where the text is higher than its room."""
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(policy.ScrollBarAsNeeded if needed else policy.ScrollBarAlwaysOff)

    def word_before_cursor(self) -> tuple[int, str]:
        """Return (start, text) of the word that ends at the cursor."""
        cursor = self.textCursor()
        line = cursor.block().text()[: cursor.positionInBlock()]
        start = max(line.rfind(" "), line.rfind("\t")) + 1
        return cursor.block().position() + start, line[start:]

    def replace_word(self, text: str) -> None:
        """Exchange the word before the cursor."""
        start, _word = self.word_before_cursor()
        cursor = self.textCursor()
        end = cursor.position()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)
        self.setTextCursor(cursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sends, Shift+Enter begins a line, Esc stops, ↑ in an empty text recalls the last one."""
        if self.isReadOnly() and event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier):
                self.textCursor().insertBlock()
                self.ensureCursorVisible()
            else:
                self.submit.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.stop.emit()
        elif event.key() == Qt.Key.Key_Up and self.document().isEmpty():
            self.recall.emit()
        else:
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Take text, files and pictures."""
        return source.hasUrls() or source.hasImage() or source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Sort what is pasted or dropped: files, a picture, long text, text."""
        if self.isReadOnly():
            return
        paths = [url.toLocalFile() for url in source.urls() if url.isLocalFile()]
        if paths:
            self.files_pasted.emit(paths)
        elif source.hasImage() and not source.hasText():
            image = source.imageData()
            if isinstance(image, QImage) and not image.isNull():
                self.image_pasted.emit(image)
        elif len(source.text()) > LONG_PASTE:
            self.long_pasted.emit(source.text())
        else:
            self.insertPlainText(source.text())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome files and text."""
        if self.canInsertFromMimeData(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take files as attachments, text at the pointer."""
        if event.mimeData().hasUrls():
            self.insertFromMimeData(event.mimeData())
            event.acceptProposedAction()
        else:
            super().dropEvent(event)
