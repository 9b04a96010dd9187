"""One message: header, thinking, tool calls, text, attachments, sources, state and footer."""

from collections.abc import Callable, Sequence
from html import escape
from typing import TypeVar

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QEnterEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QWidget
from shiboken6 import isValid

from desktop.theme.appearance import look
from desktop.transcript import card_paint
from desktop.transcript.branches import BranchSwitcher
from desktop.transcript.code import CodeSegment
from desktop.transcript.deferred import deferred
from desktop.transcript.events import RowEvents
from desktop.transcript.foldable import ThinkingSegment, ToolCallCard
from desktop.transcript.formula import MathSegment
from desktop.transcript.markdown_html import CITE
from desktop.transcript.notice import ActionRow, NoticePanel
from desktop.transcript.prose import ProseSegment
from desktop.transcript.rows import Message, MessageState, RowKind, ToolCall, default_actions
from desktop.transcript.segments import Segment, SegmentKind, split
from desktop.transcript.table import TableSegment
from desktop.transcript.text_segment import TextSegment
from desktop.widgets.chip import Chip, flow
from desktop.widgets.picture_chip import PictureChip
from resources.language import gettext as _

SegmentWidget = ProseSegment | CodeSegment | TableSegment | MathSegment
_Part = TypeVar("_Part", bound=QWidget)


