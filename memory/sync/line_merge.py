"""Three-way merge of text by lines; never by words, which may say twice what was written once."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

MOST_LINES = 20_000
"""Longer texts are not compared; they count as changed in the same place."""

_Lines = Sequence[str]


def merge_text(base: str, one: str, other: str) -> str | None:
    """Return a text with the changes that two texts made to their base; None where these touch each other."""
    lines = [text.split("\n") for text in (base, one, other)]
    if max(map(len, lines)) > MOST_LINES:
        return None
    merged = _merge(*lines)
    return None if merged is None else "\n".join(merged)


def _merge(base: _Lines, one: _Lines, other: _Lines) -> list[str] | None:
    merged: list[str] = []
    in_base = in_one = in_other = 0
    for start, of_one, of_other, length in _common(base, one, other):
        between = _changed(base[in_base:start], one[in_one:of_one], other[in_other:of_other])
        if between is None:
            return None
        merged += between
        merged += base[start : start + length]
        in_base, in_one, in_other = start + length, of_one + length, of_other + length
    return merged


def _changed(base: _Lines, one: _Lines, other: _Lines) -> _Lines | None:
    if one == base:
        return other
    return one if other in (base, one) else None


def _common(base: _Lines, one: _Lines, other: _Lines) -> Iterator[tuple[int, int, int, int]]:
    """Yield where all three have the same lines: the places in each, and how many; last, their ends."""
    left = SequenceMatcher(None, base, one).get_matching_blocks()
    right = SequenceMatcher(None, base, other).get_matching_blocks()
    at_left = at_right = 0
    while at_left < len(left) and at_right < len(right):
        a, b = left[at_left], right[at_right]
        start, end = max(a.a, b.a), min(a.a + a.size, b.a + b.size)
        if start < end:
            yield start, a.b + start - a.a, b.b + start - b.a, end - start
        if a.a + a.size < b.a + b.size:
            at_left += 1
        else:
            at_right += 1
    yield len(base), len(one), len(other), 0
