"""Presentations (PPTX): the text, tables and speaker's notes of every slide."""

import io
from collections.abc import Iterable, Iterator
from typing import Any
from zipfile import BadZipFile

from memory.readers.document import Document, Place, Section
from memory.readers.errors import FileDamaged
from memory.readers.recognition import Format, Kind
from memory.readers.titles import title_from
from resources.language import gettext as _

_DEEPEST_GROUP = 20


def read_pptx(content: bytes, name: str, kind: Kind) -> Document:
    """Return a section per slide that holds text; raises FileDamaged where it is not a presentation."""
    from lxml.etree import XMLSyntaxError
    from pptx import Presentation
    from pptx.exc import PythonPptxError

    try:
        opened = Presentation(io.BytesIO(content))
        slides = list(opened.slides)
        sections = tuple(
            section for number, slide in enumerate(slides, 1) if (section := _section(number, slide)).text
        )
        title = opened.core_properties.title
    except (PythonPptxError, BadZipFile, XMLSyntaxError, KeyError, ValueError, AttributeError) as error:
        raise FileDamaged(name) from error
    empty = len(slides) - len(sections)
    note = ""
    if empty:
        note = _("{count} of {slides} slides hold no text, only pictures or nothing.").format(
            count=empty, slides=len(slides)
        )
    return Document(Format.PPTX, kind.media_type, title_from(title, name), sections, len(slides), note)


def _section(number: int, slide: Any) -> Section:
    title_shape = slide.shapes.title
    title = " ".join(title_shape.text_frame.text.split()) if title_shape is not None else ""
    lines = [line for line in _texts(slide.shapes) if line]
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        spoken = _lines(slide.notes_slide.notes_text_frame)
        if spoken:
            lines.append(_("Notes: {text}").format(text="\n".join(spoken)))
    return Section(Place(slide=number, heading=title or None), title, "\n".join(lines))


def _texts(shapes: Iterable[Any], depth: int = 0) -> Iterator[str]:
    for shape in shapes:
        if depth < _DEEPEST_GROUP and hasattr(shape, "shapes"):
            yield from _texts(shape.shapes, depth + 1)
        elif shape.has_text_frame:
            yield from _lines(shape.text_frame)
        elif getattr(shape, "has_table", False):
            for row in shape.table.rows:
                cells = [" ".join(cell.text_frame.text.split()) for cell in row.cells]
                if any(cells):
                    yield " | ".join(cells)
        elif getattr(shape, "has_chart", False) and shape.chart.has_title:
            yield " ".join(shape.chart.chart_title.text_frame.text.split())


def _lines(frame: Any) -> list[str]:
    return [line for paragraph in frame.paragraphs if (line := " ".join(paragraph.text.split()))]
