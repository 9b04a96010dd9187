"""The headings of a PDF: its bookmarks, or lines set in larger type where it has none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from memory.readers.pdf_lines import Line

_MOST_BOOKMARKS = 20_000
_NUMBERING = re.compile(
    r"^(?:chapter|section|appendix|part)?\s*(?:[\dA-Z]{1,3}(?:\.\d+)*\.?)?[\s:.]+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its depth from 0, its page by position from 0, its height on the page where known."""

    title: str
    level: int
    page: int
    top: float | None


def bookmarks(pdf: Any) -> list[Heading]:
    """Return the bookmarks of a ``pypdfium2.PdfDocument`` that lead to a page of it, in their order."""
    found = []
    for bookmark in islice(pdf.get_toc(), _MOST_BOOKMARKS):
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        title = " ".join(bookmark.get_title().replace("\x00", "").split())
        if page is None or not title:
            continue
        mode, position = target.get_view()
        found.append(Heading(title, bookmark.level, page, _height(mode, position)))
    return found


def _height(mode: int, position: Sequence[float]) -> float | None:
    import pypdfium2.raw as pdfium

    if mode == pdfium.PDFDEST_VIEW_XYZ and len(position) > 1:
        return position[1]
    if mode in {pdfium.PDFDEST_VIEW_FITH, pdfium.PDFDEST_VIEW_FITBH} and position:
        return position[0]
    return None


def guessed(pages: Sequence[Sequence[Line]], body: float) -> list[Heading]:
    """Return the short lines set in clearly larger type than the body, for a PDF without bookmarks."""
    candidates = [
        (number, line)
        for number, lines in enumerate(pages)
        for line in lines
        if line.size > body * 1.12 and _could_be_heading(line.text)
    ]
    if not body or len(candidates) > 6 * max(len(pages), 1):
        return []
    sizes = sorted({round(line.size) for _, line in candidates}, reverse=True)
    return [
        Heading(line.text, min(sizes.index(round(line.size)), 5), number, line.top)
        for number, line in candidates
    ]


def title_line(pages: Sequence[Sequence[Line]], body: float) -> str:
    """Return the lines of the first page that are set largest, where they can be the document's title."""
    lines = pages[0] if pages else ()
    largest = max((line.size for line in lines), default=0.0)
    title = " ".join(line.text for line in lines if line.size > largest * 0.95)
    return title if largest > body * 1.3 and _could_be_heading(title) else ""


def _could_be_heading(text: str) -> bool:
    return (
        len(text) <= 120
        and len(text.split()) <= 14
        and sum(character.isalpha() for character in text) >= 3
        and not text.endswith((".", ",", ";", ":"))
    )


def heading_lines(lines: Sequence[Line], headings: Sequence[Heading]) -> list[tuple[int, Heading]]:
    """Return for each heading of a page the index of the line it stands on, in order of the lines."""
    placed = []
    after = 0
    plain = [_plain(line.text) for line in lines] if headings else []
    for heading in headings:
        index = _line_of(lines, plain, heading, after)
        placed.append((index, heading))
        after = index
    return sorted(placed, key=lambda pair: pair[0])


def _line_of(lines: Sequence[Line], plain: Sequence[str], heading: Heading, after: int) -> int:
    wanted = _plain(heading.title)
    best: tuple[int, float, int] | None = None
    for index, line in enumerate(lines):
        quality = _match(wanted, plain[index])
        if quality:
            distance = abs(line.top - heading.top) if heading.top is not None else float(index < after)
            if best is None or (-quality, distance) < best[:2]:
                best = (-quality, distance, index)
    if best is not None:
        return best[2]
    if heading.top is not None:
        below = [index for index, line in enumerate(lines) if line.top <= heading.top + 2]
        return below[0] if below else len(lines)
    return after


def _plain(text: str) -> str:
    return re.sub(r"\W+", "", _NUMBERING.sub("", text, count=1) or text).casefold()


def _match(wanted: str, line: str) -> int:
    """Return 3 for the same text, 2 where the line ends with it, 1 for the first line of a long title."""
    if not wanted or not line:
        return 0
    if line == wanted:
        return 3
    if line.endswith(wanted) and len(line) <= len(wanted) + 12:
        return 2
    return int(len(line) > 12 and wanted.startswith(line))
