"""The mark of the program, for the cards before the office is open and for the tray."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap

from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import LIGHT, colour

_SIDE = 96


def app_icon() -> QIcon:
    """Return the icon of the program: a message on a disc of the accent."""
    pixmap = QPixmap(_SIDE, _SIDE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(LIGHT.accent))
    painter.drawRoundedRect(2, 2, _SIDE - 4, _SIDE - 4, 24, 24)
    inner = _SIDE * 5 // 8
    place = (_SIDE - inner) // 2
    painter.drawPixmap(place, place, icon_pixmap("chat", LIGHT.on_accent, inner))
    painter.end()
    return QIcon(pixmap)
