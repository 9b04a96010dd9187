"""The lexical leg: BM25 over both views, term by term, so that common words stay cheap.

Rare terms are enumerated with their BM25 weights, which add up to the score of the whole question. A term
that stands in very many passages says little and costs much: it only re-ranks what the rarer terms found.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from memory.recall.driver import driver
from memory.recall.full_text import TRIGRAMS, VIEWS
from memory.recall.pool import Candidate, Scope
from memory.recall.queries import Query

_COMMON = 1500
"""A term in more passages than this is common."""
_ENUMERATED = 4000
"""Passages enumerated per view before the remaining terms count as common, too."""
_LATEST = 400
"""Passages looked at where a question has common terms only."""


@dataclass(slots=True)
class Lexical:
    """Scores by passage number: one dictionary per view, and the terms each passage holds with their weights.

    ``terms`` maps a term to its inverse document frequency; ``holds`` a passage to the terms found in it.
    ``common`` are terms that were not enumerated. ``rarity`` holds the weight of every term of the question, of
    those that no passage holds, too.
    """

    views: list[dict[int, float]]
    terms: dict[str, float] = field(default_factory=dict)
    holds: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    common: dict[str, float] = field(default_factory=dict)
    rarity: dict[str, float] = field(default_factory=dict)

    def best(self, count: int) -> set[int]:
        """Return the ``count`` best passages of each view."""
        chosen: set[int] = set()
        for scores in self.views:
            chosen.update(sorted(scores, key=lambda number: -scores[number])[:count])
        return chosen


def find(session: Session, query: Query, scope: Scope) -> Lexical:
    """Score the passages that hold terms of the question; only those in the scope."""
    connection = driver(session)
    total = _total(connection)
    found = Lexical([{} for _view in VIEWS])
    for column, table in enumerate(VIEWS):
        counts = {term: _frequency(connection, table, term, total) for term in query.terms}
        for term, count in counts.items():
            found.rarity[term] = max(_weight(count, total), found.rarity.get(term, 0.0))
        known = sorted((count, term) for term, count in counts.items() if count)
        budget = _ENUMERATED
        for position, (count, term) in enumerate(known):
            weight = _weight(count, total)
            found.terms[term] = max(weight, found.terms.get(term, 0.0))
            if count > (_COMMON if scope.within is None else total) or (count > budget and position):
                found.common[term] = weight
                continue
            budget -= count
            for number, score in _postings(connection, table, term):
                if number in scope:
                    found.views[column][number] = found.views[column].get(number, 0.0) - score
                    found.holds[number].add(term)
        if known and not found.views[column] and scope.within is None:
            _latest(connection, table, [term for _count, term in known], found, column)
    _without_spaces(connection, query, found, scope)
    return found


def reweigh(found: Lexical, candidates: Iterable[Candidate]) -> None:
    """Add what the common terms are worth in each passage: their presence, as if at average length."""
    if not found.common:
        return
    stems = {_stem(term): term for term in found.common}
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, stems)) + ")")
    alone, around = found.views
    for candidate in candidates:
        # The context ends with the text, so what it lacks the text lacks, too.
        held = set(pattern.findall(candidate.context.lower()))
        said = set(pattern.findall(candidate.text.lower())) if held else held
        for scores, stems_of_view in ((alone, said), (around, held)):
            for stem in stems_of_view:
                weight = found.common[stems[stem]]
                scores[candidate.number] = scores.get(candidate.number, 0.0) + weight
        found.holds[candidate.number].update(stems[stem] for stem in held)


def _total(connection: Any) -> int:
    row = connection.execute("SELECT max(number) FROM passage").fetchone()
    return int(row[0] or 0)


def _frequency(connection: Any, table: str, term: str, total: int) -> int:
    """Passages that hold the term; of a common one an estimate from where the first ones stand."""
    last, count = connection.execute(
        f"SELECT max(rowid), count(*) FROM (SELECT rowid FROM {table} WHERE {table} MATCH ? LIMIT ?)",  # noqa: S608 - our own table names
        (_quoted(term), _COMMON + 1),
    ).fetchone()
    if count <= _COMMON:
        return int(count)
    return max(int(count), int(count * total / max(last, 1)))


def _weight(count: int, total: int) -> float:
    """The inverse document frequency of a term that ``count`` of all passages hold."""
    return math.log(1 + (total - count + 0.5) / (count + 0.5))


def _postings(connection: Any, table: str, term: str) -> list[tuple[int, float]]:
    rows: list[tuple[int, float]] = connection.execute(
        f"SELECT rowid, bm25({table}) FROM {table} WHERE {table} MATCH ?",  # noqa: S608 - our own table names
        (_quoted(term),),
    ).fetchall()
    return rows


def _latest(connection: Any, table: str, terms: list[str], found: Lexical, column: int) -> None:
    """Where all terms are common: the latest passages that hold most of them, unweighted."""
    for width in range(min(len(terms), 3), 0, -1):
        rows = connection.execute(
            f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid DESC LIMIT ?",  # noqa: S608 - our own table names
            (" AND ".join(_quoted(term) for term in terms[:width]), _LATEST),
        ).fetchall()
        for (number,) in rows:
            found.views[column].setdefault(number, 0.0)
        if len(found.views[column]) >= _LATEST:
            return


def _without_spaces(connection: Any, query: Query, found: Lexical, scope: Scope) -> None:
    """Runs of Han, kana or Thai: three characters and more by trigrams, two by the text itself."""
    for run in query.runs:
        parts = [run[start : start + 3] for start in range(len(run) - 2)] or [run]
        for part in parts:
            wanted, value = ("MATCH", _quoted(part)) if len(part) > 2 else ("LIKE", f"%{part}%")
            target = TRIGRAMS if len(part) > 2 else "text"
            rows = connection.execute(
                f"SELECT rowid FROM {TRIGRAMS} WHERE {target} {wanted} ? LIMIT ?",  # noqa: S608 - our own table names
                (value, _ENUMERATED),
            ).fetchall()
            weight = math.log(1 + _ENUMERATED / (len(rows) + 0.5))
            found.terms.setdefault(part, weight)
            for (number,) in rows:
                if number in scope:
                    for scores in found.views:
                        scores[number] = scores.get(number, 0.0) + weight
                    found.holds[number].add(part)


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'


def _stem(term: str) -> str:
    """Cut the commonest endings; common terms weigh so little that no more is needed."""
    for ending in ("ing", "ed", "es", "s", "e"):
        if term.endswith(ending) and len(term) - len(ending) > 2:
            return term.removesuffix(ending)
    return term
