"""Small real files of every format, made on the spot."""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Printed:
    """A line on a PDF page: where it starts, in points from the lower left corner, and its size."""

    text: str
    x: float = 72
    y: float = 700
    size: float = 11


@dataclass(frozen=True)
class Bookmark:
    """An entry of a PDF's outline: the page by position from 0 and the height it leads to."""

    title: str
    page: int
    y: float = 720
    children: Sequence["Bookmark"] = field(default_factory=tuple)


class _Objects:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def reserve(self) -> int:
        self.bodies.append(b"null")
        return len(self.bodies)

    def add(self, body: str | bytes) -> int:
        number = self.reserve()
        self.put(number, body)
        return number

    def put(self, number: int, body: str | bytes) -> None:
        self.bodies[number - 1] = body.encode("latin-1") if isinstance(body, str) else body


def _literal(text: str) -> str:
    encoded = text.encode("cp1252", "replace").decode("latin-1")
    return "(" + encoded.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") + ")"


def pdf(
    pages: Sequence[Sequence[Printed]],
    *,
    title: str = "",
    outline: Sequence[Bookmark] = (),
    needs_password: bool = False,
) -> bytes:
    """Return a PDF with the given lines on its pages."""
    objects = _Objects()
    catalog, tree = objects.reserve(), objects.reserve()
    font = objects.add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    numbers = []
    for lines in pages:
        drawn = "\n".join(
            f"BT /F1 {line.size} Tf {line.x} {line.y} Td {_literal(line.text)} Tj ET" for line in lines
        )
        packed = zlib.compress(drawn.encode("latin-1"))
        stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
        content = objects.add(stream)
        numbers.append(
            objects.add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 612 792] /Contents {content} 0 R"
                f" /Resources << /Font << /F1 {font} 0 R >> >> >>"
            )
        )
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects.put(tree, f"<< /Type /Pages /Count {len(numbers)} /Kids [{kids}] >>")
    root = objects.reserve()
    first, last = _outline(objects, outline, root, numbers)
    objects.put(root, f"<< /Type /Outlines {first} {last} >>")
    objects.put(catalog, f"<< /Type /Catalog /Pages {tree} 0 R /Outlines {root} 0 R >>")
    information = objects.add(f"<< /Title {_literal(title)} >>")
    trailer = f"/Root {catalog} 0 R /Info {information} 0 R"
    if needs_password:
        lock = objects.add(f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{'41' * 32}> /U <{'42' * 32}> >>")
        trailer += f" /Encrypt {lock} 0 R /ID [<{'01' * 16}> <{'01' * 16}>]"
    return _written(objects, trailer)


def _outline(
    objects: _Objects, bookmarks: Sequence[Bookmark], parent: int, pages: Sequence[int]
) -> tuple[str, str]:
    numbers = [objects.reserve() for _ in bookmarks]
    for index, (number, bookmark) in enumerate(zip(numbers, bookmarks, strict=True)):
        first, last = _outline(objects, bookmark.children, number, pages)
        following = f"/Next {numbers[index + 1]} 0 R" if index + 1 < len(numbers) else ""
        objects.put(
            number,
            f"<< /Title {_literal(bookmark.title)} /Parent {parent} 0 R {following} {first} {last}"
            f" /Dest [{pages[bookmark.page]} 0 R /XYZ 72 {bookmark.y} 0] >>",
        )
    if not numbers:
        return "", ""
    return f"/First {numbers[0]} 0 R", f"/Last {numbers[-1]} 0 R"


def _written(objects: _Objects, trailer: str) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects.bodies, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1))
    for offset in offsets:
        out.write(b"%010d 00000 n \n" % offset)
    out.write(
        f"trailer\n<< /Size {len(offsets) + 1} {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode("latin-1")
    )
    return out.getvalue()


def paragraph(*lines: str, top: float = 700, size: float = 11, x: float = 72) -> list[Printed]:
    """Return lines set below each other with a normal distance."""
    return [Printed(text, x, top - index * size * 1.25, size) for index, text in enumerate(lines)]


def docx(build: "object" = None) -> bytes:
    """Return a Word document with two levels of headings, a table and an accent or two."""
    import docx as library

    document = library.Document()
    document.core_properties.title = "Harbour report"
    document.add_heading("Harbour report", 0)
    document.add_heading("Dredging", 1)
    document.add_paragraph("The channel was deepened in spring.")
    document.add_heading("Costs", 2)
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("Item", "Euro", "Barge", "4200"), strict=True):
        cell.text = text
    document.add_heading("Crew", 1)
    document.add_paragraph("Zoë steers; Łukasz keeps the log.")
    return _saved(document)


def pptx() -> bytes:
    """Return a presentation of three slides; the second has notes, the third no text."""
    from pptx import Presentation

    deck = Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[0])
    first.shapes.title.text = "Tides"
    second = deck.slides.add_slide(deck.slide_layouts[1])
    second.shapes.title.text = "Spring tide"
    second.placeholders[1].text = "Twice a month"
    second.notes_slide.notes_text_frame.text = "Mention the moon"
    deck.slides.add_slide(deck.slide_layouts[6])
    return _saved(deck)


def xlsx(rows: int = 3) -> bytes:
    """Return a workbook: a sheet of depths under a header row, and a sheet with a gap between its rows."""
    import datetime

    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "Depths"
    sheet.append(["Station", "Depth", "Measured"])
    for number in range(1, rows + 1):
        sheet.append([f"Buoy {number}", number * 10.5, datetime.date(2024, 5, number % 28 + 1)])
    other = book.create_sheet("Crew")
    other["B3"] = "Mate"
    other["B9"] = "Cook"
    return _saved(book)


def _saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]  # three libraries, one method
    return out.getvalue()


def png(width: int, height: int) -> bytes:
    """Return a grey picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def repacked(package: bytes, replaced: dict[str, bytes]) -> bytes:
    """Return an Office file with some of its parts replaced or added."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            if member.filename not in replaced:
                new.writestr(member, old.read(member))
        for name, content in replaced.items():
            new.writestr(name, content)
    return out.getvalue()


BILLION_LAUGHS = (
    b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
"""
    + b"".join(
        b'<!ENTITY lol%d "%s">' % (level, b"&lol%s;" % (b"%d" % (level - 1) if level > 1 else b"") * 10)
        for level in range(1, 10)
    )
    + b"]><lolz>&lol9;</lolz>"
)
OLE_HEADER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
