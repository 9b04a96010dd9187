"""What was removed without proof: put into the trash for 30 days, sent to nobody, and shown again when it turns up.

A service that withholds records, or came out of a backup, must not take anything away: so from the eleventh in 30 days
the owner is asked first, and what is destroyed after its days is not told to the other devices as an erasure.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from memory.lifecycle.subjects import TABLES, Kind, Subject, extent, portions
from memory.lifecycle.trash import ASIDE_DAYS, DAY
from memory.sync import clocks, outbox, space
from memory.sync.shapes import shapes
from memory.tables import SyncAwaitedTable, SyncChangeTable, SyncRecordTable

ASIDE, MISSING, KEPT = "aside", "missing", "kept"
DECLINED = "declined"
"""The state of what was erased here before this device joined those that still have it: it is not taken, nor erased
there."""
GONE = ("erase", "erasing", "erased")
"""The states of a record that nothing brings back."""
UNSENT = (ASIDE, MISSING, KEPT)
"""The states of records that were removed without proof: nothing of them is sent."""
MOST = 10
"""So many are set aside in 30 days before the owner is asked."""
ABSENT, VERDICT = "missing", "verdict"
"""Why something goes without proof: a service has it no more, or calls it erased; else a device ordered it."""


def remove(session: Session, known: SyncRecordTable, now: int, by: str) -> bool:
    """Set a record aside, or let it wait for the owner's word; return whether it was shown until now.

    ``by`` is ABSENT, VERDICT or the id of a device. What the owner took back before stays, and so does
    what has no trash, such as a setting.
    """
    if known.state in UNSENT:
        return False
    outbox.take_back(session, known.rid)
    if known.state in ("passed", DECLINED):
        session.delete(known)
        session.flush()
        return False
    if known.aside_at is not None or (known.waiting is None and _row(session, known) is None):
        known.state, known.aside_by = KEPT, by
        session.flush()
        return False
    known.aside_by = by
    counted = select(func.count()).where(SyncRecordTable.aside_at > now - ASIDE_DAYS * DAY)
    if (session.scalar(counted) or 0) < MOST:
        _hide(session, known, now)
    else:
        known.state = MISSING
    session.flush()
    return True


def agree(session: Session, count: int, now: int) -> tuple[tuple[str, str], ...]:
    """Set aside what waits for the owner's word, if it is as much as the owner was told.

    Returns type and key of the rows that are in the trash now.
    """
    waiting = _in_state(session, MISSING)
    if len(waiting) != count:
        return ()
    for known in waiting:
        _hide(session, known, now)
    session.flush()
    return tuple((known.type, known.local_id) for known in waiting if known.local_id is not None)


def keep(session: Session) -> int:
    """Keep on this device what waits for the owner's word; return how much."""
    waiting = _in_state(session, MISSING)
    for known in waiting:
        known.state = KEPT
    session.flush()
    return len(waiting)


def taken_back(session: Session, known: SyncRecordTable, trashed_at: Any) -> bool:
    """Whether the owner took a record out of the trash: then it is offered to the others as new, once."""
    if known.state != ASIDE or trashed_at is not None:
        return False
    _offer(session, known, "synced")
    return True


def returned(session: Session, known: SyncRecordTable) -> None:
    """Show a record again, because it is live after all; what was changed here meanwhile is an edit."""
    row = _row(session, known) if known.state == ASIDE else None
    if row is not None and row.trashed_at == known.aside_at:
        row.trashed_at = None
    known.state, known.aside_at, known.aside_by = _state_of(known), None, ""
    session.flush()
    if known.local_id is not None and known.waiting is None:
        space.mark(session, known.type, known.local_id)


def take_back(session: Session, rids: Collection[str] | None = None) -> tuple[Subject, ...]:
    """Return what is to be taken out of the trash, by its records, None for all; then `taken_back` offers it.

    What has no row yet is offered to the others at once.
    """
    found = []
    for known in _chosen(session, rids):
        if (row := _row(session, known)) is not None:
            found.append(Subject(cast(Kind, known.type), row.id))
        elif known.waiting is not None:
            _offer(session, known, _state_of(known))
    session.flush()
    return tuple(found)


