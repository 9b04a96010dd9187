"""Chips: a small framed label with an icon, clickable, perhaps removable; and rows that wrap."""

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop.theme.appearance import look
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import colour
from resources.language import gettext as _


class Chip(QAbstractButton):
    """A rounded label. ``clicked`` when pressed, ``removed`` when its cross or Delete is.

    Long texts are elided in the middle to the width given; the whole text is the tip.
    """

    removed = Signal()

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        icon: str = "",
        accent: bool = False,
        removable: bool = False,
        menu_mark: bool = False,
    ) -> None:
        super().__init__(parent)
        self._icon = icon
        self._accent = accent
        self._removable = removable
        self._menu_mark = menu_mark
        self._fault = False
        self._dim = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Change the label."""
        self.setText(text)
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def set_fault(self, fault: bool) -> None:
        """Draw the chip as one that names something which went wrong, or not."""
        self._fault = fault
        self.update()

    def set_dim(self, dim: bool) -> None:
        """Grey the text: it can be opened, and stands aside."""
        self._dim = dim
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the whole text."""
        here = look()
        metrics = QFontMetrics(here.small)
        extra = here.px(20)
        extra += here.px(20) if self._icon else 0
        extra += here.px(20) if self._removable else 0
        extra += here.px(15) if self._menu_mark else 0
        return QSize(metrics.horizontalAdvance(self.text()) + extra, metrics.height() + here.px(9))

    def minimumSizeHint(self) -> QSize:
        """Return the size below which nothing is readable."""
        return QSize(min(self.sizeHint().width(), look().px(48)), self.sizeHint().height())

    def _mirrored(self, rect: QRect) -> QRect:
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            rect.moveLeft(self.width() - rect.right() - 1)
        return rect

    def _cross(self) -> QRect:
        side = look().px(16)
        return self._mirrored(
            QRect(self.width() - side - look().px(6), (self.height() - side) // 2, side, side)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw frame, icon, text and cross."""
        here = look()
        theme = here.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = theme.accent if self.hasFocus() else theme.danger if self._fault else theme.line
        painter.setPen(QPen(colour(edge), 1))
        ground = theme.danger_bg if self._fault else theme.panel
        painter.setBrush(colour(theme.hover if self.underMouse() and self.isEnabled() else ground))
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, here.px(8), here.px(8))
        left, right = here.px(10), here.px(10)
        ink = (
            theme.danger_text
            if self._fault
            else theme.accent
            if self._accent
            else theme.dim
            if self._menu_mark or self._dim
            else theme.text
        )
        if self._icon:
            side = here.px(15)
            place = self._mirrored(QRect(left, (self.height() - side) // 2, side, side))
            painter.drawPixmap(
                place, icon_pixmap(self._icon, theme.danger_text if self._fault else theme.dim, side)
            )
            left += here.px(20)
        if self._removable:
            right += here.px(18)
            painter.drawPixmap(self._cross(), icon_pixmap("close", theme.dim, here.px(16)))
        if self._menu_mark:
            side = here.px(13)
            place = self._mirrored(
                QRect(self.width() - right - side + here.px(3), (self.height() - side) // 2, side, side)
            )
            painter.drawPixmap(place, icon_pixmap("chevron-down", theme.dim, side))
            right += here.px(14)
        painter.setFont(here.small)
        painter.setPen(colour(ink if self.isEnabled() else theme.dim))
        room = self._mirrored(QRect(left, 0, self.width() - left - right + 2, self.height()))
        shown = painter.fontMetrics().elidedText(
            self.text().replace("\n", " "),
            Qt.TextElideMode.ElideRight if self._fault else Qt.TextElideMode.ElideMiddle,
            room.width(),
        )
        leading = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(room, int(leading), shown)

    def event(self, event: QEvent) -> bool:
        """Redraw when the pointer comes or goes."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return super().event(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell the cross from the chip."""
        if self._removable and self._cross().contains(event.position().toPoint()):
            self.setDown(False)
            self.removed.emit()
            return
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses, Delete removes."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif self._removable and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)


def flow(widgets: list[QWidget], width: int, top_left: QPoint, gap: int, mirrored: bool = False) -> int:
    """Place widgets from left to right, wrapped at a width; return the height used."""
    x, y, line = 0, 0, 0
    for widget in widgets:
        size = widget.sizeHint()
        wide = min(size.width(), width)
        if x and x + wide > width:
            x, y, line = 0, y + line + gap, 0
        left = width - x - wide if mirrored else x
        widget.setGeometry(top_left.x() + left, top_left.y() + y, wide, size.height())
        x += wide + gap
        line = max(line, size.height())
    return y + line


class ChipRow(QWidget):
    """Chips side by side, wrapped at the width of the row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips: list[QWidget] = []
        self.setAccessibleName(_("Attachments"))

    def set_chips(self, chips: list[QWidget]) -> None:
        """Exchange the chips; the former ones are deleted."""
        for chip in self._chips:
            chip.hide()
            chip.deleteLater()
        self._chips = chips
        for chip in chips:
            chip.setParent(self)
            chip.show()
        self.setVisible(bool(chips))
        self.updateGeometry()
        self._arrange()

    def hasHeightForWidth(self) -> bool:
        """Tell layouts that a narrow row is higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Place the chips at a width and return the height they take."""
        return self._arrange(width)

    def sizeHint(self) -> QSize:
        """Return the size at the present width."""
        return QSize(self.width(), self._arrange())

    def resizeEvent(self, event: object) -> None:
        """Wrap again."""
        self._arrange()

    def _arrange(self, width: int = 0) -> int:
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        return flow(self._chips, width or self.width(), QPoint(0, 0), look().px(6), mirrored)
