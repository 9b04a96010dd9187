"""One file's bytes to a document: recognised by content, checked, given to the reader of its format."""

from memory.readers.document import Document
from memory.readers.errors import FileEmpty, FileEncrypted, FileNotSupported
from memory.readers.images import image_size
from memory.readers.packages import check_package
from memory.readers.pdf import read_pdf
from memory.readers.plain import read_markdown, read_text
from memory.readers.recognition import HEAD, TAIL, Format, Kind, recognise_content
from memory.readers.slides import read_pptx
from memory.readers.tables import read_csv, read_xlsx
from memory.readers.titles import title_from
from memory.readers.web import read_html
from memory.readers.word import read_docx
from resources.language import gettext as _

_NOT_READ = {
    Format.ARCHIVE: "archive",
    Format.OLD_OFFICE: "old office",
    Format.OTHER_OFFICE: "other office",
    Format.BINARY: "binary",
}


def read_document(content: bytes, name: str) -> Document:
    """Return what the file holds; raises a ReadingError with the sentence for a person.

    Runs untrusted input through parsers: call it in a reading worker only.
    """
    head = content[:HEAD]
    kind = recognise_content(head, content[max(len(head), len(content) - TAIL) :], name)
    if kind.name is Format.EMPTY:
        raise FileEmpty(name)
    if kind.name is Format.ENCRYPTED_OFFICE:
        raise FileEncrypted(name)
    if kind.name in _NOT_READ:
        raise FileNotSupported(name, _NOT_READ[kind.name])
    if kind.name in {Format.DOCX, Format.XLSX, Format.PPTX}:
        check_package(content, name)
    document = _read(content, name, kind)
    if kind.name in {Format.TEXT, Format.MARKDOWN, Format.CODE, Format.CSV} and not document.sections:
        raise FileEmpty(name)
    return document


def _read(content: bytes, name: str, kind: Kind) -> Document:
    match kind.name:
        case Format.PDF:
            return read_pdf(content, name)
        case Format.DOCX:
            return read_docx(content, name, kind)
        case Format.XLSX:
            return read_xlsx(content, name, kind)
        case Format.PPTX:
            return read_pptx(content, name, kind)
        case Format.CSV:
            return read_csv(content, name, kind)
        case Format.HTML:
            return read_html(content, name, kind)
        case Format.MARKDOWN:
            return read_markdown(content, name, kind)
        case Format.IMAGE:
            return _picture(content, name, kind)
    return read_text(content, name, kind)


def _picture(content: bytes, name: str, kind: Kind) -> Document:
    size = image_size(content)
    if size is None:
        note = _("A picture whose size cannot be read: it may be damaged.")
    else:
        note = _("A picture of {width} × {height} pixels: only a model that sees can read it.").format(
            width=size.width, height=size.height
        )
    return Document(Format.IMAGE, kind.media_type, title_from(None, name), (), note=note)
