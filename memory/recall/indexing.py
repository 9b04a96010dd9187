"""Passages: how messages, files and notes become findable, in the transaction that writes them."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from memory.attachments import Attachment
from memory.chats import Message
from memory.notes import Note
from memory.recall.full_text import add_trigrams
from memory.tables import EmbeddingTable, PassageTable

LONGEST = 1000
"""Characters of one passage, some 250 word pieces: what the embedder reads in one window."""
_PREVIOUS = 300
"""Characters of the previous turn that stand in the context of the next."""

NAVIGATION = "navigation"
"""Stands in the place of a passage that is a table of contents or an index."""

_BREAK = re.compile(r"\n\s*\n|\n|(?<=[.!?;:])\s+|(?<=[。！？；])|\s+")


class _Place(Protocol):
    def to_dict(self) -> dict[str, int | str]: ...


class ReadPassage(Protocol):
    """What a reader of documents gives: one piece of text, where it stands and the headings above it.

    ``navigation`` marks tables of contents and indexes, which name a subject without saying anything of it.
    """

    @property
    def ordinal(self) -> int: ...

    @property
    def place(self) -> _Place: ...

    @property
    def heading(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def navigation(self) -> bool: ...


def index_message(session: Session, message: Message, previous_text: str, speaker: str, at: int) -> None:
    """Index a message, replacing what was indexed of it.

    ``previous_text`` is the turn before it as ``Name: text`` (empty for the first), ``speaker`` the name it
    was said under.
    """
    remove(session, "message", message.id)
    before = "\n".join(part for part in (spoken_date(at), previous_text[-_PREVIOUS:]) if part)
    for ordinal, piece in enumerate(pieces(message.text)):
        _add(
            session,
            PassageTable(
                message_id=message.id,
                source_kind="message",
                source_id=message.id,
                conversation_id=message.conversation_id,
                ordinal=ordinal,
                speaker=speaker,
                at=at,
                text=piece,
                context=f"{before}\n{speaker}: {piece}",
            ),
        )


def index_passages(session: Session, attachment: Attachment, passages: Sequence[ReadPassage]) -> None:
    """Index what was read of a file; more passages of the same file may follow in later calls."""
    for passage in passages:
        before = "\n".join(part for part in (attachment.name, passage.heading) if part)
        for piece in pieces(passage.text):
            _add(
                session,
                PassageTable(
                    attachment_id=attachment.id,
                    source_kind="attachment",
                    source_id=attachment.id,
                    conversation_id=attachment.conversation_id,
                    ordinal=passage.ordinal,
                    place=passage.place.to_dict() | ({NAVIGATION: True} if passage.navigation else {}),
                    heading=passage.heading,
                    at=attachment.created_at,
                    text=piece,
                    context=f"{before}\n{piece}",
                ),
            )


def index_note(session: Session, note: Note) -> None:
    """Index a note, replacing what was indexed of it."""
    remove(session, "note", note.id)
    for ordinal, piece in enumerate(pieces(note.text)):
        _add(
            session,
            PassageTable(
                note_id=note.id,
                source_kind="note",
                source_id=note.id,
                conversation_id=note.scope_id if note.scope == "conversation" else None,
                ordinal=ordinal,
                at=note.valid_from,
                text=piece,
                context=f"{spoken_date(note.valid_from)}\n{note.kind}: {piece}",
            ),
        )


def remove(session: Session, source_kind: str, source_id: str) -> tuple[str, ...]:
    """Remove the passages, full text and vectors of one source; return the ids the index knows them by."""
    chosen = select(PassageTable.number).where(
        PassageTable.source_kind == source_kind, PassageTable.source_id == source_id
    )
    ids = session.scalars(
        select(EmbeddingTable.random_id).where(EmbeddingTable.passage_number.in_(chosen))
    ).all()
    session.execute(
        delete(PassageTable).where(
            PassageTable.source_kind == source_kind, PassageTable.source_id == source_id
        ),
        execution_options={"synchronize_session": False},
    )
    return tuple(ids)


def spoken_date(at: int) -> str:
    """Return the day as people write it, so that it is found by its words: ``Monday 8 May 2023``."""
    day = datetime.fromtimestamp(at / 1000, UTC)
    return f"{day:%A} {day.day} {day:%B %Y}"


def pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces of at most LONGEST characters, broken at paragraphs, sentences or words."""
    rest = text.strip()
    while len(rest) > LONGEST:
        cut = _cut(rest)
        yield rest[:cut].rstrip()
        rest = rest[cut:].lstrip()
    if rest:
        yield rest


def _cut(text: str) -> int:
    """The last good place to break within LONGEST characters: the better its kind, the earlier it may be."""
    best = LONGEST
    reach = 0.0
    for found in _BREAK.finditer(text, 0, LONGEST):
        mark = found.group()
        worth = 3.0 if mark.count("\n") > 1 else 2.0 if "\n" in mark else 1.5
        if not mark or text[found.start() - 1 : found.start()] not in ".!?;:\n":
            worth = max(worth, 1.0) if "\n" in mark else 1.0
        value = worth * found.end()
        if found.end() > LONGEST // 4 and value >= reach:
            best, reach = found.end(), value
    return best


def _add(session: Session, passage: PassageTable) -> None:
    session.add(passage)
    session.flush()
    add_trigrams(session.connection(), passage.number, passage.text)
