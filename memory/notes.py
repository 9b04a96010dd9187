"""What the office remembers on purpose: core notes, facts, preferences, procedures."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from sqlalchemy import Integer, and_, literal_column, or_, select, update
from sqlalchemy.orm import Session

from memory.errors import Refused
from memory.identifiers import new_id, now
from memory.tables import NoteTable
from memory.tables.records import record, required
from resources.language import gettext as _

NoteKind = Literal["core", "fact", "preference", "procedure"]
NoteScope = Literal["office", "agent", "conversation"]
NoteState = Literal["proposed", "accepted", "rejected"]


@dataclass(frozen=True, slots=True)
class Note:
    """A note with its birth certificate; never overwritten, only superseded."""

    id: str
    kind: NoteKind
    scope: NoteScope
    scope_id: str | None
    text: str
    state: NoteState
    source_message_id: str | None
    source_attachment_id: str | None
    agent_id: str | None
    model: str
    created_at: int
    valid_from: int
    valid_to: int | None
    supersedes_id: str | None
    uses: int
    last_used_at: int | None
    pinned_at: int | None


@dataclass(frozen=True, slots=True)
class Trashed:
    """What ``forget`` took out of sight; ``undo_forget`` brings it back."""

    note: Note
    trashed_at: int


def add_note(
    session: Session,
    text: str,
    *,
    kind: NoteKind = "fact",
    scope: NoteScope = "office",
    scope_id: str | None = None,
    state: NoteState = "accepted",
    source_message_id: str | None = None,
    source_attachment_id: str | None = None,
    agent_id: str | None = None,
    model: str = "",
) -> Note:
    """Write a note with its birth certificate. Raises Refused for an empty text or a scope without its id."""
    row = NoteTable(
        id=new_id(),
        kind=kind,
        scope=scope,
        scope_id=_scope_id(scope, scope_id),
        text=_said(text),
        state=state,
        source_message_id=source_message_id,
        source_attachment_id=source_attachment_id,
        agent_id=agent_id,
        model=model,
        created_at=now(),
        valid_from=now(),
    )
    session.add(row)
    session.flush()
    return record(Note, row)


def accept_note(session: Session, note_id: str, *, text: str | None = None) -> Note:
    """Take a proposal over, in other words where ``text`` is given. Raises NotFound or Refused."""
    row = _proposal(session, note_id)
    if text is not None:
        row.text = _said(text)
    row.state, row.valid_from = "accepted", now()
    if row.supersedes_id is not None:
        _end(session, row.supersedes_id)
    session.flush()
    return record(Note, row)


def reject_note(session: Session, note_id: str) -> Note:
    """Turn a proposal down. Raises NotFound, or Refused where it is no proposal any more."""
    row = _proposal(session, note_id)
    row.state, row.valid_to = "rejected", now()
    session.flush()
    return record(Note, row)


def supersede_note(session: Session, note_id: str, text: str, **origin: Any) -> Note:
    """Write a new version: the old one keeps its words and ends now; kind, scope and pin go on.

    ``origin`` names who changed it, as in ``add_note``; a version with state ``proposed`` ends the old one
    only when it is accepted. Raises NotFound, or Refused where a newer version exists.
    """
    old = required(session, NoteTable, note_id)
    if old.valid_to is not None:
        raise Refused(_("This note was changed or rejected meanwhile: look at its newest version."))
    new = add_note(session, text, kind=old.kind, scope=old.scope, scope_id=old.scope_id, **origin)  # type: ignore[arg-type]  # columns hold these words only
    row = required(session, NoteTable, new.id)
    row.supersedes_id, row.pinned_at = old.id, old.pinned_at
    if row.state == "accepted":
        _end(session, old.id)
    session.flush()
    return record(Note, row)


def forget_note(session: Session, note_id: str) -> Trashed:
    """Move a note to the trash: it is neither shown nor recalled until ``undo_forget``. Raises NotFound."""
    row = required(session, NoteTable, note_id)
    row.trashed_at = now()
    session.flush()
    return Trashed(record(Note, row), row.trashed_at)


def undo_forget(session: Session, note_id: str) -> Note:
    """Take a note out of the trash. Raises NotFound."""
    row = required(session, NoteTable, note_id)
    row.trashed_at = None
    session.flush()
    return record(Note, row)


def note(session: Session, note_id: str) -> Note:
    """Return one note, in whatever state. Raises NotFound."""
    return record(Note, required(session, NoteTable, note_id))


def notes(
    session: Session,
    *,
    state: NoteState = "accepted",
    kinds: Sequence[NoteKind] = (),
    scope: NoteScope | None = None,
    scope_id: str | None = None,
    text: str = "",
    earlier: bool = False,
    limit: int = 500,
) -> tuple[Note, ...]:
    """Return notes that are valid now, pinned first, then the latest.

    ``earlier`` lists the superseded ones instead; ``text`` keeps those that hold all its words, in any case.
    """
    query = select(NoteTable).where(NoteTable.state == state, NoteTable.trashed_at.is_(None))
    if state != "rejected":
        query = query.where(NoteTable.valid_to.is_not(None) if earlier else NoteTable.valid_to.is_(None))
    if kinds:
        query = query.where(NoteTable.kind.in_(kinds))
    if scope is not None:
        query = query.where(NoteTable.scope == scope)
    if scope_id is not None:
        query = query.where(NoteTable.scope_id == scope_id)
    words = text.casefold().split()
    latest = literal_column("note.rowid", Integer).desc()
    rows = session.scalars(query.order_by(NoteTable.pinned_at.is_(None), latest))
    found = (row for row in rows if all(word in row.text.casefold() for word in words))
    return tuple(record(Note, row) for row in islice(found, limit))


def versions(session: Session, note_id: str) -> tuple[Note, ...]:
    """Return a note and what it superseded, the newest first. Raises NotFound."""
    found = [note(session, note_id)]
    while (older := found[-1].supersedes_id) is not None:
        found.append(note(session, older))
    return tuple(found)


def visible_notes(
    session: Session,
    *,
    agent_id: str | None,
    conversation_id: str | None,
    kinds: Sequence[NoteKind] = ("core", "fact", "preference", "procedure"),
) -> tuple[Note, ...]:
    """Return the accepted notes an agent may use here: the office's, its own and the conversation's."""
    in_scope = or_(
        NoteTable.scope == "office",
        and_(NoteTable.scope == "agent", NoteTable.scope_id == agent_id),
        and_(NoteTable.scope == "conversation", NoteTable.scope_id == conversation_id),
    )
    query = select(NoteTable).where(
        NoteTable.state == "accepted",
        NoteTable.kind.in_(kinds),
        NoteTable.valid_to.is_(None),
        NoteTable.trashed_at.is_(None),
        NoteTable.restricted.is_(False),
        in_scope,
    )
    return tuple(record(Note, row) for row in session.scalars(query.order_by(literal_column("note.rowid"))))


def is_recalled(session: Session, note_id: str) -> bool:
    """Whether a note may be found again: accepted, valid, neither in the trash nor restricted. Raises NotFound."""
    row = required(session, NoteTable, note_id)
    return row.state == "accepted" and row.valid_to is None and row.trashed_at is None and not row.restricted


def core_notes(session: Session, *, agent_id: str | None) -> tuple[Note, ...]:
    """Return what stands in every prompt of this agent: the office's core notes, then its own, as written."""
    found = visible_notes(session, agent_id=agent_id, conversation_id=None, kinds=("core",))
    return tuple(sorted(found, key=lambda each: each.scope != "office"))


