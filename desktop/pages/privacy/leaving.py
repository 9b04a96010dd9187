"""The look ahead: how many things the rules let go this week and this month, and which."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import Card, clear, label
from desktop.pages.privacy.words import days_left, kind_of
from desktop.session import Session
from desktop.wording import count, local, plural
from memory.errors import StorageError
from memory.identifiers import now
from memory.lifecycle.retention import Leaving
from memory.lifecycle.trash import DAY
from resources.language import gettext as _
from resources.language import ngettext

AHEAD = 30
_MOST = 100


class LeavingCard(Card):
    """Says how many leave until when; the list is behind a door, and each thing can be kept from there."""

    def __init__(self, session: Session, run_round: Callable[[], None]) -> None:
        super().__init__(_("What leaves next"))
        self._session = session
        column = self.column
        self.words = label("", wrap=True)
        column.addWidget(self.words)
        doors = FlowLayout()
        self.see = QPushButton(_("See them"))
        self.see.setCheckable(True)
        self.round = QPushButton(_("Erase now what is due"))
        self.round.clicked.connect(run_round)
        doors.addWidget(self.see)
        doors.addWidget(self.round)
        column.addLayout(doors)
        self._holder = QWidget()
        self._list = QVBoxLayout(self._holder)
        self._list.setContentsMargins(0, 4, 0, 0)
        self._list.setSpacing(10)
        self._holder.hide()
        self.see.toggled.connect(self._holder.setVisible)
        column.addWidget(self._holder)
        self.found: tuple[Leaving, ...] = ()

    async def show_next(self) -> None:
        """Read what leaves in the days ahead."""
        at = now()
        self.found = await self._session.office.keeping.leaving(at + AHEAD * DAY)
        self.words.setText(sentence(self.found, at))
        self.see.setVisible(bool(self.found))
        self.round.setVisible(any(one.leaves_at <= at for one in self.found))
        clear(self._list)
        for one in self.found[:_MOST]:
            self._list.addWidget(self._row(one, at))
        if len(self.found) > _MOST:
            more = plural("and {count} more", "and {count} more", len(self.found) - _MOST)
            self._list.addWidget(label(more, "small"))
        if not self.found:
            self.see.setChecked(False)

    def _row(self, one: Leaving, at: int) -> QWidget:
        row = FoldingRow(420, gap=4)
        kind = kind_of(one.subject.kind)
        name = one.label or kind
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(name, wrap=True))
        words.addWidget(label(f"{kind} · {days_left(one.leaves_at, at)}", "small", wrap=True))
        row.row.addLayout(words, 1)
        keep = QPushButton(_("Keep"))
        keep.setAccessibleName(_("Hold “{name}”").format(name=name))
        keep.setToolTip(_("Sets a hold, which keeps it from every deletion"))
        keep.clicked.connect(lambda: self._session.spawn(self._hold(one), name="hold"))
        row.row.addWidget(keep, 0, Qt.AlignmentFlag.AlignVCenter)
        return row

    async def _hold(self, one: Leaving) -> None:
        keeping = self._session.office.keeping
        try:
            await keeping.hold(one.subject, held=True)
        except StorageError as error:
            self._session.fail(str(error))
            return
        self._session.notify(
            _("A hold keeps it from every deletion."),
            label=_("Undo"),
            act=lambda: self._session.spawn(keeping.hold(one.subject, held=False), name="release a hold"),
        )


def sentence(found: Sequence[Leaving], at: int) -> str:
    """Return how many things leave until when, in sentences."""
    if not found:
        return plural(
            "Nothing leaves in the next {count} day.", "Nothing leaves in the next {count} days.", AHEAD
        )
    due = sum(one.leaves_at <= at for one in found)
    parts = []
    if due:
        words = plural(
            "{count} thing is due and leaves with the next daily round.",
            "{count} things are due and leave with the next daily round.",
            due,
        )
        parts.append(words)
    week = [one for one in found if at < one.leaves_at <= at + 7 * DAY]
    if week:
        words = ngettext("{count} item leaves by {weekday}.", "{count} items leave by {weekday}.", len(week))
        parts.append(words.format(count=count(len(week)), weekday=f"{local(week[-1].leaves_at):%A}"))
    later = len(found) - due - len(week)
    if later:
        words = (
            ngettext(
                "{count} more leaves within {days} days.", "{count} more leave within {days} days.", later
            )
            if parts
            else ngettext("{count} leaves within {days} days.", "{count} leave within {days} days.", later)
        )
        parts.append(words.format(count=count(later), days=AHEAD))
    return " ".join(parts)
