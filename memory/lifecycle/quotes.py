"""Cleaning what repeats an erased item elsewhere: the working papers of runs, citations, lists of files.

What a run recalled or quoted stands in its papers beside the id of its source, so other conversations are searched
by id alone; the papers of the item's own conversation are searched for its words too.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from memory.lifecycle.finder import Finder
from memory.lifecycle.fingerprints import SHORTEST, windows
from memory.lifecycle.subjects import portions
from memory.recall.driver import driver
from memory.tables.runs import QUOTING

GONE = "…"
"""Stands in the place of words that were erased."""

_ID = re.compile("[0-9a-f]{32}")
_FEW = 4
_CUT_OFF = ("interrupted", "failed", "stopped", "needs_you", "running", "queued")
_NOT_SAID = "kind NOT IN ('text', 'thinking')"


class Quotes:
    """How an item is recognised elsewhere: the ids that stand for it, and pieces of its words."""

    def __init__(self, ids: Iterable[str], texts: Iterable[str]) -> None:
        self.ids = frozenset(ids)
        self._pieces = Finder(
            {form for text in texts for piece in windows(text) for form in _stored_forms(piece)}
            | {identifier.encode() for identifier in self.ids}
        )

    def stand_in(self, text: str) -> bool:
        """Say whether a text, or a column's JSON text as it is stored, quotes the item."""
        return next(self._pieces.search(text.encode("utf-8", "surrogatepass")), None) is not None

    def cleaned(self, value: Any) -> Any:
        """Return a JSON value without what quotes the item.

        Texts that hold a piece of it become GONE; entries of a list that name it go, but where they hold a
        count they keep that and lose their words.
        """
        if isinstance(value, str):
            return GONE if self.stand_in(value) else value
        if isinstance(value, list):
            return [self.cleaned(one) for one in value if not self._names(one) or _counts(one)]
        if isinstance(value, dict):
            if self._names(value) and _counts(value):
                return {name: GONE if isinstance(one, str) and one else one for name, one in value.items()}
            return {name: self.cleaned(one) for name, one in value.items()}
        return value

    def _names(self, value: Any) -> bool:
        if isinstance(value, dict):
            return any(isinstance(one, str) and one in self.ids for one in value.values())
        return isinstance(value, str) and value in self.ids


def clean_papers(session: Session, quotes: Quotes, conversation_ids: Iterable[str]) -> int:
    """Clean contexts, histories, reasons and events of runs; return how many rows changed."""
    here = [
        row[0]
        for some in portions(conversation_ids)
        for row in _rows(session, "SELECT id FROM run WHERE conversation_id IN ({marks})", some)
    ]
    runs = _mentions(session, quotes) | set(here)
    # A run that was cut off may have named its sources without having told of them yet.
    runs |= {row[0] for row in _rows(session, "SELECT id FROM run WHERE state IN ({marks})", _CUT_OFF)}
    changed = 0
    for some in portions(sorted(runs)):
        changed += clean_column(session, "run_event", "body", quotes, "run_id", some, _NOT_SAID)
        for column in ("context", "history"):
            changed += clean_column(session, "run", column, quotes, "id", some)
        for number, reason in _rows(
            session, "SELECT rowid, reason FROM run WHERE reason <> '' AND id IN ({marks})", some
        ):
            if quotes.stand_in(reason):
                driver(session).execute("UPDATE run SET reason = ? WHERE rowid = ?", (GONE, number))
                changed += 1
    return changed


def clean_column(
    session: Session,
    table: str,
    column: str,
    quotes: Quotes,
    key: str,
    values: Sequence[str | int],
    condition: str = "TRUE",
) -> int:
    """Clean one JSON column of the rows whose ``key`` has one of the values; return how many changed."""
    query = f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL AND {condition}"  # noqa: S608 - our names
    found = [
        row
        for row in _rows(session, query + f" AND {key} IN ({{marks}})", values)
        if quotes.stand_in(str(row[1]))
    ]
    for number, stored in found:
        text = json.dumps(quotes.cleaned(json.loads(str(stored))))
        driver(session).execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (text, number))  # noqa: S608 - our names
    return len(found)


def clean_citations_elsewhere(session: Session, quotes: Quotes) -> int:
    """Clean the citations of messages in every conversation; return how many messages changed."""
    changed = 0
    query = "SELECT rowid, citations FROM message WHERE citations <> '[]'"
    for number, stored in driver(session).execute(query).fetchall():
        if quotes.stand_in(stored):
            changed += clean_column(session, "message", "citations", quotes, "rowid", [number])
    return changed


def _mentions(session: Session, quotes: Quotes) -> set[str]:
    """Return the runs, anywhere, whose papers name one of the ids."""
    query = f"SELECT run_id, body FROM run_event INDEXED BY ix_run_event_quoting WHERE ({QUOTING})"  # noqa: S608 - our names
    ids = sorted(quotes.ids)
    if len(ids) <= _FEW:
        query += " AND (" + " OR ".join("instr(body, ?)" for _one in ids) + ")" if ids else " AND FALSE"
        rows = driver(session).execute(query, ids).fetchall()
    else:
        named = driver(session).execute(query)
        rows = [row for row in named if any(found in quotes.ids for found in _ID.findall(row[1]))]
    return {row[0] for row in rows}


def _rows(session: Session, query: str, values: Sequence[str | int]) -> list[Any]:
    marks = ",".join("?" * len(values))
    return list(driver(session).execute(query.format(marks=marks), list(values)).fetchall())


def _stored_forms(piece: str) -> set[bytes]:
    plain = piece.encode("utf-8", "surrogatepass").lower()
    escaped = json.dumps(piece)[1:-1].encode().lower()
    return {form for form in (plain, escaped) if len(form) >= SHORTEST}


def _counts(value: Any) -> bool:
    return isinstance(value, dict) and "tokens" in value
