"""Whether a round has something to send; asked after commits, so it looks no further than the first row."""

from collections.abc import Collection

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from memory.sync import space
from memory.tables import ConversationTable, MessageTable, SyncChangeTable, SyncRecordTable


def is_due(session: Session, without: Collection[str] = ()) -> bool:
    """Whether something was changed here that can be sealed now, or erased and the others are not told.

    Changes of the types ``without`` do not count.
    Chats that an import is still bringing in are not ready yet.
    """
    here = space.of(session)
    if here is None or not here.enabled:
        return False
    arriving = select(ConversationTable.id).where(ConversationTable.arriving_import_id.is_not(None))
    theirs = select(MessageTable.id).where(MessageTable.conversation_id.in_(arriving))
    marked = exists().where(
        SyncChangeTable.type.in_(set(here.types) - set(without)),
        or_(SyncChangeTable.type != "conversation", SyncChangeTable.local_id.not_in(arriving)),
        or_(SyncChangeTable.type != "message", SyncChangeTable.local_id.not_in(theirs)),
    )
    untold = exists().where(SyncRecordTable.state == "erase")
    return bool(session.scalar(select(or_(marked, untold))))
