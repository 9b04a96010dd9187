"""What its owner holds or keeps out of use, listed so that it can be released."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from memory.lifecycle.subjects import TABLES, Kind, Subject
from memory.tables import AttachmentTable, ConversationTable, MessageTable, NoteTable
from memory.titles import title_from

_NAMES: dict[Kind, Any] = {
    "conversation": ConversationTable.title,
    "message": MessageTable.text,
    "file": AttachmentTable.name,
    "note": NoteTable.text,
}


@dataclass(frozen=True, slots=True)
class Marked:
    """One thing with a hold (``held_at``), or that agents are not given (``restricted``), or both."""

    subject: Subject
    label: str
    held_at: int | None
    restricted: bool


def marked(session: Session) -> tuple[Marked, ...]:
    """Return everything that is held or restricted, the holds first, the latest hold first."""
    found: list[Marked] = []
    for kind, name in _NAMES.items():
        table: Any = TABLES[kind]
        chosen = select(table.id, name, table.held_at, table.restricted).where(
            or_(table.held_at.is_not(None), table.restricted)
        )
        found += [
            Marked(Subject(kind, row[0]), title_from(row[1]), row[2], row[3])
            for row in session.execute(chosen)
        ]
    return tuple(sorted(found, key=lambda one: -(one.held_at or 0)))


def mark_of(session: Session, subject: Subject) -> tuple[bool, bool]:
    """Return whether something is held, and whether it is restricted. A thing that is gone is neither."""
    table: Any = TABLES[subject.kind]
    row = session.execute(select(table.held_at, table.restricted).where(table.id == subject.id)).one_or_none()
    return (False, False) if row is None else (row[0] is not None, bool(row[1]))
