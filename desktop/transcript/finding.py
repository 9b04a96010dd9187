"""Find in chat: which messages contain a text, and the walk among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.theme.appearance import look
from desktop.transcript.find_bar import FindBar, matches
from desktop.transcript.row import MessageRow

if TYPE_CHECKING:
    from desktop.transcript.view import TranscriptView


class Finding(QObject):
    """Owns the bar, the messages found and the highlights.

    ``searched(text)``: what the model holds was searched; ``add`` brings what is found elsewhere.
    ``wanted(message id)``: a message found is not in the model; ``show_current`` shows it once it is.
    """

    searched = Signal(str)
    wanted = Signal(str)

    def __init__(self, view: TranscriptView) -> None:
        super().__init__(view)
        self._view = view
        self._found: list[str] = []
        self._at = -1
        self._needle = ""
        self.bar = FindBar(view)
        self.bar.searched.connect(self.search)
        self.bar.stepped.connect(self.step)
        self.bar.closed.connect(self.close)

    @property
    def found(self) -> list[str]:
        """Return the ids of the messages found, in order."""
        return self._found

    @property
    def current(self) -> str:
        """Return the id of the message found that is shown, empty for none."""
        return self._found[self._at] if 0 <= self._at < len(self._found) else ""

    def open(self) -> None:
        """Open the bar with what is selected."""
        self.arrange()
        self.bar.open_with(self._view.selection.text()[:200])

    def close(self) -> None:
        """Close the bar and clear the highlights."""
        self.bar.hide()
        self.forget()
        self._view.setFocus()

    def forget(self) -> None:
        """Drop what was found (another chat is shown)."""
        self._found, self._at, self._needle = [], -1, ""
        self._show()

    def arrange(self) -> None:
        """Keep the bar in the upper corner."""
        here = look()
        width = min(here.px(380), self._view.viewport().width() - here.px(24))
        height = self.bar.sizeHint().height()
        left = self._view.viewport().width() - width - here.px(14)
        self.bar.setGeometry(left, here.px(10), width, height)

    def search(self, text: str) -> None:
        """Find a text; begins with the last message that contains it."""
        model = self._view.model()
        self._needle = text.strip()
        self._found = matches(model, self._needle) if model is not None else []
        self._at = len(self._found) - 1
        self.show_current()
        if self._needle:
            self.searched.emit(self._needle)

    def add(self, text: str, found: Sequence[str]) -> None:
        """Add the messages of the whole chat that contain a text, in order, if it is still looked for."""
        if text != self._needle:
            return
        here, known = self.current, set(found)
        self._found = [*found, *(each for each in self._found if each not in known)]
        self._at = self._found.index(here) if here else len(self._found) - 1
        if here:
            self._count()
        else:
            self.show_current()

    def step(self, by: int) -> None:
        """Go to the next or previous message found, round the ends."""
        if self._found:
            self._at = (self._at + by) % len(self._found)
            self.show_current()

    def show_current(self) -> None:
        """Bring the message found into sight, or ask for it."""
        model = self._view.model()
        if self.current and model is not None and model.place_of_message(self.current) < 0:
            self.wanted.emit(self.current)
        elif self.current:
            self._view.scroll_to_message(self.current)
        self._show()
        if self.current:
            self._bring_into_sight()
        self._count()

    def _count(self) -> None:
        self.bar.show_count(self._at + 1, len(self._found))

    def _bring_into_sight(self) -> None:
        card = self._view.card_at(self.current)
        if card is None:
            return
        for text in card.texts():
            spot = text.first_found_y(self._needle)
            if spot is not None:
                top = text.editor().mapTo(self._view.viewport(), text.editor().rect().topLeft()).y() + spot
                height = self._view.viewport().height()
                if not look().px(60) <= top <= height - look().px(40):
                    self._view.scroll_by(top - height // 3)
                return

    def _show(self) -> None:
        for row in self._view.layout_.rows.values():
            self.show_on(row)

    def show_on(self, row: MessageRow) -> None:
        """Highlight in a row that has just been bound."""
        for card in row.cards:
            for text in card.texts():
                text.show_found(self._needle, card.message.id == self.current)
