"""Incoming records against what the office holds: new, the same, different, or erased here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from memory.lifecycle import erased
from memory.transfer.lines import cleaner
from memory.transfer.record_types import RecordType, from_rfc3339

Verdict = Literal["new", "same", "mine", "theirs", "undecided", "erased"]
BATCH = 400

STAYS = frozenset({"audit"})
"""Types that belong to the office they come from: read by their owner, never brought into another."""


_SETTLED = frozenset({"blobs", "provenance", "imports", "exports"})
"""Types whose records say what once happened: the one that is here stays. (A blob of one id is one file.)"""


@dataclass(frozen=True, slots=True)
class Choice:
    """What its owner decides about an import.

    ``skip_erased`` leaves out what was erased here. ``differing`` says which of two records of the same id
    stays where neither is newer: ``mine``, ``theirs``, or empty while it is not decided.
    """

    skip_erased: bool = True
    differing: Literal["", "mine", "theirs"] = ""


class Comparison:
    """Compares the records of one type, batch by batch, in one transaction."""

    def __init__(self, session: Session, kind: RecordType, choice: Choice) -> None:
        self._session = session
        self._kind = kind
        self._choice = choice
        self._clean = cleaner(kind)
        self._columns = [kind.table.columns[field.name] for field in kind.fields]
        self._line = kind.to_line()
        self._names = [field.name for field in kind.fields]

    def judge(self, records: Sequence[dict[str, Any]]) -> list[Verdict]:
        """Return the verdict on each record, in their order."""
        gone = self._erased(records)
        held = {self._kind.identity(row): row for row in self._held(records)}
        return [self._verdict(record, gone, held) for record in records]

    def _verdict(
        self, record: dict[str, Any], gone: frozenset[str], held: dict[str, dict[str, Any]]
    ) -> Verdict:
        identity = self._kind.identity(record)
        mine = held.get(identity)
        if mine is None:
            erased_here = identity in gone or (self._kind.name == "blobs" and record["sha256"] in gone)
            return "erased" if erased_here else "new"
        if all(mine[name] == record[name] for name in self._names):
            return "same"
        if self._kind.name in _SETTLED or (self._kind.name == "agents" and _but_for_name(mine, record)):
            return "mine"
        if "updated_at" in mine:
            newer = from_rfc3339(record["updated_at"]) - from_rfc3339(mine["updated_at"])
            if newer:
                return "theirs" if newer > 0 else "mine"
        return self._choice.differing or "undecided"

    def _erased(self, records: Sequence[dict[str, Any]]) -> frozenset[str]:
        if not self._choice.skip_erased:
            return frozenset()
        found = erased.among(self._session, self._kind.name, map(self._kind.identity, records))
        if self._kind.name == "blobs":
            digests = [record["sha256"] for record in records]
            found |= erased.among(self._session, erased.CONTENT, digests)
        return found

    def _held(self, records: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in self._session.execute(select(*self._columns).where(matches(self._kind, records))):
            record = self._line(tuple(row))
            if self._clean is not None:
                self._clean(record)
            yield record


def _but_for_name(mine: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether two forms of an agent differ in the name alone, as when it was given another one at its arrival."""
    return all(value == record[name] for name, value in mine.items() if name != "name")


def matches(kind: RecordType, records: Iterable[dict[str, Any]]) -> ColumnElement[bool]:
    """Return the condition under which a row is one of these records."""
    if len(kind.key) == 1:
        name = kind.key[0]
        return kind.table.columns[name].in_([record[name] for record in records])
    return or_(
        *(and_(*(kind.table.columns[name] == record[name] for name in kind.key)) for record in records)
    )


def batches(records: Iterable[dict[str, Any]], size: int = BATCH) -> Iterator[list[dict[str, Any]]]:
    """Yield the records in lists of at most ``size``."""
    gathered: list[dict[str, Any]] = []
    for record in records:
        gathered.append(record)
        if len(gathered) == size:
            yield gathered
            gathered = []
    if gathered:
        yield gathered
