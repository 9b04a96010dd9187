"""A coloured dot that says how something stands, with words for those who cannot see the colour."""

from enum import StrEnum

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop.theme.appearance import look
from desktop.theme.tokens import Theme, colour


class Status(StrEnum):
    """What a dot can say."""

    NONE = "none"
    WORKING = "working"
    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


def status_colour(theme: Theme, status: Status) -> str:
    """Return the colour of a state: accent, warn, ok, danger, or the hairline for none."""
    return {
        Status.NONE: theme.line,
        Status.WORKING: theme.accent,
        Status.WAITING: theme.warn,
        Status.READY: theme.ok,
        Status.FAILED: theme.danger,
    }[status]


class StatusDot(QWidget):
    """Eight pixels of colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._status = Status.NONE

    def set_status(self, status: Status, words: str) -> None:
        """Show a state; ``words`` are its tip and accessible name."""
        self._status = status
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the dot with a little air."""
        return QSize(look().px(12), look().px(12))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dot."""
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(status_colour(here.theme, self._status)))
        side = here.px(8)
        painter.drawEllipse(QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side))
