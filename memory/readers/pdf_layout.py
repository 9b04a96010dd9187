"""From the lines of a PDF to its text: running heads out, lines joined to paragraphs, broken words mended."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from memory.readers.pdf_lines import HYPHEN, Line, Page

_EDGE_LINES = 2
_EDGE_SHARE = 0.14
_DIGITS = re.compile(r"\d+")
_FIRST_NUMBER = re.compile(r"^\W*(\d{1,5})\b")
_LAST_NUMBER = re.compile(r"\b(\d{1,5})\W*$")
_BARE_NUMBER = re.compile(r"^\W*(?:\d{1,5}|[ivxlc]{1,7})\W*$", re.IGNORECASE)
_NAVIGATION_LINE = re.compile(
    r"(?:(?:\.\s?){3,}|(?:\s\.){2,})\s*(?:\d+|[ivxlc]+)$|^[^.]{2,80}?(?:,?\s\d{1,4})(?:,\s?\d{1,4})*$"
)
_FULL_STOPS = frozenset(".!?。")
_SENTENCE_ENDS = frozenset(".!?:;…。")
_LEADERS = re.compile(r"(?:[ \t]*\.){5,}[ \t]*")
_BULLET = re.compile(r"^(?:[•●▪◦‣–—*-]|\d{1,3}[.)]|[a-z][.)])\s", re.IGNORECASE)


def without_running_lines(pages: Sequence[Page]) -> list[list[Line]]:
    """Return the lines of each page without the heads, feet and page numbers that run through it all."""
    edges = [_edge_lines(page) for page in pages]
    repeated = Counter(
        key for lines in edges for key in {(place, _pattern(line.text)) for place, line in lines}
    )
    offset = _page_number_offset(edges)
    wanted = max(3, min(8, len(pages) // 3))
    kept: list[list[Line]] = []
    for number, (page, lines) in enumerate(zip(pages, edges, strict=True)):
        running = {
            id(line)
            for place, line in lines
            if repeated[place, _pattern(line.text)] >= wanted
            or (offset is not None and number - offset in _outer_numbers(line.text))
            or (len(pages) > 2 and _BARE_NUMBER.match(line.text) is not None)
        }
        kept.append([line for line in page.lines if id(line) not in running])
    if _characters(kept) < 0.6 * _characters([page.lines for page in pages]):
        return [list(page.lines) for page in pages]  # few words a page, all near its edges: slides, labels
    return kept


def _characters(pages: Sequence[Sequence[Line]]) -> int:
    return sum(len(line.text) for lines in pages for line in lines)


def _edge_lines(page: Page) -> list[tuple[str, Line]]:
    """Return the lines near the page's upper and lower edge, with the edge they are at."""
    upper, lower = page.height * (1 - _EDGE_SHARE), page.height * _EDGE_SHARE
    by_height = sorted(page.lines, key=lambda line: -line.top)
    found = [("top", line) for line in by_height[:_EDGE_LINES] if line.bottom >= upper]
    found += [("foot", line) for line in by_height[-_EDGE_LINES:] if 0 < line.top <= lower]
    return found


def _pattern(text: str) -> str:
    return _DIGITS.sub("#", text).casefold()


def _outer_numbers(text: str) -> set[int]:
    return {int(match[1]) for sign in (_FIRST_NUMBER, _LAST_NUMBER) if (match := sign.search(text))}


def _page_number_offset(edges: Sequence[Sequence[tuple[str, Line]]]) -> int | None:
    """Return the difference of position and printed number that most pages share, or None where few do."""
    offsets = Counter(
        number - printed
        for number, lines in enumerate(edges)
        for printed in {printed for _, line in lines for printed in _outer_numbers(line.text)}
    )
    if not offsets or len(edges) < 4:
        return None
    offset, count = offsets.most_common(1)[0]
    return offset if count >= len(edges) * 0.4 else None


