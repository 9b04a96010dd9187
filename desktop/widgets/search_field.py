"""A field that searches a moment after typing, with its shortcut shown while it is empty."""

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.theme.appearance import look
from desktop.theme.tokens import colour


class SearchField(QLineEdit):
    """``searched(text)``; ``left()`` when ↓ leads on to what was found. Esc clears."""

    searched = Signal(str)
    left = Signal()

    def __init__(self, words: str, shortcut: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shortcut = shortcut
        self.setPlaceholderText(words)
        self.setAccessibleName(words)
        self.setClearButtonEnabled(True)
        self._wait = QTimer(self, singleShot=True, interval=150)
        self._wait.timeout.connect(lambda: self.searched.emit(self.text()))
        self.textChanged.connect(lambda: self._wait.start())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear on Esc, search at once on Enter, leave on ↓."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._wait.stop()
            self.searched.emit(self.text())
        elif event.key() == Qt.Key.Key_Down:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field and its shortcut."""
        super().paintEvent(event)
        if self._shortcut and not self.text():
            here = look()
            painter = QPainter(self)
            painter.setFont(here.small)
            painter.setPen(colour(here.theme.dim))
            box = QRect(self.rect()).adjusted(here.px(10), 0, -here.px(10), 0)
            side = Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, int(side), self._shortcut)
