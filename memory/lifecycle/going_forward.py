"""What never goes back when a backup is restored: the trail, the erase log, the ledgers, what was agreed to.

A restored office would otherwise forget what left the machine since, and bring back what was erased.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from memory.lifecycle.erased import record_hash
from memory.lifecycle.subjects import RECORDS, TABLES, Subject, portions
from memory.runs import UNFINISHED, interrupt_unfinished
from memory.tables import (
    AuditTable,
    BackupTable,
    Base,
    ConsentTable,
    ErasedTable,
    EraseReportTable,
    ExportRecordTable,
    IndexSnapshotTable,
    OutboxTable,
    RunTable,
    SettingTable,
    SyncReceiptTable,
    UsageTable,
)

CARRIED: tuple[type[Base], ...] = (
    AuditTable,
    ErasedTable,
    EraseReportTable,
    ExportRecordTable,
    BackupTable,
    ConsentTable,
    UsageTable,
    OutboxTable,
    SyncReceiptTable,
)
_SETTINGS = ("backup.folder", "lifecycle.clock")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Carried:
    """Rows of the present, by table, as plain values."""

    rows: dict[str, list[dict[str, Any]]]


def carry(session: Session) -> Carried:
    """Take what goes forward out of the present database."""
    rows = {table.__tablename__: _values(session, select(table.__table__)) for table in CARRIED}
    kept = select(SettingTable.__table__).where(SettingTable.key.in_(_SETTINGS))
    return Carried({**rows, SettingTable.__tablename__: _values(session, kept)})


def take_over(session: Session, carried: Carried) -> None:
    """Put it into the restored database; rows that it has as well become those of the present."""
    session.execute(update(RunTable).where(RunTable.state.in_(UNFINISHED)).values(state="running"))
    interrupt_unfinished(session)
    session.execute(delete(IndexSnapshotTable))
    # The trail is one chain: what the backup has of it is its beginning, or that of a state left behind before.
    session.execute(delete(AuditTable))
    tables: tuple[type[Base], ...] = (*CARRIED, SettingTable)
    for table in tables:
        named = {
            column.name: set(session.scalars(select(key.column)))
            for column in table.__table__.columns
            for key in column.foreign_keys
        }
        rows = [
            {
                name: None if name in named and value not in named[name] else value
                for name, value in row.items()
            }
            for row in carried.rows[table.__tablename__]
        ]
        for start in range(0, len(rows), _AT_ONCE):
            session.execute(insert(table).prefix_with("OR REPLACE"), rows[start : start + _AT_ONCE])
    session.flush()


def come_back(session: Session) -> Sequence[Subject]:
    """Return what stands in this database although it was erased."""
    hashes = set(session.scalars(select(ErasedTable.record_hash)))
    found: list[Subject] = []
    for kind, table in TABLES.items():
        key: Any = table
        found += [
            Subject(kind, identifier)
            for identifier in session.scalars(select(key.id))
            if record_hash(RECORDS[kind], identifier) in hashes
        ]
    return found


def let_go(session: Session, subjects: Sequence[Subject]) -> None:
    """Lift the holds from what was erased: they were lifted before it went."""
    for kind, table in TABLES.items():
        key: Any = table
        if not hasattr(key, "held_at"):
            continue
        for some in portions([one.id for one in subjects if one.kind == kind]):
            session.execute(update(table).where(key.id.in_(some)).values(held_at=None))


def _values(session: Session, chosen: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in session.execute(chosen)]
