"""Passages: how messages, files and notes become findable, in the transaction that writes them."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from memory.attachments import Attachment
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


class Spoken(Protocol):
    """What is indexed of a message."""

    @property
    def id(self) -> str: ...

    @property
    def conversation_id(self) -> str: ...

    @property
    def text(self) -> str: ...


class Said(NamedTuple):
    """A message, the turn before it as ``Name: text`` (empty for the first), the name it was said under, and when."""

    message: Spoken
    previous_text: str
    speaker: str
    at: int


def index_message(session: Session, message: Spoken, previous_text: str, speaker: str, at: int) -> None:
    """Index a message, replacing what was indexed of it; the values are as in `Said`."""
    index_messages(session, [Said(message, previous_text, speaker, at)])


def index_messages(session: Session, every: Sequence[Said]) -> None:
    """Index messages, replacing what was indexed of them."""
    remove(session, "message", *(said.message.id for said in every))
    _add_all(session, [passage for said in every for passage in _passages(said)])


def _passages(said: Said) -> Iterator[dict[str, Any]]:
    message, speaker = said.message, said.speaker
    before = "\n".join(part for part in (spoken_date(said.at), said.previous_text[-_PREVIOUS:]) if part)
    for ordinal, piece in enumerate(pieces(message.text)):
        yield {
            "message_id": message.id,
            "source_kind": "message",
            "source_id": message.id,
            "conversation_id": message.conversation_id,
            "ordinal": ordinal,
            "speaker": speaker,
            "at": said.at,
            "text": piece,
            "context": f"{before}\n{speaker}: {piece}",
        }


def index_passages(session: Session, attachment: Attachment, passages: Sequence[ReadPassage]) -> None:
    """Index what was read of a file; more passages of the same file may follow in later calls."""
    rows: list[dict[str, Any]] = []
    for passage in passages:
        before = "\n".join(part for part in (attachment.name, passage.heading) if part)
        rows += (
            {
                "attachment_id": attachment.id,
                "source_kind": "attachment",
                "source_id": attachment.id,
                "conversation_id": attachment.conversation_id,
                "ordinal": passage.ordinal,
                "place": passage.place.to_dict() | ({NAVIGATION: True} if passage.navigation else {}),
                "heading": passage.heading,
                "at": attachment.created_at,
                "text": piece,
                "context": f"{before}\n{piece}",
            }
            for piece in pieces(passage.text)
        )
    _add_all(session, rows)


def index_note(session: Session, *notes: Note) -> None:
    """Index notes, replacing what was indexed of them."""
    remove(session, "note", *(note.id for note in notes))
    _add_all(
        session,
        [
            {
                "note_id": note.id,
                "source_kind": "note",
                "source_id": note.id,
                "conversation_id": note.scope_id if note.scope == "conversation" else None,
                "ordinal": ordinal,
                "at": note.valid_from,
                "text": piece,
                "context": f"{spoken_date(note.valid_from)}\n{note.kind}: {piece}",
            }
            for note in notes
            for ordinal, piece in enumerate(pieces(note.text))
        ],
    )


def remove(session: Session, source_kind: str, *source_ids: str) -> tuple[str, ...]:
    """Remove the passages, full text and vectors of some sources; return the ids the index knows them by."""
    chosen = (PassageTable.source_kind == source_kind, PassageTable.source_id.in_(source_ids))
    vectors = EmbeddingTable.passage_number.in_(select(PassageTable.number).where(*chosen))
    ids = session.scalars(select(EmbeddingTable.random_id).where(vectors)).all()
    session.execute(delete(PassageTable).where(*chosen), execution_options={"synchronize_session": False})
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


def _add_all(session: Session, passages: list[dict[str, Any]]) -> None:
    """Write passages; all of them have the same columns."""
    session.flush()  # what they hang on
    # As SQLite would number them: nobody else writes in this transaction.
    first = (session.scalar(select(func.max(PassageTable.number))) or 0) + 1
    for number, passage in enumerate(passages, first):
        passage["number"] = number
    if passages:
        connection = session.connection()
        connection.execute(insert(PassageTable), passages)
        for passage in passages:
            add_trigrams(connection, passage["number"], passage["text"])