def mark_used(session: Session, note_ids: Sequence[str]) -> None:
    """Count a use of each note in a run's context."""
    session.execute(
        update(NoteTable)
        .where(NoteTable.id.in_(note_ids))
        .values(uses=NoteTable.uses + 1, last_used_at=now())
        .execution_options(synchronize_session="fetch")
    )


def pin_note(session: Session, note_id: str, *, pinned: bool) -> Note:
    """Pin a note, or take its pin away. Raises NotFound."""
    row = required(session, NoteTable, note_id)
    row.pinned_at = now() if pinned else None
    return record(Note, row)


def _proposal(session: Session, note_id: str) -> NoteTable:
    row = required(session, NoteTable, note_id)
    if row.state != "proposed":
        raise Refused(_("This proposal was answered already: look for it among the notes."))
    return row


def _end(session: Session, note_id: str) -> None:
    required(session, NoteTable, note_id).valid_to = now()


def _said(text: str) -> str:
    if not text.strip():
        raise Refused(_("A note needs words: type what is to be remembered."))
    return text.strip()


def _scope_id(scope: NoteScope, scope_id: str | None) -> str | None:
    if scope == "office":
        return None
    if not scope_id:
        raise Refused(_("Say which agent or conversation the note belongs to, or keep it for the office."))
    return scope_id
