"""Retention: how long things stay, by the narrowest rule that fits, and what leaves when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from memory import audit
from memory.errors import Refused
from memory.identifiers import new_id
from memory.identifiers import now as present
from memory.lifecycle.data_map import Category, Retention, data_map
from memory.lifecycle.subjects import Kind, Subject, kept_by_holds, portions
from memory.lifecycle.trash import DAY
from memory.tables import (
    AgentTable,
    AttachmentTable,
    AuditTable,
    ConversationTable,
    EraseReportTable,
    MessageTable,
    NoteTable,
    OutboxTable,
    RetentionRuleTable,
    UsageTable,
)
from memory.tables.records import record
from memory.titles import title_from
from resources.language import gettext as _

Scope = Literal["conversation", "agent", "file_type", "category"]

PRESETS: tuple[int | None, ...] = (None, 30, 90, 365)
"""Days offered; None keeps."""
LEDGER_DAYS = 730
"""Usage, outbox, audit trail and erase reports stay 24 months unless a rule says otherwise."""
MOST_DAYS = 36_500
"""A rule beyond a century would only be one that keeps."""
LONGEST_JUMP = 4 * DAY
"""Where the clock shows more than this since it was last looked at, nothing is deleted without asking."""

_CONTENT = (Category.CONVERSATIONS, Category.FILES, Category.NOTES)
_LEDGERS: dict[Category, tuple[Any, ...]] = {
    Category.USAGE: (UsageTable,),
    Category.OUTBOX: (OutboxTable,),
    Category.AUDIT: (AuditTable,),
    Category.ERASURE: (EraseReportTable,),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How many days after its last change something stays, None for ever; ``scope_id`` is as in the table."""

    id: str
    scope: Scope
    scope_id: str
    days: int | None
    created_at: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """One thing that a rule lets go at an instant."""

    subject: Subject
    label: str
    leaves_at: int
    rule: Rule


def rules(session: Session) -> tuple[Rule, ...]:
    """Return every rule, the narrowest scopes first."""
    order = ("conversation", "agent", "file_type", "category")
    found = [record(Rule, row) for row in session.scalars(select(RetentionRuleTable))]
    return tuple(sorted(found, key=lambda rule: (order.index(rule.scope), rule.scope_id)))


def set_rule(session: Session, scope: Scope, scope_id: str, days: int | None) -> Rule:
    """Make or change a rule; ``days`` None keeps for ever. Raises Refused for what no rule can be about."""
    if days is not None and days < 1:
        raise Refused(_("A rule needs at least one day: to delete at once, erase."))
    if days is not None and days > MOST_DAYS:
        raise Refused(
            _("A rule can have {most} days at most: to keep for ever, say “keep”.").format(most=MOST_DAYS)
        )
    if scope == "category" and scope_id not in rulable():
        raise Refused(
            _("There is no rule for “{name}”: choose among {names}.").format(
                name=scope_id, names=", ".join(rulable())
            )
        )
    row = session.scalars(_named(scope, scope_id)).one_or_none()
    if row is None:
        row = RetentionRuleTable(id=new_id(), scope=scope, scope_id=scope_id, created_at=present())
        session.add(row)
    row.days = days
    # An id would outlive its conversation in the audit trail.
    about = scope_id if scope in ("category", "file_type") else scope
    audit.append(session, "retention set", about, {"days": days})
    session.flush()
    return record(Rule, row)


def drop_rule(session: Session, scope: Scope, scope_id: str) -> None:
    """Take a rule back, so that the next wider one decides. Raises Refused where there is none."""
    row = session.scalars(_named(scope, scope_id)).one_or_none()
    if row is None:
        raise Refused(_("There is no such rule: “bureau retention show” lists them."))
    session.delete(row)
    session.flush()


def forget_rules(session: Session, scope: Scope, identifiers: Iterable[str]) -> None:
    """Remove the rules about conversations or agents that are erased."""
    for some in portions(identifiers):
        session.execute(
            delete(RetentionRuleTable).where(
                RetentionRuleTable.scope == scope, RetentionRuleTable.scope_id.in_(some)
            )
        )


def rulable() -> tuple[str, ...]:
    """Return the categories of the data map that a rule can be about."""
    named = {entry.category for entry in data_map() if entry.retention is Retention.RULE}
    return tuple(one.value for one in (*_CONTENT, *_LEDGERS) if one in named or one in _LEDGERS)


def leaving(session: Session, until: int) -> tuple[Leaving, ...]:
    """Return everything that the rules let go up to an instant, the first to leave first.

    What is pinned, held or in the trash, belongs to a conversation or message that is, or holds something that is,
    is not among it.
    """
    by_scope = {(rule.scope, rule.scope_id): rule for rule in rules(session)}
    found = [
        Leaving(Subject(kind, identifier), title_from(label), at + rule.days * DAY, rule)
        for kind, identifier, label, at, scopes in _candidates(session)
        if (rule := next((by_scope[one] for one in scopes if one in by_scope), None)) is not None
        and rule.days is not None
        and at + rule.days * DAY <= until
    ]
    kept = kept_by_holds(session, [one.subject for one in found])
    return tuple(sorted((one for one in found if one.subject not in kept), key=lambda one: one.leaves_at))


