"""Cutting a document into passages: short enough to embed, whole sentences, each with the place to cite."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from memory.readers.document import Document, Place, Section

TARGET_WORDS = 180
TARGET_PIECES = 240
_SHORT_SHARE = 0.25
_OVERLAP_SHARE = 0.15
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-ZÀ-ÞА-Я0-9])|[。！？]+\s*|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|etc|al|fig|figs|no|nos|vol|pp|p|ch|sec|eq|ca|approx|mr|mrs|ms|dr|prof|st|jr|sr"
    r"|inc|z\.b|d\.h|bzw|usw)|\b[A-Z])\.\s+$",
    re.IGNORECASE,
)
_PIECE = re.compile(r"[A-Za-z]{1,7}(?![A-Za-z])|[A-Za-z]{5}|\d{1,2}|[^\sA-Za-z\d]")


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
    """A slice of a section's text."""

    section: Section
    start: int
    end: int
    size: int


def split(document: Document, *, words: int = TARGET_WORDS, pieces: int = TARGET_PIECES) -> list[Passage]:
    """Return the document's passages in order, each of at most ``words`` words and about ``pieces`` pieces.

    No passage crosses a page, sheet or slide; neighbours that are short are joined inside one. A long
    text is cut between sentences with a small overlap. Every word of every section is in some passage.
    """
    limit = _Limit(words, pieces)
    passages: list[Passage] = []
    for group in _groups(document.sections, limit):
        cut = _whole(group) if len(group) > 1 else _cut(group[0], limit)
        for place, text in cut:
            passages.append(
                Passage(
                    ordinal=len(passages),
                    place=place,
                    heading=group[0].heading,
                    text=text,
                    navigation=group[0].navigation,
                    header_lines=_header_lines(place, text),
                )
            )
    return passages


@dataclass(frozen=True, slots=True)
class _Limit:
    words: int
    pieces: int

    def size(self, text: str) -> int:
        """Return the size of a text in thousandths of a passage, by words or by pieces, whichever is more."""
        by_words = len(text.split()) * 1000 // self.words
        return max(by_words, piece_estimate(text) * 1000 // self.pieces)


def piece_estimate(text: str) -> int:
    """Return about how many word pieces a text has, a little high, without a tokenizer."""
    return len(_PIECE.findall(text))


def _groups(sections: Sequence[Section], limit: _Limit) -> Iterator[list[Section]]:
    """Yield sections together that make one passage: a short one goes with what follows it there."""
    group: list[Section] = []
    size = 0
    for section in sections:
        if not section.text.strip():
            continue
        here = limit.size(section.text)
        joins = (
            group
            and min(size, here) <= 1000 * _SHORT_SHARE
            and size + here <= 1000
            and _may_join(group[-1], section)
        )
        if group and not joins:
            yield group
            group, size = [], 0
        group.append(section)
        size += here
    if group:
        yield group


def _may_join(first: Section, second: Section) -> bool:
    if first.place.container() != second.place.container() or first.navigation != second.navigation:
        return False
    if first.place.cell is not None or second.place.cell is not None:
        return False
    if first.place.line is not None:
        return first.heading == second.heading
    return True


def _whole(group: Sequence[Section]) -> Iterator[tuple[Place, str]]:
    """Yield several short sections as one text; empty lines between them stay, so that lines count."""
    text = group[0].text
    line = group[0].place.line
    for section in group[1:]:
        gap = 1
        if line is not None and section.place.line is not None:
            gap = section.place.line - line - text.count("\n")
        text += "\n" * max(gap, 1) + section.text
    yield _placed(group[0], text, 0), text


def _placed(section: Section, text: str, before: int) -> Place:
    """Return the place of a slice that ``before`` lines of its section precede."""
    if section.place.line is None:
        return section.place
    first = section.place.line + before
    last = first + text.count("\n")
    return replace(section.place, line=first, last_line=last if last > first else None)


def _cut(section: Section, limit: _Limit) -> Iterator[tuple[Place, str]]:
    if limit.size(section.text) <= 1000:
        yield from _whole([section])
        return
    text = section.text
    header = _repeated_header(section)
    parts = list(_parts(section, limit, len(header)))
    room = 1000 - limit.size(header)
    start = 0
    while start < len(parts):
        end, size = start, 0
        while end < len(parts) and (end == start or size + parts[end].size <= room):
            size += parts[end].size
            end += 1
        piece = text[parts[start].start : parts[end - 1].end]
        kept = piece.strip()
        first = parts[start].start + len(piece) - len(piece.lstrip())
        if kept:
            yield _slice_place(section, first, kept, len(header)), header + kept
        if end == len(parts):
            return
        start = end if header else _with_overlap(parts, start, end)


def _with_overlap(parts: Sequence[_Part], start: int, end: int) -> int:
    """Return where the next passage begins: a short sentence or two before the end of this one."""
    size, back = 0, end
    while back - 1 > start and size + parts[back - 1].size <= 1000 * _OVERLAP_SHARE:
        back -= 1
        size += parts[back].size
    return back


def _repeated_header(section: Section) -> str:
    """Return the header row of a table whose rows have to go to several passages."""
    rows = section.place.rows()
    first, _, rest = section.text.partition("\n")
    if rows is None or not rest or section.text.count("\n") != rows[1] - rows[0] + 1:
        return ""
    return first[:200] + "\n" if len(first) <= 200 else ""


def _slice_place(section: Section, first: int, kept: str, header: int) -> Place:
    rows = section.place.rows()
    if rows is None:
        return _placed(section, kept, section.text.count("\n", 0, first))
    extra = section.text.count("\n") - (rows[1] - rows[0])  # 1 where the first line is the repeated header
    row = rows[0] + max(0, section.text.count("\n", 0, first) - extra)
    last = row + kept.count("\n") - (0 if header or first > 0 else extra)
    return replace(section.place, cell=f"A{row}" if last <= row else f"A{row}:A{last}")


def _header_lines(place: Place, text: str) -> int:
    rows = place.rows()
    return max(0, text.count("\n") - (rows[1] - rows[0])) if rows is not None else 0


def _parts(section: Section, limit: _Limit, start: int) -> Iterator[_Part]:
    """Yield the sentences of a section as slices without a gap; one that is too long in several."""
    text = section.text
    for begin, end in _sentences(text, start):
        size = limit.size(text[begin:end])
        if size <= 1000:
            yield _Part(section, begin, end, size)
            continue
        share = max(1, (end - begin) * 700 // size)
        while begin < end:
            stop = _break_before(text, begin, min(begin + share, end), end)
            yield _Part(section, begin, stop, limit.size(text[begin:stop]))
            begin = stop


def _break_before(text: str, begin: int, wanted: int, end: int) -> int:
    """Return the end of the last word before ``wanted``, or ``wanted`` inside a word that is too long."""
    if wanted >= end:
        return end
    space = max(
        text.rfind(" ", begin, wanted), text.rfind("\n", begin, wanted), text.rfind("\t", begin, wanted)
    )
    return space + 1 if space > begin else wanted


def _sentences(text: str, start: int) -> Iterator[tuple[int, int]]:
    begin = start
    for match in _SENTENCE_END.finditer(text, start):
        if "\n" not in match[0] and _ABBREVIATION.search(text, max(begin, match.end() - 12), match.end()):
            continue
        yield begin, match.end()
        begin = match.end()
    if begin < len(text):
        yield begin, len(text)
