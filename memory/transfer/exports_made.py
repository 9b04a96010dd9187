"""The register of exports as its owner reads it, and their word that a file is gone."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.identifiers import now
from memory.tables import ExportRecordTable
from memory.tables.records import record, required


@dataclass(frozen=True, slots=True)
class ExportMade:
    """One export; ``removed_at`` is when its owner said that the file is gone."""

    id: str
    at: int
    path: str
    sha256: str
    size: int
    encrypted: bool
    filters: dict[str, Any]
    counts: dict[str, int]
    removed_at: int | None


def exports_made(session: Session, *, limit: int = 100) -> tuple[ExportMade, ...]:
    """Return the exports, the latest first."""
    chosen = select(ExportRecordTable).order_by(ExportRecordTable.at.desc()).limit(limit)
    return tuple(record(ExportMade, row) for row in session.scalars(chosen))


def say_gone(session: Session, export_id: str, *, gone: bool = True) -> None:
    """Note that the file of an export is gone, so that no report names it; or take that back. Raises NotFound."""
    required(session, ExportRecordTable, export_id).removed_at = now() if gone else None
