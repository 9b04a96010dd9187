"""What a reader hands over: a document as sections of text, each with the place where it is found again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from memory.readers.recognition import Format
from resources.language import gettext as _

_ROWS = re.compile(r"^[A-Z]*(\d+)(?::[A-Z]*(\d+))?$")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document; only what applies to its format is set.

    ``page`` and ``slide`` count from 1 by position in the file, ``line`` and ``last_line`` from 1; ``cell``
    is a cell or range such as ``A4`` or ``A4:F9``; ``heading`` is the path of headings above the place.
    """

    page: int | None = None
    sheet: str | None = None
    cell: str | None = None
    slide: int | None = None
    line: int | None = None
    last_line: int | None = None
    heading: str | None = None

    def label(self) -> str:
        """Return the place as a person writes it: ``p. 12``, ``sheet Depths, row 4``, ``line 88``."""
        if self.page is not None:
            return _("p. {page}").format(page=self.page)
        if self.slide is not None:
            return _("slide {slide}").format(slide=self.slide)
        if self.sheet is not None:
            rows = self._rows_label()
            return _("sheet {sheet}").format(sheet=self.sheet) + (f", {rows}" if rows else "")
        if self.cell is not None:
            return self._rows_label()
        if self.line is not None:
            if self.last_line is None or self.last_line == self.line:
                return _("line {line}").format(line=self.line)
            return _("lines {first}–{last}").format(first=self.line, last=self.last_line)
        return self.heading or ""

    def rows(self) -> tuple[int, int] | None:
        """Return the first and last row of ``cell``, or None where the place is not in a sheet."""
        match = _ROWS.match(self.cell or "")
        if match is None:
            return None
        first = int(match[1])
        return first, int(match[2] or first)

    def _rows_label(self) -> str:
        rows = self.rows()
        if rows is None:
            return self.cell or ""
        if rows[0] == rows[1]:
            return _("row {row}").format(row=rows[0])
        return _("rows {first}–{last}").format(first=rows[0], last=rows[1])

    def container(self) -> tuple[int | None, str | None, int | None]:
        """Return what a citation must not cross: page, sheet and slide."""
        return self.page, self.sheet, self.slide

    def to_dict(self) -> dict[str, int | str]:
        """Return the fields that are set."""
        present = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in present.items() if value is not None}

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> "Place":
        """Make a place from :meth:`to_dict`; raises ValueError where a field has the wrong type."""
        numbers: dict[str, int] = {}
        texts: dict[str, str] = {}
        for name, value in stored.items():
            if name in {"page", "slide", "line", "last_line"} and type(value) is int:
                numbers[name] = value
            elif name in {"sheet", "cell", "heading"} and isinstance(value, str):
                texts[name] = value
            else:
                raise ValueError(f"a place has no field {name!r} of type {type(value).__name__}")
        return cls(
            page=numbers.get("page"),
            sheet=texts.get("sheet"),
            cell=texts.get("cell"),
            slide=numbers.get("slide"),
            line=numbers.get("line"),
            last_line=numbers.get("last_line"),
            heading=texts.get("heading"),
        )


@dataclass(frozen=True, slots=True)
class Section:
    """Consecutive text under one heading within one page, sheet or slide.

    ``heading`` is the path of headings, outermost first, joined by `` › ``. A PDF page with several headings
    gives several sections of the same page. ``navigation`` marks tables of contents and indexes: text that
    repeats headings and should not be cited in their place.
    """

    place: Place
    heading: str
    text: str
    navigation: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read. ``pages`` counts its pages or slides, if any; ``note`` tells what was lost."""

    kind: Format
    media_type: str
    title: str
    sections: tuple[Section, ...]
    pages: int | None = None
    note: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the document as plain JSON values."""
        return {
            "kind": self.kind.value,
            "media_type": self.media_type,
            "title": self.title,
            "pages": self.pages,
            "note": self.note,
            "sections": sections_to_list(self.sections),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> "Document":
        """Make a document from :meth:`to_dict`; raises ValueError where it is not one."""
        pages = stored.get("pages")
        if not (pages is None or isinstance(pages, int)):
            raise ValueError("not a document")
        return cls(
            kind=Format(str(stored.get("kind"))),
            media_type=str(stored.get("media_type")),
            title=str(stored.get("title")),
            pages=pages,
            note=str(stored.get("note")),
            sections=tuple(sections_from_list(stored.get("sections"))),
        )


def sections_to_list(sections: Sequence[Section]) -> list[list[object]]:
    """Return sections as plain JSON values."""
    return [
        [section.place.to_dict(), section.heading, section.text, section.navigation] for section in sections
    ]


def sections_from_list(stored: object) -> list[Section]:
    """Make sections from :func:`sections_to_list`; raises ValueError where they are not."""
    if not isinstance(stored, list):
        raise ValueError("not a list of sections")
    return [
        Section(Place.from_dict(place), str(heading), str(text), bool(navigation))
        for place, heading, text, navigation in stored
    ]
