"""Runs and their append-only events."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from memory.errors import Refused
from memory.identifiers import new_id, now
from memory.tables import AttachmentTable, MessageTable, RunEventTable, RunTable
from memory.tables.records import required
from resources.language import gettext as _

RunState = Literal["queued", "running", "needs_you", "done", "failed", "stopped", "interrupted"]

UNFINISHED: Final[tuple[RunState, ...]] = ("queued", "running", "needs_you")
RESUMABLE: Final[tuple[RunState, ...]] = ("interrupted", "stopped", "failed")

_NEXT: Final[dict[str, frozenset[RunState]]] = {
    "queued": frozenset(("running", "failed", "stopped", "interrupted")),
    "running": frozenset(("needs_you", "done", "failed", "stopped", "interrupted")),
    "needs_you": frozenset(("running", "done", "failed", "stopped", "interrupted")),
    # Resume takes up what was kept; an interrupted run may also be discarded.
    "interrupted": frozenset(("queued", "running", "stopped")),
    "stopped": frozenset(("queued", "running")),
    "failed": frozenset(("queued", "running")),
    "done": frozenset(),
}


@dataclass(frozen=True, slots=True)
class ContextPart:
    """One part of what a run sends. ``cost`` is in millionths of a dollar, None where no price is known."""

    kind: Literal["instructions", "notes", "conversation", "attachment", "tools", "question"]
    label: str
    tokens: int
    cost: int | None
    reason: str = ""
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One agent's work on one message; caps and costs in millionths of a dollar."""

    id: str
    conversation_id: str
    parent_run_id: str | None
    task_id: str | None
    agent_id: str | None
    connection_id: str | None
    model: str
    effort: str
    state: RunState
    reason: str
    context: tuple[ContextPart, ...]
    cap: int | None
    reserved: int
    spent: int
    created_at: int
    started_at: int | None
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One line of the event table.

    Kinds: ``started``, ``text``, ``thinking`` (coalesced deltas in ``body["text"]``), ``tool_started``
    (``call``, ``tool``, ``arguments``, ``effect``), ``tool_finished`` (``call``, ``result``), ``usage``,
    ``memory_used`` (``used``: ``kind``, ``id``, ``reason`` each), ``notice`` (``sentence``),
    ``steered`` (``message``, ``text``: a follow-up that the next step carried), ``finished`` (``state``, ``reason``).
    """

    run_id: str
    seq: int
    agent_id: str | None
    at: int
    kind: str
    body: dict[str, Any]


class NewEvent(NamedTuple):
    """An event to append; see ``RunEvent`` for the kinds."""

    kind: str
    body: dict[str, Any]


def create_run(
    session: Session,
    *,
    conversation_id: str,
    agent_id: str | None,
    connection_id: str | None = None,
    model: str = "",
    effort: str = "normal",
    context: Sequence[ContextPart] = (),
    cap: int | None = None,
    parent_run_id: str | None = None,
    run_id: str | None = None,
) -> Run:
    """Queue a run; ``cap`` is in millionths of a dollar, None for no cap of its own."""
    row = RunTable(
        id=run_id or new_id(),
        conversation_id=conversation_id,
        parent_run_id=parent_run_id,
        agent_id=agent_id,
        connection_id=connection_id,
        model=model,
        effort=effort,
        state="queued",
        context=[asdict(part) for part in context],
        cap=cap,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    return _run(row)


def run(session: Session, run_id: str) -> Run:
    """Return one run. Raises NotFound."""
    return _run(required(session, RunTable, run_id))


def runs_named(session: Session, beginning: str) -> tuple[Run, ...]:
    """Return the runs whose ids begin so, two at most: enough to know whether a run is meant."""
    query = select(RunTable).where(RunTable.id.startswith(beginning, autoescape=True)).limit(2)
    return tuple(_run(row) for row in session.scalars(query))


def runs(
    session: Session,
    *,
    conversation_id: str | None = None,
    states: Sequence[RunState] = (),
    limit: int = 200,
) -> tuple[Run, ...]:
    """Return runs, the latest first, of one conversation and in some states where these are given."""
    query = select(RunTable).order_by(RunTable.created_at.desc(), RunTable.id).limit(limit)
    if conversation_id is not None:
        query = query.where(RunTable.conversation_id == conversation_id)
    if states:
        query = query.where(RunTable.state.in_(states))
    return tuple(_run(row) for row in session.scalars(query))


def set_state(session: Session, run_id: str, state: RunState, *, reason: str = "") -> Run:
    """Move a run to its next state; a run that ends gives back what it had reserved.

    Raises NotFound, or Refused for a move that the states do not allow.
    """
    row = required(session, RunTable, run_id)
    if state not in _NEXT[row.state]:
        raise Refused(
            _("A run that is “{before}” cannot become “{after}”: start a new one.").format(
                before=row.state, after=state
            )
        )
    at = now()
    row.state, row.reason = state, reason
    if state == "running" and row.started_at is None:
        row.started_at = at
    row.finished_at = None if state in UNFINISHED else at
    if state not in UNFINISHED:
        row.reserved = 0
    session.flush()
    return _run(row)


def set_terms(
    session: Session, run_id: str, *, connection_id: str | None, model: str, cap: int | None
) -> Run:
    """Record which account and model the run settled on and the cap in force for it. Raises NotFound."""
    row = required(session, RunTable, run_id)
    row.connection_id, row.model, row.cap = connection_id, model, cap
    session.flush()
    return _run(row)


def set_context(session: Session, run_id: str, context: Sequence[ContextPart]) -> Run:
    """Store part by part what the run sends. Raises NotFound."""
    row = required(session, RunTable, run_id)
    row.context = [asdict(part) for part in context]
    session.flush()
    return _run(row)


def set_reserved(session: Session, run_id: str, amount: int) -> None:
    """Record what the run holds back of its budgets, in millionths of a dollar. Raises NotFound."""
    required(session, RunTable, run_id).reserved = amount


def history(session: Session, run_id: str) -> dict[str, Any] | None:
    """Return the messages from which Resume goes on, None where nothing was kept. Raises NotFound."""
    return required(session, RunTable, run_id).history


def set_history(session: Session, run_id: str, messages: dict[str, Any] | None) -> None:
    """Keep the messages from which Resume goes on. Raises NotFound."""
    required(session, RunTable, run_id).history = messages


def append_event(session: Session, run_id: str, kind: str, body: dict[str, Any]) -> RunEvent:
    """Append one event to a run. Raises NotFound."""
    return append_events(session, run_id, [NewEvent(kind, body)])[0]


def append_events(
    session: Session, run_id: str, events: Iterable[NewEvent | tuple[str, dict[str, Any]]]
) -> tuple[RunEvent, ...]:
    """Append events in order; their numbers go on from the run's last. Raises NotFound."""
    owner = required(session, RunTable, run_id)
    last = session.scalar(select(func.max(RunEventTable.seq)).where(RunEventTable.run_id == run_id)) or 0
    at = now()
    rows = [
        RunEventTable(
            run_id=run_id,
            seq=seq,
            parent_run_id=owner.parent_run_id,
            task_id=owner.task_id,
            agent_id=owner.agent_id,
            at=at,
            kind=event.kind,
            body=event.body,
        )
        for seq, event in enumerate((NewEvent(*values) for values in events), last + 1)
    ]
    session.add_all(rows)
    session.flush()
    return tuple(_event(row) for row in rows)


