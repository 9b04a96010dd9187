"""What a service has, compared with what is known here: after a long absence, and once a day by hashes."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from memory.lifecycle.trash import DAY
from memory.sync import aside, service_keys, space
from memory.sync.aside import DECLINED, GONE, UNSENT
from memory.sync.carrier import Live, Page, Service
from memory.sync.sending_files import check_files
from memory.sync.taking import Parts, Round, count, note_head, take
from memory.tables import SyncRecordTable

AT_ONCE = 500
"""The most records that are asked for by their ids."""
_END = "f" * 32
_LIVE = ("synced", "held", "opaque", "passed", "too_long", DECLINED)
"""The states of records that a service has, if they have a number."""
WITHHELD = "the service has something else than it gives out"
"""Why a stretch of the ids is named among what was refused."""


async def reconcile(parts: Parts, service: Service, done: Round) -> None:
    """Compare everything with the live ids, because markers in between were dropped.

    What was acknowledged and is not there any more was erased elsewhere, without proof. Raises OSError, ServiceFault.
    """
    as_of = await _walk(parts, service, done, "", _END)
    await parts.database.write(_reconciled, service, as_of)


async def compare_hashes(parts: Parts, service: Service, done: Round) -> bool:
    """Once a day, compare the hashes of what is live, and read again where they differ; return whether it was done.

    The keys by which the service signs are looked at as well. Asked right after everything was read; does nothing
    while somebody writes. Raises OSError, ServiceFault.
    """
    at = parts.clock()
    due = await parts.database.read(_is_due, at)
    if due or not await parts.database.read(service_keys.is_met):
        await parts.database.write(service_keys.meet, await service.published())
    if not due:
        return False
    theirs = await service.hashes()
    head = await parts.database.write(_note_head, theirs.as_of)
    if head != theirs.as_of:
        return False  # another device writes just now
    ours = await parts.database.read(_hashes)
    differing = [number for number in range(256) if ours[number] != theirs.ranges[number]]
    for number in differing:
        behind = "" if number == 0 else f"{number - 1:02x}" + "f" * 30
        await _walk(parts, service, done, behind, f"{number:02x}" + "f" * 30)
    if differing:
        done.mended += len(differing)
        await _say_what_differs_still(parts, service, done, differing)
    await parts.database.write(_compared, at)
    return True


async def check_pieces(parts: Parts) -> None:
    """Once a day, look whether the pieces of every file that is here lie in a folder; those that do not are put again.

    Raises OSError.
    """
    at = parts.clock()
    if await parts.database.read(_is_day_over, at):
        await check_files(parts)
        await parts.database.write(_compared, at)


async def fetch_passed(parts: Parts, service: Service, done: Round) -> None:
    """Fetch what was passed over before its type was chosen to sync here. Raises OSError, ServiceFault."""
    await _fetch(parts, service, done, await parts.database.read(_passed))


async def _say_what_differs_still(
    parts: Parts, service: Service, done: Round, numbers: Sequence[int]
) -> None:
    """Name the stretches that are not alike although they were read again: there a service withholds something."""
    theirs = await service.hashes()
    if await parts.database.write(_note_head, theirs.as_of) != theirs.as_of:
        return
    ours = await parts.database.read(_hashes)
    done.refused += [
        (f"{number:02x}…", WITHHELD) for number in numbers if ours[number] != theirs.ranges[number]
    ]


async def _walk(parts: Parts, service: Service, done: Round, behind: str, last: str) -> int:
    """Compare a stretch of the ids; return the smallest number as of which it was read."""
    smallest: int | None = None
    while True:
        live = await service.live(behind)
        end = min(max(live.items, default=last), last) if live.more else last
        wanted, removed = await parts.database.write(_compare, parts, live, behind, end)
        done.aside += len(removed)
        done.touched |= {(type_, local_id) for type_, local_id in removed if local_id}
        await _fetch(parts, service, done, wanted)
        smallest = live.as_of if smallest is None else min(smallest, live.as_of)
        if end >= last:
            return smallest
        behind = end


async def _fetch(parts: Parts, service: Service, done: Round, wanted: Sequence[str]) -> None:
    for start in range(0, len(wanted), AT_ONCE):
        items = await service.get(wanted[start : start + AT_ONCE])
        count(done, await take(parts, Page(items, more=False)))


def _compare(
    session: Session, parts: Parts, live: Live, behind: str, end: str
) -> tuple[list[str], list[tuple[str, str | None]]]:
    """Return which records are to be fetched, and which were set aside."""
    note_head(session, live.as_of)
    chosen = select(SyncRecordTable).where(SyncRecordTable.rid > behind, SyncRecordTable.rid <= end)
    known = {row.rid: row for row in session.scalars(chosen)}
    wanted = [
        rid for rid, (rev, seq) in live.items.items() if rid <= end and _is_wanted(known.get(rid), rev, seq)
    ]
    removed = []
    for rid, row in known.items():
        if rid in live.items or row.state in GONE or not 0 < row.seq <= live.as_of:
            continue
        if aside.remove(session, row, parts.clock(), aside.ABSENT):
            removed.append((row.type, row.local_id))
            if row.local_id and row.waiting is None:
                parts.reindex(session, [(row.type, row.local_id)])
    return wanted, removed


def _is_wanted(known: SyncRecordTable | None, rev: str, seq: int) -> bool:
    if known is None or known.state in UNSENT:
        return True
    if known.state in GONE:
        return known.state == "erased"  # given out again; the others are on their way to be erased
    return (known.rev, known.seq) != (rev, seq)


def _is_due(session: Session, at: int) -> bool:
    """Whether a day is over, and nothing waits to be erased at the service, which would differ from it."""
    return _is_day_over(session, at) and not session.scalar(
        select(exists().where(SyncRecordTable.state == "erase"))
    )


def _is_day_over(session: Session, at: int) -> bool:
    here = space.of(session)
    return here is not None and not at - DAY < here.compared_at <= at


def _hashes(session: Session) -> tuple[bytes, ...]:
    ranges = [0] * 256
    chosen = select(SyncRecordTable.rid, SyncRecordTable.rev).where(
        SyncRecordTable.seq > 0, SyncRecordTable.state.in_(_LIVE)
    )
    for rid, rev in session.execute(chosen):
        ranges[int(rid[:2], 16)] ^= _hash(rid, rev)
    return tuple(each.to_bytes(32, "big") for each in ranges)


def _hash(rid: str, rev: str) -> int:
    return int.from_bytes(hashlib.sha256(bytes.fromhex(rid + rev)).digest(), "big")


def _passed(session: Session) -> list[str]:
    here = space.of(session)
    if here is None:
        return []
    chosen = select(SyncRecordTable.rid).where(
        SyncRecordTable.state == "passed", SyncRecordTable.type.in_(here.types)
    )
    return list(session.scalars(chosen))


def _note_head(session: Session, as_of: int) -> int:
    """Return the head that was known, and refuse one that went back."""
    here = space.of(session)
    before = here.head if here is not None else 0
    note_head(session, as_of)
    return before


def _reconciled(session: Session, service: Service, as_of: int) -> None:
    here = space.of(session)
    if here is not None:
        here.position = service.reconciled(here.position, as_of)


def _compared(session: Session, at: int) -> None:
    here = space.of(session)
    if here is not None:
        here.compared_at = at
