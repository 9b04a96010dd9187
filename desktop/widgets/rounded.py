"""Rounded frames from ready-made corners: the big plain middle is filled without antialiasing."""

from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap

from desktop.theme.tokens import colour


@lru_cache(maxsize=128)
def _disc(ground: str, edge: str, radius: int, thick: float, ratio: float) -> QPixmap:
    side = 2 * radius + 2
    pixmap = QPixmap(round(side * ratio), round(side * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour(edge), thick))
    painter.setBrush(colour(ground))
    half = thick / 2
    painter.drawRoundedRect(QRectF(0, 0, side, side).adjusted(half, half, -half, -half), radius, radius)
    painter.end()
    return pixmap


def rounded(painter: QPainter, box: QRect, ground: str, edge: str, radius: int, thick: float = 1.0) -> None:
    """Fill a box with a ground and draw its edge; a box too small for the radius gets a smaller one."""
    width, height = box.width(), box.height()
    radius = max(1, min(radius, (min(width, height) - 2) // 2))
    ratio = painter.device().devicePixelRatio()
    disc = _disc(ground, edge, radius, thick, ratio)
    side, step = radius * ratio, (radius + 2) * ratio
    left, top, right, bottom = box.left(), box.top(), box.left() + width, box.top() + height
    for x, y, from_x, from_y in (
        (left, top, 0.0, 0.0),
        (right - radius, top, step, 0.0),
        (left, bottom - radius, 0.0, step),
        (right - radius, bottom - radius, step, step),
    ):
        painter.drawPixmap(QPointF(x, y), disc, QRectF(from_x, from_y, side, side))
    fill, line = colour(ground), colour(edge)
    painter.fillRect(QRect(left, top + radius, width, height - 2 * radius), fill)
    painter.fillRect(QRect(left + radius, top, width - 2 * radius, radius), fill)
    painter.fillRect(QRect(left + radius, bottom - radius, width - 2 * radius, radius), fill)
    if edge != ground:
        painter.fillRect(QRectF(left + radius, top, width - 2 * radius, thick), line)
        painter.fillRect(QRectF(left + radius, bottom - thick, width - 2 * radius, thick), line)
        painter.fillRect(QRectF(left, top + radius, thick, height - 2 * radius), line)
        painter.fillRect(QRectF(right - thick, top + radius, thick, height - 2 * radius), line)