def prune_ledgers(session: Session, at: int) -> dict[str, int]:
    """Delete the lines of usage, outbox, audit trail and erase reports that are past their time; return how many."""
    counts: dict[str, int] = {}
    for table, before in _ledger_ends(session, at):
        removed = (
            audit.shorten(session, before)
            if table is AuditTable
            else session.execute(delete(table).where(table.at < before)).rowcount  # type: ignore[attr-defined]  # a cursor's result
        )
        if removed:
            counts[table.__tablename__] = removed
    return counts


def overdue_lines(session: Session, at: int) -> int:
    """Return how many lines ``prune_ledgers`` would delete."""
    counted = (
        session.scalar(select(func.count()).select_from(table).where(table.at < before))
        for table, before in _ledger_ends(session, at)
    )
    return sum(count or 0 for count in counted)


def _ledger_ends(session: Session, at: int) -> Iterator[tuple[Any, int]]:
    """Yield each ledger's table with the instant before which its lines are past their time."""
    by_scope = {(rule.scope, rule.scope_id): rule for rule in rules(session)}
    for category, tables in _LEDGERS.items():
        rule = by_scope.get(("category", category.value))
        days = LEDGER_DAYS if rule is None else rule.days
        if days is not None:
            # A rule that came with an import may say any number, and no instant is before the first.
            yield from ((table, max(0, at - days * DAY)) for table in tables)


def jumped(seen_at: int | None, at: int) -> bool:
    """Say whether the clock was set back, or shows days that nobody can vouch for, since it was last looked at."""
    return seen_at is not None and not seen_at - DAY <= at <= seen_at + LONGEST_JUMP


def _candidates(session: Session) -> Iterator[tuple[Kind, str, str, int, list[tuple[Scope, str]]]]:
    """Yield kind, id, label, last change and the scopes that fit, narrowest first, of what a rule may be about."""
    chats = select(
        ConversationTable.id,
        ConversationTable.title,
        ConversationTable.updated_at,
        ConversationTable.agent_id,
    ).where(*_free(ConversationTable), ~_keeps_something())
    for row in session.execute(chats):
        agent: list[tuple[Scope, str]] = [("agent", row.agent_id)] if row.agent_id else []
        category: tuple[Scope, str] = ("category", Category.CONVERSATIONS.value)
        yield "conversation", row.id, row.title, row.updated_at, [("conversation", row.id), *agent, category]
    files = (
        select(AttachmentTable.id, AttachmentTable.name, AttachmentTable.created_at, AttachmentTable.kind)
        .join(ConversationTable, ConversationTable.id == AttachmentTable.conversation_id)
        .where(*_free(AttachmentTable), *_free(ConversationTable))
    )
    pinned = select(MessageTable.attachment_ids).where(MessageTable.pinned_at.is_not(None))
    carried = {one for some in session.scalars(pinned) for one in some}
    for row in session.execute(files):
        if row.id in carried:
            continue
        category = ("category", Category.FILES.value)
        yield "file", row.id, row.name, row.created_at, [("file_type", row.kind), category]
    notes = select(
        NoteTable.id, NoteTable.text, NoteTable.created_at, NoteTable.agent_id, NoteTable.last_used_at
    )
    for note in session.execute(notes.where(*_free(NoteTable))):
        agent = [("agent", note.agent_id)] if note.agent_id else []
        at = max(note.created_at, note.last_used_at or 0)
        yield "note", note.id, note.text, at, [*agent, ("category", Category.NOTES.value)]


def _free(table: Any) -> tuple[ColumnElement[bool], ...]:
    return table.pinned_at.is_(None), table.held_at.is_(None), table.trashed_at.is_(None)


def _keeps_something() -> ColumnElement[bool]:
    """The condition that something in a conversation is pinned or held."""
    of_notes = and_(NoteTable.scope == "conversation", NoteTable.scope_id == ConversationTable.id)
    belongs: tuple[tuple[Any, ColumnElement[bool]], ...] = (
        (MessageTable, MessageTable.conversation_id == ConversationTable.id),
        (AttachmentTable, AttachmentTable.conversation_id == ConversationTable.id),
        (NoteTable, of_notes),
    )
    return or_(
        *(
            exists().where(here, or_(table.pinned_at.is_not(None), table.held_at.is_not(None)))
            for table, here in belongs
        )
    )


def _named(scope: Scope, scope_id: str) -> Any:
    return select(RetentionRuleTable).where(
        RetentionRuleTable.scope == scope, RetentionRuleTable.scope_id == scope_id
    )


def scope_of(session: Session, name: str) -> tuple[Scope, str]:
    """Return the scope that a person's words stand for: a category, ``pdf``, an agent's name or a conversation's id."""
    if name in rulable():
        return "category", name
    agent = session.scalar(select(AgentTable.id).where(AgentTable.name == name))
    if agent is not None:
        return "agent", agent
    if session.get(ConversationTable, name) is not None:
        return "conversation", name
    if session.scalar(select(AttachmentTable.id).where(AttachmentTable.kind == name).limit(1)) is not None:
        return "file_type", name
    raise Refused(
        _(
            "“{name}” is no category, agent, conversation or kind of file here; categories are {names}."
        ).format(name=name, names=", ".join(rulable()))
    )
