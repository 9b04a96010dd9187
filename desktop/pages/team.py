"""Team: who works here, each on a card; the editor; import and export as Markdown."""

import asyncio
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from agents.errors import AgentFileMalformed, AgentNameTaken
from agents.events import ConnectionsChanged, Erased, RosterChanged, RunChanged
from desktop.faults import sentence_of
from desktop.pages.agent_editor import AgentEditor
from desktop.pages.avatar import avatar_pixmap
from desktop.pages.page import Page, clear, label
from desktop.pages.privacy.doing import add_life_actions
from desktop.session import Session
from desktop.theme.appearance import look
from desktop.theme.icons import icon
from desktop.wording import money
from memory import ledger, runs
from memory.accounts import Connection
from memory.errors import Refused
from memory.lifecycle.subjects import Subject
from memory.roster import Agent
from resources.language import gettext as _

_CARD_LEAST = 330
_MOST_BYTES = 1_000_000


class TeamPage(Page):
    """Cards in one or two columns; one agent at a time is edited in their place."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Team"), wide=True)
        self._import = self.action(
            _("Import…"), self._choose_file, tip=_("Hire the agents of Markdown files")
        )
        self._add = self.action(_("New agent"), self._new, primary=True)
        self._roster = QWidget()
        self._grid = QGridLayout()
        self._grid.setSpacing(12)
        self._away = QVBoxLayout()
        inner = QVBoxLayout(self._roster)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(self._grid)
        inner.addLayout(self._away)
        inner.addStretch(1)
        self.editor = AgentEditor(session)
        self.editor.closed.connect(self._show_roster)
        self.editor.hide()
        self.column.addWidget(self._roster)
        self.column.addWidget(self.editor)
        self.cards: list[AgentCard] = []
        for kind in (RosterChanged, ConnectionsChanged, Erased):
            session.on(kind, lambda _event: self.mark_stale())
        session.on(RunChanged, lambda _event: self.mark_stale())

    async def load(self) -> None:
        office = self.session.office
        team = await office.roster.all()
        away = await office.roster.all(archived=True)
        connections = await office.connections.all()
        spent = await office.database.read(ledger.usage_by, "agent", since=ledger.calendar_day())
        busy = {run.agent_id for run in await office.database.read(runs.runs, states=runs.UNFINISHED)}
        costs = {each.key: each.cost for each in spent}
        if not team and not away:
            self.show_empty(
                "team",
                _("Nobody works here"),
                _("Hire an agent: a name, a role and a page of instructions are enough."),
                _("New agent"),
                self._new,
            )
            return
        clear_grid(self._grid)
        self.cards = [
            AgentCard(self, agent, connections, costs.get(agent.id, 0), agent.id in busy) for agent in team
        ]
        self._arrange()
        clear(self._away)
        if away:
            self._away.addSpacing(8)
            self._away.addWidget(label(_("On leave"), "heading"))
        for agent in away:
            self._away.addLayout(self._away_row(agent))
        self.show_content()

    def edit(self, agent: Agent | None) -> None:
        """Open the editor; None begins a new agent."""
        self.show_content()
        self._add.hide()
        self._import.hide()
        self._roster.hide()
        self.editor.show()
        self.session.spawn(self.editor.begin(agent), name="edit an agent")

    def duplicate(self, agent: Agent) -> None:
        """Hire a copy under a free name."""
        self.session.spawn(self._duplicate(agent), name="duplicate an agent")

    def move_agent(self, agent: Agent, places: int) -> None:
        """Move an agent that many places down the team, or up; this is the order wherever agents are named."""
        self.session.spawn(self.session.office.roster.move(agent.id, places), name="move an agent")

    def archive(self, agent: Agent) -> None:
        """Send an agent on leave, with a way back."""
        self.session.spawn(self._archive(agent), name="archive an agent")

    def export(self, agent: Agent) -> None:
        """Write an agent as a Markdown file where the owner wants it."""
        dialog = QFileDialog(
            self, _("Export {name}").format(name=agent.name), str(Path.home() / f"{agent.name}.md")
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("md")
        dialog.fileSelected.connect(
            lambda path: self.session.spawn(self._export(agent, Path(path)), name="export an agent")
        )
        dialog.open()

    async def take_in(self, paths: list[Path]) -> None:
        """Hire the agents of Markdown files; one that cannot be read does not keep the others out."""
        for path in paths:
            try:
                text = await asyncio.to_thread(_text_of, path)
                agent = await self.session.office.roster.import_markdown(text)
            except (AgentFileMalformed, AgentNameTaken, Refused, OSError) as error:
                self.session.fail(f"{path.name}: {sentence_of(error)}")
            else:
                self.session.notify(_("{name} works here now.").format(name=agent.name))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # Qt's own event
        self._arrange()

    def _arrange(self) -> None:
        columns = 2 if self.width() - 44 >= 2 * look().px(_CARD_LEAST) else 1
        for place, each in enumerate(self.cards):
            self._grid.addWidget(each, place // columns, place % columns)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1 if columns == 2 else 0)

    def _new(self) -> None:
        self.edit(None)

    def _show_roster(self) -> None:
        self.editor.hide()
        self._roster.show()
        self._add.show()
        self._import.show()
        self.reload()

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, _("Import agents"), str(Path.home()), _("Agents as Markdown (*.md)"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(
            lambda names: self.session.spawn(
                self.take_in([Path(name) for name in names]), name="import agents"
            )
        )
        dialog.open()

    async def _duplicate(self, agent: Agent) -> None:
        taken = {each.name.casefold() for each in await self.session.office.roster.all()}
        taken |= {each.name.casefold() for each in await self.session.office.roster.all(archived=True)}
        number = 2
        while f"{agent.name} {number}".casefold() in taken:
            number += 1
        markdown = await self.session.office.roster.export_markdown(agent.id)
        renamed = markdown.replace(f"name: {agent.name}", f"name: {agent.name} {number}", 1)
        await self.session.office.roster.import_markdown(renamed)

    async def _archive(self, agent: Agent) -> None:
        await self.session.office.roster.archive(agent.id)
        self.session.notify(
            _("{name} is on leave.").format(name=agent.name),
            label=_("Undo"),
            act=lambda: self._bring_back(agent),
        )

    async def _export(self, agent: Agent, path: Path) -> None:
        markdown = await self.session.office.roster.export_markdown(agent.id)
        await asyncio.to_thread(path.write_text, markdown, encoding="utf-8")
        self.session.notify(_("{name} is written to {file}.").format(name=agent.name, file=path.name))

    def _bring_back(self, agent: Agent) -> None:
        self.session.spawn(self.session.office.roster.unarchive(agent.id), name="bring an agent back")

    def _away_row(self, agent: Agent) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(label(f"{agent.name} · {agent.role}" if agent.role else agent.name, "dim"), 1)
        back = QPushButton(_("Bring back"))
        back.setAccessibleName(_("Bring {name} back").format(name=agent.name))
        back.clicked.connect(lambda: self._bring_back(agent))
        row.addWidget(back)
        return row


class AgentCard(QFrame):
    """One agent: avatar, name, role, what it works on, what it spent today."""

    def __init__(
        self,
        page: TeamPage,
        agent: Agent,
        connections: tuple[Connection, ...],
        spent: int | None,
        busy: bool,
    ) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName(agent.name)
        self._page = page
        self.agent = agent
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 12, 14)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(10)
        face = QLabel()
        face.setPixmap(avatar_pixmap(agent.name, agent.avatar, look().px(34)))
        head.addWidget(face)
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(label(agent.name, "strong"))
        names.addWidget(label(_("Working") if busy else _("Ready"), "ok" if busy else "small"))
        head.addLayout(names, 1)
        head.addWidget(self._doors())
        column.addLayout(head)
        column.addWidget(label(agent.role, "dim", wrap=True))
        column.addStretch(1)
        column.addWidget(label(self._facts(connections, spent), "small", wrap=True))

    def _facts(self, connections: tuple[Connection, ...], spent: int | None) -> str:
        if self.agent.librarian:
            return _("needs no key and no network · quotes, never writes")
        own = next((each for each in connections if each.id == self.agent.connection_id), None)
        used = own or (connections[0] if connections else None)
        where = used.label if used else _("no key yet")
        model = self.agent.model or (used.default_model if used else "")
        cap = self.agent.day_cap
        cost = money(spent)
        today = (
            _("{cost} of {cap} today").format(cost=cost, cap=money(cap))
            if cap is not None
            else _("{cost} today").format(cost=cost)
        )
        return " · ".join(part for part in (where, model, today) if part)

    def _doors(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        edit = QPushButton(_("Edit"))
        edit.setAccessibleName(_("Edit {name}").format(name=self.agent.name))
        edit.clicked.connect(lambda: self._page.edit(self.agent))
        more = QToolButton()
        more.setIcon(icon("more", look().theme.dim, look().px(18)))
        more.setAccessibleName(_("More for {name}").format(name=self.agent.name))
        more.setToolTip(_("More"))
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        menu.addAction(_("Duplicate"), lambda: self._page.duplicate(self.agent))
        menu.addAction(_("Export as Markdown…"), lambda: self._page.export(self.agent))
        menu.addAction(_("Move up"), lambda: self._page.move_agent(self.agent, -1))
        menu.addAction(_("Move down"), lambda: self._page.move_agent(self.agent, 1))
        menu.addAction(_("Send on leave"), lambda: self._page.archive(self.agent))
        menu.addSeparator()
        add_life_actions(menu, self._page.session, Subject("agent", self.agent.id), self.agent.name)
        more.setMenu(menu)
        row.addWidget(edit)
        row.addWidget(more)
        return holder


def clear_grid(grid: QGridLayout) -> None:
    """Remove every widget from a grid."""
    while (item := grid.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def _text_of(path: Path) -> str:
    if path.stat().st_size > _MOST_BYTES:
        raise AgentFileMalformed(_("This file is over 1 MB: an agent's file is a page of text."))
    return path.read_text(encoding="utf-8", errors="replace")
