"""What can be erased or put into the trash, and everything that goes with it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from sqlalchemy import Exists, exists, select
from sqlalchemy.orm import Session

from memory.errors import NotFound, Refused
from memory.tables import (
    AgentTable,
    AttachmentTable,
    Base,
    ConnectionTable,
    ConversationTable,
    MessageTable,
    NoteTable,
    RunTable,
)
from memory.tables.records import required
from resources.language import gettext as _

V = TypeVar("V")

Kind = Literal["message", "note", "file", "conversation", "agent", "connection"]

TABLES: dict[Kind, type[Base]] = {
    "message": MessageTable,
    "note": NoteTable,
    "file": AttachmentTable,
    "conversation": ConversationTable,
    "agent": AgentTable,
    "connection": ConnectionTable,
}
RECORDS: dict[Kind, str] = {
    "message": "messages",
    "note": "memory",
    "file": "files",
    "conversation": "conversations",
    "agent": "agents",
    "connection": "connections",
}
"""The type of each kind's records in an export."""

_VARIABLES = 500


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to be erased, kept or put into the trash."""

    kind: Kind
    id: str


@dataclass(slots=True)
class Extent:
    """Every row that goes with some subjects, by id and in no order."""

    conversations: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    connections: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)

    def by_kind(self) -> dict[Kind, set[str]]:
        """Return the ids of each kind."""
        return {
            "conversation": self.conversations,
            "message": self.messages,
            "file": self.files,
            "note": self.notes,
            "agent": self.agents,
            "connection": self.connections,
        }


def named(session: Session, kind: Kind, name: str) -> Subject:
    """Return the subject with this id, or the only one whose id begins with it. Raises NotFound."""
    table: Any = TABLES[kind]
    if len(name) >= 6 and all(one in "0123456789abcdef" for one in name):
        found = session.scalars(select(table.id).where(table.id.startswith(name)).limit(2)).all()
        if len(found) == 1:
            return Subject(kind, found[0])
        if found:
            raise NotFound(_("Several ids begin with “{name}”: give more of it.").format(name=name))
    raise NotFound(_("Nothing here has the id {id}: it was deleted, or the id is mistyped.").format(id=name))


def extent(session: Session, subjects: Sequence[Subject], *, derived_notes: bool) -> Extent:
    """Return what goes with the subjects: what belongs to them, and the earlier versions of notes.

    ``derived_notes`` takes the notes along that were drawn from them. Raises NotFound.
    """
    found = Extent()
    for subject in subjects:
        required(session, TABLES[subject.kind], subject.id)
        found.by_kind()[subject.kind].add(subject.id)
    columns = MessageTable.conversation_id, AttachmentTable.conversation_id, RunTable.conversation_id
    for column, target in zip(columns, (found.messages, found.files, found.runs), strict=True):
        target |= ids_where(session, column.class_, column, found.conversations)
    found.files |= _carried_only_by(session, found.messages)
    found.runs |= _speaking_only_in(session, found.messages)
    for scope, owners in (("conversation", found.conversations), ("agent", found.agents)):
        for some in portions(owners):
            found.notes |= set(
                session.scalars(
                    select(NoteTable.id).where(NoteTable.scope == scope, NoteTable.scope_id.in_(some))
                )
            )
    if derived_notes:
        found.notes |= drawn_from(session, found)
    _add_earlier_versions(session, found.notes)
    return found


def drawn_from(session: Session, found: Extent) -> set[str]:
    """Return the notes whose source is one of these messages or files."""
    return ids_where(session, NoteTable, NoteTable.source_message_id, found.messages) | ids_where(
        session, NoteTable, NoteTable.source_attachment_id, found.files
    )


def refuse_held(session: Session, found: Extent) -> None:
    """Raise Refused where a hold keeps something of it; a held message keeps its files too."""
    if _is_held(session, found):
        raise Refused(_("A hold keeps this, or something in it: release the hold first."))


def kept_by_holds(session: Session, subjects: Iterable[Subject]) -> frozenset[Subject]:
    """Return those of the subjects that a hold keeps, because of themselves or of something in them."""
    holding = (ConversationTable, MessageTable, AttachmentTable, NoteTable)
    if not any(session.scalar(select(_held(table))) for table in holding):
        return frozenset()
    return frozenset(
        one for one in subjects if _is_held(session, extent(session, [one], derived_notes=False))
    )


def still_there(session: Session, subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """Return those of the subjects that were not erased meanwhile, with something they belonged to."""
    there: dict[Kind, set[str]] = {}
    for kind in {one.kind for one in subjects}:
        table: Any = TABLES[kind]
        there[kind] = ids_where(session, table, table.id, [one.id for one in subjects if one.kind == kind])
    return tuple(one for one in subjects if one.id in there[one.kind])


def _held(table: Any) -> Exists:
    return exists().where(table.held_at.is_not(None))


def _is_held(session: Session, found: Extent) -> bool:
    held_conversations = set(found.conversations)
    for table, identifiers in ((MessageTable, found.messages), (AttachmentTable, found.files)):
        for some in portions(identifiers):
            held_conversations |= set(
                session.scalars(select(table.conversation_id).where(table.id.in_(some)).distinct())
            )
    checks: tuple[tuple[Any, set[str]], ...] = (
        (ConversationTable, held_conversations),
        (MessageTable, found.messages),
        (AttachmentTable, found.files),
        (NoteTable, found.notes),
    )
    for table, identifiers in checks:
        for some in portions(identifiers):
            if session.scalar(select(_held(table).where(table.id.in_(some)))):
                return True
    for some in portions(held_conversations if found.files else ()):
        carried = select(MessageTable.attachment_ids).where(
            MessageTable.conversation_id.in_(some), MessageTable.held_at.is_not(None)
        )
        if any(not found.files.isdisjoint(files) for files in session.scalars(carried)):
            return True
    return False


def portions(values: Iterable[V]) -> Iterator[list[V]]:
    """Yield the values in lists that fit into one statement."""
    every = list(values)
    for start in range(0, len(every), _VARIABLES):
        yield every[start : start + _VARIABLES]


def ids_where(session: Session, table: Any, column: Any, values: Iterable[str]) -> set[str]:
    """Return the ids of the rows whose column has one of the values."""
    found: set[str] = set()
    for some in portions(values):
        found |= set(session.scalars(select(table.id).where(column.in_(some))))
    return found


def rows_of(session: Session, table: Any, identifiers: Iterable[str]) -> Iterator[Any]:
    """Yield the rows with these ids."""
    for some in portions(identifiers):
        yield from session.scalars(select(table).where(table.id.in_(some))).all()


def carriers(session: Session, file: AttachmentTable, without: set[str]) -> list[str]:
    """Return the messages, but for some, that carry a file, the earliest first."""
    chosen = (
        select(MessageTable.id, MessageTable.attachment_ids)
        .where(MessageTable.conversation_id == file.conversation_id, MessageTable.role == "owner")
        .order_by(MessageTable.ordinal)
    )
    return [
        identifier
        for identifier, carried in session.execute(chosen)
        if identifier not in without and file.id in carried
    ]


def _carried_only_by(session: Session, messages: set[str]) -> set[str]:
    found: set[str] = set()
    for some in portions(messages):
        for row in session.scalars(select(AttachmentTable).where(AttachmentTable.message_id.in_(some))):
            if not carriers(session, row, messages):
                found.add(row.id)
    return found


def _speaking_only_in(session: Session, messages: set[str]) -> set[str]:
    spoken: set[str] = set()
    for some in portions(messages):
        chosen = select(MessageTable.run_id).where(
            MessageTable.id.in_(some), MessageTable.run_id.is_not(None)
        )
        spoken |= {run_id for run_id in session.scalars(chosen) if run_id}
    for some in portions(spoken):
        chosen_more = select(MessageTable.run_id, MessageTable.id).where(MessageTable.run_id.in_(some))
        spoken -= {
            run_id for run_id, identifier in session.execute(chosen_more) if identifier not in messages
        }
    return spoken


def _add_earlier_versions(session: Session, notes: set[str]) -> None:
    waiting = set(notes)
    while waiting:
        older = {row.supersedes_id for row in rows_of(session, NoteTable, waiting) if row.supersedes_id}
        waiting = older - notes
        notes |= waiting
