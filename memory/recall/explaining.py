"""How a search came to its hits, as plain data for people and scripts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.recall.hits import Hit
from memory.tables import NoteTable


def explained(session: Session, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return the source and the score of each leg per hit.

    A source of kind ``note`` names in ``source_message_id`` the message that the note was made from, None where
    its owner wrote it.
    """
    noted = [hit.source_id for hit in hits if hit.source_kind == "note"]
    rows = session.execute(select(NoteTable.id, NoteTable.source_message_id).where(NoteTable.id.in_(noted)))
    made_from = {row.id: row.source_message_id for row in rows}
    return [_explained(hit, made_from) for hit in hits]


def _explained(hit: Hit, made_from: dict[str, str | None]) -> dict[str, Any]:
    source = {"kind": hit.source_kind, "id": hit.source_id, "conversation": hit.conversation_id}
    if hit.source_kind == "note":
        source["source_message_id"] = made_from.get(hit.source_id)
    return {
        "passage": hit.passage_number,
        "source": source,
        "place": hit.place,
        "heading": hit.heading,
        "speaker": hit.speaker,
        "at": hit.at,
        "text": hit.text,
        "score": round(hit.score, 4),
        "legs": {name: round(value, 4) for name, value in hit.legs.items()},
    }
