"""The transcript's view: a virtual list of pooled rows that stays where it is read."""

from dataclasses import dataclass
from time import perf_counter

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from desktop.theme.appearance import appearance, look
from desktop.transcript.accessible import focus_on, install
from desktop.transcript.action_bar import ActionBar
from desktop.transcript.announce import announce
from desktop.transcript.card import MessageCard
from desktop.transcript.events import RowEvents
from desktop.transcript.finding import Finding
from desktop.transcript.message_menu import MessageCommands
from desktop.transcript.model import TranscriptModel
from desktop.transcript.row import MessageRow
from desktop.transcript.row_layout import Anchor
from desktop.transcript.scroll_area import RowScrollArea
from desktop.transcript.selection import TranscriptSelection, extends
from desktop.transcript.text_segment import TextSegment
from resources.language import gettext as _

_BUDGET = 0.001
"""Seconds of a flush after which the answers left wait for the next one."""


@dataclass(frozen=True, slots=True)
class ScrollPosition:
    """Where a chat was left: a row and pixels within it; ``following`` means at its end."""

    row_id: str = ""
    offset: int = 0
    following: bool = True


class TranscriptView(RowScrollArea):
    """Shows a TranscriptModel. Message ids, not row ids, are in the signals.

    ``link_requested(url)``: a link was clicked; ask before opening it.
    ``citation_activated(message id, index)``: a citation chip was clicked.
    ``attachment_activated(message id, attachment id)``: an attachment chip was clicked.
    ``action_requested(message id, name)``: pin, unpin, regenerate, resume, retry, discard, or the name
    of a notice's own button. ``edit_requested(message id)``; ``quote_requested(Markdown)`` is quoted text
    for the composer; ``branch_requested(message id, step)`` with step -1 or 1.
    ``typed(text)``: a letter was typed here. ``at_end_changed(bool)`` comes from the scroll area.
    """

    link_requested = Signal(str)
    citation_activated = Signal(str, int)
    attachment_activated = Signal(str, str)
    action_requested = Signal(str, str)
    edit_requested = Signal(str)
    quote_requested = Signal(str)
    branch_requested = Signal(str, int)
    typed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model: TranscriptModel | None = None
        self._opened: dict[str, frozenset[str]] = {}
        self._current = ""
        self._late: dict[str, None] = {}
        self.events = RowEvents(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName(_("Conversation"))
        install()
        self.selection = TranscriptSelection(self.layout_)
        self._bar = ActionBar(self.viewport())
        self.finding = Finding(self)
        self.commands = MessageCommands(self)
        self._connect()

    def _connect(self) -> None:
        events = self.events
        events.link.connect(self.link_requested)
        events.citation.connect(self.citation_activated)
        events.attachment.connect(self.attachment_activated)
        events.branch.connect(self.branch_requested)
        events.action.connect(self.commands.run)
        events.folded.connect(self._fold)
        events.resized.connect(self._card_resized)
        events.hovered.connect(self._hover)
        events.menu.connect(lambda card, where: self.commands.open_menu(card.message.id, where))
        events.pressed.connect(self._press)
        events.moved.connect(self._drag)
        events.released.connect(self._release)
        events.word_selected.connect(self.selection.adopt)
        self._bar.triggered.connect(self.commands.run)
        self._bar.more.connect(self.commands.open_menu)
        appearance().changed.connect(self._restyle)

    # The model

    def model(self) -> TranscriptModel | None:
        """Return the chat shown."""
        return self._model

    def set_model(self, model: TranscriptModel | None) -> None:
        """Show a chat at its end; the one before keeps streaming unseen."""
        if self._model is not None:
            self._model.set_seen(False)
            self._model.disconnect(self)
        self._model = model
        if model is not None:
            model.modelReset.connect(self._reset)
            model.rowsInserted.connect(self._inserted)
            model.rowsRemoved.connect(self._removed)
            model.dataChanged.connect(self._changed)
            model.live_changed.connect(self._grown)
            model.message_finished.connect(self._finished)
            model.set_seen(self.isVisible())
        self._opened.clear()
        self._late.clear()
        self._current = ""
        self._reset()

    def _reset(self) -> None:
        self.following, self.unread = True, False
        self.selection.set_model(self._model)
        self.finding.forget()
        self.layout_.set_model(self._model)
        self.layout_.scroll_to_end()
        self.place()

    def _inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        count = len(self.layout_.heights)
        self.layout_.insert(first, last)
        if first >= count and not self.following:
            self.unread = True
        self.settle()

    def _removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        self.selection.clear()
        self.layout_.remove(first, last)
        self.settle()

    def _changed(self, top: QModelIndex, bottom: QModelIndex, roles: list[int]) -> None:
        if not roles:
            for place in range(top.row(), bottom.row() + 1):
                self.layout_.changed(place)
            self.settle()

    def _grown(self, message_ids: set[str]) -> None:
        model = self._model
        if model is None or not self.isVisible():
            return
        self._late.update(dict.fromkeys(message_ids))
        end = perf_counter() + _BUDGET
        out_of_sight = ""
        for message_id in list(self._late):
            place = model.place_of_message(message_id)
            row = self.layout_.rows.get(place)
            card = row.card_of(message_id) if row else None
            if card is None:
                self.unread = self.unread or not self.following
                del self._late[message_id]
            elif card.visibleRegion().isEmpty():
                out_of_sight = out_of_sight or message_id
            else:
                self._show_live(model, card, place)
                if perf_counter() > end:
                    break
        else:
            # Of the answers out of sight one per flush, so that no flush lays out all of them.
            if (card := self.card_at(out_of_sight)) is not None:
                self._show_live(model, card, model.place_of_message(out_of_sight))
        if self._late:
            model.ask_again(set(self._late))
        self.settle()
        if not self.selection.empty:
            self.selection.show()

    def _show_live(self, model: TranscriptModel, card: MessageCard, place: int) -> None:
        message_id = card.message.id
        self._late.pop(message_id, None)
        parts = model.segments(card.message, card.kind)
        card.show_live(parts, model.thinking(message_id), self._opened_of(message_id))
        self.layout_.grown(place)

    def _finished(self, message_id: str) -> None:
        message = self._model.message(message_id) if self._model else None
        if message is not None and self.isVisible():
            announce(self, message.spoken())

    def placed(self) -> None:
        """Keep the actions at their message and show what there is to say about an empty chat."""
        self._bar.follow()

    # Rows

    def make_row(self) -> MessageRow:
        """Make a row for the pool."""
        row = MessageRow(self.viewport(), self.events)
        row.lower()
        return row

    def bind_row(self, row: MessageRow, place: int) -> None:
        """Show a place of the model in a row."""
        assert self._model is not None
        row.bind(self._model.row(place), self._model, self._opened_of)
        for card in row.cards:
            card.set_focused(card.message.id == self._current and self.hasFocus())
        if not self.selection.empty:
            self.selection.show_on(row, place)
        self.finding.show_on(row)

    def row_released(self, row: MessageRow) -> None:
        """Keep focus and actions away from a row that is recycled."""
        focused = QApplication.focusWidget()
        if focused is not None and row.isAncestorOf(focused):
            self.setFocus()
        if self._bar.card in row.cards:
            self._bar.dismiss()

    def _opened_of(self, message_id: str) -> frozenset[str]:
        return self._opened.get(message_id, frozenset())

    def _fold(self, message_id: str, part: str, opened: bool) -> None:
        known = self._opened_of(message_id)
        self._opened[message_id] = known | {part} if opened else known - {part}
        if self._model is not None and (place := self._model.place_of_message(message_id)) >= 0:
            self.layout_.changed(place)
            self.place()

    def _card_resized(self, widget: QWidget) -> None:
        for place, row in self.layout_.rows.items():
            for card in row.cards:
                if card.isAncestorOf(widget):
                    card.resized()
                    self.layout_.grown(place)
        self.place()

    def _restyle(self) -> None:
        if self._model is not None:
            self.layout_.rebind_all()
        self.place()

    # Places

    def scroll_to_message(self, message_id: str, near: int = 0) -> None:
        """Bring a message into the window; ``near`` is a height within its row that must be seen."""
        place = self._model.place_of_message(message_id) if self._model else -1
        if place < 0:
            return
        height = self.viewport().height()
        row = self.layout_.rows.get(place)
        if row is None or row.y() < 0 or row.y() + min(row.height(), height) > height or near:
            tall = self.layout_.exact(place)
            offset = near - height // 3 if near else -max(look().px(24), (height - tall) // 2)
            self.layout_.anchor = Anchor(place, min(offset, tall))
            self.user_scrolled()

    def scroll_position(self) -> ScrollPosition:
        """Return where the chat is read, to be kept while another one is shown."""
        if self.following or self._model is None or not self._model.rowCount():
            return ScrollPosition()
        anchor = self.layout_.anchor
        return ScrollPosition(self._model.row(anchor.place).id, anchor.offset, False)

    def set_scroll_position(self, position: ScrollPosition) -> None:
        """Go back to where a chat was read; to its end if that row is gone."""
        place = self._model.place(position.row_id) if self._model else -1
        if position.following or place < 0:
            self.scroll_to_end()
            return
        self.following = False
        self.layout_.anchor = Anchor(place, position.offset)
        self.place()

    # Keyboard

    @property
    def current_message(self) -> str:
        """Return the id of the message that the keyboard is on, empty for none."""
        return self._current

    def step(self, by: int) -> None:
        """Go to the next or previous message; from none to the last one on screen."""
        model = self._model
        if model is None or not model.rowCount():
            return
        place = model.place_of_message(self._current)
        if place < 0:
            self.set_current(model.row(max(self.layout_.rows, default=0)).messages[-1].id)
            return
        ids = [message.id for message in model.row(place).messages]
        index = ids.index(self._current) + by
        if 0 <= index < len(ids):
            self.set_current(ids[index])
        elif 0 <= place + by < model.rowCount():
            self.set_current(model.row(place + by).messages[0 if by > 0 else -1].id)

    def set_current(self, message_id: str) -> None:
        """Put the keyboard on a message, bring it into the window and say its name."""
        self._current = message_id
        self.scroll_to_message(message_id)
        self._mark_current()
        if (card := self.card_at(message_id)) is not None and self.hasFocus():
            focus_on(card)

    def _mark_current(self) -> None:
        for row in self.layout_.rows.values():
            for card in row.cards:
                card.set_focused(card.message.id == self._current and self.hasFocus())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step, page, copy, find; letters go to the composer."""
        if not self.commands.press(event):
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which message the keyboard is on."""
        self._mark_current()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide it."""
        self._mark_current()

    def companions(self) -> list[QWidget]:
        """Return what stands beside the messages now: their actions, the pill, find, the scroll bar."""
        every = (self._bar, self._pill, self.finding.bar, self.verticalScrollBar())
        return [widget for widget in every if widget.isVisible()]

    # Pointer

    def card_at(self, message_id: str) -> MessageCard | None:
        """Return the card of a message if it is on screen."""
        found = (row.card_of(message_id) for row in self.layout_.rows.values())
        return next((card for card in found if card is not None), None)

    def _hover(self, card: MessageCard | None) -> None:
        if card is not None:
            self._bar.show_for(card)
        elif not self._bar.covers(self.viewport().mapFromGlobal(self.cursor().pos())):
            self._bar.dismiss()

    def _press(self, segment: TextSegment, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        self.selection.press(segment, point, extends(modifiers))
        rows = self.layout_.rows.values()
        self.layout_.pinned = next((row for row in rows if row.isAncestorOf(segment.editor())), None)

    def _drag(self, segment: TextSegment, where: QPoint) -> None:
        point = self.viewport().mapFromGlobal(where)
        beyond = min(0, point.y()) + max(0, point.y() - self.viewport().height())
        if beyond:
            self.scroll_by(max(-80, min(80, beyond)))
        self.selection.extend_to(point)

    def _release(self, segment: TextSegment, point: QPoint) -> None:
        self.layout_.pinned = None
        if self.selection.empty:
            segment.click(point)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the messages selects nothing."""
        self.selection.clear()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the present message when the menu key was pressed."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self._current:
            self.commands.open_menu(self._current, event.globalPos())

    # Size and visibility

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out at the new width."""
        self.layout_.resized()
        self.settle()
        self.finding.arrange()

    def showEvent(self, event: QShowEvent) -> None:
        """Flush quickly from now on."""
        if self._model is not None:
            self._model.set_seen(True)
            self._grown({id_ for row in self.layout_.rows.values() for id_ in self._live_ids(row)})

    def hideEvent(self, event: QHideEvent) -> None:
        """Flush slowly from now on."""
        if self._model is not None:
            self._model.set_seen(False)

    def _live_ids(self, row: MessageRow) -> list[str]:
        model = self._model
        return [card.message.id for card in row.cards if model and model.is_live(card.message.id)]
