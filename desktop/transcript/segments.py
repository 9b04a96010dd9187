"""Cuts Markdown into segments, each of which is one widget: prose, code, table or formula."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from markdown_it.token import Token

from desktop.transcript import long_paragraph
from desktop.transcript.markdown_html import Environment, parser

PROSE_LIMIT = 800
"""Characters up to which neighbouring blocks share a widget: joining two while they stream costs under half
a millisecond. One block alone may be longer, up to ``BLOCK_LIMIT``; above it paragraphs and lists are cut."""
BLOCK_LIMIT = 2_000
LARGE_TABLE = 100
"""Rows from which a table becomes a scrolling view."""


class SegmentKind(StrEnum):
    """The widget that draws a segment."""

    PROSE = "prose"
    CODE = "code"
    TABLE = "table"
    MATH = "math"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of blocks. ``source`` is its Markdown (for code and formulas their bare text)."""

    kind: SegmentKind
    source: str
    html: str = ""
    language: str = ""
    cells: tuple[tuple[str, ...], ...] = ()

    def markdown(self) -> str:
        """Return the segment as Markdown again."""
        if self.kind is SegmentKind.CODE:
            fence = "`" * max(3, _longest_run(self.source, "`") + 1)
            return f"{fence}{self.language}\n{self.source}\n{fence}"
        return f"$$\n{self.source}\n$$" if self.kind is SegmentKind.MATH else self.source


def _longest_run(text: str, character: str) -> int:
    return max((len(run) for run in re.findall(re.escape(character) + "+", text)), default=0)


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level block: its segment and the line (within the parsed text) it begins on."""

    segment: Segment
    start: int


def blocks(text: str, env: Environment) -> list[Block]:
    """Parse a text and return its top-level blocks; link definitions found are added to ``env``."""
    tokens = parser().parse(text, env)
    lines = text.split("\n")
    result: list[Block] = []
    for group in _groups(tokens):
        start, end = group[0].map or [0, 0]
        source = "\n".join(lines[start:end]).rstrip()
        result.extend(Block(segment, start) for segment in _segments(group, source, env))
    return result


def _groups(tokens: list[Token]) -> Iterator[list[Token]]:
    group: list[Token] = []
    for token in tokens:
        group.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield group
            group = []


def _segments(group: list[Token], source: str, env: Environment) -> Iterable[Segment]:
    first = group[0]
    if first.type in ("fence", "code_block"):
        words = first.info.split()
        yield Segment(SegmentKind.CODE, first.content.rstrip("\n"), language=words[0] if words else "")
    elif first.type.startswith("math_block"):
        yield Segment(SegmentKind.MATH, first.content.strip())
    elif first.type == "table_open":
        cells = _cells(group)
        large = len(cells) > LARGE_TABLE
        yield Segment(
            SegmentKind.TABLE, source, html="" if large else _render(group, env), cells=cells if large else ()
        )
    elif first.type == "paragraph_open" and len(source) > BLOCK_LIMIT:
        yield from _paragraph_parts(group, env)
    elif first.type.endswith("_list_open") and len(source) > BLOCK_LIMIT:
        yield from _list_parts(group, source, env)
    else:
        yield Segment(SegmentKind.PROSE, source, html=_render(group, env))


def _render(tokens: list[Token], env: Environment) -> str:
    return str(parser().renderer.render(tokens, parser().options, env)).strip()


def _cells(group: list[Token]) -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = []
    row: list[str] = []
    for token in group:
        if token.type == "inline":
            row.append("".join(child.content for child in token.children or ()))
        elif token.type == "tr_close":
            rows.append(tuple(row))
            row = []
    return tuple(rows)


def _paragraph_parts(group: list[Token], env: Environment) -> Iterator[Segment]:
    opening, content, closing = group
    for source, tokens in long_paragraph.cut(content.content, BLOCK_LIMIT, env):
        part = content.copy(content=source, children=tokens)
        yield Segment(SegmentKind.PROSE, source, html=_render([opening, part, closing], env))


def _list_parts(group: list[Token], source: str, env: Environment) -> Iterator[Segment]:
    """Cut a long list between its items."""
    opening, closing = group[0], group[-1]
    lines = source.split("\n")
    base = (opening.map or [0, 0])[0]
    number = int(opening.attrs.get("start", 1)) if opening.tag == "ol" else 0
    part: list[Token] = []
    first_line, count = 0, 0
    for token in group[1:-1]:
        if token.type == "list_item_open" and token.level == 1:
            line = (token.map or [0, 0])[0] - base
            if part and sum(len(text) + 1 for text in lines[first_line:line]) > BLOCK_LIMIT // 2:
                head = "\n".join(lines[first_line:line]).rstrip()
                yield Segment(SegmentKind.PROSE, head, html=_list_html(opening, part, closing, number, env))
                number, part, first_line, count = number + count, [], line, 0
            count += 1
        part.append(token)
    rest = "\n".join(lines[first_line:]).rstrip()
    yield Segment(SegmentKind.PROSE, rest, html=_list_html(opening, part, closing, number, env))


def _list_html(opening: Token, part: list[Token], closing: Token, number: int, env: Environment) -> str:
    head = opening.copy()
    head.attrs = {"start": number} if opening.tag == "ol" else {}
    return _render([head, *part, closing], env)


def merge(parts: Iterable[Segment]) -> list[Segment]:
    """Join neighbouring prose up to the limit of one widget."""
    result: list[Segment] = []
    for part in parts:
        last = result[-1] if result else None
        if last is not None and joins(last, part):
            result[-1] = joined(last, part)
        else:
            result.append(part)
    return result


def joins(first: Segment, second: Segment) -> bool:
    """Tell whether two segments are prose that fits into one widget."""
    both = first.kind is second.kind is SegmentKind.PROSE
    return both and len(first.source) + len(second.source) + 2 <= PROSE_LIMIT


def joined(first: Segment, second: Segment) -> Segment:
    """Return two prose segments as one."""
    return Segment(SegmentKind.PROSE, f"{first.source}\n\n{second.source}", html=first.html + second.html)


def split(text: str, breaks: bool = False) -> tuple[Segment, ...]:
    """Return the segments of a complete text; ``breaks`` keeps single line ends (the owner's messages)."""
    env: Environment = {"breaks": breaks}
    return tuple(merge(block.segment for block in blocks(one_line_end(text), env)))


def one_line_end(text: str) -> str:
    """Return a text in which every line ends as Markdown counts them."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
