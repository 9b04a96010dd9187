"""An agent's face: a disc of its colour with its emoji or the first letter of its name."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPixmap
from PySide6.QtWidgets import QLabel

from desktop.theme.appearance import appearance, look
from desktop.theme.tokens import AVATAR_COLOURS, avatar_colour

COLOUR_NAMES = ("teal", "blue", "violet", "rust", "rose", "green", "indigo", "amber")


class Face(QLabel):
    """An agent's face that grows with the text; ``side`` in pixels of the design."""

    def __init__(self, name: str, avatar: str, side: int) -> None:
        super().__init__()
        self._drawn_of = (name, avatar)
        self._side = side
        self.setAccessibleName(name)
        appearance().changed.connect(self._draw)
        self._draw()

    def _draw(self) -> None:
        self.setPixmap(avatar_pixmap(*self._drawn_of, look().px(self._side)))


def colour_of(name: str, avatar: str) -> str:
    """Return the colour of an avatar such as ``teal`` or ``teal 🦉``; one without is chosen by the name."""
    word = avatar.split(" ")[0].strip().lower()
    if word in COLOUR_NAMES:
        return AVATAR_COLOURS[COLOUR_NAMES.index(word)]
    return avatar_colour(name)


def sign_of(name: str, avatar: str) -> str:
    """Return the emoji of an avatar, else the first letter or digit of the name."""
    _colour, _space, emoji = avatar.partition(" ")
    return emoji.strip() or next((letter.upper() for letter in name if letter.isalnum()), "·")


def avatar_pixmap(name: str, avatar: str, size: int) -> QPixmap:
    """Return the face as a picture of size × size logical pixels."""
    screen = QGuiApplication.primaryScreen()
    ratio = screen.devicePixelRatio() if screen else 1.0
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour_of(name, avatar)))
    painter.drawEllipse(0, 0, size, size)
    painter.setPen(QColor("#ffffff"))
    font = look().font(14, 600)
    font.setPixelSize(max(8, round(size * 0.42)))
    painter.setFont(font)
    painter.drawText(QRect(0, 0, size, size), Qt.AlignmentFlag.AlignCenter, sign_of(name, avatar))
    painter.end()
    return pixmap
