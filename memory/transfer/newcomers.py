"""Agents who come into an office where others have their names already."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.tables import AgentTable

_CHARACTER = (
    *("role", "personality", "language", "time_zone", "instructions", "model", "temperature", "max_tokens"),
    *("effort", "tools", "recipients", "accepts_own_notes", "run_cap", "day_cap", "librarian"),
)
"""What makes two agents of one name the same one, such as a preset that was never changed."""


class Newcomers:
    """Gives agents who come in a name of their own, or finds who they are here already."""

    def __init__(self, session: Session) -> None:
        self._here = {row.name: row for row in session.scalars(select(AgentTable))}
        self._names = set(self._here)
        self._ids = {row.id: row.name for row in self._here.values()}
        self.same: dict[str, str] = {}
        """Ids of agents who come in, and who they are here."""

    def settle(self, record: dict[str, Any]) -> None:
        """Rename an agent who comes in where needed, or note in ``same`` who it is."""
        identity, name = record["id"], record["name"]
        if identity in self._ids:
            # It is here; another one may have taken the name it came with.
            other = self._here.get(name)
            if other is not None and other.id != identity:
                record["name"] = self._ids[identity]
            return
        mine = self._here.get(name)
        if mine is not None and all(getattr(mine, each) == record[each] for each in _CHARACTER):
            self.same[identity] = mine.id
            return
        number = 2
        while record["name"] in self._names:
            record["name"] = f"{name} ({number})"
            number += 1
        self._names.add(record["name"])
