"""The rows that one page of records meets: read together, changed in memory, written together."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Column, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from memory.sync.plaintext import Json
from memory.sync.shapes import SET, Shape

Fields = dict[str, Json]
_KEY = "key_of_row"


class Rows:
    """What was asked for once, or was changed here, costs no statement; nothing is on the disk before `write`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[Shape, dict[str, Fields | None]] = defaultdict(dict)
        self._stored: dict[Shape, set[str]] = defaultdict(set)
        self._changed: dict[Shape, dict[str, None]] = defaultdict(dict)
        self._leads: dict[Column[Any], dict[str, bool]] = defaultdict(dict)

    def meet(self, shape: Shape, keys: Iterable[str], rows: Collection[Fields] = ()) -> None:
        """Read the rows that will be asked for, and what some other rows refer to."""
        met = self._rows[shape]
        if asked := {key for key in keys if key not in met}:
            found = shape.read(self._session, asked)
            self._stored[shape].update(found)
            met.update({key: found.get(key) for key in asked})
        for name, target in shape.references.items():
            self._look_up(target, {value for row in rows if type(value := row.get(name)) is str})

    def get(self, shape: Shape, key: str) -> Fields | None:
        """Return a row by field as it is now, None where there is none."""
        self.meet(shape, [key])
        return self._rows[shape][key]

    def put(self, shape: Shape, key: str, values: Fields) -> None:
        """Write the whole row of a record, over one that is there."""
        self.meet(shape, [key])
        self._rows[shape][key] = {**values, SET: True} if shape.synced.reappears else values
        self._changed[shape][key] = None
        for target in shape.targets:
            self._leads[target][str(values[target.name])] = True

    def remove(self, shape: Shape, key: str) -> None:
        """Delete a row that may come again."""
        self._rows[shape][key] = None
        self._stored[shape].discard(key)
        self._changed[shape].pop(key, None)
        self._session.execute(delete(shape.table).where(shape.key == key))

    def forget(self, shape: Shape, key: str) -> None:
        """Read a row anew when it is asked for: it was changed elsewhere."""
        self._rows[shape].pop(key, None)

    def leads_nowhere(self, shape: Shape, name: str, value: Json) -> bool:
        """Whether a field of a row refers to what is not here."""
        target = shape.references.get(name)
        if target is None or type(value) is not str:
            return False
        self._look_up(target, {value})
        return not self._leads[target][value]

    def write(self) -> None:
        """Put into the database what was changed."""
        connection = self._session.connection()
        for shape, keys in self._changed.items():
            stored = self._stored[shape]
            rows = {key: _columns(shape, row) for key in keys if (row := self._rows[shape][key]) is not None}
            if new := [row for key, row in rows.items() if key not in stored]:
                connection.execute(insert(shape.table), [{**shape.synced.begins, **row} for row in new])
            if changed := [{_KEY: key, **row} for key, row in rows.items() if key in stored]:
                connection.execute(update(shape.table).where(shape.key == bindparam(_KEY)), changed)
            stored.update(rows)
        self._changed.clear()

    def _look_up(self, target: Column[Any], values: set[str]) -> None:
        known = self._leads[target]
        if asked := values - known.keys():
            found = set(self._session.scalars(select(target).where(target.in_(asked))))
            known.update({value: value in found for value in asked})


def _columns(shape: Shape, row: Fields) -> dict[str, Any]:
    return {column.name: row[name] for name, column in shape.columns.items()}
