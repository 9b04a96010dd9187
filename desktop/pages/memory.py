"""Memory: notes to accept, edit, pin and forget; and a tester that shows what a question would find."""

from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QTabBar, QVBoxLayout, QWidget

from agents.events import Erased, NotesChanged, RecallChanged
from desktop.pages.folding import FoldingRow
from desktop.pages.note_card import NoteCard, kind_words
from desktop.pages.page import Page, StateMessage, clear, label
from desktop.pages.recall_tester import RecallTester
from desktop.session import Session
from desktop.widgets.search_field import SearchField
from memory import notes
from memory.errors import Refused
from memory.notes import Note
from resources.language import gettext as _
from resources.language import ngettext


class MemoryPage(Page):
    """Three tabs: notes in force, the inbox of proposals, the tester."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Memory"))
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(_("Part of the memory"))
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for words in (_("Notes"), _("Inbox"), _("Tester")):
            self.tabs.addTab(words)
        self.tabs.currentChanged.connect(self._switch)
        self.column.addWidget(self.tabs)
        self._add_row()
        self._list = QVBoxLayout()
        self._list.setSpacing(10)
        self._holder = QWidget()
        self._holder.setLayout(self._list)
        self._list.setContentsMargins(0, 0, 0, 0)
        self.column.addWidget(self._holder)
        self._empty = StateMessage()
        self.column.addWidget(self._empty)
        self.tester = RecallTester(session)
        self.tester.hide()
        self.column.addWidget(self.tester)
        self.column.addStretch(1)
        self.cards: list[NoteCard] = []
        for kind in (NotesChanged, Erased):
            session.on(kind, lambda _event: self.mark_stale())
        session.on(RecallChanged, lambda _event: self.tester.show_state())

    async def load(self) -> None:
        database = self.session.office.database
        proposed = await database.read(notes.notes, state="proposed")
        accepted = await database.read(notes.notes, text=self.search.text())
        inbox = ngettext("Inbox ({count})", "Inbox ({count})", len(proposed)).format(count=len(proposed))
        self.tabs.setTabText(1, inbox if proposed else _("Inbox"))
        waiting = ngettext("{count} note waits for you", "{count} notes wait for you", len(proposed))
        self.session.window.rail.set_badge("memory", waiting.format(count=len(proposed)) if proposed else "")
        agents = {agent.id: agent.name for agent in await self.session.office.roster.all()}
        shown = proposed if self.tabs.currentIndex() == 1 else accepted
        if any(each.editing for each in self.cards):
            return
        clear(self._list)
        self.cards = [NoteCard(self.session, each, agents.get(each.agent_id or "", "")) for each in shown]
        for each in self.cards:
            self._list.addWidget(each)
        self._show_empty(shown)
        self.show_content()

    def show_found(self, text: str) -> None:
        """Show the notes in force that have these words."""
        self.tabs.setCurrentIndex(0)
        self.search.setText(text)
        self.search.searched.emit(text)

    def show_tester(self, query: str = "") -> None:
        """Open the tester, with a question where one is given."""
        self.tabs.setCurrentIndex(2)
        if query:
            self.tester.ask(query)

    def _show_empty(self, shown: tuple[Note, ...]) -> None:
        inbox = self.tabs.currentIndex() == 1
        if inbox:
            self._empty.show_message(
                "check",
                _("Nothing waits for you"),
                _("What agents want to remember is proposed here first; you accept, edit or reject it."),
            )
        elif self.search.text():
            self._empty.show_message(
                "search", _("No note has these words"), _("Try fewer words, or the tester.")
            )
        else:
            self._empty.show_message(
                "note",
                _("No notes yet"),
                _(
                    "A note is a fact, a preference or a way of working that every agent is told, such as "
                    "“use metres, never feet”. Type one above, or tell an agent to remember it."
                ),
            )
        self._empty.setVisible(not shown and self.tabs.currentIndex() != 2)

    def _add_row(self) -> None:
        self.search = SearchField(_("Search notes"))
        self.search.setMaximumWidth(220)
        self.search.searched.connect(self.reload)
        self.header_row.addWidget(self.search)
        self._adding = FoldingRow(420)
        row = self._adding.row
        self.text = QLineEdit()
        self.text.setPlaceholderText(_("Something every agent should know"))
        self.text.setAccessibleName(_("New note"))
        self.text.returnPressed.connect(self._add)
        self.kind = QComboBox()
        self.kind.setAccessibleName(_("Kind of note"))
        for kind in ("fact", "preference", "procedure", "core"):
            self.kind.addItem(kind_words(kind), kind)
        add = QPushButton(_("Add"))
        add.setProperty("kind", "primary")
        add.clicked.connect(self._add)
        row.addWidget(self.text, 1)
        row.addWidget(self.kind)
        row.addWidget(add)
        self.column.addWidget(self._adding)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self.column.addWidget(self.fault)

    def _switch(self, tab: int) -> None:
        self._adding.setVisible(tab == 0)
        self.search.setVisible(tab == 0)
        self._holder.setVisible(tab != 2)
        self.tester.setVisible(tab == 2)
        if tab == 2:
            self._empty.hide()
            self.tester.setFocus()
        else:
            self.reload()

    def _add(self) -> None:
        self.session.spawn(self._store(), name="add a note")

    async def _store(self) -> None:
        try:
            await self.session.notebook.add(self.text.text(), kind=self.kind.currentData())
        except Refused as error:
            self.fault.setText(str(error))
            self.fault.show()
            return
        self.fault.hide()
        self.text.clear()
