"""Makes a big office one that was lived in: runs with their events, passages, and a vector for both views of each.

The vectors are drawn, not computed: the model would take hours over 120,000 passages, and neither the rows, nor the
index, nor what an erasure does depends on what they say.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from agents.office import Office
from memory.identifiers import new_id
from memory.locations import Locations
from memory.recall.embedder_identity import EMBEDDER
from memory.recall.full_text import VIEWS
from memory.tables import EmbeddingTable, MessageTable, NoteTable, PassageTable, RunEventTable, RunTable
from tests.bench.big_office import big_office
from tests.bench.corpus import Corpus, merge_full_text
from tests.bench.offices import ANSWER
from tests.bench.processes import PASSPHRASE
from vault.secret import Secret

_AT_A_TIME = 5_000
_EVENTS = ("started", "tool_started", "tool_finished", "text", "finished")
_LOOKS_UP = 5
"""One answer in so many looked something up in other chats; the others read on in their files."""


async def lived_in(home: Path, *, messages: int, files: int, notes: int) -> None:
    """Make an office of that many messages, files and notes, each message and note findable by words and meaning."""
    await big_office(home, messages=messages, files=files, notes=notes)
    office = await Office.open(Locations.find(home), passphrase=Secret(PASSPHRASE))
    corpus = Corpus()
    try:
        for first in range(0, messages, _AT_A_TIME):
            await office.database.write(_remember_messages, corpus, first)
        for first in range(0, notes, _AT_A_TIME):
            await office.database.write(_remember_notes, corpus, first)
        await office.database.write(merge_full_text)
    finally:
        await office.close()


def _remember_messages(session: Session, corpus: Corpus, first: int) -> None:
    columns = (MessageTable.id, MessageTable.conversation_id, MessageTable.run_id, MessageTable.text)
    chosen = select(*columns, MessageTable.created_at).order_by(MessageTable.created_at)
    rows = session.execute(chosen.offset(first).limit(_AT_A_TIME)).all()
    answers = [row for row in rows if row.run_id]
    session.execute(
        insert(RunTable),
        [
            {
                "id": row.run_id,
                "conversation_id": row.conversation_id,
                "state": "done",
                "context": [{"kind": "question", "label": "Your message", "tokens": 9, "cost": None}],
                "created_at": row.created_at,
            }
            for row in answers
        ],
    )
    session.execute(
        insert(RunEventTable), [event for number, row in enumerate(answers) for event in _events(number, row)]
    )
    _index(
        session,
        corpus,
        [
            {
                "message_id": row.id,
                "source_kind": "message",
                "source_id": row.id,
                "conversation_id": row.conversation_id,
                "ordinal": 0,
                "place": {},
                "at": row.created_at,
                "text": row.text,
                "context": row.text,
            }
            for row in rows
        ],
    )


def _events(number: int, row: Any) -> list[dict[str, Any]]:
    named = f'<data kind="message" id="{new_id()}">' if number % _LOOKS_UP == 0 else "<data>"
    bodies = {"text": {"text": row.text}, "tool_finished": {"call": row.run_id, "result": named + ANSWER * 3}}
    return [
        {
            "run_id": row.run_id,
            "seq": place,
            "at": row.created_at,
            "kind": kind,
            "body": bodies.get(kind, {"call": row.run_id}),
        }
        for place, kind in enumerate(_EVENTS, 1)
    ]


def _remember_notes(session: Session, corpus: Corpus, first: int) -> None:
    chosen = select(NoteTable.id, NoteTable.text, NoteTable.valid_from).order_by(NoteTable.id)
    rows = session.execute(chosen.offset(first).limit(_AT_A_TIME))
    _index(
        session,
        corpus,
        [
            {
                "note_id": row.id,
                "source_kind": "note",
                "source_id": row.id,
                "ordinal": 0,
                "place": {},
                "at": row.valid_from,
                "text": row.text,
                "context": f"fact: {row.text}",
            }
            for row in rows
        ],
    )


def _index(session: Session, corpus: Corpus, passages: Sequence[dict[str, Any]]) -> None:
    """Write passages, which triggers add to the full text, and their vectors."""
    numbers = session.scalars(
        insert(PassageTable).returning(PassageTable.number, sort_by_parameter_order=True), list(passages)
    ).all()
    drawn = corpus.vectors(len(VIEWS) * len(numbers))
    session.execute(
        insert(EmbeddingTable),
        [
            {
                "passage_number": numbers[place // len(VIEWS)],
                "view": place % len(VIEWS),
                "embedder": EMBEDDER,
                "vector": vector.tobytes(),
                "random_id": new_id(),
            }
            for place, vector in enumerate(drawn)
        ],
    )
