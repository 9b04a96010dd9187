"""What an import of our own export brought in and that cannot be found by its words yet."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import audit
from memory.tables import AuditTable
from memory.transfer.incoming_workspace import COMMITTED

INDEXED = "import indexed"
_AT_A_TIME = 25
_MESSAGES = """
    SELECT rowid, id FROM message WHERE rowid > ? AND text <> '' AND hidden = 0 AND restricted = 0
      AND NOT EXISTS (SELECT 1 FROM passage WHERE passage.message_id = message.id) ORDER BY rowid LIMIT ?
"""
_NOTES = """
    SELECT rowid, id FROM note WHERE rowid > ? AND state = 'accepted' AND trashed_at IS NULL AND restricted = 0
      AND valid_to IS NULL
      AND NOT EXISTS (SELECT 1 FROM passage WHERE passage.note_id = note.id) ORDER BY rowid LIMIT ?
"""
_FILES = """
    SELECT id FROM attachment WHERE state = 'ready' AND trashed_at IS NULL AND restricted = 0
      AND NOT EXISTS (SELECT 1 FROM passage WHERE passage.attachment_id = attachment.id) ORDER BY rowid
"""


def waiting(session: Session) -> tuple[str, ...]:
    """Return the tokens of the imports that are not indexed to the end."""
    done = select(AuditTable.subject).where(AuditTable.kind == INDEXED)
    query = select(AuditTable.subject).where(AuditTable.kind == COMMITTED, AuditTable.subject.not_in(done))
    return tuple(session.scalars(query))


def some(session: Session, notes: bool, after: int) -> list[tuple[int, str]]:
    """Return the next messages, or notes, without passages: their places and ids; ``after`` is the last place."""
    rows = session.connection().exec_driver_sql(_NOTES if notes else _MESSAGES, (after, _AT_A_TIME))
    return [(place, identifier) for place, identifier in rows]


def files(session: Session) -> tuple[str, ...]:
    """Return the files that were read before and of which nothing is indexed here."""
    return tuple(identifier for (identifier,) in session.connection().exec_driver_sql(_FILES))


def indexed(session: Session, token: str) -> None:
    """Note that everything of an import can be found."""
    audit.append(session, INDEXED, token)
