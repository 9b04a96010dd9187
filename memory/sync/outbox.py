"""Sealed revisions that wait to be sent: put there in one transaction, and taken out when the others have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from memory.identifiers import new_id
from memory.sync import wire
from memory.sync.envelope import Edit, Envelope, seal, seal_erase
from memory.sync.header import Header
from memory.sync.hlc import Clock
from memory.sync.known import long_texts, pack, seen
from memory.sync.plaintext import SCHEMA, Record, encode
from memory.sync.space import Credentials
from memory.tables import SyncChangeTable, SyncOutboxTable, SyncRecordTable

AT_ONCE = 200
"""The most revisions of one push."""


@dataclass(frozen=True, slots=True)
class Op:
    """One sealed revision on its way. It is sent again as the same bytes until the others have it."""

    op_id: str
    rid: str
    erases: bool
    envelope: Envelope


def put(
    session: Session, known: SyncRecordTable, record: Record, clock: Clock, credentials: Credentials
) -> None:
    """Seal a record upon the revision that the others have, in the place of what waited before.

    Raises PlaintextInvalid or RecordTooLarge; then nothing is changed.
    """
    edit = Edit(known.rid, clock.ms, clock.counter, known.seq, known.exp_day)
    envelope = seal(edit, encode(record), credentials.key, credentials.signer)
    known.stamps = pack(seen(record))
    replace(session, known.rid, envelope, erases=False, base=long_texts(record))


def put_erase(session: Session, known: SyncRecordTable, clock: Clock, credentials: Credentials) -> None:
    """Seal the order to erase a record, in the place of what waited before."""
    edit = Edit(known.rid, clock.ms, clock.counter, known.seq)
    envelope = seal_erase(edit, known.type, SCHEMA, credentials.key, credentials.signer)
    replace(session, known.rid, envelope, erases=True, base={})


def replace(session: Session, rid: str, envelope: Envelope, *, erases: bool, base: dict[str, Any]) -> None:
    """Let a sealed revision wait in the place of what waited before."""
    take_back(session, rid)
    header = Header.unpack(envelope.hdr)
    session.add(
        SyncOutboxTable(
            rid=rid,
            op_id=new_id(),
            erases=erases,
            rev=header.rev,
            epoch=header.epoch,
            envelope=wire.to_msgpack(envelope),
            base=base,
        )
    )
    session.flush()


def take_back(session: Session, rid: str) -> None:
    """Drop what waits of a record."""
    session.execute(delete(SyncOutboxTable).where(SyncOutboxTable.rid == rid))


def is_waiting(session: Session, rid: str) -> bool:
    """Whether a revision of a record waits."""
    return session.get(SyncOutboxTable, rid) is not None


def next_ops(session: Session, *, erases: bool, skip: Sequence[str] = ()) -> tuple[Op, ...]:
    """Return what is to be sent next, but for the operations that were tried in this round."""
    chosen = (
        select(SyncOutboxTable)
        .where(SyncOutboxTable.erases == erases, SyncOutboxTable.op_id.not_in(skip))
        .limit(AT_ONCE)
    )
    found = []
    for row in session.scalars(chosen):
        row.tries += 1
        envelope = wire.from_msgpack(row.envelope)
        assert isinstance(envelope, Envelope)  # nothing else is put there
        found.append(Op(row.op_id, row.rid, row.erases, envelope))
    return tuple(found)


def taken(session: Session, op_id: str, seq: int) -> None:
    """Note that the others have a revision under this number; one that was replaced meanwhile is no news."""
    row = session.scalars(select(SyncOutboxTable).where(SyncOutboxTable.op_id == op_id)).one_or_none()
    if row is None:
        return
    known = session.get_one(SyncRecordTable, row.rid)
    if row.erases:
        known.state = "erased"
    note_revision(known, seq, row.rev, own=True, base=row.base)
    session.delete(row)
    session.flush()


def note_revision(known: SyncRecordTable, seq: int, rev: str, *, own: bool, base: dict[str, Any]) -> None:
    """Note which revision the others have now."""
    if seq != known.seq:
        known.former_seq, known.former = known.seq, known.base
    known.seq, known.rev, known.own, known.base = seq, rev, own, base


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many edits are still to be sealed, sealed ones to be sent, and records that have no place yet."""

    marked: int
    outbox: int
    held: int
    too_long: int
    erasing: int


def waiting(session: Session) -> Waiting:
    """Return what waits."""
    by_state = select(SyncRecordTable.state, func.count()).group_by(SyncRecordTable.state)
    states: dict[str, int] = {row[0]: row[1] for row in session.execute(by_state)}
    marked = session.scalar(select(func.count()).select_from(SyncChangeTable)) or 0
    outbox = session.scalar(select(func.count()).select_from(SyncOutboxTable)) or 0
    return Waiting(marked, outbox, states.get("held", 0), states.get("too_long", 0), states.get("erasing", 0))
