"""The lines of a PDF's pages with their position on the page, through pdfium."""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LIGATURES = str.maketrans(
    {
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "ﬅ": "st",
        "ﬆ": "st",
        "\u00a0": " ",
        "\u00ad": "",
    }
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\uffff]")
HYPHEN = "\ufffe"  # pdfium's mark for a hyphen at the end of a line; it has already joined the two lines


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; positions in points from the lower left corner, ``size`` the height of its type."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    last_top: float
    size: float

    @property
    def character_width(self) -> float:
        """The average width of a character, in points."""
        return (self.right - self.left) / max(len(self.text), 1)


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of one page in reading order and its height in points."""

    lines: tuple[Line, ...]
    height: float


def pages_of(pdf: Any) -> Iterator[Page]:
    """Yield every page of a ``pypdfium2.PdfDocument``; a page that pdfium cannot load is an empty one."""
    from pypdfium2 import PdfiumError

    for index in range(len(pdf)):
        try:
            page = pdf[index]
        except PdfiumError:
            yield Page((), 0.0)
            continue
        text_page = page.get_textpage()
        try:
            yield Page(tuple(_lines(text_page)), page.get_height())
        finally:
            text_page.close()
            page.close()


def _lines(text_page: Any) -> Iterator[Line]:
    start = 0
    for raw in text_page.get_text_range(errors="surrogatepass").split("\r\n"):
        units = len(raw) if raw.isascii() else len(raw.encode("utf-16-le", "surrogatepass")) // 2
        text = _clean(raw)
        if text:
            leading = len(raw) - len(raw.lstrip())
            trailing = len(raw) - len(raw.rstrip())
            first = _box(text_page, start + leading)
            last = _box(text_page, start + units - 1 - trailing)
            yield Line(
                text=text,
                left=first[0],
                right=max(last[2], first[2]),
                top=first[1],
                bottom=last[3],
                last_top=last[1],
                size=first[1] - first[3],
            )
        start += units + 2


def _box(text_page: Any, text_index: int) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of the character at an index of the page's text."""
    import pypdfium2.raw as pdfium

    index = pdfium.FPDFText_GetCharIndexFromTextIndex(text_page, text_index)
    rectangle = pdfium.FS_RECTF()
    if index < 0 or not pdfium.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(rectangle)):
        return 0.0, 0.0, 0.0, 0.0
    return rectangle.left, rectangle.top, rectangle.right, rectangle.bottom


def _clean(raw: str) -> str:
    text = (
        raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if not raw.isascii() else raw
    )
    return " ".join(_CONTROL.sub(" ", text.translate(_LIGATURES)).split())
