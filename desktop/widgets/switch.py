"""A switch for settings that take effect at once."""

from PySide6.QtCore import Property as QtProperty
from PySide6.QtCore import QEasingCurve, QPropertyAnimation, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop.theme.appearance import look
from desktop.theme.tokens import colour


class Switch(QAbstractButton):
    """``toggled(bool)``; Space and click switch it. It slides unless motion is reduced."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._place = 0.0
        self.setCheckable(True)
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._slide = QPropertyAnimation(self, b"place", self)
        self._slide.setDuration(120)
        self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self.toggled.connect(self._move)

    def _move(self, on: bool) -> None:
        self._slide.stop()
        if look().reduced_motion or not self.isVisible():
            self._set_place(1.0 if on else 0.0)
        else:
            self._slide.setStartValue(self._place)
            self._slide.setEndValue(1.0 if on else 0.0)
            self._slide.start()

    def _get_place(self) -> float:
        return self._place

    def _set_place(self, place: float) -> None:
        self._place = place
        self.update()

    place = QtProperty(float, _get_place, _set_place)

    def sizeHint(self) -> QSize:
        """Return the size of the track."""
        return QSize(look().px(36), look().px(20))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw track and knob."""
        here = look()
        theme = here.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height = here.px(20)
        track = QRectF(0.5, (self.height() - height) / 2 + 0.5, self.width() - 1, height - 1)
        on = self.isChecked()
        edge = theme.text if self.hasFocus() else theme.accent if on else theme.dim
        painter.setPen(QPen(colour(edge), 1))
        painter.setBrush(colour(theme.accent if on else theme.side))
        painter.drawRoundedRect(track, height / 2, height / 2)
        knob = height - 7
        place = 1 - self._place if self.layoutDirection() == Qt.LayoutDirection.RightToLeft else self._place
        left = track.left() + 3 + place * (track.width() - knob - 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(theme.on_accent if on else theme.dim))
        painter.drawEllipse(QRectF(left, track.top() + 3, knob, knob))