def body_size(pages: Sequence[Sequence[Line]]) -> float:
    """Return the height of the type most of the text is set in, in points."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def is_navigation(lines: Sequence[Line]) -> bool:
    """Return whether most lines of a page end in page numbers, as in a table of contents or an index."""
    if len(lines) < 8:
        return False
    return sum(_NAVIGATION_LINE.search(line.text) is not None for line in lines) >= len(lines) * 0.6


@dataclass(frozen=True, slots=True)
class Margins:
    """The right edges, in points, that the lines of a justified document reach; none where it is ragged."""

    edges: tuple[int, ...]

    @classmethod
    def of(cls, pages: Sequence[Sequence[Line]]) -> "Margins":
        """Find the edges that many lines of a document share to the point."""
        rights = Counter(round(line.right) for lines in pages for line in lines if len(line.text) > 30)
        total = sum(rights.values())
        shares = {edge: rights[edge - 1] + rights[edge] + rights[edge + 1] for edge in rights}
        edges = sorted(edge for edge, count in shares.items() if count > total * 0.15)
        reached = sum(
            count for edge, count in rights.items() if any(abs(edge - other) < 2 for other in edges)
        )
        return cls(tuple(edges) if total > 40 and reached > total * 0.4 else ())

    def falls_short(self, line: Line) -> bool:
        """Return whether a line ends before the edge of its column, as the last of a paragraph does."""
        edge = next((edge for edge in self.edges if edge > line.right - 3), None)
        return edge is not None and edge - line.right > 1.5 * line.size


RAGGED = Margins(())


def joined(lines: Sequence[Line], margins: Margins = RAGGED) -> str:
    """Return the lines as text: lines of one paragraph joined by a space, paragraphs by a line break."""
    if not lines:
        return ""
    gaps = [gap for upper, lower in pairwise(lines) if (gap := upper.last_top - lower.top) > 1]
    pitch = median(gaps) if gaps else 0.0
    parts = [lines[0].text]
    for index, (upper, lower) in enumerate(pairwise(lines)):
        ends = (
            margins.falls_short(upper)
            or _each_a_sentence(lines, index)
            or _breaks(upper, lower, pitch, _right_edge(lines, index))
        )
        parts.append("\n" if ends else " ")
        parts.append(lower.text)
    return _LEADERS.sub(" … ", "".join(parts))


def _each_a_sentence(lines: Sequence[Line], index: int) -> bool:
    """Return whether the lines around a break all end a sentence, as the entries of a list do and prose does not."""
    near = lines[max(0, index - 2) : index + 4]
    return len(near) > 3 and all(line.text[-1:] in _FULL_STOPS for line in near)


def _right_edge(lines: Sequence[Line], index: int) -> float:
    """Return how far the neighbours of a line reach that start in the same column."""
    line = lines[index]
    near = lines[max(0, index - 12) : index + 13]
    return max(other.right for other in near if abs(other.left - line.left) < 60)


def _breaks(upper: Line, lower: Line, pitch: float, right_edge: float) -> bool:
    """Return whether a paragraph ends between two lines."""
    gap = upper.last_top - lower.top
    if pitch and (gap > pitch * 1.4 or gap < -pitch):
        return not _runs_on(upper, lower, gap, pitch)
    if abs(upper.size - lower.size) > 0.15 * max(upper.size, lower.size):
        return True
    if _BULLET.match(lower.text):
        return True
    if abs(lower.left - upper.left) > upper.size and upper.text[-1:] in _SENTENCE_ENDS:
        return True
    first_word = lower.text.split(" ", 1)[0]
    room = right_edge - upper.right
    return room > (len(first_word) + 1) * max(lower.character_width, upper.character_width) * 1.1


def _runs_on(upper: Line, lower: Line, gap: float, pitch: float) -> bool:
    """Return whether a sentence goes on at the top of the next column."""
    return gap < -pitch * 4 and upper.text[-1:].isalpha() and lower.text[:1].islower()


_BROKEN = re.compile(rf"(\w+){HYPHEN}\s?(\w+)")


class BrokenWords:
    """Mends words that were broken at the end of a line, by how the document spells them elsewhere."""

    def __init__(self, texts: Sequence[str]) -> None:
        if any(HYPHEN in text for text in texts):
            words = (word.casefold() for text in texts for word in re.findall(r"\w+(?:-\w+)*", text))
            self._known = Counter(words)
        else:
            self._known = Counter()

    def mended(self, text: str) -> str:
        """Return the text with its broken words joined, their hyphen kept where the document writes it so."""
        if HYPHEN not in text:
            return text
        return _BROKEN.sub(self._mend, text).replace(HYPHEN, "-")

    def _mend(self, match: re.Match[str]) -> str:
        whole, hyphened = match[1] + match[2], f"{match[1]}-{match[2]}"
        if self._known[hyphened.casefold()] > self._known[whole.casefold()]:
            return hyphened
        return whole
