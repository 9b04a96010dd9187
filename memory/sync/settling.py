"""What becomes of revisions that were sent, by the verdict on each."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from memory.sync import aside, outbox, space
from memory.sync.arrival import Applied
from memory.sync.aside import GONE
from memory.sync.carrier import Accepted, Conflicting, Erased, NotTaken, Verdict
from memory.sync.taking import Parts, apply_items
from memory.tables import SyncRecordTable

TOO_LARGE = "too_large"


def settle(session: Session, parts: Parts, rids: Mapping[str, str], verdicts: Sequence[Verdict]) -> Applied:
    """Note in one transaction what the others have, merge what stands in the way, and let go what is erased.

    ``rids`` are the records of the operations. How far was read does not move: what others wrote in between is still
    to come.
    """
    items = []
    accepted = {verdict.op_id: verdict.seq for verdict in verdicts if isinstance(verdict, Accepted)}
    outbox.taken(session, accepted)
    _note(session, parts, max(accepted.values(), default=0))
    for verdict in verdicts:
        if isinstance(verdict, Conflicting | Erased) and verdict.item is not None:
            items.append(verdict.item)
            _note(session, parts, verdict.item.seq)
        elif isinstance(verdict, NotTaken) and verdict.reason == TOO_LARGE:
            _too_long(session, rids[verdict.op_id])
    applied = apply_items(session, parts, items) if items else Applied()
    refused = {id(item) for item, _reason in applied.refused}
    for verdict in verdicts:
        if isinstance(verdict, Erased) and (verdict.item is None or id(verdict.item) in refused):
            _remove(session, parts, rids[verdict.op_id], applied)
    return applied


def _note(session: Session, parts: Parts, seq: int) -> None:
    """Remember that the service has come as far as this number."""
    here = space.of(session)
    if here is not None and parts.carrier.linear:
        here.head = max(here.head, seq)


def _too_long(session: Session, rid: str) -> None:
    outbox.take_back(session, rid)
    session.get_one(SyncRecordTable, rid).state = "too_long"
    session.flush()


def _remove(session: Session, parts: Parts, rid: str, applied: Applied) -> None:
    """Let go a record that the service calls erased and does not prove it."""
    known = session.get(SyncRecordTable, rid)
    if known is None or known.state in GONE:
        return
    if not aside.remove(session, known, parts.clock(), aside.VERDICT):
        return
    applied.aside += 1
    if known.local_id and known.waiting is None:
        parts.reindex(session, [(known.type, known.local_id)])
        applied.touched.add((known.type, known.local_id))
