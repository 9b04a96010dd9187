"""How sync stands: what waits, what went wrong, when it is tried again; a round now, and a pause."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QProgressBar, QPushButton, QVBoxLayout, QWidget

from agents.errors import AgentsError
from agents.sync_files import fault_words
from agents.sync_rounds import Standing
from agents.sync_standing import clock_words, key_words
from agents.syncing import Status
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.page import Card, label
from desktop.pages.sync.moving import MovedFolder
from desktop.pages.sync.stack import Stack
from desktop.pages.sync.words import (
    called,
    kind_of_record,
    remarks,
    times_words,
    title_of,
    what_waits,
    why_apart,
)
from desktop.session import Session
from desktop.wording import plural
from memory.errors import StorageError
from memory.identifiers import now
from memory.sync.listing import Listed
from resources.language import gettext as _
from vault.errors import VaultError

_COUNT_MILLISECONDS = 1000
_MOST = 100
"""So many are listed one by one."""


class StandingCard(Card):
    """Kept while the page lives, so that a round that comes and goes takes no focus away."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setAccessibleName(_("How sync stands"))
        column = self.column
        self.title = label("", "heading", wrap=True)
        self.place = label("", "small", wrap=True)
        self.working = QProgressBar()
        self.working.setRange(0, 0)
        self.working.setTextVisible(False)
        self.working.setAccessibleName(_("Syncing …"))
        self.fault = label("", "danger", wrap=True)
        self.queue = label("", wrap=True)
        self.times = label("", "dim", wrap=True)
        for line in (self.title, self.place, self.working, self.fault, self.queue, self.times):
            column.addWidget(line)
        self.remarks = Stack(4)
        column.addWidget(self.remarks)
        self.see = QPushButton(_("See which"))
        self.see.setProperty("kind", "flat")
        self.see.setCheckable(True)
        self.see.setAccessibleName(_("See what does not sync like everything else"))
        self.which = QWidget()
        self.see.toggled.connect(self.which.setVisible)
        column.addWidget(self.see, 0, Qt.AlignmentFlag.AlignLeading)
        inside = QVBoxLayout(self.which)
        inside.setContentsMargins(12, 0, 0, 0)
        inside.setSpacing(6)
        self.rows = Stack(6)
        self.more = label("", "small")
        inside.addWidget(self.rows)
        inside.addWidget(self.more)
        self.which.hide()
        column.addWidget(self.which)
        row = FlowLayout()
        self.now = QPushButton(_("Sync now"))
        self.now.setProperty("kind", "primary")
        self.now.clicked.connect(lambda: session.spawn(self._round(), name="sync now"))
        self.pause = QPushButton()
        self.pause.clicked.connect(lambda: session.spawn(self._switch(), name="pause sync"))
        row.addWidget(self.now)
        self.moved = MovedFolder(session)
        for button in (self.pause, self.moved.button):
            row.addWidget(button)
        column.addLayout(row)
        column.addWidget(self.moved)
        self._enabled = True
        # What waits grows less while a long round goes on.
        self._timer = QTimer(self, interval=_COUNT_MILLISECONDS)
        self._timer.timeout.connect(lambda: session.spawn(self._count(), name="count what waits"))

    def show_state(self, status: Status, standing: Standing) -> None:
        """Show how it stands now; ``status.here`` is there."""
        here = status.here
        assert here is not None  # else the page offers to begin
        working = here.enabled and standing.phase == "working"
        self.title.setText(title_of(here, standing))
        self.place.setText(here.place)
        self.moved.show_place(here)
        self.working.setVisible(working)
        self.fault.setText(here.fault)
        self.fault.setVisible(bool(here.fault) and here.enabled)
        self._show_queue(status)
        self.times.setText(times_words(here, standing, now()))
        told = (
            *clock_words(here.ahead),
            *key_words(here),
            *remarks(status.waiting, standing.last),
            *fault_words(status.moving),
        )
        self.remarks.show_all(told, lambda: [label(sentence, "warn", wrap=True) for sentence in told])
        self._enabled = here.enabled
        self.now.setEnabled(here.enabled and not working)
        self.pause.setText(_("Pause") if here.enabled else _("Go on"))
        self.pause.setAccessibleName(_("Pause sync") if here.enabled else _("Go on with sync"))
        if working and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    def _show_queue(self, status: Status) -> None:
        self.queue.setText(what_waits(status))

    def show_apart(self, items: Sequence[Listed]) -> None:
        """Offer to see one by one what does not sync like everything else."""
        self.see.setVisible(bool(items))
        self.which.setVisible(bool(items) and self.see.isChecked())
        self.rows.show_all(tuple(items), lambda: [_line(one) for one in items[:_MOST]])
        left = max(0, len(items) - _MOST)
        self.more.setText(plural("and {count} more", "and {count} more", left))
        self.more.setVisible(bool(left))

    async def _count(self) -> None:
        status = await self._session.office.syncing.status()
        self._show_queue(status)
        if not self.isVisible():
            self._timer.stop()

    async def _round(self) -> None:
        try:
            await self._session.office.sync_rounds.now()
        except (StorageError, VaultError, AgentsError) as error:
            # The card says it too, but perhaps out of sight.
            self._session.fail(sentence_of(error))

    async def _switch(self) -> None:
        await self._session.office.syncing.switch(enabled=not self._enabled)


def _line(one: Listed) -> QWidget:
    line = QWidget()
    column = QVBoxLayout(line)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(label(called(one), wrap=True))
    column.addWidget(label(_facts(one), "small", wrap=True))
    return line


def _facts(one: Listed) -> str:
    return f"{kind_of_record(one)} · {why_apart(one)}" if one.name else why_apart(one)
