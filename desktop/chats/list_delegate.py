"""Paints one conversation of the list: title, who spoke and when, a dot where something happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QWidget

from desktop.chats.list_model import ENTRY, SUBTITLE
from desktop.theme.appearance import look
from desktop.theme.fonts import SMALL
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import colour

if TYPE_CHECKING:
    from memory.chat_list import ChatEntry

Index = QModelIndex | QPersistentModelIndex

_HEIGHT = 56
_GAP = 2
_SIDE = 10
_DOT = 8
_PIN = 13


class ChatDelegate(QStyledItemDelegate):
    """Two lines in a rounded row."""

    # Options are Any: Qt's stub does not know the members of QStyleOptionViewItem.
    def sizeHint(self, _option: Any, _index: Index) -> QSize:
        return QSize(120, look().px(_HEIGHT + _GAP))

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        entry: ChatEntry = index.data(ENTRY)
        here, theme, flag = look(), look().theme, QStyle.StateFlag
        box = option.rect.adjusted(0, 0, 0, -here.px(_GAP))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & (flag.State_Selected | flag.State_MouseOver):
            selected = option.state & flag.State_Selected
            painter.setBrush(colour(theme.selection if selected else theme.hover))
            painter.drawRoundedRect(box, here.px(9), here.px(9))
        inner = box.adjusted(here.px(_SIDE), here.px(9), -here.px(_SIDE), -here.px(8))
        room = self._marks(painter, entry, inner)
        self._text(painter, inner.adjusted(0, 0, -room, 0), inner, index)
        if option.state & flag.State_HasFocus and option.state & flag.State_KeyboardFocusChange:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(colour(theme.accent))
            painter.drawRoundedRect(box.adjusted(0, 0, -1, -1), here.px(9), here.px(9))
        painter.restore()

    def createEditor(self, parent: QWidget, _option: Any, _index: Index) -> QWidget:
        return QLineEdit(parent)

    def updateEditorGeometry(self, editor: QWidget, option: Any, _index: Index) -> None:
        box: QRect = option.rect
        height = editor.sizeHint().height()
        editor.setGeometry(box.left() + 2, box.top() + (box.height() - height) // 2, box.width() - 4, height)

    def _marks(self, painter: QPainter, entry: ChatEntry, inner: QRect) -> int:
        """Paint dot and pin at the end of the title's line; return the width they take."""
        here, theme, used = look(), look().theme, 0
        middle = inner.top() + here.px(10)
        dots = {"working": theme.accent, "needs_you": theme.warn, "ready": theme.ok}
        dots |= {"interrupted": theme.warn, "stopped": theme.warn, "failed": theme.danger}
        if entry.status:
            painter.setBrush(colour(dots[entry.status]))
            radius = here.px(_DOT) / 2
            painter.drawEllipse(QPointF(inner.right() - radius, middle), radius, radius)
            used += here.px(_DOT + 6)
        if entry.pinned:
            pin = here.px(_PIN)
            left = inner.right() - used - pin
            painter.drawPixmap(left, middle - pin // 2, icon_pixmap("pin", theme.dim, pin))
            used += pin + here.px(6)
        return used

    def _text(self, painter: QPainter, first: QRect, whole: QRect, index: Index) -> None:
        here, theme = look(), look().theme
        ink = theme.dim if index.data(ENTRY).restricted else theme.text
        flags = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        for rect, font, pen, text, top in (
            (first, here.font(14, 500), ink, index.data(), 0),
            (whole, here.font(SMALL), theme.dim, index.data(SUBTITLE), here.px(20)),
        ):
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(colour(pen))
            line = QRect(rect.left(), rect.top() + top, rect.width(), metrics.height())
            plain = str(text).replace("\n", " ")
            painter.drawText(
                line, flags, metrics.elidedText(plain, Qt.TextElideMode.ElideRight, line.width())
            )
