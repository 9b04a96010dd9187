"""A formula on its own line."""

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop.theme.appearance import look
from desktop.transcript.events import RowEvents
from desktop.transcript.pictures import density, formula, source_picture
from desktop.transcript.segments import Segment


class MathSegment(QWidget):
    """Draws a formula in the middle; while it streams, and when it is not understood, its source."""

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self._image = QImage()

    def show_segment(self, segment: Segment, live: bool = False) -> None:
        """Set the formula."""
        here = look()
        drawn = None if live else formula(segment.source, here.px(17), here.theme.text, density())
        self._image = drawn or source_picture(segment.source.replace("\n", " "), here, density())
        self.setAccessibleName(segment.source)
        self.update()

    def height_for(self, width: int) -> int:
        """Return the height of the picture with some air."""
        size = self._image.deviceIndependentSize()
        scale = min(1.0, width / size.width()) if size.width() else 1.0
        return round(size.height() * scale) + look().px(12)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture, made smaller where the column is narrow."""
        size = self._image.deviceIndependentSize()
        if size.isEmpty():
            return
        scale = min(1.0, self.width() / size.width())
        box = QRect(0, 0, round(size.width() * scale), round(size.height() * scale))
        box.moveCenter(QPoint(self.width() // 2, self.height() // 2))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(box, self._image)
