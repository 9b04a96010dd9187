"""One round with a carrier: pull to the end, erase what was erased elsewhere, push erasures, push edits."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from memory.errors import NotFound, Refused
from memory.lifecycle.subjects import Kind, Subject
from memory.sync import aside, comparing, outbox, sealing_anew, space, transfers
from memory.sync.aside import GONE
from memory.sync.carrier import (
    Accepted,
    Conflicting,
    EpochStale,
    Erased,
    NotTaken,
    OverQuota,
    Service,
    Verdict,
)
from memory.sync.drain import drain
from memory.sync.fetching_files import fetch_files
from memory.sync.sending_files import check_files, send_files
from memory.sync.service.faults import DeletionPending, GenerationChanged, ResyncRequired
from memory.sync.settling import TOO_LARGE, settle
from memory.sync.taking import Erase, Parts, Round, count, take
from memory.tables import SyncRecordTable

__all__ = ["Erase", "Parts", "Round", "exchange"]

MOST_ERASED = 50
"""So many erasures of other devices in one round happen unasked, …"""
MOST_ERASED_SHARE, FEW = 0.2, 10
"""… or so large a share of all records, unless they are few."""
_TRIES = 5
_MARKS, _ITEMS = 100, 50
"""So many marks are sealed, and so many items of a page written with how far was read, in one transaction: the owner's
own edits wait some 25 ms for the database."""


async def exchange(
    parts: Parts,
    *,
    confirmed: int | None = None,
    missing: int | None = None,
    generation: str = "",
    done: Round | None = None,
) -> Round:
    """Do one round; what a failure leaves undone, the next one does.

    The owner agreed to ``confirmed`` erasures of other devices, to setting aside as many ``missing`` records, and to
    going on with another ``generation`` of the service's copy. ``done`` is filled while the round goes on, so that
    who gave it knows what was done before a failure. Raises OSError where the carrier is not reached, StorageError.
    """
    done = done or Round()
    if missing is not None:
        done.touched |= set(await parts.database.write(_set_aside, parts, missing))
    try:
        await _round(parts, done, confirmed)
    except GenerationChanged as changed:
        if not isinstance(parts.carrier, Service) or changed.generation != generation:
            done.generation = changed.generation
        else:
            await parts.database.write(_begin_anew, parts.carrier, generation)
            await _round(parts, done, confirmed)
    done.missing = await parts.database.read(aside.waiting)
    return done


async def _round(parts: Parts, done: Round, confirmed: int | None) -> None:
    service = parts.carrier if isinstance(parts.carrier, Service) else None
    await _pull(parts, done, service)
    if service is not None:
        await comparing.fetch_passed(parts, service, done)
        if await comparing.compare_hashes(parts, service, done):
            await check_files(parts)
    await _erase(parts, done, confirmed)
    await _destroy(parts, done)
    await _seal_some(parts)  # the orders to erase are in it; the rest is sealed while they are sent
    await _seal_anew(parts)
    for erases in (True, False):
        try:
            await _push(parts, done, erases=erases)
        except DeletionPending as refusal:
            done.refusal = refusal
    await _move_files(parts, done)
    await parts.carrier.forget(await parts.database.read(_gone))


async def _move_files(parts: Parts, done: Round) -> None:
    """Move pieces of files, after everything else; send the records of those that the others can fetch now."""
    if parts.blobs is None:
        return
    try:
        await send_files(parts, done)
        if done.files_sent:
            await _push(parts, done, erases=False)
    except DeletionPending as refusal:
        done.refusal = refusal
    await fetch_files(parts, done)
    if not parts.carrier.linear:
        await parts.carrier.keep_pieces(await parts.database.read(transfers.named_pieces))


async def _seal(parts: Parts) -> None:
    """Seal what was changed, in small transactions."""
    while await _seal_some(parts):
        continue


async def _seal_some(parts: Parts) -> bool:
    """Seal what one push takes of what was changed; return whether there may be more."""
    looked_at, marking = 0, True
    while marking and looked_at < outbox.AT_ONCE:
        drained = await parts.database.write(drain, parts.credentials, parts.clock(), _MARKS)
        looked_at += drained.looked_at
        marking = drained.looked_at > 0 or drained.marking
    return looked_at > 0 or marking


async def _seal_anew(parts: Parts) -> None:
    """Seal once more what waits under a former key, and what the service lost."""
    if await parts.database.read(sealing_anew.is_lacking):
        await _seal(parts)
    while await parts.database.write(sealing_anew.under_new_key, parts.credentials, parts.clock()):
        continue
    behind: str | None = ""
    while behind is not None:
        behind = await parts.database.write(sealing_anew.lacking, parts.credentials, parts.clock(), behind)


async def _pull(parts: Parts, done: Round, service: Service | None) -> None:
    left: set[str] = set()
    compared = False
    while True:
        position = await parts.database.read(_position)
        try:
            page = await parts.carrier.pull(position, left)
        except ResyncRequired:
            if service is None or compared:
                raise
            await comparing.reconcile(parts, service, done)
            compared = True
            continue
        done.refused += page.damaged
        if page.items:
            await _seal(parts)  # before anything of it is heard, so that what was edited first is older
        if page.items or page.reached:
            for portion in parts.carrier.portions(page, _ITEMS):
                applied = await take(parts, portion)
                count(done, applied)
                left |= {item.source for item in applied.later}
                left |= {item.source for item, _reason in applied.refused}
        if not page.more:
            return


async def _erase(parts: Parts, done: Round, confirmed: int | None) -> None:
    """Erase what other devices erased, unless it is so much that the owner is asked first."""
    subjects, alive = await parts.database.read(_erasing)
    many = len(subjects) > MOST_ERASED or (
        len(subjects) > FEW and len(subjects) > MOST_ERASED_SHARE * (alive + len(subjects))
    )
    if many and confirmed != len(subjects):
        done.asks = len(subjects)
        return
    await _erase_all(parts, done, subjects)


async def _destroy(parts: Parts, done: Round) -> None:
    """Destroy what has been aside for its days."""
    await _erase_all(parts, done, await parts.database.write(aside.due, parts.clock()))


async def _erase_all(parts: Parts, done: Round, subjects: Sequence[Subject]) -> None:
    erased, held_back = await erase_each(parts.erase, subjects)
    done.erased += erased
    done.held_back += held_back


async def erase_each(erase: Erase, subjects: Sequence[Subject]) -> tuple[int, int]:
    """Erase what can be; return how many things were, and how many could not be, such as one under a hold."""
    if not subjects:
        return 0, 0
    erased = held_back = 0
    try:
        await erase(subjects)
        return len(subjects), 0
    except (Refused, NotFound):
        # One of them cannot go: the others do not wait for it.
        for subject in subjects:
            try:
                await erase([subject])
                erased += 1
            except Refused:
                held_back += 1
            except NotFound:  # it went with another of them
                continue
    return erased, held_back


async def _push(parts: Parts, done: Round, *, erases: bool) -> None:
    """Send what waits. What is refused by a newer revision is merged with it and sent anew, a few times.

    The next edits are sealed meanwhile, so that a first sync neither waits for that nor fills the outbox.
    """
    conflicts: dict[str, int] = {}
    left: list[str] = []
    while True:
        ops = await parts.database.read(outbox.next_ops, erases=erases, skip=left)
        if not ops and (erases or not await _seal_some(parts)):
            return
        if not ops:
            continue
        sending = asyncio.create_task(parts.carrier.push(ops))
        try:
            await asyncio.sleep(0)  # so that it is on its way, and its request booked, before more is sealed
            await _seal_some(parts)
            verdicts = await sending
        except BaseException:
            sending.cancel()  # who ends a round ends what it sends, and waits for that
            await asyncio.wait([sending])
            raise
        rids = {op.op_id: op.rid for op in ops}
        settled: list[Verdict] = []
        for verdict in verdicts:
            rid = rids[verdict.op_id]
            if isinstance(verdict, Conflicting) and verdict.item is not None:
                conflicts[rid] = conflicts.get(rid, 0) + 1
            _note(done, rid, verdict)
            if conflicts.get(rid, 0) <= _TRIES:
                settled.append(verdict)
        left += rids.keys() - {verdict.op_id for verdict in settled if not _waits(verdict)}
        if any(isinstance(verdict, Conflicting | Erased) for verdict in settled):
            await _seal(parts)
        count(done, await parts.database.write(settle, parts, rids, settled))
        done.pushed += sum(isinstance(verdict, Accepted) for verdict in settled)
        if all(isinstance(verdict, OverQuota | EpochStale) for verdict in settled):
            return  # so will be the rest


def _note(done: Round, rid: str, verdict: Verdict) -> None:
    match verdict:
        case EpochStale():
            done.epoch = max(done.epoch, verdict.epoch)
        case OverQuota():
            done.quota = verdict
        case NotTaken() if verdict.reason != TOO_LARGE:
            done.refused.append((rid, verdict.reason))


def _waits(verdict: Verdict) -> bool:
    """Whether an operation stays in the outbox, and is not to be sent again in this round."""
    return isinstance(verdict, OverQuota | EpochStale | NotTaken) or (
        isinstance(verdict, Conflicting) and verdict.item is None
    )


def _set_aside(session: Session, parts: Parts, missing: int) -> tuple[tuple[str, str], ...]:
    rows = aside.agree(session, missing, parts.clock())
    parts.reindex(session, rows)
    return rows


def _begin_anew(session: Session, service: Service, generation: str) -> None:
    sealing_anew.begin_anew(session)
    here = space.of(session)
    assert here is not None  # a round goes on
    here.position = service.restarted(here.position, generation)


def _position(session: Session) -> dict[str, Any]:
    here = space.of(session)
    return dict(here.position) if here is not None else {}


def _gone(session: Session) -> frozenset[str]:
    return frozenset(session.scalars(select(SyncRecordTable.rid).where(SyncRecordTable.state.in_(GONE))))


def _erasing(session: Session) -> tuple[list[Subject], int]:
    """Return what other devices erased and stands here; unless it is little, how many records there are beside it."""
    rows = session.execute(
        select(SyncRecordTable.type, SyncRecordTable.local_id).where(SyncRecordTable.state == "erasing")
    ).all()
    alive = 0
    if len(rows) > FEW:
        alive = session.scalar(select(func.count()).where(SyncRecordTable.state == "synced")) or 0
    return [Subject(cast(Kind, row.type), row.local_id) for row in rows], alive
