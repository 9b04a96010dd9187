"""What a search finds: one passage with its scores."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, with the turn or passage before and after it.

    ``legs`` holds the raw BM25 weights (``lexical_text``, ``lexical_context``) and cosines (``dense_text``,
    ``dense_context``; missing while there is no vector), the normalised legs ``lexical`` and ``dense``, and
    the signals ``speaker``, ``session``, ``feedback`` (likeness to the best hits), ``recency``, ``pin``,
    ``asking`` (a message that only asks) and ``coverage`` (the share of the question's weight that the passage
    holds as words), all from 0 to 1.
    """

    passage_number: int
    source_kind: str
    source_id: str
    conversation_id: str | None
    ordinal: int
    text: str
    place: dict[str, Any]
    heading: str
    speaker: str
    at: int
    score: float
    legs: dict[str, float]
    before: str
    after: str
