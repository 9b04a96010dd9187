"""Who works here: the presets of a new office, edits with their history, import and export as Markdown."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

import resources
from agents.agent_files import AgentFile, read_agent_file, write_agent_file
from agents.errors import AgentNameTaken
from agents.events import EventBus, RosterChanged
from memory import accounts, roster
from memory.database import Database
from memory.errors import Refused
from memory.roster import Agent

PRESETS = ("lead", "researcher", "analyst", "writer", "librarian")
_PRESET_FOLDER = Path(resources.__file__).parent / "presets"


class Roster:
    """The team. Every change keeps the agent's earlier form and is told as RosterChanged."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._bus = bus

    async def all(self, *, archived: bool = False) -> tuple[Agent, ...]:
        """Return who works here in the owner's order, or who is archived."""
        return await self._database.read(_agents, archived)

    async def agent(self, agent_id: str) -> Agent:
        """Return one agent. Raises NotFound."""
        return await self._database.read(roster.agent, agent_id)

    async def change(self, agent_id: str, **values: Any) -> Agent:
        """Change fields of an agent; its form until now stays as a revision. Raises NotFound or Refused."""
        agent = await self._database.write(_change, agent_id, values)
        self._bus.publish(RosterChanged())
        return agent

    async def add(self, name: str, **values: Any) -> Agent:
        """Hire an agent. Raises Refused for an empty or a taken name."""
        agent = await self._database.write(_hire, name, values)
        self._bus.publish(RosterChanged())
        return agent

    async def move(self, agent_id: str, places: int) -> None:
        """Move an agent that many places down the team, or up where negative. Raises NotFound."""
        await self._database.write(_move, agent_id, places)
        self._bus.publish(RosterChanged())

    async def archive(self, agent_id: str) -> Agent:
        """Send an agent on leave; what it said stays."""
        agent = await self._database.write(roster.archive_agent, agent_id)
        self._bus.publish(RosterChanged())
        return agent

    async def unarchive(self, agent_id: str) -> Agent:
        """Bring an agent back."""
        agent = await self._database.write(roster.unarchive_agent, agent_id)
        self._bus.publish(RosterChanged())
        return agent

    async def remove(self, agent_id: str) -> None:
        """Delete an agent and its revisions; what it said stays under the name it had."""
        await self._database.write(roster.remove_agent, agent_id)
        self._bus.publish(RosterChanged())

    async def import_markdown(self, text: str, *, replacing: str | None = None) -> Agent:
        """Hire the agent of a Markdown file, or give ``replacing`` its form.

        Raises AgentFileMalformed, or AgentNameTaken where somebody else has the name.
        """
        file = read_agent_file(text)
        try:
            agent = await self._database.write(_take_in, file, text, replacing)
        except Refused as refusal:
            raise AgentNameTaken(str(refusal)) from refusal
        self._bus.publish(RosterChanged())
        return agent

    async def export_markdown(self, agent_id: str) -> str:
        """Return the agent as a Markdown file. Raises NotFound."""
        return await self._database.read(_markdown, agent_id)

    async def revisions(self, agent_id: str) -> tuple[roster.AgentRevision, ...]:
        """Return the agent's earlier forms, the latest first."""
        return await self._database.read(roster.agent_revisions, agent_id)


def seed(session: Session) -> None:
    """Hire the five presets into an office that never had anybody."""
    if roster.agents(session) or roster.agents(session, archived=True):
        return
    for preset in PRESETS:
        file = read_agent_file((_PRESET_FOLDER / f"{preset}.md").read_text("utf-8"))
        roster.create_agent(session, name=file.name, **_values(session, file))


def _agents(session: Session, archived: bool) -> tuple[Agent, ...]:
    return roster.agents(session, archived=archived)


def _hire(session: Session, name: str, values: dict[str, Any]) -> Agent:
    return roster.create_agent(session, name=name, **values)


def _change(session: Session, agent_id: str, values: dict[str, Any]) -> Agent:
    return roster.update_agent(session, agent_id, markdown=_markdown(session, agent_id), **values)


def _move(session: Session, agent_id: str, places: int) -> None:
    order = [each.id for each in roster.agents(session) if each.id != agent_id]
    here = roster.agents(session).index(roster.agent(session, agent_id))
    order.insert(max(0, here + places), agent_id)
    roster.reorder_agents(session, order)


def _take_in(session: Session, file: AgentFile, text: str, replacing: str | None) -> Agent:
    values = _values(session, file)
    if replacing is not None:
        return roster.update_agent(
            session, replacing, markdown=_markdown(session, replacing), name=file.name, **values
        )
    agent = roster.create_agent(session, name=file.name, **values)
    if file.others:
        # The file as it came is the first revision: fields that Bureau does not know live on in it.
        agent = roster.update_agent(session, agent.id, markdown=text)
    return agent


def _values(session: Session, file: AgentFile) -> dict[str, Any]:
    labels = {row.label.casefold(): row.id for row in accounts.connections(session)}
    return {
        "role": file.role,
        "avatar": file.avatar,
        "personality": file.personality,
        "language": file.language,
        "time_zone": file.time_zone,
        "instructions": file.instructions,
        "connection_id": labels.get(file.connection.casefold()),
        "model": file.model,
        "temperature": file.temperature,
        "max_tokens": file.max_tokens,
        "effort": file.effort,
        "tools": file.tools,
        "memory_scopes": file.memory_scopes,
        "recipients": file.recipients,
        "accepts_own_notes": file.accepts_own_notes,
        "run_cap": file.run_cap,
        "day_cap": file.day_cap,
        "librarian": file.librarian,
    }


def _markdown(session: Session, agent_id: str) -> str:
    agent = roster.agent(session, agent_id)
    labels = {row.id: row.label for row in accounts.connections(session)}
    file = AgentFile(
        name=agent.name,
        role=agent.role,
        avatar=agent.avatar,
        personality=agent.personality,
        language=agent.language,
        time_zone=agent.time_zone,
        connection=labels.get(agent.connection_id or "", ""),
        model=agent.model,
        temperature=agent.temperature,
        max_tokens=agent.max_tokens,
        effort=agent.effort,
        tools=agent.tools,
        memory_scopes=agent.memory_scopes,
        recipients=agent.recipients,
        accepts_own_notes=agent.accepts_own_notes,
        run_cap=agent.run_cap,
        day_cap=agent.day_cap,
        librarian=agent.librarian,
        instructions=agent.instructions,
    )
    revisions = roster.agent_revisions(session, agent_id)
    if revisions:
        file = replace(file, others=read_agent_file(revisions[0].markdown).others)
    return write_agent_file(file)
