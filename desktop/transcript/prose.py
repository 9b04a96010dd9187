"""Prose: paragraphs, lists, quotes and small tables of one message, at most some two thousand characters."""

from functools import lru_cache
from html import unescape
from typing import Any

from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QImage,
    QPainter,
    QPaintEvent,
    QPixmap,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QTextBrowser, QWidget

from desktop.theme.appearance import Look, look
from desktop.theme.palette import palette
from desktop.theme.tokens import colour
from desktop.transcript.events import RowEvents
from desktop.transcript.markdown_html import CITE, PICTURE
from desktop.transcript.pictures import density, embedded, picture
from desktop.transcript.segments import Segment
from desktop.transcript.text_segment import TextSegment

_CURSOR_LENGTH = 2
_CURSOR = '<span class="cursor">&#8202;▍</span>'


@lru_cache(maxsize=8)
def text_style(here: Look) -> str:
    """Return the style sheet of rich text; colours live here, never in the HTML."""
    theme = here.theme
    mono = here.font(13, fixed=True)
    line = theme.line
    headings = "\n".join(
        f"h{level} {{ font-size: {here.px(size)}px; font-weight: 600; margin-top: {here.px(top)}px; "
        f"margin-bottom: {here.px(6)}px; }}"
        for level, size, top in ((1, 21, 12), (2, 18, 12), (3, 16, 10), (4, 14, 8), (5, 14, 8), (6, 14, 8))
    )
    return f"""{headings}
p {{ margin-top: 0px; margin-bottom: {here.px(8)}px; line-height: 124%; }}
p.pictured {{ line-height: 100%; }}
ul, ol {{ margin-top: 0px; margin-bottom: {here.px(8)}px; }}
li {{ margin-bottom: {here.px(2)}px; line-height: 124%; }}
strong {{ font-weight: 600; }}
a {{ color: {theme.accent}; text-decoration: none; }}
code {{ font-family: "{mono.family()}"; font-size: {mono.pixelSize()}px; background-color: {theme.code}; }}
pre {{ font-family: "{mono.family()}"; font-size: {mono.pixelSize()}px; margin: 0px; }}
table.grid {{ border-collapse: collapse; border-color: {line}; }}
table.grid th {{ background-color: {theme.side}; font-weight: 600; padding: {here.px(4)}px {here.px(10)}px;
  border: 1px solid {line}; }}
table.grid td {{ padding: {here.px(4)}px {here.px(10)}px; border: 1px solid {line}; }}
table.well {{ background-color: {theme.code}; margin-bottom: {here.px(8)}px; }}
table.quote {{ margin-top: {here.px(8)}px; margin-bottom: {here.px(8)}px; }}
td.bar {{ background-color: {line}; }}
td.quoted {{ padding-left: {here.px(12)}px; color: {theme.dim}; }}
body.dim {{ color: {theme.dim}; }}
.cursor {{ color: {theme.dim}; }}
"""


