"""What a round works with, what it did, and how a page that it was given is written together with how far was read."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from memory.database import Database
from memory.identifiers import now
from memory.lifecycle.subjects import Subject
from memory.sync import space
from memory.sync.applying import Reindex, apply
from memory.sync.arrival import Applied, Item, Trust
from memory.sync.carrier import Carrier, OverQuota, Page, Service
from memory.sync.errors import ServiceWentBack, SyncError
from memory.sync.space import Credentials

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
    held_back: int = 0
    far_ahead: bool = False
    touched: set[tuple[str, str]] = field(default_factory=set)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Where something lay that is not taken, and why, in the protocol's words."""

    @property
    def waits_for_owner(self) -> bool:
        """Whether something of it is done only at its owner's word."""
        return bool(self.asks or self.missing or self.generation)


def take_page(session: Session, parts: Parts, page: Page) -> Applied:
    """Write a page and how far was read in one transaction. Raises ServiceWentBack; then nothing is written."""
    here = space.of(session)
    if here is None or not here.enabled:
        return Applied()
    note_head(session, page.head)
    applied = apply_items(session, parts, page.items)
    left = [*applied.later, *(item for item, _reason in applied.refused)]
    here.position = parts.carrier.after(here.position, page, left)
    return applied


def apply_items(session: Session, parts: Parts, items: Sequence[Item]) -> Applied:
    """Write items that arrived."""
    signers = parts.carrier.signers if isinstance(parts.carrier, Service) else ()
    return apply(
        session,
        items,
        replace(parts.trust, service=signers),
        parts.credentials,
        now=parts.clock(),
        reindex=parts.reindex,
        linear=parts.carrier.linear,
    )


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
