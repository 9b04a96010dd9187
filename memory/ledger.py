"""What was used and what it cost, and every request that left this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from memory import audit
from memory.identifiers import new_id, now
from memory.tables import AgentTable, ConnectionTable, OutboxTable, RunTable, UsageTable
from memory.tables.records import record, required
from resources.language import gettext as _

UsageKey = Literal["agent", "model", "day", "key"]
Purpose = Literal["chat", "check", "models", "discovery", "sync"]
_DAY = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and cost of one model request; ``cost`` in millionths of a dollar, None where unknown."""

    id: str
    at: int
    day: str
    run_id: str | None
    agent_id: str | None
    connection_id: str | None
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost: int | None


@dataclass(frozen=True, slots=True)
class UsageSum:
    """A line of the usage page.

    ``key`` is the agent's or connection's id (None for one that was removed), the model or the day; ``label``
    its name. ``cost`` sums the known costs in millionths of a dollar, None where no request has one;
    ``unpriced`` counts the requests without a known price.
    """

    key: str | None
    label: str
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost: int | None
    unpriced: int


@dataclass(frozen=True, slots=True)
class Request:
    """One request that left this machine; bytes are as sent over the connection, without TLS."""

    id: str
    at: int
    host: str
    purpose: str
    connection_id: str | None
    agent_id: str | None
    run_id: str | None
    categories: tuple[str, ...]
    bytes_sent: int
    bytes_received: int
    input_tokens: int | None
    output_tokens: int | None
    cost: int | None
    status: int | None
    error: str
    finished_at: int | None


def calendar_day(at: int | None = None) -> str:
    """Return the owner's calendar day, ``2026-11-21``, of an instant in milliseconds (now)."""
    return datetime.fromtimestamp((now() if at is None else at) / 1_000).astimezone().date().isoformat()


def add_usage(
    session: Session,
    *,
    run_id: str | None,
    agent_id: str | None,
    connection_id: str | None,
    model: str,
    input_tokens: int,
    output_tokens: int,
    cache_read_tokens: int = 0,
    cache_write_tokens: int = 0,
    cost: int | None,
    counted: int | None = None,
    purpose: Purpose = "chat",
    at: int | None = None,
) -> Usage:
    """Record one model request, on its line of the outbox too, and add its cost to what its run has spent.

    ``counted`` is what caps count, the cost where nothing is given.
    A run sends one request after the other, so its latest line without tokens is the request meant; a check
    has no run and is found by its connection. Raises NotFound.
    """
    instant = now() if at is None else at
    row = UsageTable(
        id=new_id(),
        at=instant,
        day=calendar_day(instant),
        run_id=run_id,
        agent_id=agent_id,
        connection_id=connection_id,
        model=model,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cache_read_tokens,
        cache_write_tokens=cache_write_tokens,
        cost=cost,
        counted=(cost or 0) if counted is None else counted,
    )
    session.add(row)
    if run_id is not None and cost:
        required(session, RunTable, run_id).spent += cost
    line = _latest_line(session, purpose, run_id, connection_id)
    if line is not None:
        line.input_tokens, line.output_tokens, line.cost = input_tokens, output_tokens, cost
    session.flush()
    return record(Usage, row)


def usage_by(
    session: Session,
    by: UsageKey,
    *,
    since: str | None = None,
    until: str | None = None,
    without: frozenset[str] = frozenset(),
) -> tuple[UsageSum, ...]:
    """Sum the ledger by agent, model, day or key (connection) over calendar days, both ends included.

    ``without`` leaves agents out. Days come in order, everything else by the most tokens first.
    """
    keys: dict[UsageKey, Any] = {
        "agent": UsageTable.agent_id,
        "model": UsageTable.model,
        "day": UsageTable.day,
        "key": UsageTable.connection_id,
    }
    key = keys[by]
    tokens = func.sum(UsageTable.input_tokens + UsageTable.output_tokens)
    query = (
        select(key, *_sums())
        .where(*_between(since, until, without))
        .group_by(key)
        .order_by(key if by == "day" else tokens.desc(), key)
    )
    labels = _labels(session, by)
    return tuple(
        UsageSum(found, labels.get(found, "") if by in ("agent", "key") else found, *sums)
        for found, *sums in session.execute(query)
    )


def usage_total(
    session: Session,
    *,
    since: str | None = None,
    until: str | None = None,
    without: frozenset[str] = frozenset(),
) -> UsageSum:
    """Sum the whole ledger over calendar days, both ends included, ``without`` some agents."""
    sums = session.execute(select(*_sums()).where(*_between(since, until, without))).one()
    return UsageSum(None, "", *sums)


def spent(
    session: Session,
    *,
    day: str | None = None,
    agent_id: str | None = None,
    connection_id: str | None = None,
    conversation_id: str | None = None,
    run_id: str | None = None,
) -> int:
    """Return the known costs, in millionths of a dollar, of what matches every given value."""
    query = select(func.coalesce(func.sum(UsageTable.cost), 0))
    given = {
        UsageTable.day: day,
        UsageTable.agent_id: agent_id,
        UsageTable.connection_id: connection_id,
        UsageTable.run_id: run_id,
    }
    for column, value in given.items():
        if value is not None:
            query = query.where(column == value)
    if conversation_id is not None:
        of_conversation = select(RunTable.id).where(RunTable.conversation_id == conversation_id)
        query = query.where(UsageTable.run_id.in_(of_conversation))
    return session.scalar(query) or 0