def let_go(session: Session, rids: Collection[str] | None = None) -> tuple[Subject, ...]:
    """Return what its owner lets go before its days are over, by its records, None for all; as `due` does."""
    return _released(session, _chosen(session, rids))


def due(session: Session, at: int) -> tuple[Subject, ...]:
    """Return what has been aside for its days, and is still in the trash; what has no row is gone with this.

    Its erasure is told to nobody: it is done as if another device had ordered it. What holds something that is live,
    such as the chat of a message that others still have, stays until that is gone. Where this device's clock is ahead
    nothing is.
    """
    if clocks.ahead(session):
        return ()
    over = at - ASIDE_DAYS * DAY
    return _released(session, [each for each in _chosen(session, None) if (each.aside_at or at) <= over])


def _released(session: Session, records: Iterable[SyncRecordTable]) -> tuple[Subject, ...]:
    found = []
    for known in records:
        row = _row(session, known)
        if row is None:
            known.state, known.waiting, known.local_id = "erased", None, None
            known.stamps, known.beside, known.base, known.former = {}, {}, {}, {}
            session.execute(delete(SyncAwaitedTable).where(SyncAwaitedTable.rid == known.rid))
        elif row.trashed_at is not None and getattr(row, "held_at", None) is None:
            subject = Subject(cast(Kind, known.type), row.id)
            along = _along(session, subject)
            if all(each.state in (ASIDE, *GONE) for each in along):
                for each in along:
                    each.state = "erasing" if each.state == ASIDE else each.state
                found.append(subject)
    session.flush()
    return tuple(found)


def waiting(session: Session) -> int:
    """Return how many records wait for the owner's word."""
    return session.scalar(select(func.count()).where(SyncRecordTable.state == MISSING)) or 0


def _offer(session: Session, known: SyncRecordTable, state: str) -> None:
    """Let a record be sent as one that the others do not have."""
    known.state, known.seq, known.rev = state, 0, ""
    found = space.of(session)
    assert found is not None  # there are records
    found.lacking = True


def _state_of(known: SyncRecordTable) -> str:
    """Return the state of a record of which nothing is doubted."""
    if known.waiting is None:
        return "synced"
    return "held" if known.type in shapes() else "opaque"


def _chosen(session: Session, rids: Collection[str] | None) -> list[SyncRecordTable]:
    """Return what is aside of some records, None for all."""
    return [each for each in _in_state(session, ASIDE) if rids is None or each.rid in rids]


def _hide(session: Session, known: SyncRecordTable, now: int) -> None:
    known.state, known.aside_at = ASIDE, now
    row = _row(session, known)
    if row is not None and row.trashed_at is None:
        row.trashed_at = now
    session.flush()
    # That it went to the trash is no edit of the owner's.
    session.execute(
        delete(SyncChangeTable).where(
            SyncChangeTable.type == known.type, SyncChangeTable.local_id == known.local_id
        )
    )


def _along(session: Session, subject: Subject) -> list[SyncRecordTable]:
    """Return the records of everything that goes with a subject, itself among them."""
    return [
        known
        for kind, ids in extent(session, [subject], derived_notes=False).by_kind().items()
        for some in portions(ids)
        for known in session.scalars(
            select(SyncRecordTable).where(SyncRecordTable.type == kind, SyncRecordTable.local_id.in_(some))
        )
    ]


def _row(session: Session, known: SyncRecordTable) -> Any:
    """Return the row of a record of a kind that has a trash."""
    if known.local_id is None or known.type not in shapes():
        return None
    table: Any = TABLES.get(cast(Kind, known.type))
    return session.get(table, known.local_id, populate_existing=True) if table is not None else None


def _in_state(session: Session, state: str) -> Sequence[SyncRecordTable]:
    chosen = select(SyncRecordTable).where(SyncRecordTable.state == state).order_by(SyncRecordTable.rid)
    return session.scalars(chosen).all()
