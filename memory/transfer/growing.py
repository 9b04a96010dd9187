"""Joins what a conversation grew by at its source to the conversation that is here, when an import is shown."""

from itertools import pairwise

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from memory.tables import AttachmentTable, ConversationTable, MessageTable, ProvenanceTable
from memory.transfer.incoming_rows import Growth


def join(session: Session, growth: Growth) -> None:
    """Hang the new messages into the tree of the conversation they belong to.

    The shown path goes on to the new end where it ended above it; where its owner went on here instead, it stays, and
    what is new is another branch. Of a conversation that was erased meanwhile nothing comes in.
    """
    conversation = session.get(ConversationTable, growth.conversation_id)
    if conversation is None:
        _drop(session, growth)
        return
    last = select(func.max(MessageTable.ordinal)).where(MessageTable.conversation_id == conversation.id)
    before = session.scalar(last) or 0
    for message_id, parent_id in growth.hangs.items():
        parent = session.get(MessageTable, parent_id)
        # One that was erased meanwhile leaves what stood below it as another beginning.
        if parent is not None and parent.conversation_id == conversation.id:
            _hang(session, message_id, parent)
    _move(session, growth, before)
    path = _path(session, growth.leaf)
    if growth.leaf is not None and conversation.active_leaf_id in {None, *path}:
        _show(session, conversation, path)
    conversation.updated_at = max(conversation.updated_at, growth.updated_at)
    session.flush()


def _hang(session: Session, message_id: str, parent: MessageTable) -> None:
    session.execute(
        update(MessageTable).where(MessageTable.id == message_id).values(parent_id=parent.id),
        execution_options={"synchronize_session": False},
    )
    shown = select(MessageTable.batch_id).where(MessageTable.id == message_id, ~MessageTable.hidden)
    if parent.shown_batch_id is None:
        parent.shown_batch_id = session.scalar(shown)
        session.flush()


def _move(session: Session, growth: Growth, before: int) -> None:
    session.execute(
        update(MessageTable)
        .where(MessageTable.conversation_id == growth.aside)
        .values(conversation_id=growth.conversation_id, ordinal=MessageTable.ordinal + before),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(AttachmentTable)
        .where(AttachmentTable.conversation_id == growth.aside)
        .values(conversation_id=growth.conversation_id),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        delete(ConversationTable).where(ConversationTable.id == growth.aside),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()


def _path(session: Session, leaf: str | None) -> list[str]:
    """Return the ids from a message up to the first one."""
    found: list[str] = []
    while leaf is not None:
        found.append(leaf)
        leaf = session.scalar(select(MessageTable.parent_id).where(MessageTable.id == leaf))
    return found


def _show(session: Session, conversation: ConversationTable, path: list[str]) -> None:
    former = conversation.active_leaf_id
    for below, above in pairwise(path):
        batch = select(MessageTable.batch_id).where(MessageTable.id == below).scalar_subquery()
        session.execute(
            update(MessageTable).where(MessageTable.id == above).values(shown_batch_id=batch),
            execution_options={"synchronize_session": False},
        )
        if above == former:
            break
    conversation.active_leaf_id = path[0]


def _drop(session: Session, growth: Growth) -> None:
    aside = select(MessageTable.id).where(MessageTable.conversation_id == growth.aside)
    files = select(AttachmentTable.id).where(AttachmentTable.conversation_id == growth.aside)
    for kind, identifiers in (("messages", aside), ("files", files)):
        session.execute(
            delete(ProvenanceTable).where(
                ProvenanceTable.record_type == kind, ProvenanceTable.record_id.in_(identifiers)
            ),
            execution_options={"synchronize_session": False},
        )
    session.execute(delete(AttachmentTable).where(AttachmentTable.conversation_id == growth.aside))
    session.execute(delete(MessageTable).where(MessageTable.conversation_id == growth.aside))
    session.execute(delete(ConversationTable).where(ConversationTable.id == growth.aside))
