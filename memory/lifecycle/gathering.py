"""Gathering, before it is erased, what the search for traces will look for."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from memory.identifiers import now
from memory.lifecycle.fingerprints import Material
from memory.lifecycle.subjects import Extent, portions
from memory.tables import (
    AgentRevisionTable,
    AgentTable,
    AttachmentTable,
    BlobTable,
    ConnectionTable,
    ConversationTable,
    EmbeddingTable,
    MessageTable,
    NoteTable,
    PassageTable,
    SyncTransferTable,
)


def gather(session: Session, found: Extent) -> Material:
    """Return the texts, ids, digests and vectors of everything that goes."""
    made = Material()
    for some in portions(found.messages):
        rows = session.execute(
            select(MessageTable.text, MessageTable.thinking, MessageTable.citations).where(
                MessageTable.id.in_(some)
            )
        )
        for text, thinking, citations in rows:
            made.texts += [text, thinking, *(str(one.get("quote", "")) for one in citations)]
    _texts(session, made, NoteTable, found.notes, NoteTable.text)
    _texts(session, made, AttachmentTable, found.files, AttachmentTable.name)
    for some in portions(found.conversations):
        for title, draft in session.execute(
            select(ConversationTable.title, ConversationTable.draft).where(ConversationTable.id.in_(some))
        ):
            made.texts += [title, str(draft.get("text", ""))]
    for column in (AgentTable.personality, AgentTable.instructions):
        _texts(session, made, AgentTable, found.agents, column)
    for some in portions(found.agents):
        chosen = select(AgentRevisionTable.markdown).where(AgentRevisionTable.agent_id.in_(some))
        made.texts += session.scalars(chosen)
    _texts(session, made, ConnectionTable, found.connections, ConnectionTable.proxy)
    _passages(session, made, found)
    made.texts = [text for text in made.texts if text]
    made.ids = sorted(found.messages | found.files | found.notes | found.conversations | found.runs)
    for some in portions(found.files):
        chosen_digests = select(BlobTable.sha256, BlobTable.id).where(
            BlobTable.id.in_(select(AttachmentTable.blob_id).where(AttachmentTable.id.in_(some))),
            BlobTable.id.not_in(
                select(AttachmentTable.blob_id).where(
                    AttachmentTable.id.not_in(some), AttachmentTable.blob_id.is_not(None)
                )
            ),
        )
        for digest, identifier in session.execute(chosen_digests):
            made.ids.append(identifier)
            made.digests += [digest] if digest else []
        on_the_way = select(SyncTransferTable.blob_id, SyncTransferTable.content_id)
        for ids in session.execute(on_the_way.where(SyncTransferTable.attachment_id.in_(some))):
            made.ids += set(ids)
    return made


def oldest(session: Session, found: Extent) -> int:
    """Return when the oldest of it was made: a copy made before that cannot hold any of it.

    Where something was made later than now, the clock was set back since, and no instant can be told: 0.
    """
    at = present = now()
    for table, identifiers in (
        (MessageTable, found.messages),
        (NoteTable, found.notes),
        (AttachmentTable, found.files),
        (ConversationTable, found.conversations),
        (AgentTable, found.agents),
        (ConnectionTable, found.connections),
    ):
        for some in portions(identifiers):
            ends = select(func.min(table.created_at), func.max(table.created_at)).where(table.id.in_(some))
            first, last = session.execute(ends).one()
            if last is not None and last > present:
                return 0
            at = min(at, first if first is not None else at)
    return at


def _texts(session: Session, made: Material, table: Any, identifiers: set[str], column: Any) -> None:
    for some in portions(identifiers):
        made.texts += session.scalars(select(column).where(table.id.in_(some)))


def _passages(session: Session, made: Material, found: Extent) -> None:
    """Take the vectors of every passage, and the words of those of files, which stand nowhere else."""
    for column, identifiers in (
        (PassageTable.message_id, found.messages),
        (PassageTable.attachment_id, found.files),
        (PassageTable.note_id, found.notes),
    ):
        for some in portions(identifiers):
            numbers = select(PassageTable.number).where(column.in_(some))
            if column is PassageTable.attachment_id:
                made.texts += session.scalars(select(PassageTable.text).where(column.in_(some)))
            made.vectors += session.scalars(
                select(EmbeddingTable.vector).where(EmbeddingTable.passage_number.in_(numbers))
            )
