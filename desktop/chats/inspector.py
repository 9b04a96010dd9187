"""The column beside a conversation: what leaves this machine, what agents do, which notes they used."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop.theme.appearance import appearance, look
from desktop.theme.tokens import colour
from desktop.widgets.eliding import ElidingLabel
from desktop.widgets.scrolling import scrolling
from desktop.wording import count, money
from resources.language import gettext as _

_METER = 6
_DOT = 6


@dataclass(frozen=True, slots=True)
class Leaving:
    """One part of what would be sent: its name, tokens, its kind (for the colour) and why it is there."""

    label: str
    tokens: int
    kind: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the activity; ``tone`` is ``warn`` where it waits for the owner, ``danger`` for a fault."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class UsedNote:
    """A note that an answer was given, and where it comes from."""

    text: str
    origin: str


class Inspector(QWidget):
    """Three sections; each says what would stand there while it is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("inspector")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(_("Inspector"))
        self._leaving: tuple[Sequence[Leaving], str, int | None] = ((), "", None)
        self._nothing = ""
        self._deeds: Sequence[Deed] = ()
        self._notes: Sequence[UsedNote] = ()
        self.meter = Meter()
        self._parts = QGridLayout()
        self._activity = Timeline()
        self._used = QVBoxLayout()
        self._lay_out()
        appearance().changed.connect(self._redraw)
        self._redraw()

    def show_nothing_leaves(self, why: str) -> None:
        """Say why a message would send nothing now."""
        self._nothing = why
        self.show_leaving((), "", None)

    def show_leaving(self, parts: Sequence[Leaving], destination: str, cost: int | None) -> None:
        """Account for what a message would send now; an empty destination means that nothing leaves."""
        self._leaving = (parts, destination, cost)
        self._draw_leaving()

    def show_nothing_known(self) -> None:
        """Blank the account while what the next message would send is not yet known."""
        self.show_nothing_leaves(_("Adding up what your next message would send…"))

    def show_activity(self, deeds: Sequence[Deed]) -> None:
        """List what agents did last, oldest first."""
        if list(deeds) != list(self._deeds):
            self._deeds = deeds
            self._activity.show_deeds(deeds)
            self._no_activity.setVisible(not deeds)
            self._activity.setVisible(bool(deeds))

    def show_notes(self, notes: Sequence[UsedNote]) -> None:
        """List the notes that the last answers were given."""
        self._notes = notes
        self._draw_notes()

    def show_spent(self, words: str) -> None:
        """Say what the conversation has used so far; empty before its first answer."""
        self._spent.setText(words)
        self._spent.setVisible(bool(words))

    def _lay_out(self) -> None:
        content = QWidget()
        content.setObjectName("page")
        column = QVBoxLayout(content)
        column.setContentsMargins(16, 17, 16, 16)
        column.setSpacing(8)
        self._headings = [
            QLabel(words) for words in (_("What leaves this machine"), _("Activity"), _("Notes used"))
        ]
        for heading in self._headings:
            heading.setProperty("role", "section")
        self._no_activity = _dim(_("What agents read, recall and write is listed here while they work."))
        self._spent = _dim("")
        self._spent.hide()
        self._no_notes = _dim(_("Notes that an answer was given appear here with their source."))
        self._parts.setHorizontalSpacing(8)
        self._parts.setVerticalSpacing(0)
        self._parts.setColumnStretch(0, 1)
        column.addWidget(self._headings[0])
        column.addWidget(self.meter)
        column.addLayout(self._parts)
        column.addSpacing(14)
        column.addWidget(self._headings[1])
        column.addWidget(self._no_activity)
        column.addWidget(self._activity)
        column.addWidget(self._spent)
        column.addSpacing(14)
        column.addWidget(self._headings[2])
        column.addWidget(self._no_notes)
        column.addLayout(self._used)
        column.addStretch(1)
        self._activity.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(content))

    def _redraw(self) -> None:
        self._draw_leaving()
        self._draw_notes()
        self._activity.show_deeds(self._deeds)

    def _draw_leaving(self) -> None:
        parts, destination, cost = self._leaving
        while (item := self._parts.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.meter.show_parts(parts)
        self.meter.setVisible(bool(destination and parts))
        row = 0
        if not destination:
            self._parts.addWidget(_dim(self._nothing), 0, 0, 1, 2)
            return
        for part in parts:
            shown, number = ElidingLabel(part.label), _dim(count(part.tokens), wrap=False)
            shown.setFont(look().small)
            shown.setContentsMargins(0, 5, 0, 5)
            shown.setToolTip("\n".join(each for each in (part.label, part.reason) if each))
            self._parts.addWidget(shown, row, 0)
            self._parts.addWidget(number, row, 1, Qt.AlignmentFlag.AlignTrailing)
            line = QFrame()
            line.setProperty("kind", "line")
            self._parts.addWidget(line, row + 1, 0, 1, 2)
            row += 2
        total = sum(part.tokens for part in parts)
        name, number = _small(_("To {place}").format(place=destination)), _small(count(total))
        name.setWordWrap(True)
        for each in (name, number):
            each.setFont(look().font(12.5, 600))
        self._parts.addWidget(name, row, 0)
        self._parts.addWidget(number, row, 1, Qt.AlignmentFlag.AlignTrailing)
        words = _("price unknown") if cost is None else _("about {cost} to read").format(cost=money(cost))
        self._parts.addWidget(_dim(words), row + 1, 0, 1, 2)

    def _draw_notes(self) -> None:
        while (item := self._used.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._no_notes.setVisible(not self._notes)
        for note in self._notes:
            words = QLabel()
            words.setWordWrap(True)
            words.setTextFormat(Qt.TextFormat.PlainText)
            words.setText(f"“{note.text}” {note.origin}")
            words.setFont(look().small)
            words.setAccessibleName(words.text())
            self._used.addWidget(words)


class Meter(QWidget):
    """A bar whose pieces are as long as the parts are large."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: Sequence[Leaving] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_parts(self, parts: Sequence[Leaving]) -> None:
        """Replace the pieces."""
        self._parts = parts
        total = sum(part.tokens for part in parts)
        self.setAccessibleName(_("{count} tokens leave this machine").format(count=count(total)))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(80, look().px(_METER))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QPainterPath()
        bar.addRoundedRect(QRectF(self.rect()), self.height() / 2, self.height() / 2)
        painter.setClipPath(bar)
        painter.fillRect(self.rect(), colour(look().theme.line))
        total = sum(part.tokens for part in self._parts)
        left = 0.0
        for part in self._parts:
            width = self.width() * part.tokens / total if total else 0
            painter.fillRect(QRectF(left, 0, width, self.height()), _tint(part.kind))
            left += width


class Timeline(QWidget):
    """Lines on a thin thread, each with a dot."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(20, 2, 0, 2)
        self._column.setSpacing(6)
        self._labels: list[QLabel] = []

    def show_deeds(self, deeds: Sequence[Deed]) -> None:
        """Replace the lines."""
        for known in self._labels:
            self._column.removeWidget(known)
            known.hide()
            known.deleteLater()
        self._labels = []
        for deed in deeds:
            line = _small(deed.text)
            line.setWordWrap(True)
            if deed.tone:
                line.setProperty("role", deed.tone)
            self._labels.append(line)
            self._column.addWidget(line)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._labels:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, x = look().theme, 5.0
        painter.setPen(colour(theme.line))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(theme.dim))
        for line in self._labels:
            middle = line.y() + line.contentsMargins().top() + line.fontMetrics().height() / 2
            painter.drawEllipse(QPointF(x, middle), _DOT / 2, _DOT / 2)


def _tint(kind: str) -> QColor:
    theme = look().theme
    return colour(
        {
            "attachment": theme.accent,
            "conversation": theme.ok,
            "question": theme.ok,
            "notes": theme.warn,
        }.get(kind, theme.dim)
    )


def _small(text: str) -> QLabel:
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setFont(look().small)
    result.setContentsMargins(0, 5, 0, 5)
    return result


def _dim(text: str, *, wrap: bool = True) -> QLabel:
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setProperty("role", "small")
    result.setWordWrap(wrap)
    return result
