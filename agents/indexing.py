"""Makes what was said findable, in the transaction that writes it."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.chats import Message
from memory.recall.indexing import Said, index_messages
from memory.tables import AgentTable, MessageTable
from memory.tables.records import required

OWNER = "Owner"
"""The name the owner's own messages are found under."""
_READ = (
    *(MessageTable.id, MessageTable.conversation_id, MessageTable.parent_id, MessageTable.role),
    *(MessageTable.agent_id, MessageTable.agent_name, MessageTable.text, MessageTable.restricted),
    MessageTable.created_at,
)


def index_said(session: Session, *message_ids: str) -> None:
    """Index messages with the turn before each; those without text or of quotations only are left out.

    Raises NotFound.
    """
    rows = _read(session, message_ids)
    for message_id in message_ids:
        if message_id not in rows:
            required(session, MessageTable, message_id)
    before = _read(session, {row.parent_id for row in rows.values() if row.parent_id is not None})
    quoting = set(session.scalars(select(AgentTable.id).where(AgentTable.librarian)))
    said = []
    for message_id in message_ids:
        row = rows[message_id]
        if row.text.strip() and not _is_left_out(row, quoting):
            parent = before.get(row.parent_id)
            previous = ""
            if parent is not None and not _is_left_out(parent, quoting):
                previous = f"{speaker(parent)}: {parent.text}"
            said.append(Said(row, previous, speaker(row), row.created_at))
    index_messages(session, said)


def speaker(message: Message) -> str:
    """Return the name a message is found under."""
    return message.agent_name if message.role == "agent" else OWNER


def _read(session: Session, ids: Any) -> dict[str, Any]:
    return {row.id: row for row in session.execute(select(*_READ).where(MessageTable.id.in_(ids)))}


def _is_left_out(row: Any, quoting: set[str]) -> bool:
    # A librarian's answer is a copy of what is indexed where it stands, which must not hide it.
    return row.restricted or row.agent_id in quoting
