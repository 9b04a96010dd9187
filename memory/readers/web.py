"""HTML pages: what a reader of the page sees, under its headings."""

import re
from collections.abc import Iterator
from typing import Any

from memory.readers.document import Document, Place, Section
from memory.readers.encoding import decoded
from memory.readers.headings import HeadingPath
from memory.readers.recognition import Format, Kind
from memory.readers.titles import title_from

_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_DROPPED = {
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "head",
    "iframe",
    "object",
    "canvas",
    "select",
    "button",
}
_INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "kbd", "label", "mark",
    "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr", "img", "ins", "del",
    "tt", "big",
}  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
Event = tuple[str, str]


def read_html(content: bytes, name: str, kind: Kind) -> Document:
    """Return the page's sections by heading; scripts, styles and hidden parts are left out."""
    from selectolax.lexbor import LexborHTMLParser

    declared = _CHARSET.search(content[:4096])
    text, note = decoded(content, declared[1].decode("ascii") if declared else "")
    tree = LexborHTMLParser(text)
    title_node = tree.css_first("title")
    title = " ".join(title_node.text().split()) if title_node is not None else ""
    sections = tuple(_sections(_events(tree.body))) if tree.body is not None else ()
    return Document(Format.HTML, kind.media_type, title_from(title, name), sections, note=note)


def _events(body: Any) -> Iterator[Event]:
    """Yield the page in order: ``text``, ``break``, ``cell``, ``heading`` and ``heading end`` with a value.

    Written without recursion: a hostile page nests deeper than a stack is.
    """
    waiting: list[Any] = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            yield node
            continue
        tag = node.tag
        if tag == "-text":
            yield "text", node.text_content or ""
        elif tag == "br":
            yield "break", ""
        elif tag in _DROPPED or tag.startswith(("-", "_")) or _is_hidden(node):
            continue
        else:
            before, after = _frame(tag)
            if before:
                yield before
            if after:
                waiting.append(after)
            waiting.extend(reversed(list(node.iter(include_text=True))))


def _is_hidden(node: Any) -> bool:
    attributes = node.attributes
    style = (attributes.get("style") or "").replace(" ", "").casefold()
    return "hidden" in attributes or "display:none" in style or attributes.get("aria-hidden") == "true"


def _frame(tag: str) -> tuple[Event | None, Event | None]:
    if tag in _HEADINGS:
        return ("heading", tag), ("heading end", tag)
    if tag in {"td", "th"}:
        return ("cell", ""), None
    if tag in _INLINE:
        return None, None
    return ("break", ""), ("break", "")


def _sections(events: Iterator[Event]) -> Iterator[Section]:
    path = HeadingPath()
    lines: list[str] = []
    line: list[str] = []

    def end_line() -> None:
        text = " ".join("".join(line).split()).strip("| ")
        if text:
            lines.append(text)
        line.clear()

    for event, value in events:
        if event == "text":
            line.append(value)
        elif event == "cell":
            line.append(" | ")
        elif event == "heading":
            end_line()
            if lines:
                yield _section(path, lines)
            lines = []
        elif event == "heading end":
            heading = " ".join("".join(line).split())
            if heading:
                path.enter(heading, _HEADINGS[value] - 1)
            end_line()
        else:
            end_line()
    end_line()
    if lines:
        yield _section(path, lines)


def _section(path: HeadingPath, lines: list[str]) -> Section:
    heading = str(path)
    return Section(Place(heading=heading or None), heading, "\n".join(lines))
