"""The types of records in an export, drawn from the data map and the columns of the tables.

A line of ``records/<name>.jsonl`` holds the exported columns of one row under their own names. Instants become
RFC 3339 times in UTC; everything else is what JSON calls it.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Union, get_args, get_origin

from sqlalchemy import JSON, Boolean, Column, Float, Integer, Table, UniqueConstraint

from memory.lifecycle.data_map import Category, exported_tables
from memory.tables import Base
from memory.tables.base import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = -62_135_596_800_000
"""0001-01-01 in milliseconds; RFC 3339 has four digits for the year, so it ends with 9999."""
_LATEST = 253_402_300_799_999
_PATTERNS = {("blob", "id"): "^[0-9a-f]{32}$", ("blob", "sha256"): "^[0-9a-f]{64}$"}


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a record type. ``kind`` is ``text``, ``integer``, ``number``, ``switch``, ``time`` or ``json``."""

    name: str
    kind: str
    nullable: bool
    refers_to: str = ""
    """``table.column`` of what it names, where the database holds it to that."""
    pattern: str = ""
    """What a text must be as a whole, where it becomes the name of a file."""


@dataclass(frozen=True, slots=True)
class RecordType:
    """The lines of one file under ``records/``; ``key`` are the fields that tell its records apart."""

    name: str
    category: Category
    purpose: str
    table: Table
    fields: tuple[Field, ...]
    key: tuple[str, ...]

    def identity(self, record: dict[str, Any]) -> str:
        """Return the record's id; where several fields make it up, they are joined by ``/``."""
        return "/".join(str(record[name]) for name in self.key)

    def to_line(self) -> Callable[[tuple[Any, ...]], dict[str, Any]]:
        """Return the function that makes a record out of a row of the exported columns."""
        names = [field.name for field in self.fields]
        times = [index for index, field in enumerate(self.fields) if field.kind == "time"]

        def record(row: tuple[Any, ...]) -> dict[str, Any]:
            values = list(row)
            for index in times:
                if values[index] is not None:
                    values[index] = to_rfc3339(values[index])
            return dict(zip(names, values, strict=True))

        return record


def record_types() -> tuple[RecordType, ...]:
    """Return every record type of an export, in the order of the data map."""
    classes = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]  # a mapped class has a plain table
    found = []
    for entry in exported_tables():
        table = Base.metadata.tables[entry.table]
        instants = _instants(classes[entry.table])
        fields = tuple(_field(table.columns[name], name in instants) for name in entry.exported)
        found.append(
            RecordType(
                entry.record, entry.category, entry.purpose, table, fields, _key(table, entry.exported)
            )
        )
    return tuple(found)


def to_rfc3339(at: int) -> str | int:
    """Return milliseconds since 1970 as ``2026-11-22T02:11:45.123Z``; what that cannot say stays a number."""
    if not _EARLIEST <= at <= _LATEST:
        return at
    # Without floating point, so that every millisecond comes back as it was.
    moment = _EPOCH + timedelta(milliseconds=at)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def from_rfc3339(said: str | int) -> int:
    """Return milliseconds since 1970. Raises ValueError for anything but a time with a zone, or a number."""
    if isinstance(said, int):
        return said
    moment = datetime.fromisoformat(said)
    if moment.tzinfo is None:
        raise ValueError(said)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _key(table: Table, exported: tuple[str, ...]) -> tuple[str, ...]:
    primary = tuple(column.name for column in table.primary_key)
    if set(primary) <= set(exported):
        return primary
    unique = next(each for each in table.constraints if isinstance(each, UniqueConstraint))
    return tuple(column.name for column in unique.columns)


def _field(column: Column[Any], instant: bool) -> Field:
    target = next((key.target_fullname for key in column.foreign_keys), "")
    pattern = _PATTERNS.get((column.table.name, column.name), "")
    return Field(column.name, "time" if instant else _kind(column), bool(column.nullable), target, pattern)


def _kind(column: Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, JSON):
        return "json"
    if isinstance(kind, Boolean):
        return "switch"
    if isinstance(kind, Integer):
        return "integer"
    return "number" if isinstance(kind, Float) else "text"


def _instants(mapped: type) -> frozenset[str]:
    """Return the columns that are declared as instants."""
    found = set()
    for name, annotation in mapped.__annotations__.items():
        said = get_args(annotation)[0] if get_args(annotation) else None
        union = get_origin(said) in (Union, types.UnionType)
        if Instant in (get_args(said) if union else (said,)):
            found.add(name)
    return frozenset(found)
