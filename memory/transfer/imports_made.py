"""The imports that were made: what came in, from where, and what of it could not."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.tables import ImportTable
from memory.tables.records import record


@dataclass(frozen=True, slots=True)
class ImportMade:
    """One import that was finished; ``source`` and ``problems`` are as in the table."""

    id: str
    at: int
    source: str
    name: str
    counts: dict[str, int]
    problems: tuple[dict[str, Any], ...]
    finished_at: int


def imports_made(session: Session, *, limit: int = 50) -> tuple[ImportMade, ...]:
    """Return the finished imports, the latest first."""
    chosen = (
        select(ImportTable)
        .where(ImportTable.finished_at.is_not(None))
        .order_by(ImportTable.at.desc())
        .limit(limit)
    )
    return tuple(record(ImportMade, row) for row in session.scalars(chosen))
