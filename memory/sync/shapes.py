"""How the rows of a table are the fields of a record: names, defaults, and what refers to what.

A field is named like its column, but for a message's pin, which the protocol names. A field that was never written
has the default of its column and is not sent.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Float, Integer, Table, select
from sqlalchemy.orm import Session

from memory.lifecycle.data_map.syncing import Synced, synced_tables
from memory.sync import contents
from memory.sync.contents import CONTENT, FILE
from memory.sync.errors import PlaintextInvalid
from memory.sync.plaintext import Entry, Json, canonical
from memory.tables import Base

SET = "set"
"""Of a record whose row may be deleted and come again: whether there is a row."""
FINAL = ("complete", "interrupted", "stopped", "failed")
"""The states of a message in which it is a record."""
_NAMES = {("message", "pinned_at"): "pinned"}
_NEEDED = {"message": ("conversation_id", "parent_id"), FILE: ("conversation_id", "message_id")}
"""References without which a row would stand in the wrong place: it waits until they lead somewhere."""
_LOOSE = {
    ("conversation", "active_leaf_id"): ("message", "id"),
    ("message", "shown_batch_id"): ("message", "batch_id"),
}
"""References that no foreign key holds."""
_NONE = object()
_PLAIN = frozenset((type(None), bool, int, str))
"""The types whose values are equal exactly if their JSON is."""


@dataclass(frozen=True, eq=False)
class Shape:
    """The records of one type; there is one of each."""

    synced: Synced
    table: Table
    columns: Mapping[str, Column[Any]]
    """By the name of the field."""
    defaults: Mapping[str, Any]
    """Of the fields that have one."""
    references: Mapping[str, Column[Any]]
    """For the fields that refer to something, the column that holds it."""
    targets: tuple[Column[Any], ...]
    """The columns of this table that fields refer to, its own among them."""

    @property
    def key(self) -> Column[Any]:
        """The column that tells rows apart."""
        return self.table.columns[self.synced.key]

    @property
    def needed(self) -> tuple[str, ...]:
        """The references that must lead somewhere."""
        return _NEEDED.get(self.synced.type, ())

    def read(self, session: Session, keys: Collection[str]) -> dict[str, dict[str, Json]]:
        """Return rows by key, each as its values by field; what is not there is left out."""
        names = tuple(self.columns)
        found: dict[str, dict[str, Json]] = {}
        for row in session.execute(select(*self.columns.values()).where(self.key.in_(keys))):
            values = dict(zip(names, row, strict=True))
            if self.synced.reappears:
                values[SET] = True
            found[values[self.synced.key]] = values
        return found

    def said_by(self, row: dict[str, Json] | None, key: str) -> dict[str, Json] | None:
        """Return what a row says as a record, None where it is none: it is not there, or an agent is writing on it."""
        if row is None:
            return _reset(key) if self.synced.reappears else None
        return None if self.synced.type == "message" and row["state"] not in FINAL else row

    def is_ready(self, row: Mapping[str, Json]) -> bool:
        """Whether a row may be sealed: a file only once it was sent, and its pieces are where the others get them."""
        if self.synced.type != FILE:
            return True
        return row["message_id"] is not None and row[CONTENT] is not None

    def says(self, name: str, value: Json) -> bool:
        """Whether a value says more than a field that was never written."""
        if name not in self.defaults:
            return True
        default = self.defaults[name]
        if type(default) is type(value) and type(value) in _PLAIN:
            return bool(default != value)
        return canonical(default) != canonical(value)

    def values(self, fields: Mapping[str, Entry]) -> dict[str, Any]:
        """Return the whole row that fields give, by field. Raises PlaintextInvalid for what no row holds."""
        found: dict[str, Any] = {}
        for name, column in self.columns.items():
            value = fields[name].value if name in fields else self.defaults.get(name, _NONE)
            if value is _NONE or not _fits(column, value, self.defaults.get(name)):
                raise PlaintextInvalid(f"field {name}")
            found[name] = value
        if self.synced.type == "message" and found["state"] not in FINAL:
            raise PlaintextInvalid("field state")
        if self.synced.type == FILE:
            contents.read(found[CONTENT])
        return found


@cache
def shapes() -> Mapping[str, Shape]:
    """Return the shape of every type that this version has a table for; what others refer to stands before them."""
    references = {each.type: _references(each) for each in synced_tables()}
    targets = {column for columns in references.values() for column in columns.values()}
    return {each.type: _shape(each, references[each.type], targets) for each in synced_tables()}


def _shape(each: Synced, references: Mapping[str, Column[Any]], targets: set[Column[Any]]) -> Shape:
    table, columns = Base.metadata.tables[each.table], _columns(each)
    defaults = {name: value for name, column in columns.items() if (value := _default(column)) is not _NONE}
    own = tuple(column for column in table.columns if column in targets)
    return Shape(each, table, columns, defaults, references, own)


def _columns(each: Synced) -> dict[str, Column[Any]]:
    table = Base.metadata.tables[each.table]
    return {_NAMES.get((each.type, name), name): table.columns[name] for name in each.columns}


def _references(each: Synced) -> dict[str, Column[Any]]:
    found: dict[str, Any] = {}
    for name, column in _columns(each).items():
        for key in column.foreign_keys:
            found[name] = key.column
        if (each.type, name) in _LOOSE:
            found[name] = Base.metadata.tables[_LOOSE[each.type, name][0]].columns[_LOOSE[each.type, name][1]]
    return found


def _reset(key: str) -> dict[str, Json]:
    return {"key": key, "value": None, "updated_at": 0, SET: False}


def _default(column: Column[Any]) -> Any:
    if column.default is not None and column.default.is_callable:
        return column.default.arg(None)  # type: ignore[attr-defined]  # a callable default has it
    if column.default is not None and column.default.is_scalar:
        return column.default.arg  # type: ignore[attr-defined]  # a scalar default has it
    return None if column.nullable else _NONE


def _fits(column: Column[Any], value: Any, default: Any) -> bool:
    if value is None:
        return bool(column.nullable) or isinstance(column.type, JSON)
    if isinstance(column.type, JSON):
        return default is None or type(value) is type(default)
    if isinstance(column.type, Boolean):
        return type(value) is bool
    if isinstance(column.type, Integer):
        return type(value) is int
    if isinstance(column.type, Float):
        return type(value) in (int, float)
    return type(value) is str
