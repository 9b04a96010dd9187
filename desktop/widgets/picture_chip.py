"""A chip for a picture: the picture itself, its name below."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from desktop.theme.appearance import look
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import colour
from desktop.widgets.chip import Chip

_PICTURE = QSize(132, 88)
_CAPTION = 26


class PictureChip(Chip):
    """Keeps its size while the picture is not there yet, so that nothing jumps when it comes."""

    def __init__(self, text: str, parent: QWidget, picture: bytes, *, removable: bool = False) -> None:
        super().__init__(text, parent, removable=removable)
        self._image = QImage.fromData(picture) if picture else QImage()

    @property
    def has_picture(self) -> bool:
        """Say whether there is more to see than the name."""
        return not self._image.isNull()

    def sizeHint(self) -> QSize:
        """Return the size of the picture and the line below it."""
        here = look()
        return QSize(here.px(_PICTURE.width()), here.px(_PICTURE.height() + _CAPTION))

    def _cross(self) -> QRect:
        side = look().px(18)
        edge = look().px(6)
        return self._mirrored(QRect(self.width() - side - edge, edge, side, side))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture cut to its frame, the name and the cross."""
        here, theme = look(), look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), here.px(8), here.px(8))
        painter.fillPath(outline, colour(theme.hover if self.underMouse() else theme.panel))
        room = QRect(0, 0, self.width(), self.height() - here.px(_CAPTION))
        painter.save()
        painter.setClipPath(outline)
        self._draw_picture(painter, room)
        painter.restore()
        painter.setPen(QPen(colour(theme.accent if self.hasFocus() else theme.line), 1))
        painter.drawPath(outline)
        self._draw_name(painter, QRect(0, room.bottom() + 1, self.width(), here.px(_CAPTION)))
        if self._removable:
            cross = self._cross()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(theme.panel))
            painter.drawEllipse(cross)
            side = here.px(14)
            inset = (cross.width() - side) // 2
            painter.drawPixmap(
                cross.topLeft() + QRect(inset, inset, 0, 0).topLeft(), icon_pixmap("close", theme.text, side)
            )

    def _draw_picture(self, painter: QPainter, room: QRect) -> None:
        here = look()
        painter.fillRect(room, colour(here.theme.code))
        if self._image.isNull():
            side = here.px(22)
            place = QRect(room.center().x() - side // 2, room.center().y() - side // 2, side, side)
            painter.drawPixmap(place, icon_pixmap("image", here.theme.dim, side))
            return
        # As much of the picture as fills the frame; a panorama or a long page shows its middle or its top.
        shown = QSize(room.size()).scaled(self._image.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left = (self._image.width() - shown.width()) // 2
        painter.drawPixmap(
            room, QPixmap.fromImage(self._image.copy(QRect(left, 0, shown.width(), shown.height())))
        )

    def _draw_name(self, painter: QPainter, room: QRect) -> None:
        here = look()
        painter.setFont(here.font(11.5))
        painter.setPen(colour(here.theme.dim))
        inner = room.adjusted(here.px(8), 0, -here.px(8), 0)
        name = self.text().split(" · ")[0].replace("\n", " ")
        shown = QFontMetrics(painter.font()).elidedText(name, Qt.TextElideMode.ElideMiddle, inner.width())
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading), shown)
