"""Erase reports: what an erasure did and what the search for traces found, in counts and hashes only."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from memory.identifiers import new_id, now
from memory.tables import BackupTable, EraseReportTable, ExportRecordTable
from memory.tables.records import record, required

Level = Literal["quick", "full", "deep"]
State = Literal["scanning", "clean", "traces", "cut_short"]


@dataclass(frozen=True, slots=True)
class EraseReport:
    """One report. ``copies`` are the ids of exports and backups made while the items existed."""

    id: str
    at: int
    level: Level
    state: State
    counts: dict[str, int]
    proof: dict[str, Any]
    copies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """An export or a backup that still holds what was erased, by the path it was written to."""

    id: str
    kind: Literal["export", "backup"]
    path: str
    at: int


def begin(session: Session, level: Level, counts: dict[str, int], made_at: int) -> str:
    """Write a report whose search is still to come; ``made_at`` is when the oldest item was made."""
    row = EraseReportTable(
        id=new_id(),
        at=now(),
        level=level,
        state="scanning",
        counts=counts,
        copies=[copy.id for copy in copies_since(session, made_at)],
    )
    session.add(row)
    session.flush()
    return row.id


def conclude(
    session: Session, report_id: str, level: Level, state: State, proof: dict[str, Any]
) -> EraseReport:
    """Keep what a search found. Raises NotFound."""
    row = required(session, EraseReportTable, report_id)
    row.level, row.state, row.proof = level, state, {**row.proof, level: proof}
    session.flush()
    return record(EraseReport, row)


def report(session: Session, report_id: str) -> EraseReport:
    """Return one report. Raises NotFound."""
    return record(EraseReport, required(session, EraseReportTable, report_id))


def reports(session: Session, *, limit: int = 100) -> tuple[EraseReport, ...]:
    """Return the reports, the latest first."""
    chosen = select(EraseReportTable).order_by(EraseReportTable.at.desc()).limit(limit)
    return tuple(record(EraseReport, row) for row in session.scalars(chosen))


def cut_short(session: Session) -> int:
    """Mark the reports whose search a crash or a closed office ended; return how many."""
    found = session.scalars(select(EraseReportTable.id).where(EraseReportTable.state == "scanning")).all()
    session.execute(update(EraseReportTable).where(EraseReportTable.id.in_(found)).values(state="cut_short"))
    return len(found)


def copies(session: Session, identifiers: tuple[str, ...]) -> tuple[Copy, ...]:
    """Return the copies of a report that are still known to exist."""
    return tuple(copy for copy in copies_since(session, 0) if copy.id in identifiers)


def copies_since(session: Session, at: int) -> tuple[Copy, ...]:
    """Return the exports and backups made since an instant and not removed as far as is known."""
    found: list[Copy] = []
    for kind, table in (("export", ExportRecordTable), ("backup", BackupTable)):
        chosen = select(table.id, table.path, table.at).where(table.at >= at, table.removed_at.is_(None))
        found += [Copy(row.id, kind, row.path, row.at) for row in session.execute(chosen)]  # type: ignore[arg-type]  # one of the two words
    return tuple(found)
