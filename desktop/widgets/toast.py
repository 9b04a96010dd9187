"""A sentence at the foot of the window that goes by itself, with Undo where there is something to undo."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.theme.appearance import look
from desktop.widgets.rounded import rounded
from resources.language import gettext as _

SHOWN_MS = 7_000


class Toast(QFrame):
    """``undone()`` when Undo is pressed, ``expired()`` when it goes without. It waits under the pointer."""

    undone = Signal()
    expired = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._words = QLabel(self)
        self._undo = QPushButton(_("Undo"), self)
        self._undo.setProperty("kind", "link")
        self._undo.clicked.connect(self._press)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 7, 8, 7)
        row.setSpacing(10)
        row.addWidget(self._words)
        row.addWidget(self._undo)
        self._timer = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._timer.timeout.connect(self.expire)
        parent.installEventFilter(self)
        self.hide()

    def show_words(self, words: str, undo: bool = False) -> None:
        """Show a sentence; the one before counts as expired."""
        if self.isVisible():
            self.expire()
        self._words.setText(words)
        self._undo.setVisible(undo)
        self.setAccessibleName(words)
        self.adjustSize()
        self._follow()
        self.show()
        self.raise_()
        self._timer.start()

    def expire(self) -> None:
        """Go now."""
        if self.isVisible():
            self._timer.stop()
            self.hide()
            self.expired.emit()

    def _press(self) -> None:
        self._timer.stop()
        self.hide()
        self.undone.emit()

    def _follow(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            width = min(self.sizeHint().width(), parent.width() - 24)
            height = self.sizeHint().height()
            left = (parent.width() - width) // 2
            self.setGeometry(left, parent.height() - height - look().px(24), width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the foot of the parent."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._follow()
        return False

    def enterEvent(self, event: QEvent) -> None:
        """Wait while it is read."""
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Go on."""
        if self.isVisible():
            self._timer.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame."""
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        rounded(painter, self.rect(), here.theme.panel, here.theme.line, here.px(10))
