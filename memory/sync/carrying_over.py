"""What lies in a folder under keys or names that count no more is sealed anew by a device that holds it."""

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.sync import space, wire
from memory.sync.drain import drain
from memory.sync.envelope import Edit, Envelope, seal
from memory.sync.errors import RecordRefused
from memory.sync.header import Header
from memory.sync.hlc import Clock
from memory.sync.known import load
from memory.sync.outbox import Outgoing
from memory.sync.sealing_anew import content
from memory.sync.space import Credentials
from memory.tables import SyncOutboxTable, SyncRecordTable, SyncSpaceTable

_HELD = ("synced", "held", "opaque")


def carry_over(
    session: Session,
    credentials: Credentials,
    now: int,
    *,
    shut: Collection[str],
    orphans: Mapping[str, Collection[str]],
    erased: Collection[str],
) -> int:
    """Seal anew, or order erased anew, what others could not take from the folder any more; return how much.

    ``shut`` are records of which this device's revision does not open, ``orphans`` the revisions of devices that were
    taken off, ``erased`` the records that those erased. What another device carried over before has another revision by
    then, so little is done twice.
    """
    here = space.of(session)
    if here is None or not here.enabled or here.naming is None:
        return 0
    drain(session, credentials, now)
    work = _Work(session, here, credentials, now)
    lost = _shut_in_outbox(session, credentials)
    known = load(session, {*shut, *lost, *orphans, *erased})
    work.out.meet(known)
    for rid, one in known.items():
        if rid in lost or (not work.out.holds(rid) and (rid in shut or one.rev in orphans.get(rid, ()))):
            work.seal(one)
        if rid in erased and one.state == "erased" and one.aside_at is None:
            one.state = "erase"
            work.count += 1
    work.out.write()
    space.keep_clock(here, work.clock)
    session.flush()
    return work.count


class _Work:
    def __init__(self, session: Session, here: SyncSpaceTable, credentials: Credentials, now: int) -> None:
        self._session, self._here, self._credentials, self._now = session, here, credentials, now
        self.clock: Clock = space.clock(here)
        self.out = Outgoing(session, credentials)
        self.count = 0

    def seal(self, known: SyncRecordTable) -> None:
        """Seal what a record says here, as a revision of this device."""
        if known.state not in _HELD:
            return
        plaintext, base = content(self._session, self._here, known)
        if plaintext is None:
            return
        self.clock = self.clock.tick(self._now)
        edit = Edit(known.rid, self.clock.ms, self.clock.counter, known.seq, known.exp_day)
        envelope = seal(edit, plaintext, self._credentials.key, self._credentials.signer)
        self.out.replace(known.rid, envelope, erases=False, base=base)
        self.count += 1


def _shut_in_outbox(session: Session, credentials: Credentials) -> set[str]:
    """Return the records whose waiting revision is sealed under a key whose place another device's took."""
    found = set()
    chosen = select(SyncOutboxTable.rid, SyncOutboxTable.envelope).where(~SyncOutboxTable.erases)
    for row in session.execute(chosen):
        envelope = wire.from_msgpack(row.envelope)
        assert isinstance(envelope, Envelope)  # nothing else is put there
        try:
            credentials.keys.open(envelope.dek, row.rid, Header.unpack(envelope.hdr).rev)
        except RecordRefused:
            found.add(row.rid)
    return found