class ProseSegment(TextSegment, QTextBrowser):
    """Rich text of a segment. Loads nothing, opens nothing: links and citations are reported.

    ``images`` are the pictures that it may show, PNG by attachment id. ``ground`` is the colour it stands on;
    where it is known, text that stands still is painted once.
    """

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self.prepare(events)
        self._html: str | None = None
        self._live = False
        self._live_html = ""
        self._look: Look | None = None
        self._dim = False
        self._laid_out = (-1, -1)
        self._version = 0
        self.ground = ""
        self.images: dict[str, bytes] = {}
        self._painted: object = None
        self._picture = QPixmap()
        # A hidden widget has no width of its own yet; the row names it.
        self.setLineWrapMode(QTextBrowser.LineWrapMode.FixedPixelWidth)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.viewport().setMouseTracking(True)
        self.anchorClicked.connect(self._follow)

    def show_segment(self, segment: Segment, live: bool = False, dim: bool = False) -> None:
        """Show a segment; ``live`` draws the cursor of an unfinished answer at its end."""
        html = segment.html
        self._live = live
        if live and self._extend(html):
            return
        paragraph = html.endswith("</p>")
        if live:
            self.show_html(html[:-4] + _CURSOR + "</p>" if paragraph else html + _CURSOR, dim)
            self._live_html = html if paragraph else ""
        else:
            self.show_html(html, dim)

    def _extend(self, html: str) -> bool:
        """Insert what a live paragraph gained, if that is nothing but text; ten times cheaper than anew."""
        known = self._live_html
        if not known or not html.endswith("</p>") or look() is not self._look:
            return False
        if not html.startswith(known[:-4]):
            return False
        added = html[len(known) - 4 : -4]
        if "<" in added:
            return False
        if added:
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.movePosition(
                QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.MoveAnchor, _CURSOR_LENGTH
            )
            cursor.insertText(unescape(added), QTextCharFormat())
            self._live_html, self._html = html, None
            self._laid_out = (-1, -1)
            self._version += 1
        return True

    def show_html(self, html: str, dim: bool = False) -> None:
        """Show HTML of our own making."""
        here = look()
        self._live_html = ""
        if html == self._html and here is self._look and dim == self._dim:
            return
        document = self.document()
        if here is not self._look or dim != self._dim:
            self._look, self._dim = here, dim
            document.clear()
            document.setDefaultFont(here.font())
            document.setDefaultStyleSheet(text_style(here))
            document.setIndentWidth(here.px(22))
            self.setPalette(palette(here.theme))
        self._html = html
        self._laid_out = (-1, -1)
        self._version += 1
        self._picture = QPixmap()
        # Not by the palette: the application's style sheet takes it back when the scheme changes.
        self.setHtml(f'<body class="dim">{html}</body>' if dim else f"<body>{html}</body>")
        self._trim()

    def _trim(self) -> None:
        """Take the air above the first block away: the space between segments is the card's."""
        block = self.document().firstBlock()
        if block.blockFormat().topMargin() > 0:
            edge = QTextBlockFormat()
            edge.setTopMargin(0)
            QTextCursor(block).mergeBlockFormat(edge)

    def height_for(self, width: int) -> int:
        """Lay the text out at a width and return its height."""
        if self._laid_out[0] != width:
            if self.lineWrapColumnOrWidth() != width:
                self.setLineWrapColumnOrWidth(width)
            self._laid_out = (width, round(self.document().size().height() + 0.49))
        return self._laid_out[1]

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Draw chips and formulas; for anything else return an empty picture, so that Qt loads nothing."""
        if kind == QTextDocument.ResourceType.ImageResource.value:
            address = (
                name.toString(QUrl.ComponentFormattingOption.FullyEncoded) if isinstance(name, QUrl) else name
            )
            if address.startswith(PICTURE):
                return embedded(self.images.get(address.removeprefix(PICTURE), b""), look(), density())
            return picture(address)
        return QImage()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint from a picture what was painted before: scrolling moves text far oftener than it changes."""
        if not self.ground or self.textCursor().hasSelection() or self.extraSelections() or self.hasFocus():
            self._painted = None
            super().paintEvent(event)
            return
        ratio = self.devicePixelRatioF()
        state = (self._version, self.width(), self.height(), ratio, self.ground)
        if state != self._painted:
            self._painted, self._picture = state, QPixmap()
            super().paintEvent(event)
            return
        if self._picture.isNull():
            if self._live or 2 * event.rect().height() < self.height():
                super().paintEvent(event)
                return
            self._picture = self._drawn(ratio)
        QPainter(self.viewport()).drawPixmap(0, 0, self._picture)

    def _drawn(self, ratio: float) -> QPixmap:
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        # Opaque, so that letters keep the smoothing that they have on the card itself.
        picture.fill(colour(self.ground))
        painter = QPainter(picture)
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette = self.palette()
        self.document().documentLayout().draw(painter, context)
        painter.end()
        return picture

    def hover(self, point: QPoint) -> None:
        """Show the hand over a link and its true address as a tip."""
        address = self.anchorAt(point)
        shape = Qt.CursorShape.PointingHandCursor if address else Qt.CursorShape.IBeamCursor
        if self.viewport().cursor().shape() != shape:
            self.viewport().setCursor(shape)
        self.setToolTip("" if address.startswith((CITE, PICTURE)) else address)

    def click(self, point: QPoint) -> None:
        """Report the link or citation under a click."""
        if address := self.anchorAt(point):
            self._follow(QUrl(address))

    def _follow(self, url: QUrl) -> None:
        address = url.toString()
        if address.startswith(CITE):
            index = address.removeprefix(CITE)
            if index.isdecimal():
                self.events.citation.emit(self.message_id, int(index))
        elif address.startswith(PICTURE):
            self.events.attachment.emit(self.message_id, address.removeprefix(PICTURE))
        else:
            self.events.link.emit(address)
