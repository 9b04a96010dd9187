"""Erase: choose what goes for good, give the database another key, read the reports."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from agents.events import ConnectionsChanged, ConversationChanged, Erased, ErasureProved, RosterChanged
from desktop.faults import sentence_of
from desktop.pages.folding import FoldingRow
from desktop.pages.page import Page, card, clear, label
from desktop.pages.privacy.asking import ask_to_erase
from desktop.pages.privacy.everything import EverythingCard
from desktop.pages.privacy.report import ReportView, state_words
from desktop.pages.privacy.thing_choice import ThingChoice, every_agent, every_chat
from desktop.pages.privacy.words import all_counted
from desktop.pages.privacy.working import Working
from desktop.pages.recovery import RecoverySection
from desktop.session import Session
from desktop.wording import moment
from memory.errors import StorageError
from memory.lifecycle import reports
from memory.lifecycle.reports import EraseReport
from memory.lifecycle.subjects import Kind, Subject
from resources.language import gettext as _
from vault.errors import VaultError


class ErasePart(Page):
    """One report at a time is read in place of everything else."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Erase"))
        self._overview = QWidget()
        overview = QVBoxLayout(self._overview)
        overview.setContentsMargins(0, 0, 0, 0)
        overview.setSpacing(12)
        overview.addWidget(
            label(
                _(
                    "What is erased goes at once and cannot come back. Bureau then searches its files and its "
                    "database for every trace, and says what it found."
                ),
                "dim",
                wrap=True,
            )
        )
        overview.addWidget(self._choosing())
        overview.addWidget(self._deepening())
        self._everything = EverythingCard(session)
        overview.addWidget(self._everything)
        overview.addWidget(label(_("Reports"), "heading"))
        self._reports = QVBoxLayout()
        self._reports.setSpacing(0)
        overview.addLayout(self._reports)
        self.report = ReportView(session)
        self.report.closed.connect(self._close_report)
        self.report.hide()
        self.column.addWidget(self._overview)
        self.column.addWidget(self.report)
        self.column.addStretch(1)
        for kind in (ConnectionsChanged, ConversationChanged, RosterChanged, Erased):
            session.on(kind, lambda _event: self.mark_stale())
        session.on(ErasureProved, self._proved)

    async def load(self) -> None:
        database = self.session.office.database
        await self._offer()
        await self._everything.load()
        found = await database.read(reports.reports)
        clear(self._reports)
        for report in found:
            self._reports.addWidget(self._line(report))
        if not found:
            self._reports.addWidget(
                label(_("Nothing was erased yet. Each erasure leaves a report here."), "dim", wrap=True)
            )
        self.show_content()

    async def show_report(self, report_id: str) -> None:
        """Read one report. Raises NotFound."""
        await self.report.show_report(report_id)
        self._overview.hide()
        self.report.show()
        self.report.setFocus()
        self.show_content()

    def _close_report(self) -> None:
        self.report.hide()
        self._overview.show()
        self.things.setFocus()

    def _proved(self, event: ErasureProved) -> None:
        if self.report.shown is not None and self.report.shown.id == event.report_id:
            self.session.spawn(self.report.show_report(event.report_id), name="read an erase report")
        self.mark_stale()

    def _choosing(self) -> QWidget:
        frame, column = card()
        column.addWidget(label(_("Erase something"), "heading"))
        row = FoldingRow(440)
        self.kind = QComboBox()
        self.kind.setAccessibleName(_("What to erase"))
        for words, kind in (
            (_("A chat"), "conversation"),
            (_("An agent"), "agent"),
            (_("A key"), "connection"),
        ):
            self.kind.addItem(words, kind)
        self.things = ThingChoice(_("Which one"))
        self.kind.currentIndexChanged.connect(
            lambda: self.session.spawn(self._offer(), name="list what can be erased")
        )
        self.erase = QPushButton(_("Erase…"))
        self.erase.setProperty("kind", "danger")
        self.erase.clicked.connect(self._ask)
        row.row.addWidget(self.kind)
        row.row.addWidget(self.things, 1)
        row.row.addWidget(self.erase)
        column.addWidget(row)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        column.addWidget(self.fault)
        column.addWidget(
            label(
                _(
                    "Single messages and notes are erased by their menus, files by the menu beside their "
                    "name when they are open."
                ),
                "small",
                wrap=True,
            )
        )
        return frame

    def _deepening(self) -> QWidget:
        frame, column = card()
        column.addWidget(label(_("Deep erase"), "heading"))
        column.addWidget(
            label(
                _(
                    "A disk keeps old pieces of files for a while. A deep erase encrypts the database anew under "
                    "a key that did not exist before and forgets the former one, so that no old piece can be "
                    "read, of anything that was ever erased. It takes some ten seconds for each gigabyte."
                ),
                "dim",
                wrap=True,
            )
        )
        self.working = Working()
        column.addWidget(self.working)
        self.deepen = QPushButton(_("Deep erase now"))
        self.deepen.clicked.connect(lambda: self.session.spawn(self._deepen(), name="deep erase"))
        column.addWidget(self.deepen, 0, Qt.AlignmentFlag.AlignLeading)
        self.advice = label("", "warn", wrap=True)
        self.advice.hide()
        column.addWidget(self.advice)
        self.recovery = RecoverySection(self.session)
        self.recovery.hide()
        self.recovery.kept.connect(self._new_key_kept)
        column.addWidget(self.recovery)
        return frame

    async def _offer(self) -> None:
        kind = self.kind.currentData()
        if kind == "agent":
            found = await every_agent(self.session)
        elif kind == "connection":
            found = [(each.label, each.id) for each in await self.session.office.connections.all()]
        else:
            found = await every_chat(self.session)
        self.things.offer(found)
        self.erase.setEnabled(bool(found))

    def _ask(self) -> None:
        chosen = self.things.chosen()
        self.fault.setVisible(chosen is None)
        if chosen is None:
            self.fault.setText(_("Nothing here has this name: choose from the list."))
            return
        kind: Kind = self.kind.currentData()
        self.session.spawn(ask_to_erase(self.session, (Subject(kind, chosen[1]),), chosen[0]), name="erase")

    async def _deepen(self) -> None:
        self.deepen.setEnabled(False)
        self.working.begin(_("The database is being encrypted anew …"), cancellable=False)
        try:
            await self.session.office.erasing.deepen()
        except (StorageError, VaultError) as error:
            self.session.fail(sentence_of(error))
        else:
            self._advise()
            self.mark_stale()
        finally:
            self.working.end()
            self.deepen.setEnabled(True)

    def _advise(self) -> None:
        """After another key, whoever has the former recovery key could still open old pieces of the disk."""
        self.session.notify(_("The database has another key, and the former one is forgotten."))
        if self.session.office.vault.has_recovery_key:
            self.advice.setText(
                _(
                    "Your recovery key opens this office as before, but whoever has it could also read old "
                    "pieces of the disk. Make a new one to end that."
                )
            )
            self.advice.show()
            self.recovery.show()

    def _new_key_kept(self) -> None:
        self.advice.hide()
        self.recovery.hide()

    def _line(self, report: EraseReport) -> QWidget:
        row = FoldingRow(420)
        row.row.setContentsMargins(0, 8, 0, 8)
        words = QVBoxLayout()
        words.setSpacing(2)
        what = all_counted(report.counts) if report.counts else _("Deep erase")
        words.addWidget(label(what, wrap=True))
        state, role = state_words(report)
        facts = FoldingRow(0, gap=6)
        facts.row.addWidget(label(moment(report.at), "small"))
        facts.row.addWidget(label(state, role), 1)
        words.addWidget(facts)
        row.row.addLayout(words, 1)
        door = QPushButton(_("Report"))
        door.setAccessibleName(_("Report of {when}").format(when=moment(report.at)))
        show = partial(self.show_report, report.id)
        door.clicked.connect(lambda: self.session.spawn(show(), name="read an erase report"))
        row.row.addWidget(door)
        return row
