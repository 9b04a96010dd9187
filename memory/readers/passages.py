"""Cutting a document into passages: short enough to embed, whole sentences, each with the place to cite."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from memory.readers.document import Document, Place, Section
from memory.readers.pieces import piece_estimate

TARGET_PIECES = 230
_SHORT_SHARE = 0.25
_OVERLAP_SHARE = 0.12
_EVEN_SHARE = 0.1
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-ZÀ-ÞА-Я0-9])|[。！？]+\s*|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|etc|al|fig|figs|no|nos|vol|pp|p|ch|sec|eq|ca|approx|mr|mrs|ms|dr|prof|st|jr|sr"
    r"|inc|z\.b|d\.h|bzw|usw)|\b[A-Z])\.\s+$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document: its number from 0, where it stands, the headings above it and its words.

    ``text`` is a slice of the document's own text, so a quotation in it can be placed (:meth:`place_of`).
    ``header_lines`` counts the lines at its start that repeat the header row of a table.
    """

    ordinal: int
    place: Place
    heading: str
    text: str
    navigation: bool = False
    header_lines: int = 0

    def place_of(self, quotation: str) -> Place:
        """Return the exact line or row of a quotation of this passage, or the passage's place without one."""
        found = self.text.find(quotation)
        if found < 0:
            return self.place
        before = self.text.count("\n", 0, found)
        last = before + quotation.strip("\n").count("\n")
        rows = self.place.rows()
        if self.place.line is not None:
            first_line, last_line = self.place.line + before, self.place.line + last
            return replace(
                self.place, line=first_line, last_line=last_line if last_line > first_line else None
            )
        if rows is not None and before >= self.header_lines:
            first_row, last_row = rows[0] + before - self.header_lines, rows[0] + last - self.header_lines
            return replace(
                self.place, cell=f"A{first_row}" if first_row == last_row else f"A{first_row}:A{last_row}"
            )
        return self.place


@dataclass(frozen=True, slots=True)
class _Part:
    """A sentence, or a piece of a long one, as a slice of its section's text; ``size`` in word pieces."""

    start: int
    end: int
    size: int


def split(document: Document, *, pieces: int = TARGET_PIECES) -> list[Passage]:
    """Return the document's passages in order, each of about ``pieces`` word pieces at most (so no more words).

    No passage crosses a page, sheet or slide; neighbours that are short are joined inside one. A long
    text is cut between sentences with a small overlap. Every word of every section is in some passage.
    """
    passages: list[Passage] = []
    for group, size in _groups(document.sections, pieces):
        first = group[0]
        for place, text in [_whole(group)] if size <= pieces else _cut(first, size, pieces):
            passages.append(
                Passage(
                    ordinal=len(passages),
                    place=place,
                    heading=first.heading,
                    text=text,
                    navigation=first.navigation,
                    header_lines=_header_lines(place, text),
                )
            )
    return passages


def _groups(sections: Sequence[Section], pieces: int) -> Iterator[tuple[list[Section], int]]:
    """Yield sections that make one passage together, and their size: a short one goes with what follows it."""
    group: list[Section] = []
    size = 0
    for section in sections:
        if not section.text.strip():
            continue
        here = piece_estimate(section.text)
        if group and not (
            size + here <= pieces
            and min(size, here) <= pieces * _SHORT_SHARE
            and _may_join(group[-1], section)
        ):
            yield group, size
            group, size = [], 0
        group.append(section)
        size += here
    if group:
        yield group, size


def _may_join(first: Section, second: Section) -> bool:
    if first.place.container() != second.place.container() or first.navigation != second.navigation:
        return False
    if first.place.cell is not None or second.place.cell is not None:
        return False
    if first.place.line is not None:
        return first.heading == second.heading
    return True


def _whole(group: Sequence[Section]) -> tuple[Place, str]:
    """Return short sections as one text; empty lines between them stay, so that lines count."""
    text = group[0].text
    line = group[0].place.line
    for section in group[1:]:
        gap = 1
        if line is not None and section.place.line is not None:
            gap = section.place.line - line - text.count("\n")
        text += "\n" * max(gap, 1) + section.text
    return _placed(group[0], text, 0), text


def _placed(section: Section, text: str, before: int) -> Place:
    """Return the place of a slice that ``before`` lines of its section precede."""
    place, lines = section.place, text.count("\n")
    rows = place.rows()
    if rows is not None:
        extra = _header_lines(place, section.text)
        row = rows[0] + max(0, before - extra)
        last = row + lines - (extra if before == 0 else 0)
        return replace(place, cell=f"A{row}" if last <= row else f"A{row}:A{last}")
    if place.line is not None:
        first = place.line + before
        return replace(place, line=first, last_line=first + lines if lines else None)
    return place


def _header_lines(place: Place, text: str) -> int:
    """Return how many lines more than rows a table's text has: 1 where it begins with a repeated header row."""
    rows = place.rows()
    return max(0, text.count("\n") - (rows[1] - rows[0])) if rows is not None else 0


def _cut(section: Section, size: int, pieces: int) -> Iterator[tuple[Place, str]]:
    """Yield a section that is too long as passages of about the same length, with their places."""
    text = section.text
    parts = list(_parts(text, pieces))
    room = min(pieces, size // -(-size // pieces) + int(pieces * _EVEN_SHARE))
    start = line = counted = 0
    while start < len(parts):
        end, filled = start, 0
        while end < len(parts) and (end == start or filled + parts[end].size <= room):
            filled += parts[end].size
            end += 1
        piece = text[parts[start].start : parts[end - 1].end]
        kept = piece.strip()
        first = parts[start].start + len(piece) - len(piece.lstrip())
        line += text.count("\n", counted, first) if first >= counted else -text.count("\n", first, counted)
        counted = first
        if kept:
            yield _placed(section, kept, line), kept
        if end == len(parts):
            return
        start = end if section.place.rows() else _with_overlap(parts, start, end, pieces)


def _with_overlap(parts: Sequence[_Part], start: int, end: int, pieces: int) -> int:
    """Return where the next passage begins: a short sentence or two before the end of this one."""
    size, back = 0, end
    while back - 1 > start and size + parts[back - 1].size <= pieces * _OVERLAP_SHARE:
        back -= 1
        size += parts[back].size
    return back


def _parts(text: str, pieces: int) -> Iterator[_Part]:
    """Yield the sentences of a text as slices without a gap; one that is too long in several."""
    for begin, end in _sentences(text):
        size = piece_estimate(text[begin:end])
        if size <= pieces:
            yield _Part(begin, end, size)
            continue
        share = max(1, (end - begin) * 7 // 10 * pieces // size)
        while begin < end:
            stop = _break_before(text, begin, min(begin + share, end), end)
            here = piece_estimate(text[begin:stop])
            if here > pieces:
                stop = begin + max(1, (stop - begin) * pieces // (here * 2))
                here = piece_estimate(text[begin:stop])
            yield _Part(begin, stop, here)
            begin = stop


def _break_before(text: str, begin: int, wanted: int, end: int) -> int:
    """Return the end of the last word before ``wanted``, or ``wanted`` inside a word that is too long."""
    if wanted >= end:
        return end
    space = max(
        text.rfind(" ", begin, wanted), text.rfind("\n", begin, wanted), text.rfind("\t", begin, wanted)
    )
    return space + 1 if space > begin else wanted


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for match in _SENTENCE_END.finditer(text):
        if "\n" not in match[0] and _ABBREVIATION.search(text, max(begin, match.end() - 12), match.end()):
            continue
        yield begin, match.end()
        begin = match.end()
    if begin < len(text):
        yield begin, len(text)
