"""Who answers in a conversation, with which model and how much effort: the pills of the composer."""

from collections.abc import Iterator, Sequence

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
        "privacy": _("open Privacy"),
        "settings": _("open Settings"),
    }


class Choices(QObject):
    """``changed`` comes with every choice, ``stored`` where it is the owner's and is to be kept.

    An empty model or effort means the agent's own, an empty connection the agent's or the office's.
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
        self.connection_id = ""
        self.model = ""
        self.effort = ""
        composer.agent_chosen.connect(self._choose_agent)
        composer.model_chosen.connect(self._choose_model)
        composer.effort_chosen.connect(self._choose_effort)

    async def show(self, conversation: Conversation | None) -> None:
        """Show what a conversation keeps; a new one starts with the first agent's own."""
        self.agent_id = (conversation.agent_id or "") if conversation else ""
        self.connection_id = (conversation.connection_id or "") if conversation else ""
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
        chosen = (self.connection_id or connection.id, self.model)
        current = _joined(*chosen) if self.model else ""
        composer.set_models(tuple(_models(own, connection, self._connections, chosen)), current)
        efforts = (("quick", _("Quick")), ("normal", _("Normal")), ("deep", _("Deep")))
        composer.set_efforts(
            tuple(Choice(value, words) for value, words in efforts), self.effort or agent.effort or "normal"
        )
        self.changed.emit()

    def _choose_agent(self, agent_id: str) -> None:
        self.agent_id, self.connection_id, self.model, self.effort = agent_id, "", "", ""
        self._offer()
        self.stored.emit()

    def _choose_model(self, choice: str) -> None:
        self.connection_id, _line, self.model = choice.partition("\n")
        self.changed.emit()
        self.stored.emit()

    def _choose_effort(self, effort: str) -> None:
        self.effort = effort
        self.changed.emit()
        self.stored.emit()


def _models(
    own: str, connection: Connection, every: Sequence[Connection], chosen: tuple[str, str]
) -> Iterator[Choice]:
    """Offer the agent's own model, then those of every key that works, under its label."""
    yield Choice("", own, _("the agent's own"))
    several = len(every) > 1
    for each in sorted(every, key=lambda one: one.id != connection.id):
        if not (works(each) or each.id in (connection.id, chosen[0])):
            continue
        listed = [str(row["id"]) for row in each.models] or [each.default_model]
        named = [chosen[1]] if each.id == chosen[0] else []
        for name in dict.fromkeys((*named, *listed)):
            if name and (each.id, name) != (connection.id, own):
                yield Choice(_joined(each.id, name), name, group=each.label if several else "")


def works(connection: Connection) -> bool:
    """Say whether nothing speaks against a connection: its last check did not find it out of reach or refused."""
    steps = (connection.last_check or {}).get("steps", ())
    return not any(step["name"] in ("reachable", "key") and step["state"] == "failed" for step in steps)


def _joined(connection_id: str, model: str) -> str:
    return f"{connection_id}\n{model}"
