"""Who answers in a conversation, with which model and how much effort: the pills of the composer."""

from PySide6.QtCore import QObject, Signal

from desktop.composer.completion import Completion
from desktop.composer.composer import Composer
from desktop.composer.picker import Choice
from desktop.pages.avatar import colour_of
from desktop.session import Session
from memory.accounts import Connection
from memory.chats import Conversation
from memory.roster import Agent
from resources.language import gettext as _


def commands() -> dict[str, str]:
    """Return what can be typed after a slash, with what it does."""
    return {
        "new": _("begin a new chat"),
        "find": _("find in this chat"),
        "save": _("save this chat as a file"),
        "team": _("open Team"),
        "memory": _("open Memory"),
        "keys": _("open Keys"),
        "outbox": _("open Outbox"),
        "usage": _("open Usage"),
        "settings": _("open Settings"),
    }


class Choices(QObject):
    """``changed`` comes with every choice, ``stored`` where it is the owner's and is to be kept.

    An empty model or effort means the agent's own.
    """

    changed = Signal()
    stored = Signal()

    def __init__(self, session: Session, composer: Composer) -> None:
        super().__init__(composer)
        self._session = session
        self._composer = composer
        self._team: tuple[Agent, ...] = ()
        self._connections: tuple[Connection, ...] = ()
        self.agent_id = ""
        self.model = ""
        self.effort = ""
        composer.agent_chosen.connect(self._choose_agent)
        composer.model_chosen.connect(self._choose_model)
        composer.effort_chosen.connect(self._choose_effort)

    async def show(self, conversation: Conversation | None) -> None:
        """Show what a conversation keeps; a new one starts with the first agent's own."""
        self.agent_id = (conversation.agent_id or "") if conversation else ""
        self.model = conversation.model if conversation else ""
        self.effort = conversation.effort if conversation else ""
        await self.refresh()

    async def refresh(self) -> None:
        """Read agents and models again."""
        self._team = await self._session.office.roster.all()
        self._connections = await self._session.office.connections.all()
        self._composer.set_completions(
            (
                *(
                    Completion(agent.name, agent.role, colour_of(agent.name, agent.avatar), agent=True)
                    for agent in self._team
                ),
                Completion("all", _("everybody"), agent=True),
            ),
            tuple(Completion(name, words) for name, words in commands().items()),
        )
        self._offer()

    @property
    def agent(self) -> Agent | None:
        """Return who answers where the message names nobody."""
        chosen = next((agent for agent in self._team if agent.id == self.agent_id), None)
        if chosen is not None:
            return chosen
        if not self._connections:
            return next((agent for agent in self._team if agent.librarian), None)
        return next((agent for agent in self._team if not agent.librarian), None)

    def _offer(self) -> None:
        agent, composer = self.agent, self._composer
        composer.set_agents(
            tuple(Choice(each.id, each.name, each.role) for each in self._team), agent.id if agent else ""
        )
        if agent is None or agent.librarian or not self._connections:
            composer.set_models((), "")
            composer.set_efforts((), "")
            self.changed.emit()
            return
        connection = next(
            (each for each in self._connections if each.id == agent.connection_id), self._connections[0]
        )
        own = agent.model or connection.default_model or _("default model")
        listed = [str(row["id"]) for row in connection.models]
        names = dict.fromkeys(name for name in (self.model, *listed) if name and name != own)
        composer.set_models((Choice("", own), *(Choice(name, name) for name in names)), self.model)
        efforts = (("quick", _("Quick")), ("normal", _("Normal")), ("deep", _("Deep")))
        composer.set_efforts(
            tuple(Choice(value, words) for value, words in efforts), self.effort or agent.effort or "normal"
        )
        self.changed.emit()

    def _choose_agent(self, agent_id: str) -> None:
        self.agent_id, self.model, self.effort = agent_id, "", ""
        self._offer()
        self.stored.emit()

    def _choose_model(self, model: str) -> None:
        self.model = model
        self.changed.emit()
        self.stored.emit()

    def _choose_effort(self, effort: str) -> None:
        self.effort = effort
        self.changed.emit()
        self.stored.emit()
