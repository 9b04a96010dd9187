"""Search over all conversations: titles first, then the words of messages and the names of files."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from memory import chats
from memory.tables import AttachmentTable, ConversationTable, MessageTable

_AROUND = 40
"""Characters of a snippet before the first word found."""
_SNIPPET = 120
_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation that has all the words, and where: empty for its title."""

    conversation_id: str
    snippet: str


def search(session: Session, text: str, *, view: chats.View = "open", limit: int = _LIMIT) -> list[Found]:
    """Return the conversations of a view whose title, one message or one file's name holds every word.

    What is restricted is found by a conversation's title alone.
    """
    words = text.split()
    if not words:
        return []
    found = {one.id: "" for one in chats.search_titles(session, text, view=view, limit=limit)}
    inside = (
        (
            *(MessageTable.conversation_id, MessageTable.text, MessageTable.created_at),
            and_(~MessageTable.hidden, ~MessageTable.restricted, ~ConversationTable.restricted),
        ),
        (
            *(AttachmentTable.conversation_id, AttachmentTable.name, AttachmentTable.created_at),
            and_(~AttachmentTable.restricted, ~ConversationTable.restricted),
        ),
    )
    for conversation_id, column, at, shown in inside:
        query = (
            select(conversation_id, column)
            .join(ConversationTable, ConversationTable.id == conversation_id)
            .where(*chats.in_view(view), shown, and_(*(_holds(column, word) for word in words)))
            .order_by(at.desc())
            .limit(limit * 4)
        )
        for identifier, content in session.execute(query):
            if len(found) >= limit:
                break
            found.setdefault(identifier, snippet(content, words[0]))
    return [Found(identifier, passage) for identifier, passage in found.items()]


def snippet(text: str, word: str) -> str:
    """Return the surroundings of a word on one line."""
    plain = " ".join(text.split())
    at = max(0, plain.casefold().find(word.casefold()))
    start = max(0, at - _AROUND)
    if start:
        start = plain.find(" ", start) + 1
    return ("…" if start else "") + plain[start : start + _SNIPPET]


def _holds(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    # LIKE folds the case of ASCII only, so the usual spellings of other letters are tried one by one.
    spellings = dict.fromkeys((word, word.lower(), word.upper(), word.capitalize()))
    return or_(*(column.contains(each, autoescape=True) for each in spellings))
