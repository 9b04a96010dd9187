"""Which messages of the imports cannot be found by their words yet."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.identifiers import now
from memory.tables import ImportTable
from memory.tables.records import required

_AT_A_TIME = 25
_SOME = """
    SELECT p.rowid, m.id FROM provenance AS p JOIN message AS m ON m.id = p.record_id
    WHERE p.import_id = ? AND p.record_type = 'messages' AND p.rowid > ?
      AND m.hidden = 0 AND m.text <> '' AND NOT EXISTS (SELECT 1 FROM passage WHERE passage.message_id = m.id)
    ORDER BY p.rowid LIMIT ?
"""


def waiting(session: Session) -> tuple[str, ...]:
    """Return the finished imports that are not indexed to the end."""
    query = select(ImportTable.id).where(
        ImportTable.finished_at.is_not(None), ImportTable.indexed_at.is_(None), ImportTable.source != "bureau"
    )
    return tuple(session.scalars(query.order_by(ImportTable.at)))


def some_messages(session: Session, import_id: str, after: int) -> list[tuple[int, str]]:
    """Return the places and ids of the next messages of an import to be indexed; ``after`` is the last place."""
    rows = session.connection().exec_driver_sql(_SOME, (import_id, after, _AT_A_TIME))
    return [(place, identifier) for place, identifier in rows]


def indexed(session: Session, import_id: str) -> None:
    """Note that every message of an import can be found. Raises NotFound."""
    required(session, ImportTable, import_id).indexed_at = now()
