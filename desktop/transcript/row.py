"""One row of the transcript: a card, or several side by side (below one another where it is narrow)."""

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QFrame, QWidget

from desktop.theme.appearance import look
from desktop.transcript.card import MessageCard
from desktop.transcript.events import RowEvents
from desktop.transcript.model import TranscriptModel
from desktop.transcript.rows import TranscriptRow

COLUMN_MINIMUM = 250
"""Width of a card below which answers stand below one another."""

Opened = Callable[[str], frozenset[str]]
"""Names of the open folded parts of a message."""


class MessageRow(QFrame):
    """Bound to a row of the model and recycled when it leaves the window."""

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self.events = events
        self.row: TranscriptRow | None = None
        self._cards: list[MessageCard] = []
        self._places: list[tuple[MessageCard, QRect]] = []
        # What is opaque and keeps its pixels when it grows is moved by copying; otherwise each new line of
        # one answer paints all of them anew.
        self.setAutoFillBackground(True)
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)

    @property
    def cards(self) -> list[MessageCard]:
        """Return the cards in use."""
        return self._cards[: len(self.row.messages)] if self.row else []

    def bind(self, row: TranscriptRow, model: TranscriptModel, opened: Opened) -> None:
        """Show a row of the model."""
        self.row = row
        while len(self._cards) < len(row.messages):
            self._cards.append(MessageCard(self, self.events))
        for card, message in zip(self._cards, row.messages, strict=False):
            parts = model.segments(message, row.kind)
            card.bind(message, row.kind, parts, model.thinking(message.id), opened(message.id))
            card.show()
        for card in self._cards[len(row.messages) :]:
            card.hide()
        self.setAccessibleName(row.spoken())

    def arrange(self, width: int) -> int:
        """Measure the cards at a width; return the height of the row. ``settle`` puts them there."""
        cards, gap = self.cards, look().px(14)
        columns = max(1, min(len(cards), (width + gap) // (look().px(COLUMN_MINIMUM) + gap)))
        if columns == 3 and len(cards) == 4:
            columns = 2
        wide = (width - gap * (columns - 1)) // columns
        self._places = []
        y = 0
        for start in range(0, len(cards), columns):
            line = cards[start : start + columns]
            tall = max(card.arrange(wide) for card in line)
            ordered = line if self.layoutDirection() == self.layoutDirection().LeftToRight else line[::-1]
            for place, card in enumerate(ordered):
                self._places.append((card, QRect(place * (wide + gap), y, wide, tall)))
            y += tall + gap
        return max(1, y - gap)

    def settle(self) -> None:
        """Put the cards where ``arrange`` wants them, after the row itself has its place and size.

        The lowest go first: then pixels are copied onto ground that is free, and only what is new is painted.
        """
        for card, box in reversed(self._places):
            card.setGeometry(box)
            card.settle()
        self._places = []

    def card_of(self, message_id: str) -> MessageCard | None:
        """Return the card of a message of this row."""
        return next((card for card in self.cards if card.message.id == message_id), None)
