"""Holds, which keep things from every deletion, and restrictions, which keep them from being used."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import audit
from memory.errors import Refused
from memory.identifiers import now
from memory.lifecycle.subjects import RECORDS, TABLES, Subject
from memory.tables import ConversationTable
from memory.tables.records import required
from resources.language import gettext as _

_KINDS = ("conversation", "message", "file", "note")


def hold(session: Session, subject: Subject, *, held: bool) -> None:
    """Set a legal hold, or release it; the audit trail keeps that, by kind alone. Raises NotFound or Refused."""
    row = _row(session, subject)
    if (row.held_at is not None) == held:
        return
    row.held_at = now() if held else None
    audit.append(session, "hold set" if held else "hold released", RECORDS[subject.kind])
    session.flush()


def restrict(session: Session, subject: Subject, *, restricted: bool) -> None:
    """Keep something, but out of prompts and recall; or let it be used again. Raises NotFound or Refused."""
    row = _row(session, subject)
    if row.restricted == restricted:
        return
    row.restricted = restricted
    audit.append(session, "restricted" if restricted else "restriction lifted", RECORDS[subject.kind])
    session.flush()


def is_restricted(session: Session, conversation_id: str) -> bool:
    """Say whether a conversation's own turns must not be sent."""
    chosen = select(ConversationTable.restricted).where(ConversationTable.id == conversation_id)
    return bool(session.scalar(chosen))


def _row(session: Session, subject: Subject) -> Any:
    if subject.kind not in _KINDS:
        raise Refused(_("Only conversations, messages, files and notes can be held or restricted."))
    return required(session, TABLES[subject.kind], subject.id)