def counted_on(session: Session, day: str) -> dict[str, int]:
    """Return what caps count of a day, in millionths of a dollar, by agent; "" stands for no agent."""
    rows = session.execute(
        select(UsageTable.agent_id, func.sum(UsageTable.counted))
        .where(UsageTable.day == day)
        .group_by(UsageTable.agent_id)
    )
    return {agent_id or "": counted for agent_id, counted in rows}


def counted_of(session: Session, run_id: str) -> int:
    """Return what caps count of a run so far, in millionths of a dollar."""
    return session.scalar(select(func.sum(UsageTable.counted)).where(UsageTable.run_id == run_id)) or 0


def run_usage(session: Session, run_id: str) -> UsageSum:
    """Sum what one run used."""
    sums = session.execute(select(*_sums()).where(UsageTable.run_id == run_id)).one()
    return UsageSum(run_id, "", *sums)


def conversation_usage(session: Session, conversation_id: str) -> UsageSum:
    """Sum what the runs of one conversation used."""
    of_conversation = select(RunTable.id).where(RunTable.conversation_id == conversation_id)
    sums = session.execute(select(*_sums()).where(UsageTable.run_id.in_(of_conversation))).one()
    return UsageSum(conversation_id, "", *sums)


def reserved(session: Session, *, agent_id: str | None = None) -> int:
    """Return what unfinished runs hold back, in millionths of a dollar; caps count it with what was spent."""
    query = select(func.coalesce(func.sum(RunTable.reserved), 0))
    if agent_id is not None:
        query = query.where(RunTable.agent_id == agent_id)
    return session.scalar(query) or 0


def begin_request(
    session: Session,
    *,
    host: str,
    purpose: Purpose,
    connection_id: str | None = None,
    agent_id: str | None = None,
    run_id: str | None = None,
    categories: Sequence[str] = (),
    bytes_sent: int = 0,
) -> Request:
    """Record a request before it leaves; committed first, so that none can leave unrecorded."""
    row = OutboxTable(
        id=new_id(),
        at=now(),
        host=host,
        purpose=purpose,
        connection_id=connection_id,
        agent_id=agent_id,
        run_id=run_id,
        categories=list(categories),
        bytes_sent=bytes_sent,
    )
    session.add(row)
    if connection_id is not None:
        _note_use(session, connection_id, row.at)
    session.flush()
    return record(Request, row)


def _note_use(session: Session, connection_id: str, at: int) -> None:
    """Keep when a key was last used; the audit trail has its first use of each day (UTC)."""
    connection = required(session, ConnectionTable, connection_id)
    if connection.last_used_at is None or connection.last_used_at // _DAY != at // _DAY:
        audit.append(session, "key used", connection_id, {"fingerprint": connection.fingerprint})
    connection.last_used_at = at


def finish_request(
    session: Session,
    request_id: str,
    *,
    status: int | None,
    bytes_sent: int | None = None,
    bytes_received: int = 0,
    error: str = "",
) -> Request:
    """Record how a request ended; ``status`` is None where no answer came. Raises NotFound.

    What it used is recorded by ``add_usage``.
    """
    row = required(session, OutboxTable, request_id)
    row.status, row.error, row.finished_at = status, error, now()
    row.bytes_received = bytes_received
    if bytes_sent is not None:
        row.bytes_sent = bytes_sent
    session.flush()
    return record(Request, row)


def outbox(session: Session, *, limit: int = 200, before: Request | None = None) -> tuple[Request, ...]:
    """Return a page of the outbox, the latest first; ``before`` is the last one already shown."""
    query = select(OutboxTable).order_by(OutboxTable.at.desc(), OutboxTable.id.desc()).limit(limit)
    if before is not None:
        query = query.where(tuple_(OutboxTable.at, OutboxTable.id) < (before.at, before.id))
    return tuple(record(Request, row) for row in session.scalars(query))


def _latest_line(
    session: Session, purpose: Purpose, run_id: str | None, connection_id: str | None
) -> OutboxTable | None:
    if run_id is None and connection_id is None:
        return None
    whose = OutboxTable.run_id == run_id if run_id else OutboxTable.connection_id == connection_id
    return session.scalars(
        select(OutboxTable)
        .where(whose, OutboxTable.purpose == purpose, OutboxTable.input_tokens.is_(None))
        .order_by(OutboxTable.at.desc(), OutboxTable.id.desc())
        .limit(1)
    ).first()


def _sums() -> tuple[ColumnElement[Any], ...]:
    return (
        func.count(),
        func.coalesce(func.sum(UsageTable.input_tokens), 0),
        func.coalesce(func.sum(UsageTable.output_tokens), 0),
        func.coalesce(func.sum(UsageTable.cache_read_tokens), 0),
        func.coalesce(func.sum(UsageTable.cache_write_tokens), 0),
        func.sum(UsageTable.cost),
        func.count() - func.count(UsageTable.cost),
    )


def _between(since: str | None, until: str | None, without: frozenset[str]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if without:
        conditions.append(or_(UsageTable.agent_id.is_(None), UsageTable.agent_id.not_in(without)))
    if since is not None:
        conditions.append(UsageTable.day >= since)
    if until is not None:
        conditions.append(UsageTable.day <= until)
    return conditions


def _labels(session: Session, by: UsageKey) -> dict[str | None, str]:
    if by == "agent":
        rows = session.execute(select(AgentTable.id, AgentTable.name))
        return {None: _("no agent (key checks)"), **{row.id: row.name for row in rows}}
    if by == "key":
        rows = session.execute(select(ConnectionTable.id, ConnectionTable.label))
        return {None: _("removed keys"), **{row.id: row.label for row in rows}}
    return {}
