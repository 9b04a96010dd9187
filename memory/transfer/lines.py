"""Records as lines of JSON: rows of the database on their way out, a megabyte at a time."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import ColumnElement, literal_column, select
from sqlalchemy.orm import Session

from memory.tables import ProvenanceTable
from memory.transfer.bag_writing import BLOCK
from memory.transfer.record_types import RecordType
from memory.transfer.selection import Filters, condition

OWN = "aofx"
"""Key in ``provenance.extra`` of the fields of our own format that this version does not know."""
_ROWS = 500
_ADDRESSES = {"connections": ("proxy", "base_url")}
"""Fields that may hold a user and a password before the host."""
_PROXY = "network.proxy"

_quick = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Counted:
    """The lines of one record type as they go out; ``count`` and ``redacted`` are known after the last."""

    def __init__(self, session: Session, kind: RecordType, filters: Filters) -> None:
        self._session = session
        self._kind = kind
        self._filters = filters
        self.count = 0
        self.redacted = 0

    def pieces(self) -> Iterator[bytes]:
        """Yield the lines, joined into pieces of about a megabyte."""
        gathered: list[bytes] = []
        length = 0
        for record in self._records():
            line = to_line(record)
            self.count += 1
            gathered.append(line)
            length += len(line)
            if length >= BLOCK:
                yield b"".join(gathered)
                gathered, length = [], 0
        yield b"".join(gathered)

    def _records(self) -> Iterator[dict[str, Any]]:
        kind = self._kind
        unknown = unknown_fields(self._session, kind.name)
        clean = cleaner(kind)
        of_row = kind.to_line()
        columns = [kind.table.columns[field.name] for field in kind.fields]
        query = select(*columns).where(condition(self._filters, kind)).order_by(*_order(kind))
        for row in self._session.execute(query.execution_options(yield_per=_ROWS)):
            record = of_row(tuple(row))
            if clean is not None:
                self.redacted += clean(record)
            if unknown:
                record |= unknown.pop(kind.identity(record), {})
            if kind.table is ProvenanceTable.__table__:
                kept = without_own(record)
                if kept is None:
                    continue
                record = kept
            yield record


def _order(kind: RecordType) -> list[ColumnElement[Any]]:
    """As they were written; so what is added later stands below, and a second export differs in little."""
    if kind.table is ProvenanceTable.__table__:
        return [kind.table.columns[name] for name in kind.key]  # an import writes these in another order
    return [literal_column(f'"{kind.table.name}".rowid')]


def cleaner(kind: RecordType) -> Callable[[dict[str, Any]], int] | None:
    """Return the function that takes passwords out of a record and says how many, None where there are none."""
    if kind.name == "settings":
        return lambda record: _clean(record, "value") if record["key"] == _PROXY else 0
    names = _ADDRESSES.get(kind.name, ())
    return (lambda record: sum(_clean(record, name) for name in names)) if names else None


def _clean(record: dict[str, Any], name: str) -> int:
    address = record[name]
    try:
        parts = urlsplit(address)
    except (ValueError, AttributeError, TypeError):
        return 0
    if "@" not in parts.netloc:
        return 0
    record[name] = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return 1


def unknown_fields(session: Session, record_type: str) -> dict[str, dict[str, Any]]:
    """Return by record id the fields that came with an import and that this version has no column for."""
    rows = session.execute(
        select(ProvenanceTable.record_id, ProvenanceTable.extra)
        .where(ProvenanceTable.record_type == record_type, ProvenanceTable.extra[OWN].is_not(None))
        .order_by(literal_column("provenance.rowid"))
    )
    return {record_id: extra[OWN] for record_id, extra in rows if extra and extra.get(OWN)}


def unknown_types(session: Session, known: Iterable[str]) -> list[str]:
    """Return the record types that came with an import and that this version does not know."""
    rows = session.scalars(
        select(ProvenanceTable.record_type)
        .where(ProvenanceTable.record_type.not_in(list(known)), ProvenanceTable.extra[OWN].is_not(None))
        .distinct()
    )
    return sorted(rows)


def without_own(provenance: dict[str, Any]) -> dict[str, Any] | None:
    """Return a line of provenance without the fields that go out in the record itself, None if nothing is left."""
    extra = provenance["extra"]
    if not extra or OWN not in extra:
        return provenance
    rest = {name: value for name, value in extra.items() if name != OWN}
    if not rest and provenance["import_id"] is None and not provenance["original_id"]:
        return None
    return {**provenance, "extra": rest or None}


def to_line(record: dict[str, Any]) -> bytes:
    """Return one line of UTF-8 JSON, its keys in the order given."""
    try:
        return _quick(record).encode() + b"\n"
    except UnicodeEncodeError:
        # Half of a surrogate pair inside a document: JSON can say it, UTF-8 cannot.
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"
    except ValueError:
        return to_line(_finite(record))


def joined(records: Iterable[dict[str, Any]]) -> bytes:
    """Return a few records as lines."""
    return b"".join(to_line(record) for record in records)


def _finite(value: Any) -> Any:
    """Replace what JSON has no word for, such as an infinite number, by null."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
