"""Which rows are on screen and where: heights, pool and anchor of the virtual list."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from desktop.theme.appearance import look
from desktop.transcript.estimate import Measure, guesses, measure
from desktop.transcript.heights import HeightIndex
from desktop.transcript.model import TranscriptModel
from desktop.transcript.row import COLUMN_MINIMUM, MessageRow

GAP = 16
MARGIN = 18
COLUMN = 680
WIDE_COLUMN = 760


def side_margin(width: float) -> int:
    """Return the margin beside the column, as the composer below has it too; lengths at zoom 1."""
    return 12 if width < 520 else 24


@dataclass(slots=True)
class Anchor:
    """The row at the top of the window and how many of its pixels are above it."""

    place: int = 0
    offset: int = 0


class RowLayout:
    """Places pooled rows in a viewport. Heights are guessed until a row is seen, then exact.

    The anchor is a row and an offset, never a pixel of the whole: what is read stays where it is,
    whatever happens above or below.
    """

    def __init__(
        self,
        viewport: QWidget,
        make: Callable[[], MessageRow],
        bind: Callable[[MessageRow, int], None],
        released: Callable[[MessageRow], None],
    ) -> None:
        self._viewport = viewport
        self._make, self._bind, self._released = make, bind, released
        self._model: TranscriptModel | None = None
        self._measures: list[Measure] = []
        self._pool: list[MessageRow] = []
        self._dirty: set[int] = set()
        self._width = 0
        self.heights = HeightIndex()
        self.rows: dict[int, MessageRow] = {}
        self.anchor = Anchor()
        self.pinned: MessageRow | None = None

    # Content

    def set_model(self, model: TranscriptModel | None) -> None:
        """Begin with other content."""
        self._model = model
        self.release_all()
        count = model.rowCount() if model else 0
        self._measures = [measure(model.row(place)) for place in range(count)] if model else []
        self._guess_all()
        self.anchor = Anchor()

    def insert(self, first: int, last: int) -> None:
        """Make room for new rows; the anchor stays on the row it names."""
        assert self._model is not None
        new = [measure(self._model.row(place)) for place in range(first, last + 1)]
        at_end = first == len(self._measures)
        self._measures[first:first] = new
        if at_end:
            for item in new:
                self.heights.append(self._guess(item))
            return
        self._shift(first, last - first + 1)
        self.heights.reset(
            [
                *(self.heights[place] for place in range(first)),
                *map(self._guess, new),
                *(self.heights[place] for place in range(first, len(self.heights))),
            ]
        )

    def remove(self, first: int, last: int) -> None:
        """Forget rows."""
        for place in range(first, last + 1):
            self._release(place)
        del self._measures[first : last + 1]
        known = [self.heights[place] for place in range(len(self.heights))]
        del known[first : last + 1]
        self.heights.reset(known)
        self._shift(last + 1, -(last - first + 1))

    def _shift(self, first: int, by: int) -> None:
        self.rows = {place + by if place >= first else place: row for place, row in self.rows.items()}
        self._dirty = {place + by if place >= first else place for place in self._dirty}
        if self.anchor.place >= first:
            self.anchor.place += by

    def changed(self, place: int) -> None:
        """Bind a row again because its content changed."""
        assert self._model is not None
        self._measures[place] = measure(self._model.row(place))
        if place in self.rows:
            self._bind(self.rows[place], place)
            self._dirty.add(place)
        else:
            self.heights.change(place, self._guess(self._measures[place]))

    def grown(self, place: int) -> None:
        """Measure a row anew at the next placing."""
        self._dirty.add(place)

    def rebind_all(self) -> None:
        """Show everything anew, with the look in force."""
        self._guess_all()
        for place, row in self.rows.items():
            self._bind(row, place)
            self._dirty.add(place)

    # Geometry

    @property
    def total(self) -> int:
        """Return the height of everything, margins included."""
        return self.heights.total - (look().px(GAP) if len(self.heights) else 0) + 2 * look().px(MARGIN)

    @property
    def value(self) -> int:
        """Return the pixels above the window."""
        return look().px(MARGIN) + self.heights.before(self.anchor.place) + self.anchor.offset

    @property
    def at_end(self) -> bool:
        """Tell whether the last row's end is in the window or nearly so."""
        return self.value + self._viewport.height() >= self.total - look().px(24)

    def column(self) -> tuple[int, int]:
        """Return left edge and width of the column of rows, in the middle of the view with its scroll bar."""
        here, wide = look(), self._whole_width()
        width = min(here.px(COLUMN), wide - 2 * here.px(side_margin(wide / here.zoom)))
        return self._left(width), max(120, width)

    def wide_column(self) -> tuple[int, int]:
        """Return left edge and width of rows that hold more than two answers."""
        here = look()
        if self._whole_width() < here.px(WIDE_COLUMN + 48):
            return self.column()
        return self._left(here.px(WIDE_COLUMN)), here.px(WIDE_COLUMN)

    def _whole_width(self) -> int:
        view = self._viewport.parentWidget()
        return view.width() if view is not None else self._viewport.width()

    def _left(self, width: int) -> int:
        return (self._whole_width() - width) // 2 - self._viewport.x()

    def _column_of(self, place: int) -> tuple[int, int]:
        return self.wide_column() if self._measures[place][3] > 2 else self.column()

    def _guess(self, item: Measure) -> int:
        return self._guesses([item])[0]

    def _guesses(self, items: list[Measure]) -> list[int]:
        here, width = look(), self._width or self.column()[1]
        return guesses(items, width, max(1, width // here.px(COLUMN_MINIMUM)), here, here.px(GAP))

    def _guess_all(self) -> None:
        self._width = self.column()[1]
        self.heights.reset(self._guesses(self._measures))

    def resized(self) -> None:
        """Follow another width of the column."""
        if self.column()[1] != self._width:
            exact = {place: self.heights[place] for place in self.rows}
            self._guess_all()
            for place, height in exact.items():
                self.heights.change(place, height)
            self._dirty.update(self.rows)

    def scroll_by(self, pixels: int) -> None:
        """Move the window over the rows."""
        self.anchor.offset += pixels

    def scroll_to_value(self, value: int) -> None:
        """Move the window to a place of the scroll bar."""
        self.anchor.place, self.anchor.offset = self.heights.find(value - look().px(MARGIN))

    def scroll_to_end(self) -> None:
        """Move the window to the last row's end."""
        if len(self.heights):
            last = len(self.heights) - 1
            self.anchor = Anchor(last, self.heights[last] + self._viewport.height())

    # Placing

    def place(self) -> None:
        """Bind what is seen, measure it, put it in its place and recycle the rest."""
        count = len(self.heights)
        if not count or self._model is None:
            self.release_all()
            self.anchor = Anchor()
            return
        height = self._viewport.height()
        margin, gap = look().px(MARGIN), look().px(GAP)
        self.anchor.place = max(0, min(count - 1, self.anchor.place))
        first = last = self.anchor.place
        top = -self.anchor.offset
        bottom = top + self._exact(first)
        # Each correction at one end may call for rows at the other; two rounds settle it.
        for _round in range(4):
            while first > 0 and top > 0:
                first -= 1
                top -= self._exact(first)
            while last < count - 1 and bottom < height:
                last += 1
                bottom += self._exact(last)
            shift = 0
            if last == count - 1 and bottom - gap + margin < height:
                shift = height - (bottom - gap + margin)
            if first == 0 and top + shift > margin:
                shift = margin - top
            top, bottom = top + shift, bottom + shift
            if not shift:
                break
        self._put(first, last, top)

    def _put(self, first: int, last: int, top: int) -> None:
        height, wanted = self._viewport.height(), {}
        anchored = False
        y = top
        for place in range(first, last + 1):
            tall = self.heights[place]
            if y + tall > 0 and y < height:
                wanted[place] = y
                if not anchored:
                    self.anchor, anchored = Anchor(place, -y), True
            y += tall
        if not anchored:
            self.anchor = Anchor(first, -top)
            wanted[first] = top
        for place in [place for place in self.rows if place not in wanted]:
            if self.rows[place] is not self.pinned:
                self._release(place)
            else:
                self.rows[place].move(self.rows[place].x(), -self.rows[place].height() - 4)
        for place, y in wanted.items():
            row = self.rows[place]
            left, width = self._column_of(place)
            row.setGeometry(left, y, width, self.heights[place] - look().px(GAP))
            row.settle()
            if row.isHidden():
                row.show()

    def _exact(self, place: int) -> int:
        row = self.rows.get(place)
        if row is None:
            row = self._pool.pop() if self._pool else self._make()
            self.rows[place] = row
            self._bind(row, place)
            self._dirty.add(place)
        if place in self._dirty:
            self._dirty.discard(place)
            self.heights.change(place, row.arrange(self._column_of(place)[1]) + look().px(GAP))
        return self.heights[place]

    def exact(self, place: int) -> int:
        """Bind and measure a row that is about to be shown; return its height."""
        return self._exact(place)

    def _release(self, place: int) -> None:
        row = self.rows.pop(place, None)
        self._dirty.discard(place)
        if row is not None:
            self._released(row)
            row.hide()
            self._pool.append(row)

    def release_all(self) -> None:
        """Put all rows back into the pool."""
        self.pinned = None
        for place in list(self.rows):
            self._release(place)
