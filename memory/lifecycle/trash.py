"""The trash: what its owner put away, whole and out of sight, until its days are over or it is brought back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from memory import settings
from memory.errors import ManyAtOnce, Refused
from memory.identifiers import now
from memory.lifecycle.subjects import TABLES, Kind, Subject, kept_by_holds
from memory.tables import (
    AgentTable,
    AttachmentTable,
    ConversationTable,
    MessageTable,
    NoteTable,
    SyncRecordTable,
)
from memory.tables.records import required
from memory.titles import title_from
from resources.language import gettext as _

DAY = 86_400_000
"""Milliseconds."""
ASIDE_DAYS = 30
"""So long stays in the trash what another device or a service removed without proof, whatever the owner's days are."""
MOST_AT_ONCE = 50
"""More things than this in one go need their number typed."""
LARGEST_SHARE, FEW = 4, 20
"""So does more than one in LARGEST_SHARE of all of a kind, where there are more than FEW of it."""

_NAMES: dict[Kind, Any] = {
    "conversation": ConversationTable.title,
    "message": MessageTable.text,
    "file": AttachmentTable.name,
    "note": NoteTable.text,
    "agent": AgentTable.name,
}
KINDS: tuple[Kind, ...] = tuple(_NAMES)
"""What has a trash; a connection has none, because its key should not wait."""


@dataclass(frozen=True, slots=True)
class Trashed:
    """One thing in the trash. ``leaves_at`` is when it is erased, None while a hold keeps it or something in it."""

    subject: Subject
    label: str
    trashed_at: int
    leaves_at: int | None


def put(
    session: Session, subjects: Sequence[Subject], *, confirmed: int | None = None
) -> tuple[Subject, ...]:
    """Move things to the trash and return those that were not there yet: the argument of ``restore`` for undo.

    Nothing that belongs to them is touched. Raises NotFound, Refused for a connection, or ManyAtOnce where there
    are more than ``confirmed`` says.
    """
    brake(session, subjects, confirmed=confirmed)
    moved = []
    for subject in subjects:
        row = _row(session, subject)
        if row.trashed_at is None:
            row.trashed_at = now()
            moved.append(subject)
    session.flush()
    return tuple(moved)


def restore(session: Session, subjects: Sequence[Subject]) -> None:
    """Bring things back to where they were, with everything that belongs to them. Raises NotFound."""
    for subject in subjects:
        _row(session, subject).trashed_at = None
    session.flush()


def listed(session: Session) -> tuple[Trashed, ...]:
    """Return what is in the trash, the latest first."""
    days = settings.value(session, "trash.days")
    aside = _aside(session)
    found: list[Trashed] = []
    for kind, name in _NAMES.items():
        table: Any = TABLES[kind]
        chosen = select(table.id, name, table.trashed_at).where(table.trashed_at.is_not(None))
        for identifier, label, at in session.execute(chosen):
            leaves_at = aside.get((kind, identifier), at + days * DAY)
            found.append(Trashed(Subject(kind, identifier), title_from(label), at, leaves_at))
    kept = kept_by_holds(session, [one.subject for one in found])
    found = [replace(one, leaves_at=None) if one.subject in kept else one for one in found]
    return tuple(sorted(found, key=lambda one: -one.trashed_at))


def due(session: Session, at: int) -> tuple[Subject, ...]:
    """Return what has been in the trash for its days and is to be erased, the oldest first.

    What was set aside is left to sync, which does not tell the other devices that it is destroyed here.
    """
    aside = _aside(session)
    return tuple(
        one.subject
        for one in reversed(listed(session))
        if one.leaves_at is not None
        and one.leaves_at <= at
        and (one.subject.kind, one.subject.id) not in aside
    )


def brake(session: Session, subjects: Sequence[Subject], *, confirmed: int | None) -> None:
    """Raise ManyAtOnce for a great many things, or a great part of all, unless their number is ``confirmed``."""
    count = len(subjects)
    if confirmed == count:
        return
    if count > MOST_AT_ONCE:
        raise ManyAtOnce(count)
    by_kind: dict[Kind, int] = {}
    for subject in subjects:
        by_kind[subject.kind] = by_kind.get(subject.kind, 0) + 1
    for kind, some in by_kind.items():
        every = session.scalar(select(func.count()).select_from(TABLES[kind])) or 0
        if some > 1 and every > FEW and some * LARGEST_SHARE > every:
            raise ManyAtOnce(count)


def _aside(session: Session) -> dict[tuple[str, str | None], int]:
    """Return when what was set aside is destroyed, by kind and id."""
    chosen = select(SyncRecordTable.type, SyncRecordTable.local_id, SyncRecordTable.aside_at).where(
        SyncRecordTable.state == "aside"
    )
    return {(row[0], row[1]): (row[2] or 0) + ASIDE_DAYS * DAY for row in session.execute(chosen)}


def _row(session: Session, subject: Subject) -> Any:
    if subject.kind not in KINDS:
        raise Refused(_("A key does not go to the trash: erase it at once, and revoke it at its provider."))
    return required(session, TABLES[subject.kind], subject.id)
