"""A starter: a card that is a button, with an icon, what it begins and the words it writes."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from desktop.theme.appearance import look
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import colour
from desktop.widgets.rounded import rounded


class Starter(QAbstractButton):
    """Its text is its title; ``words`` stand below it, as many as fit on one line."""

    def __init__(self, icon: str, title: str, words: str) -> None:
        super().__init__()
        self._icon = icon
        self._words = words
        self.setText(title)
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
        self.setToolTip(words)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return room for two lines."""
        here = look()
        lines = QFontMetrics(here.font(14, 500)).height() + QFontMetrics(here.small).height()
        return QSize(here.px(320), lines + here.px(22))

    def minimumSizeHint(self) -> QSize:
        """Return a width at which the title can still be read."""
        return QSize(look().px(160), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the frame, the icon and the two lines."""
        here, theme = look(), look().theme
        painter = QPainter(self)
        ground = theme.selection if self.isDown() else theme.hover if self.underMouse() else theme.panel
        edge = theme.accent if self.hasFocus() else theme.line
        rounded(painter, self.rect(), ground, edge, here.px(10))
        side, pad = here.px(18), here.px(14)
        icon = self._mirrored(QRect(pad, (self.height() - side) // 2, side, side))
        painter.drawPixmap(icon, icon_pixmap(self._icon, theme.accent, side))
        left = pad + side + here.px(12)
        room = self._mirrored(QRect(left, 0, self.width() - left - pad, self.height()))
        lines = ((here.font(14, 500), theme.text, self.text()), (here.small, theme.dim, self._words))
        top = here.px(10)
        for font, ink, words in lines:
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(colour(ink))
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width())
            box = QRect(room.left(), top, room.width(), metrics.height())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading), shown)
            top += metrics.height() + here.px(2)

    def _mirrored(self, box: QRect) -> QRect:
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            box.moveLeft(self.width() - box.right() - 1)
        return box
