"""The audit trail: what was done to keys, settings and data; every entry is chained to the one before."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from memory.errors import DatabaseDamaged
from memory.identifiers import now
from memory.tables import AuditTable
from memory.tables.records import record
from resources.language import gettext as _

_BEFORE_THE_FIRST = "0" * 64
_SHORTENED = "audit shortened"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry. ``detail`` holds ids, names and counts, never a secret and never content."""

    number: int
    at: int
    kind: str
    subject: str
    detail: dict[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class End:
    """The last entry's number and hash; 0 and the hash before the first where there is none."""

    number: int
    hash: str


def end(session: Session) -> End:
    """Return where the trail ends."""
    last = session.execute(
        select(AuditTable.number, AuditTable.hash).order_by(AuditTable.number.desc()).limit(1)
    ).one_or_none()
    return End(last.number, last.hash) if last else End(0, _BEFORE_THE_FIRST)


def reaches(session: Session, number: int, noted: str) -> bool:
    """Return whether the trail has the entry that was once its last, or retention has removed it since."""
    found = session.scalar(select(AuditTable.hash).where(AuditTable.number == number))
    return found == noted if found is not None else number < _beginning(session)[1]


def append(session: Session, kind: str, subject: str, detail: dict[str, Any] | None = None) -> AuditEntry:
    """Add an entry such as ``("key_added", connection_id, {"label": …})`` to the end of the chain."""
    last = session.scalar(select(AuditTable).order_by(AuditTable.number.desc()).limit(1))
    number, previous = (last.number + 1, last.hash) if last else (1, _BEFORE_THE_FIRST)
    at, said = now(), detail or {}
    row = AuditTable(
        number=number,
        at=at,
        kind=kind,
        subject=subject,
        detail=said,
        previous_hash=previous,
        hash=_hash(number, at, kind, subject, said, previous),
    )
    session.add(row)
    session.flush()
    return record(AuditEntry, row)


def entries(
    session: Session, *, limit: int = 200, before: int | None = None, kind: str = ""
) -> Sequence[AuditEntry]:
    """Return a page of the trail, the latest first; ``before`` is the last number already shown.

    ``kind`` narrows it to entries of one kind.
    """
    query = select(AuditTable).order_by(AuditTable.number.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditTable.number < before)
    if kind:
        query = query.where(AuditTable.kind == kind)
    return tuple(record(AuditEntry, row) for row in session.scalars(query))


def shorten(session: Session, before: int) -> int:
    """Remove the entries older than an instant from the beginning of the trail; return how many.

    The last one's number and hash stay in a new entry, so that the chain is still checked from there on.
    """
    kept = select(AuditTable.number).where(AuditTable.at >= before).order_by(AuditTable.number).limit(1)
    first = session.scalar(kept)
    query = select(AuditTable).order_by(AuditTable.number.desc()).limit(1)
    last = session.scalar(query if first is None else query.where(AuditTable.number < first))
    if last is None:
        return 0
    append(session, _SHORTENED, "audit", {"through": last.number, "hash": last.hash})
    removed = session.execute(delete(AuditTable).where(AuditTable.number <= last.number))
    return int(removed.rowcount)  # type: ignore[attr-defined]  # a cursor's result


def _beginning(session: Session) -> tuple[str, int]:
    """Return the hash before the first entry that is left, and its number."""
    first = session.scalar(select(AuditTable).order_by(AuditTable.number).limit(1))
    if first is None or first.number == 1:
        return _BEFORE_THE_FIRST, 1
    shortenings = (
        select(AuditTable.detail).where(AuditTable.kind == _SHORTENED).order_by(AuditTable.number.desc())
    )
    cut = session.scalar(shortenings.limit(1)) or {"through": 0, "hash": _BEFORE_THE_FIRST}
    return str(cut["hash"]), int(cut["through"]) + 1


def kinds(session: Session) -> tuple[str, ...]:
    """Return every kind of entry that the trail has, sorted."""
    return tuple(session.scalars(select(AuditTable.kind).distinct().order_by(AuditTable.kind)))


def verify(session: Session) -> int:
    """Check the whole chain and return its length, without what retention removed from its beginning.

    Raises DatabaseDamaged naming the first entry that was changed, removed or put in. Entries cut off the end
    show only against an end noted elsewhere (``reaches``).
    """
    previous, expected = _beginning(session)
    begun = expected
    for row in session.scalars(select(AuditTable).order_by(AuditTable.number)):
        computed = _hash(row.number, row.at, row.kind, row.subject, row.detail, previous)
        if row.number != expected or row.previous_hash != previous or row.hash != computed:
            raise DatabaseDamaged(
                _(
                    "The audit trail was changed at entry {number}: restore a backup to see what stood there."
                ).format(number=expected)
            )
        previous, expected = row.hash, expected + 1
    return expected - begun


def _hash(number: int, at: int, kind: str, subject: str, detail: dict[str, Any], previous: str) -> str:
    said = json.dumps([number, at, kind, subject, detail, previous], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()
