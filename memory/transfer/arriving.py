"""Writes an import in small transactions and shows it all at once.

A conversation that is being brought in names its import in ``arriving_import_id``; no list, search or walk shows
it. ``finish`` takes the mark from all of them, and adds agents and notes, in one transaction. What a failure or a
crash leaves is taken away by ``undo``, again in small transactions, and until then nobody sees it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from memory import audit, notes, roster
from memory.identifiers import new_id, now
from memory.lifecycle import erased
from memory.recall.indexing import index_note
from memory.tables import (
    AgentTable,
    AttachmentTable,
    BlobTable,
    ConversationTable,
    ImportTable,
    MessageTable,
    NoteTable,
)
from memory.tables.records import record, required
from memory.transfer import growing
from memory.transfer.incoming import IncomingAgent, IncomingNote, Problem, derived_id
from memory.transfer.incoming_rows import COLUMNS, NAMES, Growth, Row, provenance

_INSERT = {
    table: f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 (our own names)
    for table, columns in COLUMNS.items()
}
_MESSAGES_AT_A_TIME = 1_000
_VARIABLES = 500
_PROBLEMS = 200
_ROOM_FOR_NUMBER = 10
"""Characters of an agent's name that stay free for telling it from another."""
"""Problems that are kept with an import; how many there were in all stands in its counts."""
_SOME_MESSAGES = """
    DELETE FROM message WHERE id IN (
        SELECT id FROM message WHERE conversation_id = ? ORDER BY ordinal DESC LIMIT ?)
"""
_SOME_PROVENANCE = (
    "DELETE FROM provenance WHERE rowid IN (SELECT rowid FROM provenance WHERE import_id = ? LIMIT ?)"
)


@dataclass(frozen=True, slots=True)
class Known:
    """Of some ids: the conversations that are here already, what of them is, and what was erased here.

    ``within`` are ids of messages and files of conversations that are here.
    """

    here: frozenset[str]
    erased: frozenset[str]
    within: frozenset[str] = frozenset()


@dataclass(slots=True)
class Closing:
    """What an import ends with: the agents and notes to add, who answers where, and what to keep of it."""

    source: str
    agents: list[IncomingAgent] = field(default_factory=list)
    notes: list[IncomingNote] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    """Conversation id to the source's id of the project it belongs to."""
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    agent_values: dict[str, Any] = field(default_factory=dict)
    """Fields that every new agent gets."""
    growths: list[Growth] = field(default_factory=list)
    """What conversations grew by that were here before."""


def begin(session: Session, source: str, name: str) -> str:
    """Note that an import has begun and return its id."""
    row = ImportTable(id=new_id(), at=now(), source=source, name=name)
    session.add(row)
    session.flush()
    return row.id


def known(
    session: Session, conversations: Sequence[str], messages: Sequence[str], files: Sequence[str]
) -> Known:
    """Return what of these ids is here already, and what was erased here."""
    here = _present(session, ConversationTable, conversations)
    within: set[str] = set()
    if here:
        within = _present(session, MessageTable, messages) | _present(session, AttachmentTable, files)
    gone = (
        erased.among(session, "conversations", conversations)
        | erased.among(session, "messages", messages)
        | erased.among(session, "files", files)
    )
    return Known(frozenset(here), gone, frozenset(within))


def _present(session: Session, table: Any, identifiers: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(identifiers), _VARIABLES):
        some = identifiers[start : start + _VARIABLES]
        found |= set(session.scalars(select(table.id).where(table.id.in_(some))))
    return found


def write(session: Session, rows: Iterable[Row]) -> None:
    """Write rows in their order."""
    connection = session.connection()
    for table, some in groupby(rows, key=lambda row: row.table):
        connection.exec_driver_sql(_INSERT[table], [row.values for row in some])


def finish(session: Session, import_id: str, closing: Closing) -> dict[str, int]:
    """Show everything at once, with its agents and notes, and return the counts. Raises NotFound."""
    at = now()
    closing.counts["erased"] = closing.counts.get("erased", 0) + _drop_erased_contents(session, import_id)
    agents = _add_agents(session, import_id, closing)
    added_notes = _add_notes(session, import_id, closing)
    for conversation_id, project in closing.links.items():
        agent_id = derived_id(closing.source, "agent", project)
        if session.get(AgentTable, agent_id) is not None:
            required(session, ConversationTable, conversation_id).agent_id = agent_id
    session.flush()
    for growth in closing.growths:
        growing.join(session, growth)
    session.execute(
        update(ConversationTable)
        .where(ConversationTable.arriving_import_id == import_id)
        .values(arriving_import_id=None),
        execution_options={"synchronize_session": False},
    )
    row = required(session, ImportTable, import_id)
    row.counts = closing.counts | {"agents": agents, "notes": added_notes}
    row.problems = [problem.to_json() for problem in closing.problems[:_PROBLEMS]]
    row.finished_at = at
    audit.append(session, "imported", import_id, {"source": closing.source, **row.counts})
    return dict(row.counts)


