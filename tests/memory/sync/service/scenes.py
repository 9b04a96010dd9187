"""What a random schedule reads and writes in the database of an office beside what the product does."""

from typing import Any

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from memory import chats, messages, notes
from memory.tables import (
    ConversationTable,
    MessageTable,
    NoteTable,
    SyncConflictTable,
    SyncRecordTable,
    SyncSpaceTable,
)
from tests.memory.sync.service.offices import HIDDEN

KINDS: dict[str, Any] = {"note": NoteTable, "message": MessageTable, "conversation": ConversationTable}
LINES = 3


def fill(session: Session) -> None:
    """Write two notes and a chat."""
    for number in range(2):
        notes.add_note(session, "\n".join(f"line {line} of {number}" for line in range(LINES)))
    chat = chats.create_conversation(session)
    for number in range(2):
        messages.add_owner_message(session, chat.id, f"told {number}")


def written(session: Session) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return the kind of everything by id, the chat of each message, and the text of each note."""
    kinds = {key: kind for kind, table in KINDS.items() for key in session.scalars(select(table.id))}
    told = {row.id: row.conversation_id for row in session.scalars(select(MessageTable))}
    return kinds, told, {row.id: row.text for row in session.scalars(select(NoteTable))}


def check_lines(text: str, written: list[set[str]], lost: set[str]) -> None:
    """No line says what nobody wrote, and an edit is there, under a later one, or in the list of conflicts."""
    lines = text.split("\n")
    assert len(lines) == LINES
    for line, words in zip(lines, written, strict=True):
        assert line in words
        if len(words) > 1 and not line.startswith("edit"):
            edits = {each for each in words if each.startswith("edit")}
            assert any(each in one for each in edits for one in lost), "an edit is lost"


def ids_shown(session: Session, kind: str) -> list[str]:
    """Return the ids of what is shown in the order written, so that the same choices make the same run again."""
    table = KINDS[kind]
    hidden = select(SyncRecordTable.local_id).where(
        SyncRecordTable.type == kind, SyncRecordTable.state.in_((*HIDDEN, "erasing"))
    )
    chosen = select(table.id).where(table.id.not_in(hidden), table.trashed_at.is_(None))
    return list(session.scalars(chosen.order_by(literal_column("rowid"))))


def ids_there(session: Session) -> set[str]:
    return {key for table in KINDS.values() for key in session.scalars(select(table.id))}


def change_line(session: Session, note_id: str, line: int, words: str) -> None:
    row = session.get_one(NoteTable, note_id)
    lines = row.text.split("\n")
    lines[line] = words
    row.text = "\n".join(lines)


def give_last_day(session: Session, note_id: str, day: int) -> None:
    """Give a record its last day, as a version does that lets its owner choose one."""
    chosen = select(SyncRecordTable).where(SyncRecordTable.local_id == note_id)
    session.scalars(chosen).one().exp_day = day


def rows_of_erased(session: Session) -> list[str]:
    # Asked after every step of every schedule, so in plain words that nothing has to compile.
    asked = "SELECT rid FROM sync_record WHERE state IN ('erase', 'erased') AND local_id IS NOT NULL"
    return list(session.connection().exec_driver_sql(asked).scalars())


def lost_in_conflicts(session: Session) -> list[str]:
    return [str(lost) for lost in session.scalars(select(SyncConflictTable.lost))]


def naming_of(session: Session) -> bytes | None:
    return session.scalars(select(SyncSpaceTable.naming)).one()
