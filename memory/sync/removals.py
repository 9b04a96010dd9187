"""What arrives of removed records: a proven erasure is noted; what must not be given out any more is refused."""

from collections.abc import Iterable

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from memory.lifecycle.subjects import portions
from memory.sync.arrival import Believed
from memory.sync.aside import DECLINED, GONE
from memory.sync.contents import FILE
from memory.sync.errors import PlaintextInvalid, RevisionOld
from memory.sync.known import record_id
from memory.sync.merge import MESSAGE
from memory.sync.outbox import Outgoing
from memory.sync.plaintext import Record
from memory.sync.rows import Rows
from memory.sync.shapes import shapes
from memory.tables import SyncRecordTable, SyncSpaceTable

ERASED_AGAIN = "erased, and came again"
OLDER_AGAIN = "an older revision came again"
"""Why something that a service gives out again is refused."""
_ERASED = ("erase", "erased")


def erase(known: SyncRecordTable, one: Believed, rows: Rows, out: Outgoing) -> None:
    """Note that a record was erased; what stands here of it is erased with proof afterwards."""
    if known.state == "erase":
        known.state = "erased"
        out.take_back(known.rid)
    elif known.state not in GONE:
        shape = shapes().get(known.type)
        if shape is not None and shape.synced.reappears:
            raise PlaintextInvalid("a setting is never erased")
        out.take_back(known.rid)
        known.waiting = None
        if shape is not None and known.local_id and rows.get(shape, known.local_id) is not None:
            known.state = "erasing"
        else:
            _forget(known, "erased")
    # Proven now, whatever was thought of it before.
    known.aside_at, known.seq = None, max(known.seq, one.item.seq)


def goes_with_erased(
    session: Session, here: SyncSpaceTable, known: SyncRecordTable, record: Record, *, linear: bool
) -> bool:
    """Order a message or file erased that came into a chat which another device erased; return whether it was.

    Who wrote it may have been away for so long that nothing told it of the erasure any more. What came into a chat that
    is not taken here is not taken either.
    """
    chat = record.fields.get("conversation_id")
    if chat is None or known.type not in (MESSAGE, FILE):
        return False
    if is_declined(session, here, "conversation", str(chat.value)):
        _forget(known, DECLINED)
        return True
    if not linear or not is_erased(session, here, "conversation", str(chat.value)):
        return False
    _forget(known, "erase")
    return True


def is_erased(session: Session, here: SyncSpaceTable, type_: str, key: str) -> bool:
    """Whether it is proven that a row was erased, here or on another device."""
    known = _known(session, here, type_, key)
    return known is not None and known.state in _ERASED and known.aside_at is None


def gone_among(session: Session, here: SyncSpaceTable, keys: Iterable[str]) -> set[str]:
    """Return which of these chats and messages were erased, or are not taken here, by their keys.

    A few statements for all of them.
    """
    if here.naming is None:
        return set()
    rids = {record_id(here.naming, type_, key): key for key in keys for type_ in (MESSAGE, "conversation")}
    proven = and_(SyncRecordTable.state.in_(_ERASED), SyncRecordTable.aside_at.is_(None))
    found: set[str] = set()
    for some in portions(rids):
        chosen = select(SyncRecordTable.rid).where(
            SyncRecordTable.rid.in_(some), or_(SyncRecordTable.state == DECLINED, proven)
        )
        found |= {rids[rid] for rid in session.scalars(chosen)}
    return found


def is_declined(session: Session, here: SyncSpaceTable, type_: str, key: str) -> bool:
    """Whether a row that others have was erased here before this device joined them."""
    known = _known(session, here, type_, key)
    return known is not None and known.state == DECLINED


def refuse_erased(known: SyncRecordTable, one: Believed) -> None:
    """Have a record erased once more that a service gives out again. Raises RevisionOld."""
    if known.state != "erased" or one.item.seq <= known.seq:
        return
    if known.aside_at is None:
        known.state, known.seq, known.rev = "erase", one.item.seq, one.header.rev
    raise RevisionOld(ERASED_AGAIN)


def refuse_older(known: SyncRecordTable, one: Believed) -> None:
    """Raise RevisionOld where a service gives out what it had replaced: its numbers are not signed."""
    if known.seq and (one.item.seq <= known.seq or one.header.parent < known.seq):
        raise RevisionOld(OLDER_AGAIN)


def _known(session: Session, here: SyncSpaceTable, type_: str, key: str) -> SyncRecordTable | None:
    return (
        session.get(SyncRecordTable, record_id(here.naming, type_, key)) if here.naming is not None else None
    )


def _forget(known: SyncRecordTable, state: str) -> None:
    known.state, known.local_id, known.waiting = state, None, None
    known.stamps, known.beside, known.base, known.former = {}, {}, {}, {}
