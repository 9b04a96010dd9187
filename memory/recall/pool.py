"""The candidates of a search: their rows, what forbids showing them, and their vectors."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from memory import purposes
from memory.recall.driver import driver

_AT_A_TIME = 400


@dataclass(frozen=True, slots=True)
class Filter:
    """Where to look. Empty collections mean everywhere; ``exclude_…`` leaves out what the asker sees anyway.

    ``scopes`` are ids (agents, conversations) whose own notes may be shown beside the office's.
    """

    conversation_ids: frozenset[str] = frozenset()
    attachment_ids: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    exclude_conversation_id: str = ""
    exclude_message_ids: frozenset[str] = frozenset()
    before: int | None = None
    after: int | None = None

    @property
    def narrow(self) -> bool:
        """Whether only named conversations or files are looked into."""
        return bool(self.conversation_ids or self.attachment_ids)

    @property
    def sieve(self) -> bool:
        """Whether much of what is near may not be shown, so that more must be looked at."""
        left_out = self.exclude_conversation_id or self.exclude_message_ids or self.kinds
        return bool(left_out) or self.before is not None or self.after is not None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may be shown, as it stands in the database."""

    number: int
    source_kind: str
    source_id: str
    conversation_id: str | None
    ordinal: int
    place: str
    heading: str
    speaker: str
    at: int
    text: str
    context: str
    pinned: int
    """1 where the owner pinned the note, the message or its conversation."""


_ROWS = """
SELECT p.number, p.source_kind, p.source_id, p.conversation_id, p.ordinal, p.place, p.heading, p.speaker,
       p.at, p.text, p.context, c.pinned_at IS NOT NULL OR m.pinned_at IS NOT NULL OR n.pinned_at IS NOT NULL,
       n.scope, n.scope_id
FROM passage p
LEFT JOIN conversation c ON c.id = p.conversation_id
LEFT JOIN message m ON m.id = p.message_id
LEFT JOIN note n ON n.id = p.note_id
LEFT JOIN attachment a ON a.id = p.attachment_id
LEFT JOIN message carrier ON carrier.id = a.message_id
WHERE p.number IN ({marks})
  AND coalesce(c.trashed_at, m.trashed_at, n.trashed_at, a.trashed_at) IS NULL
  AND NOT (coalesce(c.restricted, 0) OR coalesce(m.restricted, 0) OR coalesce(n.restricted, 0)
           OR coalesce(a.restricted, 0) OR coalesce(carrier.restricted, 0))
  AND coalesce(n.state, 'accepted') = 'accepted' AND n.valid_to IS NULL
"""


def candidates(session: Session, numbers: Iterable[int], chosen: Filter) -> list[Candidate]:
    """Return the rows of these passages that may be shown: not trashed, not restricted, within the filter."""
    connection = driver(session)
    result: list[Candidate] = []
    for some in _portions(numbers):
        for row in connection.execute(_ROWS.format(marks=",".join("?" * len(some))), some):
            candidate = Candidate(*row[:12])
            if _allowed(candidate, chosen, scope=row[12], scope_id=row[13]):
                result.append(candidate)
    return _without_objections(session, result, chosen)


def _without_objections(session: Session, found: list[Candidate], chosen: Filter) -> list[Candidate]:
    """Leave out what its owner does not want remembered, except in the conversation where it was said."""
    off = purposes.objections(session, "memory")
    if not off:
        return found
    elsewhere = frozenset(
        one.conversation_id
        for one in found
        if one.conversation_id is not None and one.conversation_id not in chosen.scopes
    )
    hidden = elsewhere if purposes.EVERYBODY in off else purposes.conversations_of(session, off, elsewhere)
    return [one for one in found if one.conversation_id not in hidden]


@dataclass(frozen=True, slots=True)
class Scope:
    """Passages to look at: only those ``within``, unless that is None, and never those ``without``."""

    within: frozenset[int] | None
    without: frozenset[int]

    def __contains__(self, number: int) -> bool:
        return number not in self.without and (self.within is None or number in self.within)


