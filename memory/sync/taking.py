"""What a round works with, what it did, and how a page that it was given is written together with how far was read."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.blobs import BlobStore
from memory.database import Database
from memory.identifiers import now
from memory.lifecycle.subjects import Subject, portions
from memory.lifecycle.trash import DAY
from memory.sync import clocks, service_keys, space
from memory.sync.admission import REVOKED
from memory.sync.applying import Reindex, apply
from memory.sync.arrival import Applied, Checked, Item, Trust, check_all
from memory.sync.carrier import Carrier, OverQuota, Page, Service
from memory.sync.errors import ServiceWentBack, SyncError
from memory.sync.header import Header
from memory.sync.space import Credentials
from memory.tables import SyncRecordTable, SyncSpaceTable

Erase = Callable[[Sequence[Subject]], Awaitable[object]]
"""Erases with proof; raises Refused where a hold keeps something."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Whom a round works with. ``clock`` returns milliseconds UTC."""

    database: Database
    carrier: Carrier
    trust: Trust
    credentials: Credentials
    reindex: Reindex
    erase: Erase
    clock: Callable[[], int] = now
    blobs: BlobStore | None = None
    """Where files are kept; None where only records move."""


@dataclass(slots=True)
class Round:
    """What a round did, and what waits for the owner's word."""

    pulled: int = 0
    pushed: int = 0
    erased: int = 0
    conflicts: int = 0
    asks: int = 0
    """How many erasures of other devices wait for the owner's word."""
    aside: int = 0
    """How many records were removed without proof in this round."""
    missing: int = 0
    """How many of those are still shown and wait for the owner's word."""
    generation: str = ""
    """Another generation of the service's copy, which waits for the owner's word."""
    epoch: int = 0
    """The epoch of the space's key, where this device has not got that."""
    quota: OverQuota | None = None
    """What of the room at the service is used up."""
    refusal: SyncError | None = None
    """Why the service takes nothing new now."""
    mended: int = 0
    """How many stretches of the ids were read again, because the service had something else there."""
    files_sent: int = 0
    files_arrived: int = 0
    """How many files are whole now where the others get them, or here."""
    files_left: bool = False
    """Whether the next round has more pieces of files to move, and may do so at once."""
    held_back: int = 0
    far_ahead: bool = False
    touched: set[tuple[str, str]] = field(default_factory=set)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Where something lay that is not taken, and why, in the protocol's words."""

    @property
    def waits_for_owner(self) -> bool:
        """Whether something of it is done only at its owner's word."""
        return bool(self.asks or self.missing or self.generation)


async def take(parts: Parts, page: Page) -> Applied:
    """Write a page and how far was read. Raises ServiceWentBack; then nothing is written.

    It is checked before, so that the database is held for the writing alone.
    """
    held, known = await parts.database.read(_held, page.items)
    trust = await parts.database.write(_trust, parts) if _signers(parts) else parts.trust
    checked = await asyncio.to_thread(check_all, page.items, trust, held, parts.clock() // DAY, known)
    return await parts.database.write(_take_page, parts, page, checked)


def apply_items(session: Session, parts: Parts, items: Sequence[Item]) -> Applied:
    """Check and write items that arrived by themselves."""
    held, known = _held(session, items)
    checked = check_all(items, _trust(session, parts), held, parts.clock() // DAY, known)
    return _apply(session, parts, checked)


def _take_page(session: Session, parts: Parts, page: Page, checked: Checked) -> Applied:
    here = space.of(session)
    if here is None or not here.enabled:
        return Applied()
    note_head(session, page.head)
    _compare_clocks(here, parts, checked)
    applied = _apply(session, parts, checked)
    # Nobody wraps anew what lies in a folder below the name of a device that was taken off: it never comes to be taken.
    final = not parts.carrier.linear
    left = [
        *applied.later,
        *(item for item, reason in applied.refused if not (final and reason == REVOKED)),
    ]
    here.position = parts.carrier.after(here.position, page, left)
    return applied


def _compare_clocks(here: SyncSpaceTable, parts: Parts, checked: Checked) -> None:
    if not isinstance(parts.carrier, Service):
        others = (one.header for one in checked.believed if one.header.device_id != here.device_id)
        clocks.compare_with_stamps(here, parts.clock(), (header.ms for header in others))
    elif (service_at := parts.carrier.told_at) is not None:
        clocks.compare_with_service(here, parts.clock(), service_at)


def _apply(session: Session, parts: Parts, checked: Checked) -> Applied:
    return apply(
        session,
        checked,
        parts.credentials,
        now=parts.clock(),
        reindex=parts.reindex,
        linear=parts.carrier.linear,
    )


def _signers(parts: Parts) -> Mapping[str, bytes]:
    return parts.carrier.signers if isinstance(parts.carrier, Service) else {}


def _trust(session: Session, parts: Parts) -> Trust:
    """Return by whom items are checked; of a service only the keys count that it showed first."""
    if not (shown := _signers(parts)):
        return parts.trust
    counting = service_keys.meet(session, shown).values()
    return replace(parts.trust, service=tuple(map(Ed25519PublicKey.from_public_bytes, counting)))


def _held(session: Session, items: Sequence[Item]) -> tuple[dict[str, str], frozenset[str]]:
    """Return which revisions are here, and the records of which they are more than a number."""
    found: dict[str, str] = {}
    passed: set[str] = set()
    for some in portions({Header.unpack(item.sealed.hdr).rid for item in items}):
        table = SyncRecordTable
        for row in session.execute(select(table.rid, table.rev, table.state).where(table.rid.in_(some))):
            found[row.rid] = row.rev
            if row.state == "passed":
                passed.add(row.rid)
    return found, frozenset(found.keys() - passed)


def note_head(session: Session, head: int) -> None:
    """Remember the last number that a service gave; 0 where nobody counts. Raises ServiceWentBack."""
    here = space.of(session)
    if here is None or head == 0:
        return
    if head < here.head:
        raise ServiceWentBack(f"head {head}, seen {here.head}")
    here.head = head


def count(done: Round, applied: Applied) -> None:
    """Add what was applied to what the round did."""
    done.pulled += len(applied.taken)
    done.conflicts += applied.conflicts
    done.aside += applied.aside
    done.far_ahead |= applied.far_ahead
    done.touched |= applied.touched
    done.refused += [(item.source, reason) for item, reason in applied.refused]
