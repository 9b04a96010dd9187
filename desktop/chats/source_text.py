"""The text of a file as its reader leafs through it: page by page, with the place of a quotation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.files import ReadableFile
from memory.readers.document import Place
from resources.language import gettext as _

LONGEST_LEAF = 20_000
"""Characters that are shown at once where a file has no pages."""
_LEAST_WORDS = 4
"""Words of a quotation that are enough to find it where the rest was set differently."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page, sheet or slide, or a stretch of a file that has none."""

    label: str
    text: str
    places: tuple[tuple[int, Place], ...]
    """Offsets within the text, and the place that begins there."""

    @property
    def paragraphs(self) -> bool:
        """Say whether each line is a paragraph: that of a page is, that of a text file or table is not."""
        return self.places[0][1].page is not None


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a cited place stands: the leaf, and the stretch of its text (empty where it is not found)."""

    leaf: int
    start: int = 0
    end: int = 0


def leaves(readable: ReadableFile) -> tuple[Leaf, ...]:
    """Cut the text of a file where its pages, sheets or slides end."""
    made: list[Leaf] = []
    pieces: list[tuple[Place, str]] = []
    length = 0
    for number, place in enumerate(readable.places):
        last = number + 1 == len(readable.places)
        end = len(readable.text) if last else readable.starts[number + 1]
        text = readable.text[readable.starts[number] : end].removeprefix(f"[{place.label()}]\n").strip("\n")
        same = pieces and pieces[0][0].container() == place.container()
        if pieces and (not same or (length + len(text) > LONGEST_LEAF and not any(place.container()))):
            made.append(_leaf(pieces))
            pieces, length = [], 0
        pieces.append((place, text))
        length += len(text)
    if pieces:
        made.append(_leaf(pieces))
    return tuple(made)


def find(found: tuple[Leaf, ...], citation: Mapping[str, Any]) -> Finding:
    """Return where a citation leads: first its quotation on its own leaf, then anywhere, then its place."""
    cited = _cited_leaf(found, citation)
    order = [cited, *(number for number in range(len(found)) if number != cited)]
    for pattern in _patterns(str(citation.get("quote") or "")):
        for number in order:
            match = pattern.search(found[number].text)
            if match is not None:
                return Finding(number, match.start(), match.end())
    start = _line_start(found[cited], citation) if found else 0
    return Finding(cited, start, start)


def _leaf(pieces: list[tuple[Place, str]]) -> Leaf:
    parts: list[str] = []
    places: list[tuple[int, Place]] = []
    length = 0
    for place, text in pieces:
        places.append((length, place))
        parts.append(text)
        length += len(text) + 2
    return Leaf(_label(pieces), "\n\n".join(parts), tuple(places))


def _label(pieces: list[tuple[Place, str]]) -> str:
    first, last = pieces[0][0], pieces[-1][0]
    if first.page is not None or first.slide is not None:
        return first.label()
    if first.sheet is not None:
        return Place(sheet=first.sheet).label()
    if first.line is not None:
        return Place(line=first.line, last_line=last.last_line or last.line).label()
    return ""


def _cited_leaf(found: tuple[Leaf, ...], citation: Mapping[str, Any]) -> int:
    for name in ("page", "slide", "sheet"):
        if citation.get(name) is not None:
            for number, leaf in enumerate(found):
                if getattr(leaf.places[0][1], name) == citation[name]:
                    return number
    line = citation.get("line")
    if isinstance(line, int):
        starts = [leaf.places[0][1].line or 0 for leaf in found]
        return max((number for number, start in enumerate(starts) if start <= line), default=0)
    return 0


def _line_start(leaf: Leaf, citation: Mapping[str, Any]) -> int:
    """Return the offset of the cited line, or the beginning."""
    line = citation.get("line")
    if not isinstance(line, int):
        return 0
    before = [(at, place.line) for at, place in leaf.places if place.line is not None and place.line <= line]
    if not before:
        return 0
    at, first = before[-1]
    for _step in range(line - first):
        following = leaf.text.find("\n", at)
        if following < 0:
            break
        at = following + 1
    return at


def _patterns(quote: str) -> list[re.Pattern[str]]:
    """Return what finds a quotation: all its words however they are set apart, else its first and its last few."""
    words = [word for word in re.split(r"[\s|]+", quote.strip("… ")) if word]
    if not words:
        return []
    made = [_apart(words)]
    if len(words) > 2 * _LEAST_WORDS:
        made += [_apart(words[: 2 * _LEAST_WORDS]), _apart(words[-2 * _LEAST_WORDS :])]
        made += [_apart(words[:_LEAST_WORDS])]
    return made


def _apart(words: list[str]) -> re.Pattern[str]:
    return re.compile(r"[\s|]+".join(map(re.escape, words)), re.IGNORECASE)


def position_words(number: int, count: int) -> str:
    """Return "3 of 41"."""
    return _("{number} of {count}").format(number=number, count=count)