EVERYWHERE = Scope(None, frozenset())


def scope_of(session: Session, chosen: Filter) -> Scope:
    """Return the passages of a filter's conversations and files, and those of the conversation left out."""
    within: set[int] = set()
    for column, ids in (
        ("conversation_id", chosen.conversation_ids),
        ("attachment_id", chosen.attachment_ids),
    ):
        for identifier in ids:
            within |= _numbers(session, column, identifier)
    without: set[int] = set()
    if chosen.exclude_conversation_id:
        rows = driver(session).execute(
            "SELECT number FROM passage WHERE conversation_id = ? AND source_kind <> 'note'",
            (chosen.exclude_conversation_id,),
        )
        without = {number for (number,) in rows}
    return Scope(frozenset(within) if chosen.narrow else None, frozenset(without))


def _numbers(session: Session, column: str, identifier: str) -> set[int]:
    rows = driver(session).execute(f"SELECT number FROM passage WHERE {column} = ?", (identifier,))  # noqa: S608 - one of two column names
    return {number for (number,) in rows}


def numbers_of(session: Session, random_ids: Sequence[str]) -> dict[str, int]:
    """Return the passages that the index's random ids stand for; erased ones are missing."""
    connection = driver(session)
    found: dict[str, int] = {}
    for some in _portions(random_ids):
        marks = ",".join("?" * len(some))
        rows = connection.execute(
            f"SELECT random_id, passage_number FROM embedding WHERE random_id IN ({marks})",  # noqa: S608 - question marks only
            some,
        )
        found.update(rows)
    return found


def vectors_of(session: Session, numbers: Iterable[int], embedder: str) -> dict[tuple[int, int], bytes]:
    """Return the float32 vectors of these passages by number and view."""
    connection = driver(session)
    found: dict[tuple[int, int], bytes] = {}
    for some in _portions(numbers):
        marks = ",".join("?" * len(some))
        rows = connection.execute(
            "SELECT passage_number, view, vector FROM embedding"  # noqa: S608 - question marks only
            f" WHERE passage_number IN ({marks}) AND embedder = ?",
            (*some, embedder),
        )
        for number, view, vector in rows:
            found[number, view] = vector
    return found


def neighbours(session: Session, candidate: Candidate) -> tuple[str, str]:
    """Return the turn or passage before and after this one, as ``Name: text``, or empty strings."""
    connection = driver(session)
    column = "source_id" if candidate.source_kind == "attachment" else "conversation_id"
    value = candidate.source_id if candidate.source_kind == "attachment" else candidate.conversation_id
    if value is None:
        return "", ""
    texts = []
    for sign, order in (("<", "DESC"), (">", "ASC")):
        row: Any = connection.execute(
            "SELECT p.speaker, p.text FROM passage p LEFT JOIN message m ON m.id = p.message_id"  # noqa: S608 - fixed words
            f" WHERE p.{column} = ? AND p.source_kind = ? AND p.number {sign} ?"
            " AND m.trashed_at IS NULL AND NOT coalesce(m.restricted, 0)"
            f" ORDER BY p.number {order} LIMIT 1",
            (value, candidate.source_kind, candidate.number),
        ).fetchone()
        texts.append("" if row is None else f"{row[0]}: {row[1]}" if row[0] else row[1])
    return texts[0], texts[1]


def _allowed(candidate: Candidate, chosen: Filter, *, scope: str | None, scope_id: str | None) -> bool:
    if chosen.kinds and candidate.source_kind not in chosen.kinds:
        return False
    if candidate.source_kind == "message" and candidate.source_id in chosen.exclude_message_ids:
        return False
    if chosen.before is not None and candidate.at >= chosen.before:
        return False
    if chosen.after is not None and candidate.at < chosen.after:
        return False
    return scope in (None, "office") or scope_id in chosen.scopes


def _portions(items: Collection[Any] | Iterable[Any]) -> Iterable[list[Any]]:
    ordered = list(items)
    for start in range(0, len(ordered), _AT_A_TIME):
        yield ordered[start : start + _AT_A_TIME]
