"""A selection that runs over several messages: kept by row and character, whatever is recycled meanwhile."""

from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextCursor, QTextDocument

from desktop.transcript.card import MessageCard
from desktop.transcript.model import TranscriptModel
from desktop.transcript.row import MessageRow
from desktop.transcript.row_layout import RowLayout
from desktop.transcript.segments import Segment, SegmentKind
from desktop.transcript.text_segment import TextSegment, plain_text


@dataclass(frozen=True, slots=True, order=True)
class TextPoint:
    """A character of the transcript: row, message within it, segment within that, position."""

    place: int
    message: int
    segment: int
    position: int

    @property
    def key(self) -> tuple[int, int, int]:
        """Return the segment it is in."""
        return self.place, self.message, self.segment


class TranscriptSelection:
    """From one point to another; the widgets only show it."""

    def __init__(self, layout: RowLayout) -> None:
        self._layout = layout
        self._model: TranscriptModel | None = None
        self._start: TextPoint | None = None
        self._end: TextPoint | None = None

    def set_model(self, model: TranscriptModel | None) -> None:
        """Forget the selection of another chat."""
        self._model = model
        self._start = self._end = None

    @property
    def empty(self) -> bool:
        """Tell whether nothing is selected."""
        return self._start is None or self._start == self._end

    def press(self, segment: TextSegment, point: QPoint, extend: bool) -> None:
        """Begin at a point of a text (or extend to it with Shift)."""
        here = self.point_of(segment, segment.position_at(point))
        if here is None:
            return
        if not extend or self._start is None:
            self._start = here
        self._end = here
        self.show()

    def extend_to(self, where: QPoint) -> None:
        """Extend to the text nearest to a point of the viewport."""
        hit = self._hit(where)
        if hit is not None and self._start is not None and hit != self._end:
            self._end = hit
            self.show()

    def adopt(self, segment: TextSegment) -> None:
        """Take over what a double click selected within one text."""
        cursor = segment.editor().textCursor()
        self._start = self.point_of(segment, cursor.selectionStart())
        self._end = self.point_of(segment, cursor.selectionEnd())
        self.show()

    def clear(self) -> None:
        """Select nothing."""
        if self._start is not None:
            self._start = self._end = None
            self.show()

    def select_all(self) -> None:
        """Select the whole chat."""
        if self._model is None or not self._model.rowCount():
            return
        last = self._model.rowCount() - 1
        self._start = TextPoint(0, 0, 0, 0)
        self._end = TextPoint(last, 1 << 20, 1 << 20, 1 << 30)
        self.show()

    def point_of(self, segment: TextSegment, position: int) -> TextPoint | None:
        """Return the point of a character of a text."""
        if self._model is None:
            return None
        place = self._model.place_of_message(segment.message_id)
        if place < 0:
            return None
        ids = [message.id for message in self._model.row(place).messages]
        return TextPoint(place, ids.index(segment.message_id), segment.segment_index, position)

    def _hit(self, where: QPoint) -> TextPoint | None:
        rows = sorted((row.y(), place) for place, row in self._layout.rows.items())
        for top, place in rows:
            row = self._layout.rows[place]
            if where.y() <= top + row.height() or place == rows[-1][1]:
                return self._hit_row(row, where - row.pos())
        return None

    def _hit_row(self, row: MessageRow, where: QPoint) -> TextPoint | None:
        def distance(card: MessageCard) -> int:
            box = card.geometry()
            across = max(box.left() - where.x(), 0, where.x() - box.right())
            return across + max(box.top() - where.y(), 0, where.y() - box.bottom())

        texts = [text for card in sorted(row.cards, key=distance)[:1] for text in card.texts()]
        for text in texts:
            inner = text.editor().mapFrom(row, where)
            if inner.y() < text.editor().height() or text is texts[-1]:
                return self.point_of(text, text.position_at(inner))
        return None

    def show(self) -> None:
        """Show the selection on all rows that are on screen."""
        for place, row in self._layout.rows.items():
            self.show_on(row, place)

    def show_on(self, row: MessageRow, place: int) -> None:
        """Show the selection on a row that has just been bound."""
        low, high = self._ends()
        for index, card in enumerate(row.cards):
            for text in card.texts():
                start, end = self._range((place, index, text.segment_index), text.length(), low, high)
                cursor = text.editor().textCursor()
                if cursor.hasSelection() or start != end:
                    text.select(start, end)

    def _ends(self) -> tuple[TextPoint | None, TextPoint | None]:
        if self._start is None or self._end is None:
            return None, None
        return min(self._start, self._end), max(self._start, self._end)

    @staticmethod
    def _range(
        key: tuple[int, int, int], length: int, low: TextPoint | None, high: TextPoint | None
    ) -> tuple[int, int]:
        if low is None or high is None or key < low.key or key > high.key:
            return 0, 0
        return (low.position if key == low.key else 0, high.position if key == high.key else length)

    def text(self) -> str:
        """Return what is selected; whole segments as Markdown, parts of one as plain text."""
        low, high = self._ends()
        if self._model is None or low is None or high is None or low == high:
            return ""
        pieces: list[str] = []
        for place in range(low.place, high.place + 1):
            row = self._model.row(place)
            for index, message in enumerate(row.messages):
                for number, segment in enumerate(self._model.segments(message, row.kind)):
                    key = (place, index, number)
                    if low.key <= key <= high.key:
                        pieces.append(self._piece(segment, key, low, high))
        return "\n\n".join(piece for piece in pieces if piece)

    def _piece(self, segment: Segment, key: tuple[int, int, int], low: TextPoint, high: TextPoint) -> str:
        if low.key < key < high.key:
            return segment.markdown()
        document = QTextDocument()
        if segment.kind is SegmentKind.CODE:
            document.setPlainText(segment.source)
        else:
            document.setHtml(segment.html)
        length = max(0, document.characterCount() - 1)
        start, end = self._range(key, length, low, high)
        start, end = min(start, length), min(end, length)
        if (start, end) == (0, length):
            return segment.markdown()
        cursor = QTextCursor(document)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return plain_text(cursor.selection())


def extends(modifiers: Qt.KeyboardModifier) -> bool:
    """Tell whether a press extends the selection."""
    return bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
