"""A code block: its language, Copy, coloured lines that never wrap; long code is cut until asked for."""

from time import monotonic

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import (
    QFontMetrics,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QPushButton, QWidget

from desktop.theme.appearance import Look, look
from desktop.theme.tokens import colour
from desktop.transcript.deferred import deferred
from desktop.transcript.events import RowEvents
from desktop.transcript.highlight import LIMIT, CodeHighlighter, known_spans, spans
from desktop.transcript.segments import Segment
from desktop.transcript.text_segment import TextSegment
from desktop.widgets.rounded import rounded
from resources.language import gettext as _
from resources.language import ngettext

LINES_SHOWN = 300
"""Lines shown of longer code until its reader asks for all."""
_LIVE_PAUSE = 0.3


class CodeText(TextSegment, QPlainTextEdit):
    """The lines of a code block."""

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self.prepare(events)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


class CodeSegment(QFrame):
    """A well with a title bar over its code."""

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self.events = events
        self.text = CodeText(self, events)
        self._highlighter = CodeHighlighter(self.text.document())
        self._copy = QPushButton(_("Copy"), self)
        self._copy.setProperty("kind", "link")
        self._copy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._copy.clicked.connect(self._copy_all)
        self._more = QPushButton(self)
        self._more.setProperty("kind", "link")
        self._more.clicked.connect(self._show_all)
        self._more.hide()
        self._copied = QTimer(self, singleShot=True, interval=1500)
        self._copied.timeout.connect(lambda: self._copy.setText(_("Copy")))
        self._segment: Segment | None = None
        self._shown = ""
        self._all = False
        self._look: Look | None = None
        self._coloured_at = 0.0
        self._widest = 0

    def show_segment(self, segment: Segment, live: bool = False) -> None:
        """Show code; a live one grows by appending and is coloured a few times a second."""
        here = look()
        if self._segment is None or not segment.source.startswith(self._segment.source[:200]):
            self._all = False
        self._segment = segment
        if here is not self._look:
            self._look = here
            self.text.setFont(here.font(13, fixed=True))
            self.text.setTabStopDistance(4 * QFontMetrics(self.text.font()).horizontalAdvance(" "))
            self._copy.setFont(here.small)
        text = segment.source if self._all else _first_lines(segment.source)
        self._put(text)
        hidden = segment.source.count("\n") - text.count("\n")
        self._more.setVisible(hidden > 0)
        if hidden > 0:
            total = segment.source.count("\n") + 1
            self._more.setText(
                ngettext("Show all {n} line", "Show all {n} lines", total).format(n=f"{total:,}")
            )
        self._colour_soon(segment.language, text, live)
        self.setAccessibleName(_("Code, {language}").format(language=segment.language or _("plain text")))

    def _put(self, text: str) -> None:
        if text == self._shown:
            return
        if self._shown and text.startswith(self._shown):
            added = text[len(self._shown) :]
            cursor = QTextCursor(self.text.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(added)
            lines = text[text.rfind("\n", 0, len(self._shown)) + 1 :].split("\n")
            self._widest = max(self._widest, max(map(len, lines)))
        else:
            self.text.setPlainText(text)
            self._widest = max(map(len, text.split("\n")))
        self._shown = text

    def _colour_soon(self, language: str, text: str, live: bool) -> None:
        found = known_spans(language, text)
        if found is not None:
            deferred().forget(self)
            self._highlighter.show_spans(found)
        elif len(text) > LIMIT:
            self._highlighter.show_spans(())
        elif not live or monotonic() - self._coloured_at > _LIVE_PAUSE:
            self._coloured_at = monotonic()
            deferred().ask(self, lambda: self._colour(language, text))

    def _colour(self, language: str, text: str) -> None:
        if self._shown.startswith(text):
            self._highlighter.show_spans(spans(language, text))

    def height_for(self, width: int) -> int:
        """Return the height at a width."""
        here = look()
        metrics = QFontMetrics(here.font(13, fixed=True))
        lines = max(1, self.text.blockCount())
        wide = self._widest * metrics.horizontalAdvance("m") > width - here.px(26)
        bar = here.px(10) if wide else 0
        more = here.px(30) if not self._more.isHidden() else 0
        return here.px(32) + lines * metrics.lineSpacing() + bar + more + here.px(14)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the parts."""
        here = look()
        size = self._copy.sizeHint()
        self._copy.setGeometry(
            self.width() - size.width() - here.px(6), here.px(3), size.width(), here.px(26)
        )
        more = here.px(30) if not self._more.isHidden() else 0
        top = here.px(32)
        self.text.setGeometry(
            here.px(12), top, self.width() - here.px(14), self.height() - top - more - here.px(4)
        )
        if more:
            self._more.setGeometry(
                here.px(8), self.height() - more, self._more.sizeHint().width(), here.px(26)
            )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the well and the language."""
        here = look()
        painter = QPainter(self)
        rounded(painter, self.rect(), here.theme.code, here.theme.line, here.px(8))
        painter.setPen(colour(here.theme.dim))
        painter.setFont(here.small)
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        box = QRectF(here.px(12), here.px(3), self.width() / 2, here.px(26))
        name = self._segment.language if self._segment else ""
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name or _("text"))

    def _copy_all(self) -> None:
        if self._segment:
            QGuiApplication.clipboard().setText(self._segment.source)
            self._copy.setText(_("Copied"))
            self._copied.start()

    def _show_all(self) -> None:
        if self._segment:
            self._all = True
            self.show_segment(self._segment)
            self.events.resized.emit(self)


def _first_lines(source: str) -> str:
    if source.count("\n") < LINES_SHOWN + 50:
        return source
    end = -1
    for _count in range(LINES_SHOWN):
        end = source.index("\n", end + 1)
    return source[:end]
