"""What the office does with the owner's data beyond answering, each to be switched off whole or for one agent.

A purpose is followed unless its owner objected; each objection and its end is a row of the consents.
"""

from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from memory import audit, consents, roster
from memory.errors import NotFound, Refused
from memory.ledger import calendar_day
from memory.tables import AgentTable, ConsentTable, MessageTable, NoteTable, UsageTable
from resources.language import gettext as _

EVERYBODY = ""
"""Stands for the whole office in the place of an agent's id."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """One thing that may be switched off: its name, title and what it does."""

    name: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a purpose is followed for an agent; ``agent_id`` is EVERYBODY for the whole office.

    ``kept`` counts what the purpose has made of it so far and could be erased: notes, or lines of usage.
    """

    purpose: str
    agent_id: str
    agent_name: str
    allowed: bool
    kept: int


def purposes() -> tuple[Purpose, ...]:
    """Return every purpose, in the order of the page, in the chosen language."""
    return (
        Purpose(
            "memory",
            _("Memory"),
            _(
                "What is said in an agent’s chats, and their files, can be recalled in other chats, and the agent "
                "may keep notes. Switched off, neither happens; agents go on answering from their own chat."
            ),
        ),
        Purpose(
            "usage",
            _("Usage charts"),
            _(
                "The Usage page shows by day, agent, model and key what was used. Switched off, nothing is shown; "
                "what caps need is counted all the same."
            ),
        ),
    )


def allowed(session: Session, purpose: str, agent_id: str | None) -> bool:
    """Whether a purpose may be followed for an agent; None is no agent."""
    off = objections(session, purpose)
    return EVERYBODY not in off and (agent_id or "-") not in off


def objections(session: Session, purpose: str) -> frozenset[str]:
    """Return the agents for whom a purpose is switched off, EVERYBODY among them where it is for all."""
    mark = _named(purpose, "")
    ended = select(ConsentTable.purpose, ConsentTable.withdrawn_at).where(
        ConsentTable.purpose.startswith(mark)
    )
    # The latest row of each decides; ids are in no order, times are.
    rows = session.execute(ended.order_by(ConsentTable.given_at, ConsentTable.id))
    latest = {name.removeprefix(mark): withdrawn for name, withdrawn in rows}
    return frozenset(agent_id for agent_id, withdrawn in latest.items() if withdrawn is not None)


def choices(session: Session) -> tuple[Choice, ...]:
    """Return what holds for each purpose: the whole office first, then every agent that works or is archived."""
    team = [
        (one.id, one.name) for archived in (False, True) for one in roster.agents(session, archived=archived)
    ]
    found = []
    for purpose in purposes():
        off = objections(session, purpose.name)
        for agent_id, name in ((EVERYBODY, ""), *team):
            kept = _kept(session, purpose.name, agent_id) if agent_id else 0
            found.append(Choice(purpose.name, agent_id, name, agent_id not in off, kept))
    return tuple(found)


def switch(session: Session, purpose: str, agent_id: str, *, on: bool) -> None:
    """Follow a purpose for an agent (or EVERYBODY) from now on, or no longer. Raises Refused or NotFound."""
    if purpose not in {one.name for one in purposes()}:
        names = ", ".join(one.name for one in purposes())
        raise Refused(_("There is no purpose “{name}”: choose of {names}.").format(name=purpose, names=names))
    if agent_id and session.get(AgentTable, agent_id) is None:
        raise NotFound(_("This agent is gone: look at the team again."))
    decide = consents.allow if on else consents.object_to
    decide(session, _named(purpose, agent_id), {"purpose": purpose})


def conversations_of(session: Session, agent_ids: frozenset[str], among: frozenset[str]) -> frozenset[str]:
    """Return those of some conversations in which one of the agents spoke."""
    if not agent_ids or not among:
        return frozenset()
    chosen = select(MessageTable.conversation_id).where(
        MessageTable.conversation_id.in_(among), MessageTable.agent_id.in_(agent_ids)
    )
    return frozenset(session.scalars(chosen.distinct()))


def notes_by(session: Session, agent_id: str) -> tuple[str, ...]:
    """Return the notes that an agent wrote."""
    return tuple(session.scalars(select(NoteTable.id).where(NoteTable.agent_id == agent_id)))


def forget_usage(session: Session, agent_id: str) -> int:
    """Take an agent's name off what it used before today, which caps do not need; return how many lines."""
    lines = (UsageTable.agent_id == agent_id, UsageTable.day < calendar_day())
    count = session.scalar(select(func.count()).select_from(UsageTable).where(*lines)) or 0
    session.execute(update(UsageTable).where(*lines).values(agent_id=None))
    audit.append(session, "usage unnamed", "usage", {"count": count})
    return count


def forget_agents(session: Session, agent_ids: frozenset[str]) -> None:
    """Remove the choices about agents that are erased."""
    named = [_named(purpose.name, agent_id) for purpose in purposes() for agent_id in agent_ids]
    session.execute(delete(ConsentTable).where(ConsentTable.purpose.in_(named)))


def _kept(session: Session, purpose: str, agent_id: str) -> int:
    if purpose == "memory":
        return len(notes_by(session, agent_id))
    lines = (UsageTable.agent_id == agent_id, UsageTable.day < calendar_day())
    return session.scalar(select(func.count()).select_from(UsageTable).where(*lines)) or 0


def _named(purpose: str, agent_id: str) -> str:
    return f"{purpose}:{agent_id}"
