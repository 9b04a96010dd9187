"""How the rows of a table are the fields of a record: names, defaults, and what refers to what.

A field is named like its column, but for a message's pin, which the protocol names. A field that was never written
has the default of its column and is not sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Float, Integer, Table, delete, exists, insert, select, update
from sqlalchemy.orm import Session

from memory.lifecycle.data_map.syncing import Synced, synced_tables
from memory.sync.errors import PlaintextInvalid
from memory.sync.plaintext import Entry, Json, canonical
from memory.tables import Base, MessageTable

SET = "set"
"""Of a record whose row may be deleted and come again: whether there is a row."""
FINAL = ("complete", "interrupted", "stopped", "failed")
"""The states of a message in which it is a record."""
_NAMES = {("message", "pinned_at"): "pinned"}
_NEEDED = {"message": ("conversation_id", "parent_id")}
"""References without which a row would stand in the wrong place: it waits until they lead somewhere."""
_LOOSE = {
    ("conversation", "active_leaf_id"): MessageTable.id,
    ("message", "shown_batch_id"): MessageTable.batch_id,
}
"""References that no foreign key holds."""
_NONE = object()


@dataclass(frozen=True)
class Shape:
    """The records of one type."""

    synced: Synced
    table: Table
    columns: Mapping[str, Column[Any]]
    """By the name of the field."""
    defaults: Mapping[str, Any]
    """Of the fields that have one."""
    references: Mapping[str, Column[Any]] = field(default_factory=dict)
    """For the fields that refer to something, the column that holds it."""

    @property
    def key(self) -> Column[Any]:
        """The column that tells rows apart."""
        return self.table.columns[self.synced.key]

    @property
    def needed(self) -> tuple[str, ...]:
        """The references that must lead somewhere."""
        return _NEEDED.get(self.synced.type, ())

    def read(self, session: Session, local_id: str) -> dict[str, Json] | None:
        """Return the values of a row by field, None where there is none or it is not ready to be a record."""
        chosen = select(*self.columns.values()).where(self.key == local_id)
        row = session.execute(chosen).one_or_none()
        if row is None:
            return _reset(local_id) if self.synced.reappears else None
        values = dict(zip(self.columns, row, strict=True))
        if self.synced.type == "message" and values["state"] not in FINAL:
            return None
        return {**values, SET: True} if self.synced.reappears else values

    def says(self, name: str, value: Json) -> bool:
        """Whether a value says more than a field that was never written."""
        return name not in self.defaults or canonical(self.defaults[name]) != canonical(value)

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
        return found

    def write(self, session: Session, local_id: str, values: Mapping[str, Any]) -> None:
        """Write a row by the values of its fields, over one that is there."""
        row = {self.columns[name].name: value for name, value in values.items()}
        if self.there(session, local_id):
            session.execute(update(self.table).where(self.key == local_id).values(row))
        else:
            session.execute(insert(self.table).values(row))

    def there(self, session: Session, local_id: str) -> bool:
        """Whether there is a row."""
        return bool(session.scalar(select(exists().where(self.key == local_id))))

    def remove(self, session: Session, local_id: str) -> None:
        """Delete a row that may come again."""
        session.execute(delete(self.table).where(self.key == local_id))

    def leads_nowhere(self, session: Session, name: str, value: Any) -> bool:
        """Whether a reference names what is not here."""
        target = self.references.get(name)
        return (
            target is not None
            and value is not None
            and not session.scalar(select(exists().where(target == value)))
        )


@cache
def shapes() -> Mapping[str, Shape]:
    """Return the shape of every type that this version has a table for; what others refer to stands before them."""
    return {each.type: _shape(each) for each in synced_tables()}


def _shape(each: Synced) -> Shape:
    table = Base.metadata.tables[each.table]
    columns = {_NAMES.get((each.type, name), name): table.columns[name] for name in each.columns}
    defaults = {name: value for name, column in columns.items() if (value := _default(column)) is not _NONE}
    references: dict[str, Any] = {}
    for name, column in columns.items():
        for key in column.foreign_keys:
            references[name] = key.column
        if (each.type, name) in _LOOSE:
            references[name] = _LOOSE[each.type, name]
    return Shape(each, table, columns, defaults, references)


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
