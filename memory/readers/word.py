"""Word documents (DOCX): the text under its headings, tables as rows, footnotes at the end."""

import io
import re
from collections.abc import Iterator
from typing import Any
from zipfile import BadZipFile

from memory.readers.document import Document, Place, Section
from memory.readers.errors import FileDamaged
from memory.readers.headings import HeadingPath
from memory.readers.recognition import Format, Kind
from memory.readers.titles import title_from
from resources.language import gettext as _

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING_STYLE = re.compile(r"^heading (\d)$", re.IGNORECASE)
_NOTE_PARTS = ("/footnotes", "/endnotes")
_SKIPPED = {_W + "del", _W + "moveFrom", _W + "instrText", _W + "delText", _W + "pPr", _W + "rPr"}


def read_docx(content: bytes, name: str, kind: Kind) -> Document:
    """Return the document's sections by heading; raises FileDamaged where it is not a Word document."""
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from lxml.etree import XMLSyntaxError

    try:
        opened = docx.Document(io.BytesIO(content))
        levels = _heading_levels(opened)
        blocks = [*_blocks(opened.element.body, levels), *_notes(opened)]
        title = opened.core_properties.title
    except (PackageNotFoundError, BadZipFile, XMLSyntaxError, KeyError, ValueError, AttributeError) as error:
        raise FileDamaged(name) from error
    first_heading = next((text for level, text in blocks if level), "")
    return Document(
        kind=Format.DOCX,
        media_type=kind.media_type,
        title=title_from(title or first_heading, name),
        sections=tuple(_sections(blocks)),
    )


def _heading_levels(opened: Any) -> dict[str, int]:
    """Return the depth from 1 of every style that makes a heading, by the style's identifier."""
    levels: dict[str, int] = {}
    parents: dict[str, str] = {}
    for style in opened.styles.element.iterchildren(_W + "style"):
        identifier = style.get(_W + "styleId") or ""
        name = style.find(_W + "name")
        base = style.find(_W + "basedOn")
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        label = name.get(_W + "val", "") if name is not None else ""
        if match := _HEADING_STYLE.match(label):
            levels[identifier] = int(match[1])
        elif label.casefold() == "title":
            levels[identifier] = 1
        elif outline is not None and int(outline.get(_W + "val", "9")) < 9:
            levels[identifier] = int(outline.get(_W + "val")) + 1
        if base is not None:
            parents[identifier] = base.get(_W + "val", "")
    for identifier in parents:
        ancestor, steps = identifier, 0
        while ancestor not in levels and ancestor in parents and steps < 10:
            ancestor, steps = parents[ancestor], steps + 1
        if ancestor in levels:
            levels.setdefault(identifier, levels[ancestor])
    return levels


def _blocks(body: Any, levels: dict[str, int]) -> Iterator[tuple[int, str]]:
    """Yield each paragraph and table row as heading depth (0 for text) and text."""
    for element in body.iterchildren():
        if element.tag == _W + "p":
            text = _paragraph(element)
            if text:
                yield _level(element, levels), text
        elif element.tag == _W + "tbl":
            for row in element.iterchildren(_W + "tr"):
                cells = [
                    " ".join(filter(None, (_paragraph(paragraph) for paragraph in cell.iter(_W + "p"))))
                    for cell in row.iterchildren(_W + "tc")
                ]
                if any(cells):
                    yield 0, " | ".join(cells)
        elif element.tag in {_W + "sdt", _W + "sdtContent", _W + "ins", _W + "customXml"}:
            yield from _blocks(element, levels)


def _level(paragraph: Any, levels: dict[str, int]) -> int:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    outline = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
    if outline is not None and outline.get(_W + "val", "9") in "012345678":
        return int(outline.get(_W + "val")) + 1
    return levels.get(style.get(_W + "val", ""), 0) if style is not None else 0


def _paragraph(element: Any) -> str:
    """Return the text of a paragraph without what was deleted with tracking on."""
    parts: list[str] = []
    _collect(element, parts)
    return " ".join("".join(parts).split())


def _collect(element: Any, parts: list[str]) -> None:
    for child in element.iterchildren():
        tag = child.tag
        if tag == _W + "t":
            parts.append(child.text or "")
        elif tag in {_W + "tab", _W + "br", _W + "cr"}:
            parts.append(" ")
        elif tag == _W + "noBreakHyphen":
            parts.append("-")
        elif tag == "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent":
            for choice in list(child)[:1]:  # the alternatives say the same thing twice
                _collect(choice, parts)
        elif isinstance(tag, str) and tag not in _SKIPPED:
            if tag == _W + "p":
                parts.append(" ")
            _collect(child, parts)


def _notes(opened: Any) -> Iterator[tuple[int, str]]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    found = []
    for relation in opened.part.rels.values():
        if not relation.is_external and relation.reltype.endswith(_NOTE_PARTS):
            root = etree.fromstring(relation.target_part.blob, parser)
            found += [text for paragraph in root.iter(_W + "p") if (text := _paragraph(paragraph))]
    if found:
        yield 1, _("Notes")
        for text in found:
            yield 0, text


def _sections(blocks: list[tuple[int, str]]) -> Iterator[Section]:
    path = HeadingPath()
    lines: list[str] = []
    for level, text in blocks:
        if level:
            if lines:
                yield _section(path, lines)
            path.enter(text, level - 1)
            lines = []
        lines.append(text)
    if lines:
        yield _section(path, lines)


def _section(path: HeadingPath, lines: list[str]) -> Section:
    heading = str(path)
    return Section(Place(heading=heading or None), heading, "\n".join(lines))
