"""PDF files: the text of every page under the headings of the outline."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from memory.readers.document import Document, Place, Section
from memory.readers.errors import FileDamaged, FileEncrypted
from memory.readers.headings import HeadingPath
from memory.readers.pdf_layout import (
    BrokenWords,
    Margins,
    body_size,
    is_navigation,
    joined,
    without_running_lines,
)
from memory.readers.pdf_lines import Line, pages_of
from memory.readers.pdf_outline import Heading, bookmarks, guessed, heading_lines, title_line
from memory.readers.recognition import Format
from memory.readers.titles import title_from
from resources.language import gettext as _


def read_pdf(content: bytes, name: str) -> Document:
    """Return the document; raises FileEncrypted or, where pdfium refuses it, FileDamaged."""
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        import pypdfium2.raw as pdfium

        if error.err_code in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}:
            raise FileEncrypted(name) from None
        raise FileDamaged(name) from error
    try:
        return _document(pdf, name)
    finally:
        pdf.close()


def _document(pdf: Any, name: str) -> Document:
    pages = without_running_lines(tuple(pages_of(pdf)))
    body = body_size(pages)
    headings = bookmarks(pdf) or guessed(pages, body)
    sections = _sections(pages, headings)
    without_text = sum(not lines for lines in pages)
    return Document(
        kind=Format.PDF,
        media_type="application/pdf",
        title=title_from(pdf.get_metadata_value("Title") or title_line(pages, body), name),
        sections=tuple(sections),
        pages=len(pages),
        note=_note(len(pages), without_text),
    )


def _sections(pages: Sequence[Sequence[Line]], headings: Sequence[Heading]) -> list[Section]:
    by_page: dict[int, list[Heading]] = defaultdict(list)
    for heading in headings:
        by_page[heading.page].append(heading)
    path = HeadingPath()
    margins = Margins.of(pages)
    pieces: list[tuple[Place, str, bool]] = []
    for number, lines in enumerate(pages):
        navigation = is_navigation(lines)
        start = 0
        for index, heading in heading_lines(lines, by_page[number]):
            if index > start:
                pieces.append(
                    (_place(number, path), _text(lines[start:index], margins, navigation), navigation)
                )
                start = index
            path.enter(heading.title, heading.level)
        if start < len(lines):
            pieces.append((_place(number, path), _text(lines[start:], margins, navigation), navigation))
    words = BrokenWords([text for _, text, _ in pieces])
    return [
        Section(place, place.heading or "", words.mended(text), navigation)
        for place, text, navigation in pieces
    ]


def _text(lines: Sequence[Line], margins: Margins, navigation: bool) -> str:
    if navigation:
        return "\n".join(joined([line]) for line in lines)
    return joined(lines, margins)


def _place(number: int, path: HeadingPath) -> Place:
    return Place(page=number + 1, heading=str(path) or None)


def _note(pages: int, without_text: int) -> str:
    if without_text == pages:
        return _(
            "The pages hold pictures of text only: "
            "read them with a model that sees, or attach a PDF with text."
        )
    if without_text > pages * 0.1:
        return _("{count} of {pages} pages hold no text that can be read, only pictures or nothing.").format(
            count=without_text, pages=pages
        )
    return ""