def run_events(session: Session, run_id: str, *, after: int = 0) -> tuple[RunEvent, ...]:
    """Return the events of a run with numbers above ``after``, in order."""
    query = select(RunEventTable).where(RunEventTable.run_id == run_id, RunEventTable.seq > after)
    return tuple(_event(row) for row in session.scalars(query.order_by(RunEventTable.seq)))


def interrupt_unfinished(session: Session) -> tuple[Run, ...]:
    """Mark what a crash left under way: runs and messages interrupted, half-read files to be read again.

    Called by the owner process before anything runs. A run that waits for its owner goes on waiting. Returns
    the interrupted runs.
    """
    rows = session.scalars(select(RunTable).where(RunTable.state.in_(("queued", "running")))).all()
    at = now()
    for row in rows:
        row.state, row.finished_at, row.reserved = "interrupted", at, 0
        row.reason = _("Bureau ended while this was under way: resume it or discard it.")
    session.flush()
    waiting = select(RunTable.id).where(RunTable.state == "needs_you")
    session.execute(
        update(MessageTable)
        .where(MessageTable.state.in_(("queued", "streaming")))
        .where(MessageTable.run_id.is_(None) | MessageTable.run_id.not_in(waiting))
        .values(state="interrupted")
    )
    session.execute(update(AttachmentTable).where(AttachmentTable.state == "reading").values(state="pending"))
    return tuple(_run(row) for row in rows)


def _run(row: RunTable) -> Run:
    values = {field.name: getattr(row, field.name) for field in fields(Run)}
    return Run(**values | {"context": tuple(ContextPart(**part) for part in row.context)})


def _event(row: RunEventTable) -> RunEvent:
    return RunEvent(**{field.name: getattr(row, field.name) for field in fields(RunEvent)})
