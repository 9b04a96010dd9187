"""What a round brought: made findable in the transaction that writes it, and told to the faces afterwards."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.events import ConversationChanged, EventBus, NotesChanged, RosterChanged, SettingsChanged
from agents.indexing import index_said
from memory import notes
from memory.database import Database
from memory.lifecycle.subjects import portions
from memory.recall import indexing
from memory.recall.search import Recall
from memory.sync.taking import Round
from memory.tables import AttachmentTable, MessageTable, NoteTable


async def tell(database: Database, recall: Recall, bus: EventBus, done: Round) -> None:
    """Tell the faces what a round changed here."""
    types = {type_ for type_, _key in done.touched}
    if types & {"message", "note"}:
        recall.wake()
    if "note" in types:
        bus.publish(NotesChanged())
    if "agent" in types:
        bus.publish(RosterChanged())
    if "setting" in types:
        bus.publish(SettingsChanged())
    for conversation_id in await database.read(_conversations, done.touched):
        bus.publish(ConversationChanged(conversation_id))


def reindex(session: Session, touched: Collection[tuple[str, str]]) -> None:
    """Make messages and notes that arrived findable, or no longer so where they must not be."""
    said = sorted(key for type_, key in touched if type_ == "message")
    if said:
        indexing.remove(session, "message", *said)
        shown = select(MessageTable.id).where(
            MessageTable.id.in_(said), MessageTable.trashed_at.is_(None), ~MessageTable.hidden
        )
        index_said(session, *session.scalars(shown))
    noted = sorted(key for type_, key in touched if type_ == "note")
    if noted:
        indexing.remove(session, "note", *noted)
        # Read together, and anew: they were written beside the session's own rows.
        chosen = select(NoteTable).where(NoteTable.id.in_(noted)).execution_options(populate_existing=True)
        _rows = session.scalars(chosen).all()
        recalled = [key for key in noted if notes.is_recalled(session, key)]
        indexing.index_note(session, *(notes.note(session, key) for key in recalled))


def _conversations(session: Session, touched: Collection[tuple[str, str]]) -> set[str]:
    found = {key for type_, key in touched if type_ == "conversation"}
    for kind, table in (("message", MessageTable), ("file", AttachmentTable)):
        for some in portions(key for type_, key in touched if type_ == kind):
            chosen = select(table.conversation_id).where(table.id.in_(some)).distinct()
            found |= set(session.scalars(chosen))
    return found
