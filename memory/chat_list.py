"""The list of conversations as a face of the office shows it: who spoke last, and whether somebody works."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.chats import View, in_view
from memory.runs import UNFINISHED
from memory.tables import ConversationTable, MessageTable, ProvenanceTable, RunTable

ChatStatus = Literal["", "working", "needs_you", "interrupted", "failed", "stopped", "ready"]
_WORST_FIRST: tuple[ChatStatus, ...] = ("failed", "interrupted", "stopped")
_VARIABLES = 500


@dataclass(frozen=True, slots=True)
class ChatEntry:
    """One line of the list. ``speakers`` are the agents of the last answer; times are UTC milliseconds.

    ``imported`` means that it was brought in, so that it may hold messages that another app did not show.

    ``status`` is ``ready``, ``failed``, ``interrupted`` or ``stopped`` where an answer ended so after its owner last
    looked at the conversation; of several answers side by side the worst counts.
    """

    id: str
    title: str
    speakers: tuple[str, ...]
    status: ChatStatus
    updated_at: int
    pinned: bool
    archived: bool
    trashed: bool
    restricted: bool = False
    imported: bool = False


def entries(session: Session, *, view: View, limit: int) -> list[ChatEntry]:
    """Return the first lines of a view: pinned ones first, then the latest."""
    query = (
        select(ConversationTable)
        .where(*in_view(view))
        .order_by(ConversationTable.pinned_at.is_(None), -ConversationTable.updated_at, ConversationTable.id)
        .limit(limit)
    )
    return _lines(session, list(session.scalars(query)))


def entries_of(session: Session, conversation_ids: Iterable[str]) -> list[ChatEntry]:
    """Return the lines of the named conversations in the order given; the unknown are left out."""
    wanted = list(dict.fromkeys(conversation_ids))[:_VARIABLES]
    rows = session.scalars(select(ConversationTable).where(ConversationTable.id.in_(wanted)))
    by_id = {row.id: row for row in rows}
    return _lines(session, [by_id[each] for each in wanted if each in by_id])


def _lines(session: Session, rows: list[ConversationTable]) -> list[ChatEntry]:
    speakers: dict[str, list[tuple[str, str]]] = {}
    states: dict[str, set[str]] = {}
    imported: set[str] = set()
    for start in range(0, len(rows), _VARIABLES):
        part = rows[start : start + _VARIABLES]
        _read_speakers(session, [row.active_leaf_id for row in part if row.active_leaf_id], speakers)
        running = select(RunTable.conversation_id, RunTable.state).where(
            RunTable.state.in_(UNFINISHED), RunTable.conversation_id.in_([row.id for row in part])
        )
        for conversation_id, state in session.execute(running):
            states.setdefault(conversation_id, set()).add(state)
        brought_in = select(ProvenanceTable.record_id).where(
            ProvenanceTable.record_type == "conversations",
            ProvenanceTable.record_id.in_([row.id for row in part]),
        )
        imported |= set(session.scalars(brought_in))
    return [
        _line(row, speakers.get(row.active_leaf_id or "", []), states.get(row.id, set()), row.id in imported)
        for row in rows
    ]


def _read_speakers(session: Session, leaf_ids: list[str], found: dict[str, list[tuple[str, str]]]) -> None:
    leaves = session.execute(
        select(MessageTable.id, MessageTable.batch_id).where(
            MessageTable.id.in_(leaf_ids), MessageTable.role == "agent"
        )
    ).all()
    columns = (
        select(MessageTable.batch_id, MessageTable.agent_name, MessageTable.state)
        .where(MessageTable.batch_id.in_([batch_id for _leaf, batch_id in leaves]))
        .order_by(MessageTable.position)
    )
    names: dict[str, list[tuple[str, str]]] = {}
    for batch_id, name, state in session.execute(columns):
        names.setdefault(batch_id, []).append((name, state))
    for leaf_id, batch_id in leaves:
        found[leaf_id] = names.get(batch_id, [])


def _line(
    row: ConversationTable, speakers: list[tuple[str, str]], states: set[str], imported: bool
) -> ChatEntry:
    status: ChatStatus = ""
    seen_at = row.scroll.get("seen_at", 0)
    if "needs_you" in states:
        status = "needs_you"
    elif states:
        status = "working"
    elif speakers and row.updated_at > seen_at:
        ended = {state for _name, state in speakers}
        status = next((bad for bad in _WORST_FIRST if bad in ended), "ready")
    return ChatEntry(
        id=row.id,
        title=row.title,
        speakers=tuple(dict.fromkeys(name for name, _state in speakers)),
        status=status,
        updated_at=row.updated_at,
        pinned=row.pinned_at is not None,
        archived=row.archived_at is not None,
        trashed=row.trashed_at is not None,
        restricted=row.restricted,
        imported=imported,
    )
