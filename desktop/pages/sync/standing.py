"""How sync stands: what waits, what went wrong, when it is tried again; a round now, and a pause."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QProgressBar, QPushButton, QVBoxLayout

from agents.errors import AgentsError
from agents.sync_files import fault_words
from agents.sync_rounds import Standing
from agents.syncing import Status
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.page import Card, clear, label
from desktop.pages.sync.words import remarks, times_words, title_of, what_waits
from desktop.session import Session
from memory.errors import StorageError
from memory.identifiers import now
from resources.language import gettext as _
from vault.errors import VaultError

_COUNT_MILLISECONDS = 1000


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
        self._remarks = QVBoxLayout()
        self._remarks.setSpacing(4)
        column.addLayout(self._remarks)
        row = FlowLayout()
        self.now = QPushButton(_("Sync now"))
        self.now.setProperty("kind", "primary")
        self.now.clicked.connect(lambda: session.spawn(self._round(), name="sync now"))
        self.pause = QPushButton()
        self.pause.clicked.connect(lambda: session.spawn(self._switch(), name="pause sync"))
        row.addWidget(self.now)
        row.addWidget(self.pause)
        column.addLayout(row)
        self._enabled = True
        self._told: tuple[str, ...] = ()
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
        self.working.setVisible(working)
        self.fault.setText(here.fault)
        self.fault.setVisible(bool(here.fault) and here.enabled)
        self._show_queue(status)
        self.times.setText(times_words(here, standing, now()))
        told = (*remarks(status.waiting, standing.last), *fault_words(status.moving))
        if told != self._told:
            self._told = told
            clear(self._remarks)
            for sentence in told:
                self._remarks.addWidget(label(sentence, "warn", wrap=True))
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
