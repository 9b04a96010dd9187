"""Records sealed once more though nothing was edited: under another key, upon another number, or for a service that
lost them.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from memory.sync import space, transfers, wire
from memory.sync.aside import KEPT, returned
from memory.sync.base64url import encode as base64
from memory.sync.contents import FILE, addresses_of
from memory.sync.drain import drain
from memory.sync.envelope import Edit, Envelope, open_sealed, seal
from memory.sync.errors import RecordTooLarge
from memory.sync.hlc import Clock
from memory.sync.known import long_texts, unpack
from memory.sync.outbox import Outgoing
from memory.sync.plaintext import SCHEMA, Entry, Json, Opaque, Record, decode, encode
from memory.sync.shapes import shapes
from memory.sync.space import NAMING, OFFICE_NAME, Credentials
from memory.tables import SyncOutboxTable, SyncRecordTable, SyncSpaceTable

_AT_ONCE = 200


def waiting(session: Session, known: SyncRecordTable, clock: Clock, out: Outgoing) -> None:
    """Seal what waits of a record upon the number that it has now, and under the key of today; as a new revision."""
    credentials = out.credentials
    row = session.get(SyncOutboxTable, known.rid)
    if row is None or row.erases:
        return
    envelope = wire.from_msgpack(row.envelope)
    assert isinstance(envelope, Envelope)  # nothing else is put there
    opened = open_sealed(envelope, credentials.keys, credentials.signer.key.public_key())
    edit = Edit(known.rid, clock.ms, clock.counter, known.seq, opened.header.exp_day)
    sealed = seal(edit, opened.plaintext, credentials.key, credentials.signer, blobs=envelope.blobs)
    out.replace(known.rid, sealed, erases=False, base=row.base)


def under_new_key(session: Session, credentials: Credentials, now: int) -> int:
    """Seal what waits under former keys of the space under that of today, some at a time; return how many were."""
    chosen = (
        select(SyncRecordTable)
        .join(SyncOutboxTable, SyncOutboxTable.rid == SyncRecordTable.rid)
        .where(SyncOutboxTable.epoch < credentials.epoch, ~SyncOutboxTable.erases)
        .limit(_AT_ONCE)
    )
    rows = session.scalars(chosen).all()
    if rows:
        here = _here(session)
        clock, out = space.clock(here), Outgoing(session, credentials)
        for known in rows:
            clock = clock.tick(now)
            waiting(session, known, clock, out)
        out.write()
        space.keep_clock(here, clock)
    return len(rows)


def begin_anew(session: Session) -> None:
    """Forget every number, because the service gives other ones now; what it lacks is sent once all of it was read.

    What waits is sealed upon the numbers of today on the way: as it is read of what it was made upon, or as lacking.
    """
    session.execute(update(SyncRecordTable).values(seq=0, former_seq=0))
    # What its owner kept is offered again: this service may never have lost it.
    for known in session.scalars(select(SyncRecordTable).where(SyncRecordTable.state == KEPT)).all():
        returned(session, known)
    here = _here(session)
    here.head, here.lacking, here.compared_at = 0, True, 0
    session.flush()


def is_lacking(session: Session) -> bool:
    """Whether the service lost or never had some of the records that are known here."""
    here = space.of(session)
    return here is not None and here.lacking


def lacking(session: Session, credentials: Credentials, now: int, behind: str) -> str | None:
    """Seal records that the service does not have, some at a time; return what the next call goes on ``behind``.

    None says that there are no more.
    """
    here = space.of(session)
    if here is None or not here.enabled or not here.lacking or here.naming is None:
        return None
    drain(session, credentials, now)
    chosen = (
        select(SyncRecordTable)
        .where(
            SyncRecordTable.rid > behind,
            SyncRecordTable.seq == 0,
            SyncRecordTable.state.in_(("synced", "held", "opaque")),
        )
        .order_by(SyncRecordTable.rid)
        .limit(_AT_ONCE)
    )
    rows = session.scalars(chosen).all()
    clock, out = space.clock(here), Outgoing(session, credentials)
    out.meet({known.rid for known in rows})
    for known in rows:
        if known.type == FILE:
            # First its pieces: who lost the record may have lost them too. A device without them leaves it to others.
            out.take_back(known.rid)
            if known.local_id is not None:
                transfers.check_again(session, known.local_id)
            continue
        clock = clock.tick(now)
        if out.holds(known.rid):
            waiting(session, known, clock, out)  # as new: it may have been made upon what is lost now
        else:
            _offer(session, here, known, clock, out)
    out.write()
    space.keep_clock(here, clock)
    here.lacking = bool(rows)
    session.flush()
    return rows[-1].rid if rows else None


def file(session: Session, credentials: Credentials, now: int, attachment_id: str) -> None:
    """Seal the record of a file anew where a service does not have it, now that it has the pieces."""
    here = _here(session)
    chosen = select(SyncRecordTable).where(
        SyncRecordTable.type == FILE, SyncRecordTable.local_id == attachment_id, SyncRecordTable.seq == 0
    )
    known = session.scalar(chosen)
    if known is None or not known.stamps or known.state != "synced":
        return
    clock, out = space.clock(here).tick(now), Outgoing(session, credentials)
    _offer(session, here, known, clock, out)
    space.keep_clock(here, clock)
    out.write()


def _offer(
    session: Session, here: SyncSpaceTable, known: SyncRecordTable, clock: Clock, out: Outgoing
) -> None:
    """Seal a record as one that nobody has."""
    plaintext, base = content(session, here, known)
    if plaintext is not None:
        edit = Edit(known.rid, clock.ms, clock.counter, exp_day=known.exp_day)
        blobs = addresses_of(found) if isinstance(found := decode(plaintext), Record) else ()
        envelope = seal(edit, plaintext, out.credentials.key, out.credentials.signer, blobs=blobs)
        out.replace(known.rid, envelope, erases=False, base=base)


def content(
    session: Session, here: SyncSpaceTable, known: SyncRecordTable
) -> tuple[bytes | None, dict[str, Json]]:
    """Return what a record says, as it was last sealed or taken, and its base."""
    if known.waiting is not None:
        found = decode(known.waiting)
        return known.waiting, {} if isinstance(found, Opaque) else long_texts(found)
    record = record_of(session, here, known)
    if record is None:
        return None, {}
    try:
        return encode(record), long_texts(record)
    except RecordTooLarge:
        known.state = "too_long"
        return None, {}


def record_of(session: Session, here: SyncSpaceTable, known: SyncRecordTable) -> Record | None:
    """Return a record as it was last sealed or taken, None where it has no row, or nothing of it syncs here."""
    values: dict[str, Json] | None
    if known.type == OFFICE_NAME and here.naming is not None:
        values = {NAMING: base64(here.naming)}
    elif known.type in here.types and known.local_id is not None:
        shape = shapes()[known.type]
        row = shape.read(session, [known.local_id]).get(known.local_id)
        values = shape.said_by(row, known.local_id)
        values = values if values is not None and shape.is_ready(values) else None
    else:
        values = None
    if values is None:
        return None
    every = {**values, **known.beside.get("fields", {})}
    fields = {
        name: Entry(every[name], seen.stamp) for name, seen in unpack(known.stamps).items() if name in every
    }
    return Record(known.type, SCHEMA, fields, known.beside.get("extra", {})) if fields else None


def _here(session: Session) -> SyncSpaceTable:
    here = space.of(session)
    assert here is not None  # only rounds of a space come here
    return here
