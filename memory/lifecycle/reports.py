"""Erase reports: what an erasure did and what the search for traces found, in counts and hashes only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from memory.identifiers import new_id, now
from memory.tables import BackupTable, EraseReportTable, ExportRecordTable
from memory.tables.records import record, required
from resources.language import gettext as _

Level = Literal["quick", "full", "deep"]
State = Literal["scanning", "clean", "traces", "cut_short"]
_OPENERS = "openers"


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

    @property
    def openers(self) -> tuple[str, ...]:
        """After a deep erase: ``recovery key`` and ``passphrase``, as far as the former one is still in use."""
        return tuple(self.proof.get(_OPENERS, ()))


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


def name_openers(session: Session, report_id: str, openers: Sequence[str]) -> None:
    """Keep what could open the former key out of old pieces of the disk; from now on ``renewed`` knows of it."""
    row = required(session, EraseReportTable, report_id)
    row.proof = {**row.proof, _OPENERS: list(openers)}


def deepened(session: Session, openers: Sequence[str]) -> EraseReport:
    """Write the report of a change of keys alone, for everything that was erased before."""
    report_id = begin(session, "deep", {}, now())
    name_openers(session, report_id, openers)
    return conclude(session, report_id, "deep", "clean", {})


def renewed(session: Session, opener: str) -> None:
    """Take an opener out of every report, because its owner has made another one and thrown the former away."""
    for row in session.scalars(select(EraseReportTable)):
        if opener in row.proof.get(_OPENERS, ()):
            row.proof = {**row.proof, _OPENERS: [one for one in row.proof[_OPENERS] if one != opener]}


def claim(report: EraseReport, known: Sequence[Copy]) -> str:
    """Return what may be claimed of a deep erase, empty where something that still exists could open old pieces.

    ``known`` are the copies that still exist.
    """
    if report.level != "deep" or report.state != "clean" or known or report.proof.get(_OPENERS) != []:
        return ""
    return _(
        "No byte of it is in any file of Bureau, and nothing on the disk that held it can be decrypted with any "
        "key that still exists."
    )


def warnings(openers: Sequence[str]) -> list[str]:
    """Return for each opener a sentence that says what it could still do."""
    said = {
        "recovery key": _(
            "Whoever has the words of your recovery key could still read old pieces of this disk with them."
        ),
        "passphrase": _("Whoever knows your passphrase could still read old pieces of this disk with it."),
    }
    return [said[opener] for opener in openers]


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
