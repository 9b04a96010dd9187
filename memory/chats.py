"""Conversations as trees of messages: their records, and the queries of the list of conversations.

Writing messages is in ``memory.messages``; the shown path and its branches are in ``memory.branches``.
"""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session

from memory.identifiers import new_id, now
from memory.tables import AttachmentTable, ConversationTable, MessageTable
from memory.tables.records import record, required
from memory.titles import one_line, title_from

MessageState = Literal["queued", "streaming", "complete", "interrupted", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One chat. ``draft`` and ``scroll`` are as in the table; times are UTC milliseconds."""

    id: str
    title: str
    title_source: str
    active_leaf_id: str | None
    agent_id: str | None
    connection_id: str | None
    model: str
    effort: str
    draft: dict[str, Any]
    scroll: dict[str, Any]
    created_at: int
    updated_at: int
    pinned_at: int | None
    archived_at: int | None
    trashed_at: int | None
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a tree; ``batch_id`` is shared by answers given side by side."""

    id: str
    conversation_id: str
    parent_id: str | None
    batch_id: str
    position: int
    role: Literal["owner", "agent"]
    agent_id: str | None
    agent_name: str
    model: str
    run_id: str | None
    text: str
    thinking: str
    citations: tuple[dict[str, Any], ...]
    state: MessageState
    created_at: int
    pinned_at: int | None
    restricted: bool
    attachment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one level of the shown path holds: one message, or the columns of one batch.

    ``alternative`` of ``alternatives`` (from 1) says which branch is shown: ‹ 2/3 ›.
    """

    messages: tuple[Message, ...]
    alternative: int
    alternatives: int


@dataclass(frozen=True, slots=True)
class Step:
    """A turn without its texts: the ids of its columns; the rest is as in ``Turn``."""

    message_ids: tuple[str, ...]
    alternative: int
    alternatives: int


View = Literal["open", "archived", "trash"]


def create_conversation(session: Session, *, title: str = "", agent_id: str | None = None) -> Conversation:
    """Begin a conversation; without a title it gets one by rule from its first message."""
    at = now()
    row = ConversationTable(
        id=new_id(),
        title=one_line(title),
        title_source="owner" if title.strip() else "rule",
        agent_id=agent_id,
        created_at=at,
        updated_at=at,
    )
    session.add(row)
    session.flush()
    return record(Conversation, row)


def remove_unused(session: Session, conversation_id: str) -> None:
    """Take back a conversation in which nothing was said and to which no file was given; leave any other."""
    used = [
        exists().where(table.conversation_id == ConversationTable.id)
        for table in (MessageTable, AttachmentTable)
    ]
    session.execute(
        delete(ConversationTable).where(ConversationTable.id == conversation_id, ~or_(*used)),
        execution_options={"synchronize_session": False},
    )


def conversation(session: Session, conversation_id: str) -> Conversation:
    """Return one conversation. Raises NotFound."""
    return record(Conversation, required(session, ConversationTable, conversation_id))


def conversations(
    session: Session, *, view: View = "open", limit: int = 200, before: Conversation | None = None
) -> tuple[Conversation, ...]:
    """Return a page of the list: pinned first, then the latest; ``before`` is the last one already shown."""
    unpinned = ConversationTable.pinned_at.is_(None)
    query = select(ConversationTable).where(*in_view(view))
    if before is not None:
        here = (before.pinned_at is None, -before.updated_at, before.id)
        query = query.where(tuple_(unpinned, -ConversationTable.updated_at, ConversationTable.id) > here)
    query = query.order_by(unpinned, -ConversationTable.updated_at, ConversationTable.id).limit(limit)
    return tuple(record(Conversation, row) for row in session.scalars(query))


def search_titles(
    session: Session, text: str, *, view: View = "open", limit: int = 50
) -> tuple[Conversation, ...]:
    """Return the conversations whose title holds every word of the text, in any case, the latest first."""
    words = text.casefold().split()
    titles = select(ConversationTable.id, ConversationTable.title).where(*in_view(view))
    # SQLite folds ASCII only, so Unicode titles are compared here.
    found = [
        identifier
        for identifier, title in session.execute(titles.order_by(ConversationTable.updated_at.desc()))
        if all(word in title.casefold() for word in words)
    ][:limit]
    rows = session.scalars(select(ConversationTable).where(ConversationTable.id.in_(found)))
    by_id = {row.id: record(Conversation, row) for row in rows}
    return tuple(by_id[identifier] for identifier in found)


def rename(session: Session, conversation_id: str, title: str) -> Conversation:
    """Give the title its owner chose; an empty one brings back the title by rule."""
    row = required(session, ConversationTable, conversation_id)
    row.title = one_line(title)
    row.title_source = "owner" if row.title else "rule"
    if not row.title:
        row.title = _rule_title(session, conversation_id)
    return record(Conversation, row)


def archive(session: Session, conversation_id: str) -> Conversation:
    """Take a conversation out of the open list."""
    return _stamp(session, conversation_id, "archived_at", now())


def unarchive(session: Session, conversation_id: str) -> Conversation:
    """Bring an archived conversation back to the open list."""
    return _stamp(session, conversation_id, "archived_at", None)


def pin(session: Session, conversation_id: str) -> Conversation:
    """Keep a conversation at the top of its list."""
    return _stamp(session, conversation_id, "pinned_at", now())


def unpin(session: Session, conversation_id: str) -> Conversation:
    """Let a conversation take its place by time again."""
    return _stamp(session, conversation_id, "pinned_at", None)


def trash(session: Session, conversation_id: str) -> Conversation:
    """Move a conversation to the trash, from which ``restore`` brings it back whole."""
    return _stamp(session, conversation_id, "trashed_at", now())


def restore(session: Session, conversation_id: str) -> Conversation:
    """Take a conversation out of the trash."""
    return _stamp(session, conversation_id, "trashed_at", None)


def set_draft(session: Session, conversation_id: str, draft: dict[str, Any]) -> None:
    """Keep what is typed but not sent: ``{"text", "attachment_ids", "agent_ids"}``; empty when sent."""
    required(session, ConversationTable, conversation_id).draft = dict(draft)


def set_scroll(session: Session, conversation_id: str, scroll: dict[str, Any]) -> None:
    """Keep the place last shown: ``{"message": id, "offset": pixels}``; empty follows the end."""
    required(session, ConversationTable, conversation_id).scroll = dict(scroll)


def choose(
    session: Session,
    conversation_id: str,
    *,
    agent_id: str | None = None,
    connection_id: str | None = None,
    model: str | None = None,
    effort: str | None = None,
) -> Conversation:
    """Keep who answers here and how; None leaves a choice as it is, an empty text means the default."""
    row = required(session, ConversationTable, conversation_id)
    if agent_id is not None:
        row.agent_id = agent_id or None
    if connection_id is not None:
        row.connection_id = connection_id or None
    if model is not None:
        row.model = model
    if effort is not None:
        row.effort = effort
    session.flush()
    return record(Conversation, row)


def counts(session: Session) -> dict[View, int]:
    """Return how many conversations each view holds."""
    views: tuple[View, ...] = ("open", "archived", "trash")
    return {
        view: session.scalar(select(func.count()).select_from(ConversationTable).where(*in_view(view))) or 0
        for view in views
    }


def in_view(view: View) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on ``ConversationTable`` that a view of the list stands for."""
    trashed, archived = ConversationTable.trashed_at, ConversationTable.archived_at
    here = ConversationTable.arriving_import_id.is_(None)
    if view == "trash":
        return (here, trashed.is_not(None))
    return (here, trashed.is_(None), archived.is_(None) if view == "open" else archived.is_not(None))


def _stamp(session: Session, conversation_id: str, column: str, at: int | None) -> Conversation:
    row = required(session, ConversationTable, conversation_id)
    setattr(row, column, at)
    return record(Conversation, row)


def _rule_title(session: Session, conversation_id: str) -> str:
    first = (
        select(MessageTable.text)
        .where(
            MessageTable.conversation_id == conversation_id,
            MessageTable.role == "owner",
            ~MessageTable.hidden,
        )
        .order_by(MessageTable.ordinal)
        .limit(1)
    )
    return title_from(session.scalar(first) or "")
