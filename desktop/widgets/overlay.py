"""A card over a dimmed window: a question that its owner answers or leaves with Esc; nothing blocks meanwhile."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from desktop.theme.appearance import appearance, look
from desktop.widgets.scrolling import scrolling

_WIDTH = 460
_EDGE = 16


class Overlay(QWidget):
    """Covers its window and keeps the keyboard inside; ``column`` is for what the card holds.

    ``closed`` comes when it goes; it deletes itself then.
    """

    closed = Signal()

    def __init__(self, window: QWidget, name: str) -> None:
        super().__init__(window)
        self.setAccessibleName(name)
        self._left = False
        self._before = window.focusWidget()
        self.card = QFrame()
        self.card.setProperty("kind", "card")
        self.column = QVBoxLayout(self.card)
        self.column.setContentsMargins(20, 18, 20, 18)
        self.column.setSpacing(10)
        self._area = scrolling(self.card, self)
        self._area.viewport().setAutoFillBackground(False)
        self.card.setAutoFillBackground(False)  # the scroll area would fill its round corners
        window.installEventFilter(self)
        self.card.installEventFilter(self)
        appearance().changed.connect(self.place)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._hold_focus)

    def open(self) -> None:
        """Show it; returns at once."""
        self.place()
        self.show()
        self.place()  # only what is shown is measured in the letters that it is drawn with
        self.raise_()

    def leave(self) -> None:
        """Close, and give the keyboard back to where it was."""
        if self._left:
            return
        self._left = True
        self.hide()
        window = self.parentWidget()
        if window is not None:
            window.removeEventFilter(self)
        self.closed.emit()
        if self._before is not None:
            self._before.setFocus()
        self.deleteLater()

    def place(self) -> None:
        """Take the room that the card asks for, in the middle of the window."""
        window = self.parentWidget()
        if window is None:
            return
        self.setGeometry(window.rect())
        width = min(look().px(_WIDTH), window.width() - 2 * _EDGE)
        layout = self.card.layout()
        assert layout is not None
        layout.activate()
        wanted = max(layout.totalHeightForWidth(width), layout.totalMinimumSize().height())
        self._take(width, wanted)
        # Cards inside the card ask for less than they take; what is then out of sight is known only now.
        self._take(width, self._area.height() + self._area.verticalScrollBar().maximum())

    def _take(self, width: int, wanted: int) -> None:
        room = self.rect()
        height = min(wanted, room.height() - 2 * _EDGE)
        self._area.setGeometry(
            (room.width() - width) // 2, max(_EDGE, (room.height() - height) // 3), width, height
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        changed = watched is self.parentWidget() and event.type() == QEvent.Type.Resize
        if changed or (watched is self.card and event.type() == QEvent.Type.LayoutRequest):
            self.place()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Dim what lies below."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 150 if look().theme.dark else 90))

    def _hold_focus(self, before: QWidget | None, after: QWidget | None) -> None:
        inside = after is None or after is self or self.isAncestorOf(after)
        if inside or not self.isVisible() or after is None or after.window() is not self.window():
            return
        if before is not None and self.isAncestorOf(before):
            before.setFocus()
        else:
            self.focusNextChild()
