"""Sealed revisions that wait to be sent: put there in one transaction, and taken out when the others have them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from memory.identifiers import new_id
from memory.lifecycle.subjects import portions
from memory.sync import marking, wire
from memory.sync.contents import addresses_of
from memory.sync.envelope import Edit, Envelope, seal, seal_erase
from memory.sync.header import Header
from memory.sync.hlc import Clock
from memory.sync.known import long_texts, pack, seen
from memory.sync.plaintext import SCHEMA, Record, encode
from memory.sync.shapes import shapes
from memory.sync.space import Credentials
from memory.tables import SyncChangeTable, SyncOutboxTable, SyncRecordTable, SyncSpaceTable

_COUNTED = ("held", "too_long", "erasing", "opaque", "kept", "passed")
AT_ONCE = 200
"""The most revisions of one push."""
_RECORD = SyncRecordTable.__table__.c
_MOVES = _RECORD.seq != bindparam("number")
_TAKEN = (
    update(SyncRecordTable.__table__)  # type: ignore[arg-type]  # it is a Table
    .where(_RECORD.rid == bindparam("of"))
    .values(
        former_seq=case((_MOVES, _RECORD.seq), else_=_RECORD.former_seq),
        former=case((_MOVES, _RECORD.base), else_=_RECORD.former),
        state=case((bindparam("gone", type_=Boolean), "erased"), else_=_RECORD.state),
        seq=bindparam("number"),
        rev=bindparam("revision"),
        own=True,
        base=bindparam("text", type_=JSON),
    )
)
"""What `note_revision` does, for many records with one statement."""


_NEXT = (
    select(SyncOutboxTable.op_id, SyncOutboxTable.rid, SyncOutboxTable.envelope)
    .where(SyncOutboxTable.erases == bindparam("erasing", type_=Boolean))
    .limit(AT_ONCE)
)


@dataclass(frozen=True, slots=True)
class Op:
    """One sealed revision on its way. It is sent again as the same bytes until the others have it."""

    op_id: str
    rid: str
    erases: bool
    envelope: Envelope


class Outgoing:
    """What one transaction puts into the outbox and takes out of it, written together."""

    def __init__(self, session: Session, credentials: Credentials) -> None:
        self.credentials = credentials
        self._session = session
        self._rows: dict[str, dict[str, Any] | None] = {}
        self._waits: dict[str, bool] = {}

    def meet(self, rids: Collection[str]) -> None:
        """Look up what waits of the records that will be asked for."""
        waits: set[str] = set()
        for some in portions(rids):
            chosen = select(SyncOutboxTable.rid).where(SyncOutboxTable.rid.in_(some))
            waits |= set(self._session.scalars(chosen))
        self._waits |= {rid: rid in waits for rid in rids}

    def put(self, known: SyncRecordTable, record: Record, clock: Clock) -> None:
        """Seal a record upon the revision that the others have, in the place of what waited before.

        Raises PlaintextInvalid or RecordTooLarge; then nothing is changed.
        """
        edit = Edit(known.rid, clock.ms, clock.counter, known.seq, known.exp_day)
        blobs = addresses_of(record)
        envelope = seal(edit, encode(record), self.credentials.key, self.credentials.signer, blobs=blobs)
        known.stamps = pack(seen(record))
        self.replace(known.rid, envelope, erases=False, base=long_texts(record))

    def put_erase(self, known: SyncRecordTable, clock: Clock) -> None:
        """Seal the order to erase a record, in the place of what waited before."""
        edit = Edit(known.rid, clock.ms, clock.counter, known.seq)
        envelope = seal_erase(edit, known.type, SCHEMA, self.credentials.key, self.credentials.signer)
        self.replace(known.rid, envelope, erases=True, base={})

    def replace(self, rid: str, envelope: Envelope, *, erases: bool, base: dict[str, Any]) -> None:
        """Let a sealed revision wait in the place of what waited before."""
        header = Header.unpack(envelope.hdr)
        self._rows[rid] = {
            "rid": rid,
            "op_id": new_id(),
            "erases": erases,
            "rev": header.rev,
            "epoch": header.epoch,
            "envelope": wire.to_msgpack(envelope),
            "base": base,
        }

    def take_back(self, rid: str) -> None:
        """Drop what waits of a record."""
        if self.holds(rid):
            self._rows[rid] = None

    def holds(self, rid: str) -> bool:
        """Whether a revision of a record waits."""
        if rid in self._rows:
            return self._rows[rid] is not None
        if rid not in self._waits:
            self.meet([rid])
        return self._waits[rid]

    def write(self) -> None:
        """Put it into the database."""
        connection = self._session.connection()
        if gone := [rid for rid, row in self._rows.items() if row is None]:
            connection.execute(delete(SyncOutboxTable).where(SyncOutboxTable.rid.in_(gone)))
        if rows := [row for row in self._rows.values() if row is not None]:
            connection.execute(insert(SyncOutboxTable).prefix_with("OR REPLACE"), rows)
        self._waits |= {rid: row is not None for rid, row in self._rows.items()}
        self._rows.clear()


def take_back(session: Session, rid: str) -> None:
    """Drop what waits of a record."""
    session.connection().execute(delete(SyncOutboxTable).where(SyncOutboxTable.rid == rid))


def next_ops(session: Session, *, erases: bool, skip: Sequence[str] = ()) -> tuple[Op, ...]:
    """Return what is to be sent next, but for the operations that were tried in this round.

    Edits of what its owner took out of sync stay where they are until it is chosen again.
    """
    chosen = _NEXT.where(SyncOutboxTable.op_id.not_in(skip)) if skip else _NEXT
    if not erases:
        chosen = chosen.where(_chosen(session))  # an order to erase always leaves
    found = []
    for row in session.execute(chosen, {"erasing": erases}):
        envelope = wire.from_msgpack(row.envelope)
        assert isinstance(envelope, Envelope)  # nothing else is put there
        found.append(Op(row.op_id, row.rid, erases, envelope))
    return tuple(found)


def taken(session: Session, seqs: Mapping[str, int]) -> None:
    """Note that the others have revisions under these numbers; one that was replaced meanwhile is no news.

    ``seqs`` are given by the ids of operations.
    """
    waits = SyncOutboxTable.__table__.c
    chosen = select(waits.rid, waits.op_id, waits.rev, waits.erases, waits.base)
    rows = session.execute(chosen.where(waits.op_id.in_(list(seqs)))).all()
    if rows:
        connection = session.connection()
        news = [
            {
                "of": row.rid,
                "number": seqs[row.op_id],
                "revision": row.rev,
                "gone": row.erases,
                "text": row.base,
            }
            for row in rows
        ]
        connection.execute(_TAKEN, news)
        connection.execute(delete(SyncOutboxTable).where(waits.rid.in_([row.rid for row in rows])))


def note_revision(known: SyncRecordTable, seq: int, rev: str, *, own: bool, base: dict[str, Any]) -> None:
    """Note which revision the others have now."""
    if seq != known.seq:
        known.former_seq, known.former = known.seq, known.base
    known.seq, known.rev, known.own, known.base = seq, rev, own, base


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many rows are still to be looked at or sealed, sealed ones to be sent, and records that have no place yet."""

    marked: int
    outbox: int
    held: int
    too_long: int
    erasing: int
    opaque: int = 0
    """Of a later version of Bureau: kept, and not read."""
    kept: int = 0
    """On this device alone, because they went missing elsewhere and their owner kept them."""
    passed: int = 0
    """Of categories that do not sync here."""


def waiting(session: Session) -> Waiting:
    """Return what waits."""
    by_state = select(SyncRecordTable.state, func.count()).group_by(SyncRecordTable.state)
    states: dict[str, int] = {row[0]: row[1] for row in session.execute(by_state)}
    marked = session.scalar(select(func.count()).select_from(SyncChangeTable)) or 0
    marked += marking.unmarked(session)
    outbox = session.scalar(select(func.count()).select_from(SyncOutboxTable).where(_chosen(session))) or 0
    counted = {name: states.get(name, 0) for name in _COUNTED}
    return Waiting(marked, outbox, **counted)


def _chosen(session: Session) -> ColumnElement[bool]:
    """Return the condition under which a waiting revision may leave: an order to erase always does."""
    here = session.scalars(select(SyncSpaceTable)).one_or_none()
    left_out = shapes().keys() - set(here.types if here is not None else ())
    if not left_out:
        return true()
    rids = select(SyncRecordTable.rid).where(SyncRecordTable.type.in_(left_out))
    return or_(SyncOutboxTable.erases, SyncOutboxTable.rid.not_in(rids))
