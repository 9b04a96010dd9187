"""What a test sees of an office, and changes in it: the texts of its notes, its trash, how a record stands."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.lifecycle import trash
from memory.tables import NoteTable, SyncRecordTable
from tests.memory.sync.service.offices import Office


def texts(office: Office) -> list[str]:
    return sorted(each["text"] for each in office.state()["note"].values())


def state_of(office: Office, local_id: str) -> str | None:
    def ask(session: Session) -> str | None:
        chosen = select(SyncRecordTable.state).where(SyncRecordTable.local_id == local_id)
        return session.scalar(chosen)

    found: str | None = office.do(ask)
    return found


def trashed(office: Office) -> dict[str, int | None]:
    return {one.subject.id: one.leaves_at for one in office.do(trash.listed)}


def text_of(session: Session, note_id: str) -> str:
    return session.get_one(NoteTable, note_id).text


def edit(session: Session, note_id: str, text: str) -> None:
    session.get_one(NoteTable, note_id).text = text
