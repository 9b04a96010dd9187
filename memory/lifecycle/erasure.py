"""Erasing: everything of some subjects goes in one transaction, by the rules of the data map.

What is returned holds, in memory only, what the search for traces needs and which files are still to be removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from memory import audit, purposes
from memory.blobs import Blob
from memory.errors import StillAtWork
from memory.lifecycle import erased, quotes, reports, retention
from memory.lifecycle.erased import Reason
from memory.lifecycle.fingerprints import Material
from memory.lifecycle.gathering import gather, oldest
from memory.lifecycle.holds import Reindex
from memory.lifecycle.quotes import Quotes
from memory.lifecycle.subjects import (
    RECORDS,
    TABLES,
    Extent,
    Subject,
    carriers,
    drawn_from,
    extent,
    ids_where,
    portions,
    refuse_held,
    rows_of,
)
from memory.lifecycle.tree import lift
from memory.runs import UNFINISHED
from memory.tables import (
    AttachmentTable,
    BlobTable,
    ConversationTable,
    IndexSnapshotTable,
    MessageTable,
    ProvenanceTable,
    RunTable,
    SyncTransferTable,
)
from memory.tables.records import record
from memory.titles import title_from


@dataclass(frozen=True, slots=True)
class Gone:
    """What an erasure removed from the database; ``blobs`` are files that nothing refers to any more.

    ``parts`` are the ids of files of which only the first pieces have come from another device. ``touched`` are
    conversations that stay but look different now; ``kept_notes`` counts the notes drawn from what is gone that
    stay, ``made_at`` is when the oldest of it was made.
    """

    report_id: str
    extent: Extent
    material: Material
    counts: dict[str, int]
    touched: frozenset[str]
    blobs: tuple[Blob, ...] = field(repr=False)
    kept_notes: int
    made_at: int
    parts: tuple[str, ...] = ()


def unfinished_runs(session: Session, subjects: Sequence[Subject]) -> tuple[str, ...]:
    """Return the runs at work that may hold the subjects: they are to be stopped before the subjects go."""
    found = extent(session, subjects, derived_notes=False)
    active = session.execute(
        select(RunTable.id, RunTable.conversation_id, RunTable.agent_id, RunTable.connection_id).where(
            RunTable.state.in_(UNFINISHED)
        )
    ).all()
    here = found.conversations | _conversations_of(session, found)
    everywhere = bool(found.notes or found.files)
    return tuple(
        row.id
        for row in active
        if everywhere
        or row.conversation_id in here
        or row.agent_id in found.agents
        or row.connection_id in found.connections
    )


def erase(
    session: Session,
    subjects: Sequence[Subject],
    *,
    reason: Reason,
    reindex: Reindex,
    derived_notes: bool = False,
    level: reports.Level = "quick",
) -> Gone:
    """Erase the subjects and everything that belongs to them or repeats them.

    Messages that stay keep their places in the tree, notes drawn from what goes stay unless ``derived_notes``,
    sums of usage and lines of the outbox stay without a name. Raises NotFound, Refused where a hold keeps
    something, StillAtWork while a run works on it; then nothing is changed.
    """
    found = extent(session, subjects, derived_notes=derived_notes)
    refuse_held(session, found)
    if busy := unfinished_runs(session, subjects):
        raise StillAtWork(busy)
    touched = _conversations_of(session, found) - found.conversations
    made_at = oldest(session, found)
    material = gather(session, found)
    named_after = _titles_given(session, found, touched)
    kept_notes = len(drawn_from(session, found) - found.notes)
    _keep_carried_files(session, found)
    moved = _take_out_of_trees(session, found)
    blobs = _blobs_of(session, found)
    parts = _arriving(session, found)
    said = Quotes(
        {one for ids in found.by_kind().values() for one in ids} - found.agents - found.connections
        | found.runs,
        material.texts,
    )
    counts = _delete(session, found, blobs)
    _clean(session, found, said, touched)
    for row in rows_of(session, ConversationTable, sorted(touched)):
        _retitle(session, row, said, named_after)
    session.flush()
    session.expire_all()
    purposes.forget_agents(session, frozenset(found.agents))
    retention.forget_rules(session, "conversation", found.conversations)
    retention.forget_rules(session, "agent", found.agents)
    for message_id in moved:
        reindex(session, message_id)
    for kind, identifiers in found.by_kind().items():
        erased.remember(session, RECORDS[kind], identifiers, reason)
    erased.remember(session, erased.CONTENT, _contents_gone(session, blobs), reason)
    # Whoever had the sealed index could read the vectors that went; it is made anew from those that are left.
    session.execute(delete(IndexSnapshotTable))
    report_id = reports.begin(session, level, counts, made_at)
    audit.append(session, "erased", report_id, {"counts": counts, "reason": reason})
    return Gone(report_id, found, material, counts, frozenset(touched), blobs, kept_notes, made_at, parts)


def _conversations_of(session: Session, found: Extent) -> set[str]:
    here: set[str] = set()
    for table, identifiers in ((MessageTable, found.messages), (AttachmentTable, found.files)):
        for some in portions(identifiers):
            here |= set(session.scalars(select(table.conversation_id).where(table.id.in_(some)).distinct()))
    for some in portions(found.notes):
        here |= set(
            session.scalars(
                select(MessageTable.conversation_id)
                .join(TABLES["note"], TABLES["note"].source_message_id == MessageTable.id)  # type: ignore[attr-defined]  # a column of NoteTable
                .where(TABLES["note"].id.in_(some))  # type: ignore[attr-defined]  # as above
            )
        )
    return here


def _keep_carried_files(session: Session, found: Extent) -> None:
    """Give a file that another message carries too to the earliest of those."""
    for some in portions(found.messages):
        for row in session.scalars(select(AttachmentTable).where(AttachmentTable.message_id.in_(some))).all():
            if row.id not in found.files:
                row.message_id = carriers(session, row, found.messages)[0]
    session.flush()


def _take_out_of_trees(session: Session, found: Extent) -> set[str]:
    here: set[str] = set()
    for some in portions(found.messages):
        chosen = select(MessageTable.conversation_id).where(MessageTable.id.in_(some)).distinct()
        here |= set(session.scalars(chosen))
    moved: set[str] = set()
    for conversation_id in here - found.conversations:
        moved |= lift(session, conversation_id, found.messages)
    session.flush()
    return moved


def _blobs_of(session: Session, found: Extent) -> tuple[Blob, ...]:
    """Return the blobs that no file refers to once these are gone."""
    blob_ids = {row.blob_id for row in rows_of(session, AttachmentTable, found.files) if row.blob_id}
    staying: set[str] = set()
    for some in portions(blob_ids):
        chosen = select(AttachmentTable.blob_id, AttachmentTable.id).where(AttachmentTable.blob_id.in_(some))
        staying |= {row.blob_id for row in session.execute(chosen) if row.id not in found.files}
    return tuple(record(Blob, row) for row in rows_of(session, BlobTable, blob_ids - staying))


def _arriving(session: Session, found: Extent) -> tuple[str, ...]:
    """Return the ids under which pieces of files lie on the disk that have not arrived whole."""
    ids: set[str] = set()
    for some in portions(found.files):
        chosen = select(SyncTransferTable.blob_id).where(SyncTransferTable.attachment_id.in_(some))
        ids |= set(session.scalars(chosen.where(SyncTransferTable.arrives)))
    return tuple(sorted(ids))


def _delete(session: Session, found: Extent, blobs: tuple[Blob, ...]) -> dict[str, int]:
    session.expunge_all()
    counts: dict[str, int] = {}
    order: tuple[tuple[str, Any, set[str]], ...] = (
        ("runs", RunTable, found.runs),
        ("memory", TABLES["note"], found.notes),
        ("files", AttachmentTable, found.files),
        ("messages", MessageTable, found.messages),
        ("conversations", ConversationTable, found.conversations),
        ("agents", TABLES["agent"], found.agents),
        ("connections", TABLES["connection"], found.connections),
        ("blobs", BlobTable, {blob.id for blob in blobs}),
    )
    for name, table, identifiers in order:
        for some in portions(identifiers):
            session.execute(
                delete(table).where(table.id.in_(some)).execution_options(synchronize_session=False)
            )
        if identifiers:
            counts[name] = len(identifiers)
    for kind, identifiers in found.by_kind().items():
        for some in portions(identifiers):
            session.execute(
                delete(ProvenanceTable)
                .where(ProvenanceTable.record_type == RECORDS[kind], ProvenanceTable.record_id.in_(some))
                .execution_options(synchronize_session=False)
            )
    return counts


def _clean(session: Session, found: Extent, said: Quotes, touched: set[str]) -> None:
    """Remove what is left of the words and the ids in rows that stay."""
    quotes.clean_papers(session, said, touched)
    here = sorted(touched)
    for some in portions(here):
        for column in ("citations", "attachment_ids"):
            quotes.clean_column(session, "message", column, said, "conversation_id", some)
        quotes.clean_column(session, "conversation", "draft", said, "id", some)
        quotes.clean_column(session, "provenance", "extra", said, "record_id", some)
    if found.files or found.notes or found.conversations:
        quotes.clean_citations_elsewhere(session, said)


def _titles_given(session: Session, found: Extent, touched: set[str]) -> frozenset[str]:
    """Return the titles that messages and files of conversations that stay could have given them by rule."""
    titles: set[str] = set()
    for table, column, identifiers in (
        (MessageTable, MessageTable.text, found.messages),
        (AttachmentTable, AttachmentTable.name, found.files),
    ):
        for some in portions(identifiers):
            chosen = select(column).where(table.id.in_(some), table.conversation_id.in_(sorted(touched)))
            titles |= {title_from(text) for text in session.scalars(chosen)}
    return frozenset(titles)


def _retitle(session: Session, row: ConversationTable, said: Quotes, named_after: frozenset[str]) -> None:
    """Take a title away that says what is gone; one sentence of it may be shorter than any piece of ``said``."""
    if row.title and (row.title_source == "model" or row.title in named_after or said.stand_in(row.title)):
        chosen = (
            select(MessageTable.text)
            .where(MessageTable.conversation_id == row.id, MessageTable.role == "owner")
            .order_by(MessageTable.ordinal)
            .limit(1)
        )
        row.title, row.title_source = title_from(session.scalar(chosen) or ""), "rule"


def _contents_gone(session: Session, blobs: tuple[Blob, ...]) -> set[str]:
    """Return the digests of files of which no other copy is left."""
    digests = {blob.sha256 for blob in blobs if blob.sha256}
    still = ids_where(session, BlobTable, BlobTable.sha256, digests)
    return digests - {row.sha256 for row in rows_of(session, BlobTable, still)}
