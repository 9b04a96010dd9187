"""The list over the composer that completes @agents and /commands while they are typed."""

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QWidget

from desktop.theme.appearance import look
from desktop.theme.tokens import avatar_colour, colour
from desktop.widgets.rounded import rounded
from resources.language import gettext as _

ROWS = 7


@dataclass(frozen=True, slots=True)
class Completion:
    """One line of the list: what is inserted, what it is, and an agent's colour (empty for commands)."""

    text: str
    detail: str = ""
    colour: str = ""
    agent: bool = False


def matching(choices: tuple[Completion, ...], typed: str) -> list[Completion]:
    """Return the choices for what was typed: beginnings first, then words within."""
    wanted = typed.casefold()
    first = [item for item in choices if item.text.casefold().startswith(wanted)]
    rest = [item for item in choices if item not in first and wanted in item.text.casefold()]
    return (first + rest)[:ROWS]


class CompletionPopup(QFrame):
    """``chosen(Completion)``. A child of the window, so that the editor keeps the keyboard."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[Completion] = []
        self._at = 0
        self.setMouseTracking(True)
        self.setAccessibleName(_("Suggestions"))
        self.hide()

    @property
    def items(self) -> list[Completion]:
        """Return the lines shown."""
        return self._items

    def offer(self, items: list[Completion], above: QPoint, width: int) -> None:
        """Show lines with their lower left corner at a point of the parent; none hides the list."""
        if not items:
            self.hide()
            return
        if items != self._items:
            self._items, self._at = items, 0
        here = look()
        height = len(items) * here.px(32) + here.px(10)
        self.setGeometry(QRect(above.x(), max(4, above.y() - height), min(width, here.px(340)), height))
        self.setAccessibleDescription(items[self._at].text)
        self.show()
        self.raise_()
        self.update()

    def press(self, event: QKeyEvent) -> bool:
        """Answer a key of the editor while the list is shown; False leaves it to the editor."""
        if not self.isVisible():
            return False
        match event.key():
            case Qt.Key.Key_Down:
                self._go(1)
            case Qt.Key.Key_Up:
                self._go(-1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Tab:
                self._choose(self._at)
            case Qt.Key.Key_Escape:
                self.hide()
            case _:
                return False
        return True

    def _go(self, by: int) -> None:
        self._at = (self._at + by) % len(self._items)
        self.setAccessibleDescription(self._items[self._at].text)
        self.update()

    def _choose(self, at: int) -> None:
        item = self._items[at]
        self.hide()
        self.chosen.emit(item)

    def _row_at(self, y: float) -> int:
        here = look()
        return max(0, min(len(self._items) - 1, int((y - here.px(5)) // here.px(32))))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        self._at = self._row_at(event.position().y())
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the line under the pointer."""
        self._choose(self._row_at(event.position().y()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines."""
        here = look()
        theme = here.theme
        painter = QPainter(self)
        rounded(painter, self.rect(), theme.panel, theme.line, here.px(10))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tall, pad = here.px(32), here.px(5)
        leading = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)
        for place, item in enumerate(self._items):
            row = QRect(pad, pad + place * tall, self.width() - 2 * pad, tall)
            if place == self._at:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour(theme.selection))
                painter.drawRoundedRect(QRectF(row), here.px(7), here.px(7))
            left = row.left() + here.px(8)
            if item.agent:
                side = here.px(20)
                disc = QRect(left, row.top() + (tall - side) // 2, side, side)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour(item.colour or avatar_colour(item.text)))
                painter.drawEllipse(disc)
                painter.setPen(Qt.GlobalColor.white)
                painter.setFont(here.font(10, 600))
                painter.drawText(disc, int(Qt.AlignmentFlag.AlignCenter), item.text[:1].upper())
                left += side + here.px(8)
            painter.setFont(here.font(13.5, 500))
            painter.setPen(colour(theme.text))
            name = item.text if item.agent else f"/{item.text}"
            wide = min(painter.fontMetrics().horizontalAdvance(name) + 2, row.right() - left)
            shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, wide)
            painter.drawText(QRect(left, row.top(), wide, tall), leading, shown)
            painter.setFont(here.small)
            painter.setPen(colour(theme.dim))
            room = QRect(left + wide + here.px(10), row.top(), row.right() - left - wide - here.px(18), tall)
            detail = painter.fontMetrics().elidedText(
                item.detail, Qt.TextElideMode.ElideRight, max(0, room.width())
            )
            painter.drawText(room, leading, detail)
