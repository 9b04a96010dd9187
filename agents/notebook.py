"""The owner's hand on the notes: every change is on disk, indexed for recall and told as NotesChanged."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from agents.events import EventBus, NotesChanged
from memory import notes
from memory.database import Database
from memory.notes import Note, NoteKind
from memory.recall.indexing import index_note, remove
from memory.recall.search import Recall


class Notebook:
    """Adds, accepts, changes, pins and forgets notes for the owner."""

    def __init__(self, database: Database, recall: Recall, bus: EventBus) -> None:
        self._database = database
        self._recall = recall
        self._bus = bus

    async def add(self, text: str, *, kind: NoteKind = "fact") -> Note:
        """Keep a note of the whole office in the owner's words. Raises Refused for an empty one."""
        return await self._kept(notes.add_note, text, kind=kind)

    async def accept(self, note_id: str, *, text: str | None = None) -> Note:
        """Take a proposal over, in other words where ``text`` is given. Raises NotFound or Refused."""
        return await self._kept(notes.accept_note, note_id, text=text)

    async def change(self, note_id: str, text: str) -> Note:
        """Write a new version; the old one keeps its words and is recalled no more. Raises NotFound or Refused."""
        note = await self._database.write(_change, note_id, text)
        self._tell()
        return note

    async def reject(self, note_id: str) -> Note:
        """Turn a proposal down. Raises NotFound or Refused."""
        note = await self._database.write(notes.reject_note, note_id)
        self._tell()
        return note

    async def pin(self, note_id: str, *, pinned: bool) -> Note:
        """Pin a note, or take its pin away. Raises NotFound."""
        note = await self._database.write(notes.pin_note, note_id, pinned=pinned)
        self._tell()
        return note

    async def forget(self, note_id: str) -> None:
        """Move a note to the trash and out of recall; ``restore`` brings it back. Raises NotFound."""
        await self._database.write(_forget, note_id)
        self._tell()

    async def restore(self, note_id: str) -> Note:
        """Take a note out of the trash. Raises NotFound."""
        return await self._kept(notes.undo_forget, note_id)

    async def _kept(self, operation: Callable[..., Note], *args: Any, **kwargs: Any) -> Note:
        note = await self._database.write(_index_after, operation, args, kwargs)
        self._tell()
        return note

    def _tell(self) -> None:
        self._recall.wake()
        self._bus.publish(NotesChanged())


def _index_after(
    session: Session, operation: Callable[..., Note], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Note:
    note = operation(session, *args, **kwargs)
    if note.supersedes_id is not None:
        remove(session, "note", note.supersedes_id)
    if note.state == "accepted":
        index_note(session, note)
    return note


def _change(session: Session, note_id: str, text: str) -> Note:
    return _index_after(session, notes.supersede_note, (note_id, text), {})


def _forget(session: Session, note_id: str) -> None:
    notes.forget_note(session, note_id)
    remove(session, "note", note_id)
