"""Prefix sums of row heights in which one change costs O(log n)."""

from collections.abc import Iterable


class HeightIndex:
    """Heights of all rows in pixels (a Fenwick tree): change one, sum some, find the row at a height."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights: list[int] = []
        self._tree: list[int] = [0]
        self.reset(heights)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, row: int) -> int:
        return self._heights[row]

    @property
    def total(self) -> int:
        """Return the sum of all heights."""
        return self.before(len(self._heights))

    def reset(self, heights: Iterable[int]) -> None:
        """Replace all heights in O(n)."""
        self._heights = list(heights)
        tree = [0, *self._heights]
        for place in range(1, len(tree)):
            parent = place + (place & -place)
            if parent < len(tree):
                tree[parent] += tree[place]
        self._tree = tree

    def append(self, height: int) -> None:
        """Add a row at the end."""
        place = len(self._tree)
        value, step = height, 1
        while step < place & -place:
            value += self._tree[place - step]
            step <<= 1
        self._tree.append(value)
        self._heights.append(height)

    def change(self, row: int, height: int) -> int:
        """Set the height of a row and return the difference to the one before."""
        difference = height - self._heights[row]
        if difference:
            self._heights[row] = height
            place = row + 1
            while place < len(self._tree):
                self._tree[place] += difference
                place += place & -place
        return difference

    def before(self, row: int) -> int:
        """Return the sum of the heights of all rows before a row: its top."""
        total = 0
        while row > 0:
            total += self._tree[row]
            row -= row & -row
        return total

    def find(self, height: int) -> tuple[int, int]:
        """Return (row, offset within it) at a height; beyond the end the last row, (0, 0) when empty."""
        if not self._heights:
            return 0, 0
        if height <= 0:
            return 0, height
        place, rest = 0, height
        step = 1 << (len(self._heights).bit_length() - 1)
        while step:
            following = place + step
            if following < len(self._tree) and self._tree[following] <= rest:
                place = following
                rest -= self._tree[following]
            step >>= 1
        if place >= len(self._heights):
            last = len(self._heights) - 1
            return last, rest + self._heights[last]
        return place, rest
