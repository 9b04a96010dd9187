"""A made-up office of any size: texts with the word frequencies of speech, vectors in clusters.

The model is not asked: 100,000 passages would take it an hour, and what is measured does not depend on it.
"""

import json
import random
from itertools import accumulate

import numpy as np
from sqlalchemy.orm import Session

from memory.identifiers import new_id
from memory.recall.driver import driver
from memory.recall.embedder import TOKENIZER_PATH
from memory.recall.embedder_identity import DIMENSIONS, EMBEDDER
from memory.recall.full_text import VIEWS
from memory.recall.indexing import spoken_date
from memory.tables import ConversationTable

_EXPONENT = 1.05
_CONVERSATIONS = 200
_SPEAKERS = ("Ann", "Ben", "Chris", "Dana")
_START = 1_600_000_000_000
_CLUSTERS = 1000
_SPREAD = 0.8


class Corpus:
    """Writes passages and vectors, and asks questions made of the same words."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._numbers = np.random.default_rng(seed)
        self._words = _vocabulary()
        self._random.shuffle(self._words)
        self._weights = list(accumulate(1 / (rank + 1) ** _EXPONENT for rank in range(len(self._words))))
        self._centres = self._numbers.normal(size=(_CLUSTERS, DIMENSIONS)).astype(np.float32)
        self._conversations = [new_id() for _ in range(_CONVERSATIONS)]
        self._previous = ""

    def grow(self, session: Session, first: int, count: int) -> None:
        """Add passages ``first`` … ``first + count - 1`` with both vectors each."""
        if first == 1:
            for identifier in self._conversations:
                session.add(ConversationTable(id=identifier, created_at=_START, updated_at=_START))
            session.flush()
        connection = driver(session)
        vectors = self.vectors(2 * count)
        for offset in range(count):
            number = first + offset
            speaker, text = self._random.choice(_SPEAKERS), self._text()
            at = _START + number * 60_000
            connection.execute(
                "INSERT INTO passage(number, source_kind, source_id, conversation_id, ordinal, place, heading,"
                " speaker, at, text, context) VALUES (?, 'message', ?, ?, 0, '{}', '', ?, ?, ?, ?)",
                (
                    number,
                    new_id(),
                    self._conversations[number * _CONVERSATIONS // 100_000 % _CONVERSATIONS],
                    speaker,
                    at,
                    text,
                    f"{spoken_date(at)}\n{self._previous}\n{speaker}: {text}",
                ),
            )
            self._previous = f"{speaker}: {text}"
            for view in range(2):
                connection.execute(
                    "INSERT INTO embedding(passage_number, view, embedder, vector, random_id) VALUES (?, ?, ?, ?, ?)",
                    (number, view, EMBEDDER, vectors[2 * offset + view].tobytes(), new_id()),
                )

    def question(self) -> str:
        """A question of three to seven content words, common and rare as they come, and sometimes a name."""
        words = self._random.choices(self._words, cum_weights=self._weights, k=self._random.randint(3, 7))
        name = self._random.choice((*_SPEAKERS, ""))
        return f"What did {name} say about {' '.join(words)}?"

    def _text(self) -> str:
        count = max(4, min(80, int(self._random.lognormvariate(3.0, 0.6))))
        return " ".join(self._random.choices(self._words, cum_weights=self._weights, k=count)) + "."

    def vectors(self, count: int) -> np.ndarray:
        """Return that many normalised vectors of the embedder's width, in clusters: rows of float32."""
        chosen = self._centres[self._numbers.integers(0, _CLUSTERS, count)]
        vectors = chosen + _SPREAD * self._numbers.normal(size=chosen.shape).astype(np.float32)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _vocabulary() -> list[str]:
    """Some 20,000 English words: those that the tokenizer knows as one piece."""
    pieces = json.loads(TOKENIZER_PATH.read_text())["model"]["vocab"]
    return sorted(word for word in pieces if word.isascii() and word.isalpha() and len(word) > 2)


def merge_full_text(session: Session) -> None:
    """Merge the segments, as an office does that has grown over months instead of seconds."""
    for table in VIEWS:
        driver(session).execute(f"INSERT INTO {table}({table}) VALUES('optimize')")
