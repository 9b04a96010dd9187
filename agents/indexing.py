"""Makes what was said findable, in the transaction that writes it."""

from sqlalchemy.orm import Session

from memory import messages, roster
from memory.chats import Message
from memory.recall.indexing import index_message

OWNER = "Owner"
"""The name the owner's own messages are found under."""


def index_said(session: Session, message_id: str) -> None:
    """Index a message with the turn before it; one without text or of quotations only is left out."""
    message = messages.message(session, message_id)
    if not message.text.strip() or message.restricted or _only_quotes(session, message):
        return
    previous = ""
    if message.parent_id is not None:
        before = messages.message(session, message.parent_id)
        if not before.restricted and not _only_quotes(session, before):
            previous = f"{speaker(before)}: {before.text}"
    index_message(session, message, previous, speaker(message), message.created_at)


def speaker(message: Message) -> str:
    """Return the name a message is found under."""
    return message.agent_name if message.role == "agent" else OWNER


def _only_quotes(session: Session, message: Message) -> bool:
    """Whether this is a librarian's answer: a copy of what is indexed where it stands, which must not hide it."""
    return message.agent_id is not None and roster.agent(session, message.agent_id).librarian