class MessageCard(QFrame):
    """Shows a message; ``arrange`` places everything at a width and returns the height.

    Parts are made on first need and kept: binding another message to the card reuses them.
    """

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self.events = events
        self.message = Message("", "")
        self.kind = RowKind.AGENTS
        self.segments: list[SegmentWidget] = []
        self.focused = False
        self._spare: dict[type, list[SegmentWidget]] = {}
        self._thinking: ThinkingSegment | None = None
        self._tools: list[ToolCallCard] = []
        self._tools_shown: tuple[ToolCall, ...] = ()
        self._chips: list[Chip] = []
        self._chips_key: object = None
        self._notice: NoticePanel | None = None
        self._actions: ActionRow | None = None
        self._branch: BranchSwitcher | None = None
        self.header = card_paint.Header()
        self._header_key: object = None
        self.footer_box = QRect()
        self.wait_box = QRect()
        self._measured: tuple[int, int] | None = None
        self._places: list[tuple[QWidget, QRect]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)

    # Binding

    def bind(
        self,
        message: Message,
        kind: RowKind,
        segments: Sequence[Segment],
        thinking: str,
        opened: frozenset[str],
    ) -> None:
        """Show a message. ``opened`` names the folded parts that are open."""
        self.message, self.kind = message, kind
        self._measured = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, not self.bare)
        live = message.state is MessageState.STREAMING
        self._bind_segments(segments, live)
        self._bind_thinking(thinking, live and not segments, "thinking" in opened)
        self._bind_tools(message.tools, opened)
        self._bind_chips()
        self._bind_state("details" in opened)
        self.setAccessibleName(message.spoken())
        self.update()

    def show_live(self, segments: Sequence[Segment], thinking: str, opened: frozenset[str]) -> None:
        """Show what has arrived since the last tick."""
        self._measured = None
        self._bind_segments(segments, True)
        if not (self._spare.get(ProseSegment) and self._spare.get(CodeSegment)):
            deferred().ask(self, self._provide)
        if thinking:
            self._bind_thinking(thinking, not segments, "thinking" in opened)

    def _bind_segments(self, segments: Sequence[Segment], live: bool) -> None:
        last = len(segments) - 1
        for index, segment in enumerate(segments):
            wanted = _widget_class(segment)
            if index < len(self.segments) and type(self.segments[index]) is not wanted:
                self._release(index)
            if index >= len(self.segments):
                self.segments.append(self._acquire(wanted))
            widget = self.segments[index]
            text = text_of(widget)
            if text is not None:
                text.segment_index, text.message_id = index, self.message.id
            if isinstance(widget, ProseSegment):
                theme = look().theme
                widget.images = {image.id: image.picture for image in self.message.images}
                widget.ground = theme.accent_bg if self.kind is RowKind.OWNER else theme.panel
            if isinstance(widget, ProseSegment):
                widget.show_segment(segment, live=live and index == last, dim=self.message.dim)
            else:
                widget.show_segment(segment, live=live and index == last)
        if len(self.segments) > len(segments):
            self._release(len(segments))

    def _acquire(self, wanted: type) -> SegmentWidget:
        spare = self._spare.get(wanted)
        widget: SegmentWidget = spare.pop() if spare else wanted(self, self.events)
        widget.show()
        return widget

    def _provide(self) -> None:
        """Keep one text and one code block ready: making one would take most of a flush."""
        if not isValid(self):
            return  # closed meanwhile
        for wanted in (ProseSegment, CodeSegment):
            if not self._spare.get(wanted):
                self._spare[wanted] = [wanted(self, self.events)]

    def _release(self, start: int) -> None:
        for widget in self.segments[start:]:
            widget.hide()
            if text := text_of(widget):
                text.select(0, 0)
            self._spare.setdefault(type(widget), []).append(widget)
        del self.segments[start:]

    def _bind_thinking(self, thinking: str, live: bool, opened: bool) -> None:
        if thinking:
            self._thinking = _made(self._thinking, ThinkingSegment, self)
            html = "".join(part.html or f"<pre>{escape(part.source)}</pre>" for part in split(thinking))
            self._thinking.show_thinking(self.message.id, html if opened else "<p></p>", live, opened)
        if self._thinking is not None:
            self._thinking.setVisible(bool(thinking))

    def _bind_tools(self, calls: tuple[ToolCall, ...], opened: frozenset[str]) -> None:
        while len(self._tools) < len(calls):
            self._tools.append(ToolCallCard(self, self.events))
        for index, card in enumerate(self._tools):
            card.setVisible(index < len(calls))
            if index < len(calls):
                call = calls[index]
                html = f"<pre>{escape(call.details)}</pre>" if call.details else ""
                card.show_call(self.message.id, call, html, f"tool:{call.id}" in opened)
        self._tools_shown = calls

    def _bind_chips(self) -> None:
        message = self.message
        loose = tuple(
            (index, citation)
            for index, citation in enumerate(message.citations)
            if f"({CITE}{index})" not in message.text
        )
        key = (message.id, message.attachments, loose)
        if key == self._chips_key:
            return
        self._chips_key = key
        for chip in self._chips:
            chip.hide()
            chip.deleteLater()
        self._chips = []
        for attachment in message.attachments:
            words = f"{attachment.name} · {attachment.detail}" if attachment.detail else attachment.name
            chip = (
                PictureChip(words, self, attachment.picture)
                if attachment.icon == "image"
                else Chip(words, self, icon=attachment.icon)
            )
            chip.set_dim(attachment.dim)
            chip.clicked.connect(lambda _on=False, it=attachment.id: self._open_attachment(it))
            self._chips.append(chip)
        for index, citation in loose:
            words = f"{citation.file} · {citation.label}" if citation.file else citation.label
            chip = Chip(words, self, accent=True)
            chip.clicked.connect(lambda _on=False, it=index: self._open_citation(it))
            self._chips.append(chip)
        for chip in self._chips:
            chip.show()

    def _open_attachment(self, attachment_id: str) -> None:
        self.events.attachment.emit(self.message.id, attachment_id)

    def _open_citation(self, index: int) -> None:
        self.events.citation.emit(self.message.id, index)

    def _bind_state(self, opened: bool) -> None:
        message = self.message
        if message.notice is not None:
            self._notice = _made(self._notice, NoticePanel, self)
            self._notice.show_notice(message.id, message.notice, opened)
        if self._notice is not None:
            self._notice.setVisible(message.notice is not None)
        actions = () if message.notice and message.notice.actions else default_actions(message.state)
        if actions:
            self._actions = _made(self._actions, ActionRow, self)
            self._actions.show_actions(message.id, actions)
        if self._actions is not None:
            self._actions.setVisible(bool(actions))
        if message.branch is not None and message.branch.count > 1:
            self._branch = _made(self._branch, BranchSwitcher, self)
            self._branch.show_branch(message.id, message.branch)
        if self._branch is not None:
            self._branch.setVisible(message.branch is not None and message.branch.count > 1)

    # Layout

    @property
    def bare(self) -> bool:
        """Tell whether the card is only a notice: it draws no frame and no header of its own."""
        return self.kind in (RowKind.NOTICE, RowKind.ERROR)

    def arrange(self, width: int) -> int:
        """Measure all parts at a width; return the height of the card. ``settle`` puts them there."""
        if self._measured is None or self._measured[0] != width:
            self._measured = (width, self._arrange(width))
        return self._measured[1]

    def resized(self) -> None:
        """Measure anew at the next arranging: a part changed its height by itself."""
        self._measured = None

    def settle(self) -> None:
        """Put all parts where ``arrange`` wants them."""
        for widget, box in reversed(self._places):
            widget.setGeometry(box)
        self._places = []

    def _arrange(self, width: int) -> int:
        self._places = []
        if self.bare and self._notice is not None:
            return self._put(self._notice, 0, 0, width)
        here = look()
        pad, gap = here.px(14), here.px(8)
        inner = width - 2 * pad
        self._lay_header(width)
        y = here.px(12) + card_paint.header_height(self.kind)
        y += here.px(8 if self.kind is RowKind.AGENTS else 4)
        if self._thinking is not None and not self._thinking.isHidden():
            y = self._put(self._thinking, y, pad, inner) + here.px(4)
        for card in self._tools[: len(self._tools_shown)]:
            y = self._put(card, y, pad, inner) + here.px(6)
        if self._tools_shown:
            y += here.px(4)
        for widget in self.segments:
            y = self._put(widget, y, pad, inner) + gap
        wait, self.wait_box = self.wait_box, QRect()
        if not self.segments and self.message.state is MessageState.STREAMING:
            self.wait_box = QRect(pad, y, inner, here.px(21))
            y += here.px(21) + gap
        if self._chips:
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            y += flow([*self._chips], inner, QPoint(pad, y), here.px(6), mirrored) + gap
        if self._notice is not None and not self._notice.isHidden():
            y = self._put(self._notice, y, pad, inner) + gap
        before = (wait, self.footer_box)
        y = self._arrange_foot(y, pad, inner)
        if before != (self.wait_box, self.footer_box):
            for box in (*before, self.wait_box, self.footer_box):
                self.update(0, box.y(), width, box.height())
        return y + here.px(4)

    def _lay_header(self, width: int) -> None:
        """Lay the header out again only where one of its words or its room changed: text grows 30 times a second."""
        message = self.message
        words = (message.author, message.model, message.time, message.pinned)
        key = (width, self.kind, words, self.layoutDirection(), look())
        if key != self._header_key:
            self._header_key = key
            self.header = card_paint.header(self, width)

    def _arrange_foot(self, y: int, pad: int, inner: int) -> int:
        here, gap = look(), look().px(8)
        self.footer_box = QRect()
        branch = QSize(0, 0)
        if self._branch is not None and not self._branch.isHidden():
            branch = self._branch.sizeHint()
        words = card_paint.footer_text(self.message)
        if words or not branch.isEmpty():
            tall = here.px(20)
            self.footer_box = QRect(pad, y, inner - branch.width(), tall)
            if self._branch is not None and not branch.isEmpty():
                spot = QRect(pad + inner - branch.width(), y - here.px(1), branch.width(), branch.height())
                self._branch.setGeometry(card_paint.flipped(self, spot))
            y += tall + gap
        if self._actions is not None and not self._actions.isHidden():
            y = self._put(self._actions, y, pad, inner) + gap
        return y

    def _put(
        self,
        widget: SegmentWidget | ThinkingSegment | ToolCallCard | NoticePanel | ActionRow,
        y: int,
        left: int,
        width: int,
    ) -> int:
        height = widget.height_for(width)
        self._places.append((widget, QRect(left, y, width, height)))
        return y + height

    # Drawing and events

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw frame, header and footer."""
        if not self.bare:
            card_paint.paint(self, event.rect())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the lower edge anew where the card only grew; the pixels above it are still right."""
        old, new = event.oldSize(), event.size()
        if old.width() != new.width():
            self.update()
            return
        edge = look().px(12)
        low = min(old.height(), new.height()) - edge
        self.update(0, low, new.width(), new.height() - low)

    def texts(self) -> list[TextSegment]:
        """Return the text widgets of the message, in order."""
        return [text for widget in self.segments if (text := text_of(widget)) is not None]

    def set_focused(self, focused: bool) -> None:
        """Draw the frame of the present message or leave it away."""
        if focused != self.focused:
            self.focused = focused
            self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Tell the view, which shows the actions here."""
        self.events.hovered.emit(self)
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Tell the view."""
        self.events.hovered.emit(None)
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the message."""
        self.events.menu.emit(self, event.globalPos())
        event.accept()

    def parts(self) -> list[QWidget]:
        """Return the parts in the order they are read."""
        every = (self._thinking, *self._tools, *self.segments, *self._chips, self._notice, self._branch)
        return [part for part in (*every, self._actions) if part is not None and not part.isHidden()]

    def details(self) -> str:
        """Return what a screen reader says after the beginning of the message: model, state and cost."""
        return " · ".join(part for part in (self.message.model, card_paint.footer_text(self.message)) if part)

    def title(self) -> str:
        """Return the author as shown."""
        return self.message.author or _("Unnamed")


def text_of(widget: SegmentWidget) -> TextSegment | None:
    """Return the selectable text within a segment's widget."""
    if isinstance(widget, CodeSegment):
        return widget.text
    return widget if isinstance(widget, ProseSegment) else None


def _widget_class(segment: Segment) -> type:
    match segment.kind:
        case SegmentKind.CODE:
            return CodeSegment
        case SegmentKind.MATH:
            return MathSegment
        case SegmentKind.TABLE if segment.cells:
            return TableSegment
        case _:
            return ProseSegment


def _made(known: _Part | None, kind: Callable[[QWidget, RowEvents], _Part], card: MessageCard) -> _Part:
    return known if known is not None else kind(card, card.events)