def unfinished(session: Session) -> tuple[str, ...]:
    """Return the imports that were begun and not finished."""
    return tuple(session.scalars(select(ImportTable.id).where(ImportTable.finished_at.is_(None))))


def undo(session: Session, import_id: str) -> tuple[bool, tuple[str, ...]]:
    """Take away a part of what an unfinished import wrote; call it until the first value is False.

    The second names the blobs whose files are to be deleted.
    """
    connection = session.connection()
    chosen = select(ConversationTable.id).where(ConversationTable.arriving_import_id == import_id).limit(1)
    conversation_id = session.scalar(chosen)
    if conversation_id is not None:
        blobs = _drop_files(session, conversation_id)
        # From the end: a message must not lose the one it answers before it goes itself.
        gone = connection.exec_driver_sql(_SOME_MESSAGES, (conversation_id, _MESSAGES_AT_A_TIME)).rowcount
        if gone < _MESSAGES_AT_A_TIME:
            session.execute(delete(ConversationTable).where(ConversationTable.id == conversation_id))
        return True, blobs
    if connection.exec_driver_sql(_SOME_PROVENANCE, (import_id, _MESSAGES_AT_A_TIME)).rowcount:
        return True, ()
    session.execute(delete(ImportTable).where(ImportTable.id == import_id))
    return False, ()


def _drop_erased_contents(session: Session, import_id: str) -> int:
    """Take away the files whose content was erased here, under whatever name; return how many.

    What is left of them is noise without a key; the next start removes it.
    """
    chosen = (
        select(BlobTable.id, BlobTable.sha256)
        .join(AttachmentTable, AttachmentTable.blob_id == BlobTable.id)
        .join(ConversationTable, ConversationTable.id == AttachmentTable.conversation_id)
        .where(ConversationTable.arriving_import_id == import_id, BlobTable.size > 0)
    )
    digests = {found.id: found.sha256 for found in session.execute(chosen)}
    gone = erased.among(session, erased.CONTENT, digests.values())
    blobs = [identifier for identifier, digest in digests.items() if digest in gone]
    for blob_id in blobs:
        session.execute(delete(AttachmentTable).where(AttachmentTable.blob_id == blob_id))
        session.execute(delete(BlobTable).where(BlobTable.id == blob_id))
    return len(blobs)


def _drop_files(session: Session, conversation_id: str) -> tuple[str, ...]:
    mine = AttachmentTable.conversation_id == conversation_id
    chosen = select(AttachmentTable.blob_id).where(mine)
    blobs = {blob_id for blob_id in session.scalars(chosen) if blob_id is not None}
    session.execute(delete(AttachmentTable).where(mine))
    if blobs:
        still = select(AttachmentTable.blob_id).where(AttachmentTable.blob_id.in_(blobs))
        blobs -= set(session.scalars(still))
        session.execute(delete(BlobTable).where(BlobTable.id.in_(blobs)))
    return tuple(blobs)


def _add_agents(session: Session, import_id: str, closing: Closing) -> int:
    added = 0
    for agent in closing.agents:
        identity = derived_id(closing.source, "agent", agent.original_id)
        if session.get(AgentTable, identity) or erased.among(session, "agents", [identity]):
            continue
        name = _free_name(session, agent.name)
        roster.create_agent(
            session,
            name=name,
            agent_id=identity,
            role=agent.role,
            instructions=agent.instructions,
            **closing.agent_values,
        )
        # A name that had to be changed stands whole beside what else the office has no place for.
        extra = agent.extra if name == agent.name else {**(agent.extra or {}), "name": agent.name}
        write(session, [provenance("agents", identity, import_id, agent.original_id, extra)])
        added += 1
    return added


def _free_name(session: Session, name: str) -> str:
    """Return the name, or with a number; nobody gets the name under which answers from elsewhere stand.

    A longer name than an agent may have is cut; the whole one stands in the record of where it came from.
    """
    name = name[: roster.LONGEST_NAME - _ROOM_FOR_NUMBER].strip()
    taken = {other.casefold() for other in session.scalars(select(AgentTable.name))}
    taken |= {other.casefold() for other in NAMES.values()}
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{name} {number}"
    return free


def _add_notes(session: Session, import_id: str, closing: Closing) -> int:
    added = 0
    for note in closing.notes:
        # Its words are part of what it is: what the source remembers later is another note.
        identity = derived_id(closing.source, "note", note.original_id, note.text)
        if session.get(NoteTable, identity) or erased.among(session, "memory", [identity]):
            continue
        agent_id = derived_id(closing.source, "agent", note.project) if note.project else None
        if agent_id is not None and session.get(AgentTable, agent_id) is None:
            agent_id = None
        row = NoteTable(
            id=identity,
            kind="fact",
            scope="agent" if agent_id else "office",
            scope_id=agent_id,
            text=note.text,
            state="accepted",
            created_at=now(),
            valid_from=now(),
        )
        session.add(row)
        session.flush()
        index_note(session, record(notes.Note, row))
        extra = {"source": NAMES[closing.source], **note.extra}
        write(session, [provenance("memory", identity, import_id, note.original_id, extra)])
        added += 1
    return added
