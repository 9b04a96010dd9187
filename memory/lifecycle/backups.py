"""Which backups there are, which of them the rotation lets go, and when the next is due."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import audit
from memory.identifiers import now
from memory.lifecycle import erased
from memory.lifecycle.backup_making import Written
from memory.tables import BackupTable
from memory.tables.records import record, required

Occasion = Literal["owner", "schedule", "migration", "restore"]

DAY = 24 * 60 * 60 * 1000
_AROUND_CHANGES = 3
"""Backups before upgrades, and before restores, that stay."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made and verified; ``path`` is where it was put, ``size`` in bytes."""

    id: str
    at: int
    path: str
    occasion: Occasion
    sha256: str
    size: int
    verified_at: int | None
    removed_at: int | None

    @property
    def there(self) -> bool:
        """Whether the file can be seen now; the disk it is on may be away."""
        return self.removed_at is None and Path(self.path).is_file()


@dataclass(frozen=True, slots=True)
class Keep:
    """Of how many days, weeks and months the newest scheduled backup stays."""

    days: int
    weeks: int
    months: int


def enter(session: Session, written: Written, erased_before: tuple[int, int]) -> Backup | None:
    """Note a finished backup; None, and nothing is noted, where something was erased since its database was copied."""
    if erased.newest(session) != erased_before:
        return None
    return add(session, written)


def add(session: Session, written: Written) -> Backup:
    """Note a finished backup, unless it is known already."""
    row = session.get(BackupTable, written.head.id)
    if row is None:
        row = BackupTable(
            id=written.head.id,
            at=written.head.made_at,
            path=str(written.path),
            occasion=written.head.occasion,
            sha256=written.sha256,
            size=written.size,
            verified_at=now(),
        )
        session.add(row)
        audit.append(session, "backup made", row.id, {"occasion": row.occasion, "size": row.size})
        session.flush()
    return record(Backup, row)


def backup(session: Session, backup_id: str) -> Backup:
    """Return one backup. Raises NotFound."""
    return record(Backup, required(session, BackupTable, backup_id))


def backups(session: Session) -> tuple[Backup, ...]:
    """Return the backups that were not removed, the latest first."""
    chosen = select(BackupTable).where(BackupTable.removed_at.is_(None)).order_by(BackupTable.at.desc())
    return tuple(record(Backup, row) for row in session.scalars(chosen))


def verified(session: Session, backup_id: str) -> Backup:
    """Note that a backup was read again and is whole. Raises NotFound."""
    row = required(session, BackupTable, backup_id)
    row.verified_at = now()
    session.flush()
    return record(Backup, row)


def remove(session: Session, backup_id: str) -> None:
    """Note that a backup's file was removed. Raises NotFound."""
    row = required(session, BackupTable, backup_id)
    if row.removed_at is None:
        row.removed_at = now()
        audit.append(session, "backup removed", backup_id, {"occasion": row.occasion})
        session.flush()


def let_go(known: Iterable[Backup], keep: Keep) -> tuple[Backup, ...]:
    """Return the backups that the rotation removes; those that the owner made never go by themselves."""
    latest = sorted(known, key=lambda one: one.at, reverse=True)
    gone: list[Backup] = []
    for occasion in ("migration", "restore"):
        gone += [one for one in latest if one.occasion == occasion][_AROUND_CHANGES:]
    scheduled = [one for one in latest if one.occasion == "schedule"]
    stay: set[str] = set()
    periods: tuple[tuple[int, Callable[[datetime], tuple[int, ...]]], ...] = (
        (keep.days, lambda at: (at.year, at.timetuple().tm_yday)),
        (keep.weeks, lambda at: tuple(at.isocalendar()[:2])),
        (keep.months, lambda at: (at.year, at.month)),
    )
    for wanted, period in periods:
        newest: dict[tuple[int, ...], Backup] = {}
        for one in scheduled:
            newest.setdefault(period(datetime.fromtimestamp(one.at / 1000, UTC)), one)
        stay |= {one.id for one in list(newest.values())[:wanted]}
    return (*gone, *(one for one in scheduled if one.id not in stay))


def due(known: Iterable[Backup], every_days: int, at: int) -> bool:
    """Whether the next scheduled backup should be made at an instant; never where ``every_days`` is 0.

    Any backup counts. One from the future, as after a clock was set back, does not.
    """
    if every_days == 0:
        return False
    times = [one.at for one in known if one.at <= at]
    # An hour less than the days, so that a daily backup does not move later every day.
    return not times or at - max(times) >= every_days * DAY - DAY // 24
