"""Plain text, source code and Markdown, with the lines they stand on."""

import re
from collections.abc import Iterator

from memory.readers.document import Document, Place, Section
from memory.readers.encoding import decoded
from memory.readers.headings import HeadingPath
from memory.readers.recognition import Format, Kind
from memory.readers.titles import title_from

_BLOCK_LINES = 40
_BLOCK_CHARACTERS = 4000
_ATX = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})\s*")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_FRONT_MATTER_TITLE = re.compile(r"^title:\s*['\"]?(.+?)['\"]?\s*$", re.IGNORECASE)


def read_text(content: bytes, name: str, kind: Kind) -> Document:
    """Return a text or a program as sections of some forty lines that end at empty lines if there are any."""
    text, note = decoded(content)
    lines = text.split("\n")
    sections = tuple(_blocks(lines, 0, len(lines), ""))
    return Document(kind.name, kind.media_type, title_from(None, name), sections, note=note)


def read_markdown(content: bytes, name: str, kind: Kind) -> Document:
    """Return a Markdown text as the sections under its headings, ATX and underlined."""
    text, note = decoded(content)
    lines = text.split("\n")
    path = HeadingPath()
    sections: list[Section] = []
    start, title = 0, ""
    for number, level, heading in _headings(lines):
        sections += _blocks(lines, start, number, str(path))
        path.enter(heading, level - 1)
        title = title or heading
        start = number
    sections += _blocks(lines, start, len(lines), str(path))
    title = _front_matter_title(lines) or title
    return Document(Format.MARKDOWN, kind.media_type, title_from(title, name), tuple(sections), note=note)


def _headings(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the index, level and text of each heading."""
    fence = ""
    front_matter_end = _front_matter_end(lines)
    for number, line in enumerate(lines):
        if number < front_matter_end:
            continue
        mark = _FENCE.match(line)
        if mark:
            if not fence:
                fence = mark[1]
            elif mark[1][0] == fence[0] and len(mark[1]) >= len(fence):
                fence = ""
            continue
        if fence:
            continue
        heading = _ATX.match(line)
        if heading and heading[2]:
            yield number, len(heading[1]), heading[2]
        elif _is_underlined(lines, number):
            yield number, 1 if "=" in lines[number + 1] else 2, line.strip()


def _is_underlined(lines: list[str], number: int) -> bool:
    """Return whether a line is a heading by the line of ``=`` or ``-`` below it."""
    line = lines[number]
    return (
        bool(line.strip())
        and number + 1 < len(lines)
        and _UNDERLINE.fullmatch(lines[number + 1]) is not None
        and not line.lstrip().startswith(("|", ">", "-", "*"))
        and (number == 0 or not lines[number - 1].strip())
    )


def _front_matter_end(lines: list[str]) -> int:
    if lines and lines[0].strip() == "---":
        for number, line in enumerate(lines[1:200], 1):
            if line.strip() in {"---", "..."}:
                return number + 1
    return 0


def _front_matter_title(lines: list[str]) -> str:
    for line in lines[: _front_matter_end(lines)]:
        if match := _FRONT_MATTER_TITLE.match(line):
            return match[1]
    return ""


def _blocks(lines: list[str], start: int, end: int, heading: str) -> Iterator[Section]:
    """Yield the lines from ``start`` to ``end`` in blocks, cut at an empty line in their second half."""
    while start < end:
        while start < end and not lines[start].strip():
            start += 1
        stop, characters, empty = start, 0, start
        while stop < end and stop - start < _BLOCK_LINES and characters < _BLOCK_CHARACTERS:
            characters += len(lines[stop]) + 1
            if not lines[stop].strip():
                empty = stop
            stop += 1
        if stop < end and empty > start + (stop - start) // 2:
            stop = empty
        last = stop
        while last > start and not lines[last - 1].strip():
            last -= 1
        if last > start:
            place = Place(
                line=start + 1, last_line=last if last > start + 1 else None, heading=heading or None
            )
            yield Section(place, heading, "\n".join(lines[start:last]))
        start = stop
