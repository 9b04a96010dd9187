"""Holds, which keep things from every deletion, and restrictions, which keep them from being used."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import audit
from memory.errors import Refused
from memory.identifiers import now
from memory.lifecycle.subjects import RECORDS, TABLES, Kind, Subject
from memory.runs import UNFINISHED
from memory.tables import ConversationTable, MessageTable, RunTable
from memory.tables.records import required
from resources.language import gettext as _

_KINDS: tuple[Kind, ...] = ("conversation", "message", "file", "note")

Reindex = Callable[[Session, str], None]
"""Writes the passages of one message anew."""


def hold(session: Session, subject: Subject, *, held: bool) -> None:
    """Set a legal hold, or release it; the audit trail keeps that, by kind alone. Raises NotFound or Refused."""
    row = _row(session, subject)
    if (row.held_at is not None) == held:
        return
    row.held_at = now() if held else None
    audit.append(session, "hold set" if held else "hold released", RECORDS[subject.kind])
    session.flush()


def restrict(session: Session, subject: Subject, *, restricted: bool, reindex: Reindex) -> None:
    """Keep something, but out of prompts and recall; or let it be used again. Raises NotFound or Refused.

    The passages of the messages after a restricted one repeat its last words, so they are made anew.
    """
    row = _row(session, subject)
    if row.restricted == restricted:
        return
    row.restricted = restricted
    audit.append(session, "restricted" if restricted else "restriction lifted", RECORDS[subject.kind])
    session.flush()
    if subject.kind == "message":
        for message_id in _repeating(session, row):
            reindex(session, message_id)


def refuse_restricted(session: Session, conversation_id: str, question_id: str = "") -> None:
    """Raise Refused where a conversation, or the message that is to be answered in it, is restricted."""
    if session.scalar(select(ConversationTable.restricted).where(ConversationTable.id == conversation_id)):
        raise Refused(
            _("This chat is restricted, so no agent is given it: lift the restriction to write in it.")
        )
    if question_id and session.scalar(select(MessageTable.restricted).where(MessageTable.id == question_id)):
        raise Refused(
            _(
                "Your message is restricted, so no agent is given it: lift the restriction to have it answered."
            )
        )


def refuse_given(session: Session, run_id: str) -> None:
    """Raise Refused where a run that is about to go on was given something that is restricted now."""
    row = required(session, RunTable, run_id)
    if not row.history:
        return  # it begins anew, from what may be used
    given = f"{row.context}{row.history}"
    for kind in _KINDS:
        table: Any = TABLES[kind]
        if any(
            identifier in given for identifier in session.scalars(select(table.id).where(table.restricted))
        ):
            raise Refused(_("This answer was given something that is restricted now: ask again instead."))


def at_work_on(session: Session, subject: Subject) -> tuple[str, ...]:
    """Return the unfinished runs of the subject's conversation, and those elsewhere that were given it."""
    row = _row(session, subject)
    here = row.id if subject.kind == "conversation" else getattr(row, "conversation_id", None)
    found = session.scalars(select(RunTable).where(RunTable.state.in_(UNFINISHED)))
    return tuple(
        run.id for run in found if run.conversation_id == here or subject.id in f"{run.context}{run.history}"
    )


def _repeating(session: Session, row: MessageTable) -> list[str]:
    """Return the messages whose passages hold words of this one: itself, and those right after it."""
    shown = (~MessageTable.hidden, MessageTable.trashed_at.is_(None))
    after = session.scalars(select(MessageTable.id).where(MessageTable.parent_id == row.id, *shown))
    itself = [] if row.hidden or row.trashed_at is not None else [row.id]
    return [*itself, *after]


def _row(session: Session, subject: Subject) -> Any:
    if subject.kind not in _KINDS:
        raise Refused(_("Only conversations, messages, files and notes can be held or restricted."))
    return required(session, TABLES[subject.kind], subject.id)
