"""The memory of what was erased: hashes that no import, backup or device gets past unasked."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from memory.identifiers import now
from memory.tables import ErasedTable

Reason = Literal["owner", "trash", "retention"]

CONTENT = "content"
"""As a kind: the content of a file, known by the SHA-256 of its bytes."""

_VARIABLES = 500


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One erased record, as the erase log of a backup or another device is read."""

    record_hash: str
    kind: str
    at: int
    reason: str


def record_hash(kind: str, identifier: str) -> str:
    """Return the hash that stands for a record.

    ``kind`` is its type in an export (``messages``, ``conversations``, ``files``, ``memory``, ``agents``,
    ``connections``) with its id, or CONTENT with the SHA-256 of a file's bytes.
    """
    return hashlib.sha256(f"{kind}:{identifier}".encode()).hexdigest()


def remember(session: Session, kind: str, identifiers: Iterable[str], reason: Reason) -> None:
    """Keep in mind that these records were erased; those remembered already stay as they are."""
    at = now()
    rows = [
        {"record_hash": record_hash(kind, identifier), "kind": kind, "at": at, "reason": reason}
        for identifier in identifiers
    ]
    if rows:
        session.execute(insert(ErasedTable).prefix_with("OR IGNORE"), rows)


def among(session: Session, kind: str, identifiers: Iterable[str]) -> frozenset[str]:
    """Return those of the ids that were erased here."""
    by_hash = {record_hash(kind, identifier): identifier for identifier in identifiers}
    hashes, found = list(by_hash), set()
    for start in range(0, len(hashes), _VARIABLES):
        some = hashes[start : start + _VARIABLES]
        chosen = select(ErasedTable.record_hash).where(ErasedTable.record_hash.in_(some))
        found |= {by_hash[one] for one in session.scalars(chosen)}
    return frozenset(found)


def log(session: Session, *, since: int = 0) -> tuple[Tombstone, ...]:
    """Return the erase log from an instant on, the oldest first: what a restored backup is to replay."""
    chosen = select(ErasedTable).where(ErasedTable.at >= since).order_by(ErasedTable.at)
    return tuple(Tombstone(row.record_hash, row.kind, row.at, row.reason) for row in session.scalars(chosen))


def newest(session: Session) -> tuple[int, int]:
    """Return how many tombstones there are and when the last was set, 0 without any: it differs after every erasure."""
    count, at = session.execute(select(func.count(), func.max(ErasedTable.at)).select_from(ErasedTable)).one()
    return count, at or 0


def take_over(session: Session, entries: Iterable[Tombstone]) -> None:
    """Add the erase log of another state of this office; what is known already stays as it is."""
    rows = [
        {"record_hash": one.record_hash, "kind": one.kind, "at": one.at, "reason": one.reason}
        for one in entries
    ]
    if rows:
        session.execute(insert(ErasedTable).prefix_with("OR IGNORE"), rows)
