"""A line that opens: thinking, tool calls, details of errors."""

from PySide6.QtCore import QEvent, QRect, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QWidget

from desktop.theme.appearance import look
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import colour
from desktop.transcript.events import RowEvents
from desktop.transcript.prose import ProseSegment
from desktop.transcript.rows import ToolCall, ToolState
from resources.language import gettext as _


class Foldable(QFrame):
    """An icon, a line, a meta text and a body of rich text that a click or Enter opens."""

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self.events = events
        self.body: ProseSegment | None = None
        self._message_id, self._part = "", ""
        self._title, self._meta, self._icon, self._ink = "", "", "", ""
        self._html = ""
        self._open = False
        self._framed = True
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_line(
        self, message_id: str, part: str, title: str, meta: str, icon: str, ink: str, framed: bool = True
    ) -> None:
        """Show the closed line; ``ink`` is the icon's colour."""
        self._message_id, self._part, self._framed = message_id, part, framed
        self._title, self._meta, self._icon, self._ink = title, meta, icon, ink
        self._name()
        self.update()

    def show_body(self, html: str, opened: bool) -> None:
        """Show what is folded; empty means that there is nothing to open."""
        self._html = html
        self._open = opened and bool(html)
        if self._open:
            if self.body is None:
                self.body = ProseSegment(self, self.events)
            self.body.message_id = self._message_id
            self.body.show_html(html, dim=True)
        if self.body is not None:
            self.body.setVisible(self._open)
        self.setCursor(Qt.CursorShape.PointingHandCursor if html else Qt.CursorShape.ArrowCursor)
        self._name()

    def _name(self) -> None:
        state = "" if not self._html else _("open") if self._open else _("closed")
        self.setAccessibleName(", ".join(part for part in (self._title, self._meta, state) if part))

    @property
    def opened(self) -> bool:
        """Tell whether the body is shown."""
        return self._open

    def _line_height(self) -> int:
        return look().px(32 if self._framed else 26)

    def height_for(self, width: int) -> int:
        """Return the height at a width."""
        height = self._line_height()
        if self._open and self.body is not None:
            here = look()
            inner = width - here.px(24)
            tall = self.body.height_for(inner)
            self.body.setGeometry(here.px(12), height + here.px(2), inner, tall)
            height += tall + here.px(12)
        return height

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame and the line."""
        here = look()
        theme = here.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._framed or self.hasFocus():
            painter.setPen(QPen(colour(theme.accent if self.hasFocus() else theme.line), 1))
            painter.setBrush(colour(theme.bg))
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), here.px(8), here.px(8)
            )
        inset = here.px(10) if self._framed else 0
        side, middle = here.px(16), self._line_height()
        painter.drawPixmap(
            self._flip(QRect(inset, (middle - side) // 2, side, side)),
            icon_pixmap(self._icon, self._ink or theme.dim, side),
        )
        left, right = inset + here.px(23), here.px(10)
        painter.setFont(here.small)
        metrics = painter.fontMetrics()
        if self._html:
            mark = "chevron-down" if self._open else "chevron-right"
            if not self._framed:
                wide = metrics.horizontalAdvance(self._title)
                spot = QRect(left + wide + here.px(4), (middle - here.px(14)) // 2, here.px(14), here.px(14))
            else:
                spot = QRect(
                    self.width() - right - here.px(14), (middle - here.px(14)) // 2, here.px(14), here.px(14)
                )
                right += here.px(18)
            painter.drawPixmap(self._flip(spot), icon_pixmap(mark, theme.dim, here.px(14)))
        leading = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)
        if self._meta:
            wide = metrics.horizontalAdvance(self._meta) + 2
            painter.setPen(colour(theme.dim))
            painter.drawText(
                self._flip(QRect(self.width() - right - wide, 0, wide, middle)), leading, self._meta
            )
            right += wide + here.px(8)
        painter.setPen(colour(theme.text if self._framed else theme.dim))
        room = self._flip(QRect(left, 0, max(0, self.width() - left - right), middle))
        painter.drawText(
            room, leading, metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, room.width())
        )

    def _flip(self, rect: QRect) -> QRect:
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            rect.moveLeft(self.width() - rect.right() - 1)
        return rect

    def toggle(self) -> None:
        """Open or close."""
        if self._html:
            self.events.folded.emit(self._message_id, self._part, not self._open)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Toggle on a click on the line."""
        if event.position().y() < self._line_height():
            self.toggle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Toggle on Enter and Space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.toggle()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QEvent) -> None:
        """Show the focus."""
        self.update()

    def focusOutEvent(self, event: QEvent) -> None:
        """Hide the focus."""
        self.update()


class ThinkingSegment(Foldable):
    """What the model thought, folded."""

    def show_thinking(self, message_id: str, html: str, live: bool, opened: bool) -> None:
        """Show thinking as rich text."""
        title = _("Thinking…") if live else _("Thought about it")
        self.show_line(message_id, "thinking", title, "", "thinking", look().theme.dim, framed=False)
        self.show_body(html, opened)


class ToolCallCard(Foldable):
    """One tool call with its state."""

    def show_call(self, message_id: str, call: ToolCall, html: str, opened: bool) -> None:
        """Show a call; ``html`` holds its details."""
        theme = look().theme
        icon, ink = {
            ToolState.RUNNING: ("clock", theme.accent),
            ToolState.DONE: ("check", theme.ok_text),
            ToolState.FAILED: ("error", theme.danger_text),
        }[call.state]
        meta = (
            call.meta
            or {
                ToolState.RUNNING: _("running"),
                ToolState.DONE: "",
                ToolState.FAILED: _("failed"),
            }[call.state]
        )
        self.show_line(message_id, f"tool:{call.id}", call.title, meta, icon, ink)
        self.show_body(html, opened)
