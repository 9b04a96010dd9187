"""What lost where two devices changed the same words: listed on this device until its owner has decided."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.errors import NotFound
from memory.sync.known import digest
from memory.sync.shapes import shapes
from memory.tables import AgentTable, ConversationTable, MessageTable, SyncConflictTable, SyncRecordTable
from memory.tables.records import required
from resources.language import gettext as _


@dataclass(frozen=True, slots=True)
class Conflict:
    """One value that lost: of which field of which thing, and what stands there now.

    ``name`` is the agent's, or the title of the message's chat; empty for notes and settings. ``reason`` is ``text``
    where a long text was changed in the same place, ``immutable`` where a message came in two forms.
    """

    id: str
    type: str
    local_id: str
    name: str
    field: str
    lost: Any
    kept: Any
    reason: str
    at: int


def conflicts(session: Session) -> tuple[Conflict, ...]:
    """Return what its owner has not decided, the latest first."""
    chosen = select(SyncConflictTable).order_by(SyncConflictTable.at.desc(), SyncConflictTable.id)
    found = (_read(session, row) for row in session.scalars(chosen).all())
    return tuple(one for one in found if one is not None)


def conflict(session: Session, conflict_id: str) -> Conflict:
    """Return one. Raises NotFound."""
    found = _read(session, required(session, SyncConflictTable, conflict_id))
    if found is None:
        raise _gone()
    return found


def dismiss(session: Session, conflict_id: str) -> Conflict:
    """Take one off the list and return it, so that it can be put back. Raises NotFound."""
    found = conflict(session, conflict_id)
    session.delete(session.get_one(SyncConflictTable, conflict_id))
    return found


def put_back(session: Session, one: Conflict) -> None:
    """List again what was dismissed. Raises NotFound where its thing was erased meanwhile."""
    rid = session.scalar(
        select(SyncRecordTable.rid).where(
            SyncRecordTable.type == one.type, SyncRecordTable.local_id == one.local_id
        )
    )
    if rid is None:
        raise _gone()
    session.add(
        SyncConflictTable(
            id=one.id,
            rid=rid,
            field=one.field,
            lost=one.lost,
            digest=digest(one.lost),
            reason=one.reason,
            at=one.at,
        )
    )


def _gone() -> NotFound:
    return NotFound(_("What this was about was erased meanwhile."))


def _read(session: Session, row: SyncConflictTable) -> Conflict | None:
    known = session.get(SyncRecordTable, row.rid)
    if known is None or known.local_id is None or known.type not in shapes():
        return None
    values = shapes()[known.type].read(session, [known.local_id]).get(known.local_id, {})
    return Conflict(
        row.id,
        known.type,
        known.local_id,
        _name(session, known.type, known.local_id),
        row.field,
        row.lost,
        values.get(row.field),
        row.reason,
        row.at,
    )


def _name(session: Session, type_: str, local_id: str) -> str:
    if type_ == "agent":
        return session.scalar(select(AgentTable.name).where(AgentTable.id == local_id)) or ""
    if type_ == "message":
        chosen = select(ConversationTable.title).join(
            MessageTable, MessageTable.conversation_id == ConversationTable.id
        )
        return session.scalar(chosen.where(MessageTable.id == local_id)) or ""
    return ""
