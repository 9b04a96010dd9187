"""Tables: spreadsheets and CSV as groups of rows, each under the header row of its sheet."""

import csv
import datetime
import io
from collections.abc import Iterable, Iterator, Sequence

from memory.readers.document import Document, Place, Section
from memory.readers.encoding import decoded
from memory.readers.errors import FileDamaged
from memory.readers.pieces import piece_estimate
from memory.readers.recognition import Format, Kind, table_delimiter
from memory.readers.titles import title_from
from resources.language import gettext as _

_SECTION_PIECES = 200
_LONGEST_HEADER = 80
_SECTION_ROWS = 40
_HEADER_SEARCH = 8
Row = tuple[int, Sequence[str]]


def read_csv(content: bytes, name: str, kind: Kind) -> Document:
    """Return the rows of a delimited file; a row's number is the one a spreadsheet shows."""
    text, note = decoded(content)
    delimiter = table_delimiter(text[:65536]) or ("\t" if "tab-separated" in kind.media_type else ",")
    csv.field_size_limit(2**31 - 1)
    rows = enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1)
    sections = tuple(_sections((number, [_plain(cell) for cell in row]) for number, row in rows))
    return Document(Format.CSV, kind.media_type, title_from(None, name), sections, note=note)


def read_xlsx(content: bytes, name: str, kind: Kind) -> Document:
    """Return the rows of every sheet with the values a spreadsheet last showed; raises FileDamaged."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, KeyError, ValueError, TypeError, AttributeError) as error:
        raise FileDamaged(name) from error
    sections: list[Section] = []
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # the size a file declares may be a lie
            rows = (
                (number, [_value(cell) for cell in row])
                for number, row in enumerate(sheet.iter_rows(values_only=True), 1)
            )
            sections += _sections(rows, sheet.title)
        title = book.properties.title
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise FileDamaged(name) from error
    finally:
        book.close()
    note = (
        "" if sections else _("No cell holds a value; formulas show only after a spreadsheet has saved them.")
    )
    return Document(Format.XLSX, kind.media_type, title_from(title, name), tuple(sections), note=note)


def _value(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case float():
            return f"{cell:.12g}"
        case datetime.datetime() if cell.time() == datetime.time():
            return cell.date().isoformat()
        case datetime.datetime():
            return cell.isoformat(" ", "minutes" if cell.second == 0 else "seconds")
    return _plain(str(cell))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _sections(rows: Iterable[Row], sheet: str | None = None) -> Iterator[Section]:
    """Yield groups of consecutive rows; every group begins with the header row, whatever its place."""
    filled = ((number, _trimmed(cells)) for number, cells in rows)
    kept = ((number, cells) for number, cells in filled if cells)
    header, waiting = _header(kept)
    header_size = piece_estimate(" | ".join(header[1])) if header else 0
    if header_size > _LONGEST_HEADER:
        header, header_size = None, 0
    room = _SECTION_PIECES - header_size
    group: list[Row] = []
    size = 0
    for number, cells in _chained(waiting, kept):
        length = piece_estimate(" | ".join(cells))
        gap = bool(group) and number != group[-1][0] + 1
        if group and (gap or size + length > room or len(group) >= _SECTION_ROWS):
            yield _section(group, header, sheet)
            group, size = [], 0
        group.append((number, cells))
        size += length
    if group:
        yield _section(group, header, sheet)


def _trimmed(cells: Sequence[str]) -> Sequence[str]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _header(rows: Iterator[Row]) -> tuple[Row | None, list[Row]]:
    """Return the header row, the first wide one without numbers, and the rows read to find it."""
    first: list[Row] = []
    for row in rows:
        first.append(row)
        if len(first) == _HEADER_SEARCH:
            break
    widest = max((len(cells) for _number, cells in first), default=0)
    for row in first[:-1]:
        named = [cell for cell in row[1] if cell]
        if len(named) >= max(2, widest * 0.6) and not any(_is_number(cell) for cell in named):
            return row, first
    return None, first


def _is_number(cell: str) -> bool:
    return cell.replace(".", "").replace(",", "").replace("-", "").replace("%", "").strip().isdigit()


def _chained(first: Iterable[Row], rest: Iterable[Row]) -> Iterator[Row]:
    yield from first
    yield from rest


def _section(group: Sequence[Row], header: Row | None, sheet: str | None) -> Section:
    first, last = group[0][0], group[-1][0]
    lines = [" | ".join(cells) for _number, cells in group]
    if header is not None and header[0] < first:
        lines.insert(0, " | ".join(header[1]))
    width = max(len(cells) for _number, cells in group)
    cell = f"A{first}:{_column(width)}{last}"
    return Section(Place(sheet=sheet, cell=cell), sheet or "", "\n".join(lines))


def _column(number: int) -> str:
    """Return the letters of a column counted from 1."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters or "A"
