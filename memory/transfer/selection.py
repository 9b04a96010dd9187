"""Which rows an export takes: everything, or what its owner's filters let through."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from memory.lifecycle.data_map import Category
from memory.tables import (
    AgentTable,
    AttachmentTable,
    BlobTable,
    ConversationTable,
    MessageTable,
    NoteTable,
    OutboxTable,
    ProvenanceTable,
    RunEventTable,
    RunTable,
    UsageTable,
)
from memory.tables.records import required
from memory.transfer.record_types import RecordType

Condition = ColumnElement[bool]
Ids = Select[str]


@dataclass(frozen=True, slots=True)
class Filters:
    """What an export is narrowed to; empty takes everything.

    ``since`` is in milliseconds: things from then on, and the conversations in which something happened since.
    """

    since: int | None = None
    agent_id: str = ""
    conversation_id: str = ""
    categories: frozenset[Category] = frozenset()

    @property
    def narrow(self) -> bool:
        """Whether anything is left out."""
        return self != Filters()

    def said(self) -> dict[str, Any]:
        """Return the filters in force as JSON."""
        values = {**asdict(self), "categories": sorted(self.categories)}
        return {name: value for name, value in values.items() if value}

    def check(self, session: Session) -> None:
        """Raise NotFound for an agent or a conversation that is not there."""
        if self.agent_id:
            required(session, AgentTable, self.agent_id)
        if self.conversation_id:
            required(session, ConversationTable, self.conversation_id)


_TIMES: dict[str, InstrumentedAttribute[Any]] = {
    "messages": MessageTable.created_at,
    "runs": RunTable.created_at,
    "run_events": RunEventTable.at,
    "memory": NoteTable.created_at,
    "files": AttachmentTable.created_at,
    "usage": UsageTable.at,
    "outbox": OutboxTable.at,
}


def takes(filters: Filters, kind: RecordType) -> bool:
    """Whether any record of this type may go out."""
    if filters.categories and kind.category not in filters.categories:
        return False
    subject = filters.agent_id or filters.conversation_id
    return not subject or kind.name in _OF_A_SUBJECT


def condition(filters: Filters, kind: RecordType) -> Condition:
    """Return which rows of this type go out."""
    parts: list[Condition] = [_arrived(kind)]
    if filters.since is not None:
        if kind.name in _TIMES:
            parts.append(_TIMES[kind.name] >= filters.since)
        elif kind.name == "conversations":
            parts.append(ConversationTable.updated_at >= filters.since)
        elif kind.name == "blobs":
            parts.append(
                BlobTable.id.in_(
                    select(AttachmentTable.blob_id).where(AttachmentTable.created_at >= filters.since)
                )
            )
        elif kind.name == "provenance":
            parts.extend(_without_provenance_of_earlier(filters.since))
        elif "at" in kind.table.columns:
            parts.append(kind.table.columns["at"] >= filters.since)
    if filters.agent_id or filters.conversation_id:
        parts.append(_OF_A_SUBJECT[kind.name](conversations_of(filters), filters))
    return and_(*parts)


def conversations_of(filters: Filters) -> Ids:
    """Return the ids of the conversations that go out."""
    query = select(ConversationTable.id).where(ConversationTable.arriving_import_id.is_(None))
    if filters.conversation_id:
        query = query.where(ConversationTable.id == filters.conversation_id)
    if filters.agent_id:
        spoken = select(MessageTable.conversation_id).where(MessageTable.agent_id == filters.agent_id)
        query = query.where(
            or_(ConversationTable.agent_id == filters.agent_id, ConversationTable.id.in_(spoken))
        )
    if filters.since is not None:
        query = query.where(ConversationTable.updated_at >= filters.since)
    return query


def _without_provenance_of_earlier(since: int) -> Iterable[Condition]:
    for name, column in {**_TIMES, "conversations": ConversationTable.updated_at}.items():
        table = column.class_
        if hasattr(table, "id"):
            later = select(table.id).where(column >= since)
            yield or_(ProvenanceTable.record_type != name, ProvenanceTable.record_id.in_(later))


def _arrived(kind: RecordType) -> Condition:
    """Return which rows are no part of an import that is still under way."""
    under_way = ConversationTable.arriving_import_id.is_not(None)
    arriving = select(ConversationTable.id).where(under_way)
    imports = select(ConversationTable.arriving_import_id).where(under_way)
    columns = kind.table.columns
    if kind.name == "conversations":
        return ConversationTable.arriving_import_id.is_(None)
    if kind.name == "messages":
        return columns["conversation_id"].not_in(arriving)
    if kind.name == "files":
        # One that is still arriving from another device has no content yet.
        return and_(columns["conversation_id"].not_in(arriving), columns["blob_id"].is_not(None))
    if kind.name == "blobs":
        theirs = select(AttachmentTable.blob_id).where(
            AttachmentTable.conversation_id.in_(arriving), AttachmentTable.blob_id.is_not(None)
        )
        return BlobTable.id.not_in(theirs)
    if kind.name == "imports":
        return columns["id"].not_in(imports)
    if kind.name == "provenance":
        return or_(columns["import_id"].is_(None), columns["import_id"].not_in(imports))
    return true()


def _agents(chats: Ids, filters: Filters) -> Condition:
    if filters.agent_id:
        return AgentTable.id == filters.agent_id
    return _speaking(AgentTable.id, chats)


def _speaking(column: Any, chats: Ids) -> Condition:
    speaking = select(MessageTable.agent_id).where(
        MessageTable.conversation_id.in_(chats), MessageTable.agent_id.is_not(None)
    )
    named = select(ConversationTable.agent_id).where(
        ConversationTable.id.in_(chats), ConversationTable.agent_id.is_not(None)
    )
    return or_(column.in_(speaking), column.in_(named))


def _notes(chats: Ids, filters: Filters) -> Condition:
    messages = select(MessageTable.id).where(MessageTable.conversation_id.in_(chats))
    about = or_(
        (NoteTable.scope == "conversation") & NoteTable.scope_id.in_(chats),
        NoteTable.source_message_id.in_(messages),
    )
    if not filters.agent_id:
        return about
    own = (NoteTable.scope == "agent") & (NoteTable.scope_id == filters.agent_id)
    return or_(about, own, NoteTable.agent_id == filters.agent_id)


def _spent(table: type[UsageTable] | type[OutboxTable]) -> Callable[[Ids, Filters], Condition]:
    def chosen(chats: Ids, filters: Filters) -> Condition:
        in_runs = table.run_id.in_(select(RunTable.id).where(RunTable.conversation_id.in_(chats)))
        return or_(in_runs, table.agent_id == filters.agent_id) if filters.agent_id else in_runs

    return chosen


_OF_A_SUBJECT: dict[str, Callable[[Ids, Filters], Condition]] = {
    "conversations": lambda chats, filters: ConversationTable.id.in_(chats),
    "messages": lambda chats, filters: MessageTable.conversation_id.in_(chats),
    "runs": lambda chats, filters: RunTable.conversation_id.in_(chats),
    "run_events": lambda chats, filters: RunEventTable.run_id.in_(
        select(RunTable.id).where(RunTable.conversation_id.in_(chats))
    ),
    "memory": _notes,
    "files": lambda chats, filters: AttachmentTable.conversation_id.in_(chats),
    "blobs": lambda chats, filters: BlobTable.id.in_(
        select(AttachmentTable.blob_id).where(AttachmentTable.conversation_id.in_(chats))
    ),
    "agents": _agents,
    "usage": _spent(UsageTable),
    "outbox": _spent(OutboxTable),
}
"""The types of records that belong to a conversation or an agent; of the others none goes out with one."""
