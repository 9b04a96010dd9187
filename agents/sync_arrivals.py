"""What a round brought: made findable in the transaction that writes it, and told to the faces afterwards."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from agents.events import ConversationChanged, EventBus, NotesChanged, RosterChanged, SettingsChanged
from agents.indexing import index_said
from memory import notes
from memory.database import Database
from memory.recall import indexing
from memory.recall.search import Recall
from memory.sync.taking import Round
from memory.tables import MessageTable


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
    for conversation_id in await database.read(_conversations, sorted(done.touched)):
        bus.publish(ConversationChanged(conversation_id))


def reindex(session: Session, type_: str, local_id: str) -> None:
    """Make a message or note that arrived findable, or no longer so where it must not be."""
    if type_ == "message":
        indexing.remove(session, "message", local_id)
        row = session.get_one(MessageTable, local_id)
        if row.trashed_at is None and not row.hidden:
            index_said(session, local_id)
    elif type_ == "note":
        note = notes.note(session, local_id)
        if notes.is_recalled(session, local_id):
            indexing.index_note(session, note)
        else:
            indexing.remove(session, "note", local_id)


def _conversations(session: Session, touched: Sequence[tuple[str, str]]) -> set[str]:
    found = {key for type_, key in touched if type_ == "conversation"}
    for type_, key in touched:
        if type_ == "message" and (row := session.get(MessageTable, key)) is not None:
            found.add(row.conversation_id)
    return found
