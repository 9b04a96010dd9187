"""The rows of one chat as a Qt model, with the answers that are streaming now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.transcript.flush import FlushClock, flush_clock
from desktop.transcript.rows import Message, MessageState, RowKind, TranscriptRow
from desktop.transcript.segments import Segment, split
from desktop.transcript.stream_buffer import StreamBuffer

_CACHED_MESSAGES = 256
_Index = QModelIndex | QPersistentModelIndex


class TranscriptRole(IntEnum):
    """Roles beside Qt's own."""

    ROW = Qt.ItemDataRole.UserRole + 1
    ID = Qt.ItemDataRole.UserRole + 2
    KIND = Qt.ItemDataRole.UserRole + 3
    AUTHOR = Qt.ItemDataRole.UserRole + 4
    TEXT = Qt.ItemDataRole.UserRole + 5
    STATE = Qt.ItemDataRole.UserRole + 6
    REVISION = Qt.ItemDataRole.UserRole + 7


@dataclass(slots=True)
class _Live:
    """An answer on its way; ``revision`` is what the view has shown."""

    text: StreamBuffer
    thinking: StreamBuffer = field(default_factory=StreamBuffer)


class TranscriptModel(QAbstractListModel):
    """Rows in order. Live text is fed by ``append_delta`` and shown at the flush clock's pace.

    Signals: ``live_changed(set of message ids)`` after each flush, ``message_finished(message id)``.
    """

    live_changed = Signal(object)
    message_finished = Signal(str)

    def __init__(self, parent: QObject | None = None, clock: FlushClock | None = None) -> None:
        super().__init__(parent)
        self._rows: list[TranscriptRow] = []
        self._places: dict[str, int] = {}
        self._row_of: dict[str, str] = {}
        self._live: dict[str, _Live] = {}
        self._changed: set[str] = set()
        self._segments: dict[str, tuple[str, tuple[Segment, ...]]] = {}
        self._clock = clock or flush_clock()
        self._seen = False

    # What Qt asks

    def rowCount(self, parent: _Index | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a row's value; texts are those of the whole row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | TranscriptRole.TEXT:
                return "\n\n".join(self.text(message.id) for message in row.messages)
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.spoken()
            case TranscriptRole.ROW:
                return row
            case TranscriptRole.ID:
                return row.id
            case TranscriptRole.KIND:
                return str(row.kind)
            case TranscriptRole.AUTHOR:
                return ", ".join(message.author for message in row.messages)
            case TranscriptRole.STATE:
                return ", ".join(str(message.state) for message in row.messages)
            case TranscriptRole.REVISION:
                return sum(self._live[m.id].text.revision for m in row.messages if m.id in self._live)
        return None

    # What the view asks

    def row(self, place: int) -> TranscriptRow:
        """Return the row at a place; IndexError outside."""
        return self._rows[place]

    def place(self, row_id: str) -> int:
        """Return the place of a row, -1 if it is not here."""
        return self._places.get(row_id, -1)

    def place_of_message(self, message_id: str) -> int:
        """Return the place of the row that holds a message, -1 if none does."""
        return self._places.get(self._row_of.get(message_id, ""), -1)

    def message(self, message_id: str) -> Message | None:
        """Return a message as last saved (live text not included)."""
        place = self.place_of_message(message_id)
        if place < 0:
            return None
        return next((message for message in self._rows[place].messages if message.id == message_id), None)

    def text(self, message_id: str) -> str:
        """Return the Markdown of a message, live text included."""
        if message_id in self._live:
            return self._live[message_id].text.text
        message = self.message(message_id)
        return message.text if message else ""

    def thinking(self, message_id: str) -> str:
        """Return the thinking of a message, live text included."""
        if message_id in self._live:
            return self._live[message_id].thinking.text
        message = self.message(message_id)
        return message.thinking if message else ""

    def is_live(self, message_id: str) -> bool:
        """Tell whether an answer is being streamed into."""
        return message_id in self._live

    def segments(self, message: Message, kind: RowKind) -> tuple[Segment, ...]:
        """Return the segments of a message; those of recent ones are kept."""
        if live := self._live.get(message.id):
            return live.text.segments()
        known = self._segments.get(message.id)
        if known is not None and known[0] == message.text:
            return known[1]
        parts = split(message.text, breaks=kind is RowKind.OWNER)
        while len(self._segments) >= _CACHED_MESSAGES:
            del self._segments[next(iter(self._segments))]
        self._segments[message.id] = (message.text, parts)
        return parts

    # What the wiring changes

    def set_rows(self, rows: Iterable[TranscriptRow]) -> None:
        """Show another chat."""
        self.beginResetModel()
        self._rows = list(rows)
        self._live.clear()
        self._changed.clear()
        self._segments.clear()
        self._renumber()
        for row in self._rows:
            self._begin_streams(row)
        self.endResetModel()

    def append(self, row: TranscriptRow) -> None:
        """Add a row at the end."""
        self.insert(len(self._rows), [row])

    def insert(self, place: int, rows: Sequence[TranscriptRow]) -> None:
        """Add rows before a place (0 for older history)."""
        if not rows:
            return
        self.beginInsertRows(QModelIndex(), place, place + len(rows) - 1)
        self._rows[place:place] = rows
        if place + len(rows) == len(self._rows):
            for offset, row in enumerate(rows):
                self._note(place + offset, row)
        else:
            self._renumber()
        for row in rows:
            self._begin_streams(row)
        self.endInsertRows()

    def remove(self, row_id: str) -> None:
        """Take a row away; unknown ids are no error because a run may end after its chat was cleared."""
        place = self.place(row_id)
        if place < 0:
            return
        self.beginRemoveRows(QModelIndex(), place, place)
        gone = self._rows.pop(place)
        for message in gone.messages:
            self._live.pop(message.id, None)
        self._renumber()
        self.endRemoveRows()

    def replace_row(self, row: TranscriptRow) -> None:
        """Exchange the row with the same id; KeyError if there is none."""
        place = self._places[row.id]
        known = self._rows[place]
        for message in known.messages:
            self._row_of.pop(message.id, None)
        self._rows[place] = row
        self._note(place, row)
        ended = [m.id for m in row.messages if m.id in self._live and m.state is not MessageState.STREAMING]
        for message_id in ended:
            del self._live[message_id]
            self._changed.discard(message_id)
        self._begin_streams(row)
        index = self.index(place)
        self.dataChanged.emit(index, index)
        for message_id in ended:
            self.message_finished.emit(message_id)

    def update_message(self, message: Message) -> None:
        """Exchange one message; a state other than STREAMING ends its live text. KeyError if unknown."""
        row = self._rows[self._places[self._row_of[message.id]]]
        messages = tuple(message if old.id == message.id else old for old in row.messages)
        self.replace_row(replace(row, messages=messages))

    def append_delta(self, message_id: str, delta: str) -> None:
        """Add text to a live answer; KeyError if the message does not stream."""
        self._live[message_id].text.feed(delta)
        self._mark(message_id)

    def append_thinking(self, message_id: str, delta: str) -> None:
        """Add thinking to a live answer; KeyError if the message does not stream."""
        self._live[message_id].thinking.feed(delta)
        self._mark(message_id)

    # What the clock asks

    @property
    def seen(self) -> bool:
        """Tell whether a view shows this chat now."""
        return self._seen

    def set_seen(self, seen: bool) -> None:
        """Follow the view: an unseen chat is flushed twice a second."""
        self._seen = seen
        if seen and self._changed:
            self.flush()

    def flush(self) -> None:
        """Tell the views which live messages have grown."""
        changed, self._changed = self._changed & set(self._live), set()
        if not changed:
            return
        for place in sorted({self.place_of_message(message_id) for message_id in changed}):
            index = self.index(place)
            self.dataChanged.emit(index, index, [TranscriptRole.TEXT, TranscriptRole.REVISION])
        self.live_changed.emit(changed)

    def ask_again(self, message_ids: set[str]) -> None:
        """Flush messages again at the next tick: the view had no time for them in this one."""
        for message_id in message_ids & set(self._live):
            self._mark(message_id)

    def _mark(self, message_id: str) -> None:
        if message_id not in self._changed:
            self._changed.add(message_id)
            self._clock.request(self)

    def _begin_streams(self, row: TranscriptRow) -> None:
        for message in row.messages:
            if message.state is MessageState.STREAMING and message.id not in self._live:
                self._live[message.id] = _Live(StreamBuffer(message.text), StreamBuffer(message.thinking))

    def _note(self, place: int, row: TranscriptRow) -> None:
        self._places[row.id] = place
        for message in row.messages:
            self._row_of[message.id] = row.id

    def _renumber(self) -> None:
        self._places.clear()
        self._row_of.clear()
        for place, row in enumerate(self._rows):
            self._note(place, row)
