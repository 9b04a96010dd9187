"""One round with a carrier: pull to the end, erase what was erased elsewhere, push erasures, push edits."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from memory.database import Database
from memory.errors import NotFound, Refused
from memory.identifiers import now
from memory.lifecycle.subjects import Kind, Subject
from memory.sync import outbox, space
from memory.sync.applying import Reindex, apply
from memory.sync.arrival import Applied, Item, Trust
from memory.sync.carrier import Accepted, Carrier, Conflicting, Page, Verdict
from memory.sync.drain import GONE, drain
from memory.sync.space import Credentials
from memory.tables import SyncRecordTable

Erase = Callable[[Sequence[Subject]], Awaitable[object]]
"""Erases with proof; raises Refused where a hold keeps something."""

MOST_ERASED = 50
"""So many erasures of other devices in one round happen unasked, …"""
MOST_ERASED_SHARE, FEW = 0.2, 10
"""… or so large a share of all records, unless they are few."""
_TRIES = 5
_MARKS = 200


@dataclass(frozen=True, slots=True)
class Parts:
    """Whom a round works with."""

    database: Database
    carrier: Carrier
    trust: Trust
    credentials: Credentials
    reindex: Reindex
    erase: Erase


@dataclass(slots=True)
class Round:
    """What a round did. ``asks`` is the number of erasures that wait for the owner's word."""

    pulled: int = 0
    pushed: int = 0
    erased: int = 0
    conflicts: int = 0
    asks: int = 0
    held_back: int = 0
    far_ahead: bool = False
    touched: set[tuple[str, str]] = field(default_factory=set)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Where something lay that is not taken, and why, in the protocol's words."""


async def exchange(parts: Parts, *, confirmed: int | None = None) -> Round:
    """Do one round; what a failure leaves undone, the next one does.

    ``confirmed`` is the number of erasures that the owner agreed to. Raises OSError where the carrier is not
    reached, StorageError.
    """
    done = Round()
    await _pull(parts, done)
    await _erase(parts, done, confirmed)
    await _seal(parts)
    for erases in (True, False):
        await _push(parts, done, erases=erases)
    gone = await parts.database.read(_gone)
    await asyncio.to_thread(parts.carrier.forget, gone)
    return done


async def _seal(parts: Parts) -> None:
    """Seal what was changed, in small transactions."""
    while (await parts.database.write(drain, parts.credentials, now(), _MARKS)).looked_at:
        continue


async def _pull(parts: Parts, done: Round) -> None:
    left: set[str] = set()
    while True:
        await _seal(parts)
        position = await parts.database.read(_position)
        page = await asyncio.to_thread(parts.carrier.pull, position, left)
        done.refused += page.damaged
        if page.items:
            applied = await parts.database.write(_take_page, parts, page)
            _count(done, applied)
            left |= {item.source for item in applied.later}
            left |= {item.source for item, _reason in applied.refused}
        if not page.more:
            return


def _take_page(session: Session, parts: Parts, page: Page) -> Applied:
    """Write a page and how far was read in one transaction."""
    applied = _apply(session, parts, page.items)
    here = space.of(session)
    if here is not None and here.enabled:
        left = [*applied.later, *(item for item, _reason in applied.refused)]
        here.position = parts.carrier.after(here.position, page, left)
    return applied


def _apply(session: Session, parts: Parts, items: Sequence[Item]) -> Applied:
    return apply(
        session,
        items,
        parts.trust,
        parts.credentials,
        now=now(),
        reindex=parts.reindex,
        linear=parts.carrier.linear,
    )


def _count(done: Round, applied: Applied) -> None:
    done.pulled += len(applied.taken)
    done.conflicts += applied.conflicts
    done.far_ahead |= applied.far_ahead
    done.touched |= applied.touched
    done.refused += [(item.source, reason) for item, reason in applied.refused]


async def _erase(parts: Parts, done: Round, confirmed: int | None) -> None:
    """Erase what other devices erased, unless it is so much that the owner is asked first."""
    subjects, alive = await parts.database.read(_erasing)
    many = len(subjects) > MOST_ERASED or (
        len(subjects) > FEW and len(subjects) > MOST_ERASED_SHARE * (alive + len(subjects))
    )
    if many and confirmed != len(subjects):
        done.asks = len(subjects)
        return
    if not subjects:
        return
    try:
        await parts.erase(subjects)
        done.erased += len(subjects)
    except (Refused, NotFound):
        # One of them cannot go, such as one under a hold: the others do not wait for it.
        for subject in subjects:
            try:
                await parts.erase([subject])
                done.erased += 1
            except Refused:
                done.held_back += 1
            except NotFound:  # it went with another of them
                continue


async def _push(parts: Parts, done: Round, *, erases: bool) -> None:
    """Send what waits. What is refused by a newer revision is merged with it and sent anew, a few times."""
    conflicts: dict[str, int] = {}
    left: list[str] = []
    while ops := await parts.database.read(outbox.next_ops, erases=erases, skip=left):
        rids = {op.op_id: op.rid for op in ops}
        verdicts = await asyncio.to_thread(parts.carrier.push, ops)
        settled = []
        for verdict in verdicts:
            rid = rids[verdict.op_id]
            if isinstance(verdict, Conflicting):
                conflicts[rid] = conflicts.get(rid, 0) + 1
            if conflicts.get(rid, 0) <= _TRIES:
                settled.append(verdict)
        left += rids.keys() - {verdict.op_id for verdict in settled}
        _count(done, await parts.database.write(_settle, parts, settled))
        done.pushed += sum(isinstance(verdict, Accepted) for verdict in settled)


def _settle(session: Session, parts: Parts, verdicts: Sequence[Verdict]) -> Applied:
    outbox.taken(
        session, {verdict.op_id: verdict.seq for verdict in verdicts if isinstance(verdict, Accepted)}
    )
    newer = [verdict.item for verdict in verdicts if isinstance(verdict, Conflicting)]
    return _apply(session, parts, newer) if newer else Applied()


def _position(session: Session) -> dict[str, Any]:
    here = space.of(session)
    return dict(here.position) if here is not None else {}


def _gone(session: Session) -> frozenset[str]:
    return frozenset(session.scalars(select(SyncRecordTable.rid).where(SyncRecordTable.state.in_(GONE))))


def _erasing(session: Session) -> tuple[list[Subject], int]:
    """Return what other devices erased and stands here, and how many records there are beside it."""
    rows = session.execute(
        select(SyncRecordTable.type, SyncRecordTable.local_id).where(SyncRecordTable.state == "erasing")
    ).all()
    alive = session.scalar(select(func.count()).where(SyncRecordTable.state == "synced")) or 0
    return [Subject(cast(Kind, row.type), row.local_id) for row in rows], alive
