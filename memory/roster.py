"""Rows of the agents who work here; their Markdown form is in ``agents/roster.py``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from memory.errors import Refused
from memory.identifiers import new_id, now
from memory.tables import AgentRevisionTable, AgentTable
from memory.tables.records import record, required
from resources.language import gettext as _

LONGEST_NAME = 100
"""Characters of an agent's name, which is typed after ``@`` and stands on its card."""
_EDITABLE = frozenset(
    (
        "name",
        "role",
        "avatar",
        "personality",
        "language",
        "time_zone",
        "instructions",
        "connection_id",
        "model",
        "temperature",
        "max_tokens",
        "effort",
        "tools",
        "memory_scopes",
        "recipients",
        "accepts_own_notes",
        "run_cap",
        "day_cap",
        "librarian",
    )
)


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent. Caps in millionths of a dollar; an empty connection or model means the default.

    ``recipients`` are the hosts that its requests may go to; none named are all.
    """

    id: str
    name: str
    role: str
    avatar: str
    personality: str
    language: str
    time_zone: str
    instructions: str
    connection_id: str | None
    model: str
    temperature: float | None
    max_tokens: int | None
    effort: str
    tools: tuple[str, ...]
    memory_scopes: tuple[str, ...]
    recipients: tuple[str, ...]
    accepts_own_notes: bool
    run_cap: int | None
    day_cap: int | None
    librarian: bool
    position: int
    revision: int
    created_at: int
    updated_at: int
    archived_at: int | None


@dataclass(frozen=True, slots=True)
class AgentRevision:
    """An earlier form of an agent; ``at`` is when it was replaced."""

    agent_id: str
    revision: int
    at: int
    markdown: str


def create_agent(session: Session, *, name: str, agent_id: str | None = None, **values: Any) -> Agent:
    """Hire an agent at the end of the roster; ``values`` are fields of ``Agent``.

    Raises Refused for an empty or a taken name.
    """
    _check_fields(values)
    at = now()
    row = AgentTable(
        id=agent_id or new_id(),
        name=_free_name(session, name),
        position=(session.scalar(select(func.max(AgentTable.position))) or 0) + 1,
        revision=1,
        created_at=at,
        updated_at=at,
        **_columns(values),
    )
    session.add(row)
    session.flush()
    return record(Agent, row)


def update_agent(session: Session, agent_id: str, *, markdown: str, **values: Any) -> Agent:
    """Change an agent; ``markdown`` is its form until now and is kept as a revision.

    Raises NotFound, or Refused for an empty or a taken name.
    """
    row = required(session, AgentTable, agent_id)
    _check_fields(values)
    if "name" in values:
        values["name"] = _free_name(session, values["name"], of=agent_id)
    at = now()
    session.add(AgentRevisionTable(agent_id=agent_id, revision=row.revision, at=at, markdown=markdown))
    for name, value in _columns(values).items():
        setattr(row, name, value)
    row.revision += 1
    row.updated_at = at
    session.flush()
    return record(Agent, row)


def agent(session: Session, agent_id: str) -> Agent:
    """Return one agent. Raises NotFound."""
    return record(Agent, required(session, AgentTable, agent_id))


def agent_named(session: Session, name: str) -> Agent | None:
    """Return the working agent of this name, in any case, or None."""
    wanted = name.casefold()
    return next((found for found in agents(session) if found.name.casefold() == wanted), None)


def kept_from(session: Session, agent_id: str, host: str) -> Agent | None:
    """Return the agent if its owner keeps it from this recipient, else None."""
    row = session.get(AgentTable, agent_id)
    return record(Agent, row) if row is not None and row.recipients and host not in row.recipients else None


def agents(session: Session, *, archived: bool = False) -> tuple[Agent, ...]:
    """Return who works here in the owner's order, or who is archived."""
    put_away = AgentTable.archived_at
    query = select(AgentTable).where(
        put_away.is_not(None) if archived else put_away.is_(None), AgentTable.trashed_at.is_(None)
    )
    rows = session.scalars(query.order_by(AgentTable.position, AgentTable.id))
    return tuple(record(Agent, row) for row in rows)


def agent_revisions(session: Session, agent_id: str) -> tuple[AgentRevision, ...]:
    """Return the earlier forms of an agent, the latest first."""
    query = select(AgentRevisionTable).where(AgentRevisionTable.agent_id == agent_id)
    rows = session.scalars(query.order_by(AgentRevisionTable.revision.desc()))
    return tuple(record(AgentRevision, row) for row in rows)


def archive_agent(session: Session, agent_id: str) -> Agent:
    """Send an agent on leave: it keeps its past and answers nothing. Raises NotFound."""
    row = required(session, AgentTable, agent_id)
    row.archived_at = now()
    return record(Agent, row)


def unarchive_agent(session: Session, agent_id: str) -> Agent:
    """Bring an archived agent back. Raises NotFound."""
    row = required(session, AgentTable, agent_id)
    row.archived_at = None
    return record(Agent, row)


def remove_agent(session: Session, agent_id: str) -> None:
    """Delete an agent and its revisions; what it said stays under the name it had. Raises NotFound."""
    session.delete(required(session, AgentTable, agent_id))
    session.flush()


def reorder_agents(session: Session, agent_ids: Sequence[str]) -> None:
    """Put the named agents first, in this order. Raises NotFound."""
    rest = [found.id for found in agents(session) if found.id not in agent_ids]
    for position, identifier in enumerate([*agent_ids, *rest], 1):
        required(session, AgentTable, identifier).position = position


def _check_fields(values: dict[str, Any]) -> None:
    unknown = sorted(values.keys() - _EDITABLE)
    if unknown:
        raise TypeError(f"an agent has no field {', '.join(unknown)}")


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _free_name(session: Session, name: str, *, of: str | None = None) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refused(_("An agent needs a name: type one."))
    if len(name) > LONGEST_NAME:
        raise Refused(
            _("An agent's name has at most {most} characters: shorten it.").format(most=LONGEST_NAME)
        )
    taken = session.execute(select(AgentTable.id, AgentTable.name))
    if any(other.casefold() == name.casefold() and identifier != of for identifier, other in taken):
        raise Refused(_("An agent named “{name}” works here already: choose another name.").format(name=name))
    return name
