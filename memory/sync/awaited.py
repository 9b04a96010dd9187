"""What records refer to and is not here yet. A trigger (`hooks`) notes when it comes, whoever brings it."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from memory.sync.aside import UNSENT
from memory.tables import SyncAwaitedTable, SyncRecordTable


class Awaited:
    """What one page changes of it, written together before the rows of the page."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._noted: dict[str, frozenset[str]] = {}

    def note(self, rid: str, targets: Iterable[str]) -> None:
        """Note all that a record waits for; nothing where it waits for nothing any more."""
        self._noted[rid] = frozenset(targets)

    def write(self) -> None:
        """Put into the database what was noted."""
        if self._noted:
            connection = self._session.connection()
            connection.execute(delete(SyncAwaitedTable).where(SyncAwaitedTable.rid.in_(list(self._noted))))
            rows = [{"rid": rid, "target": each} for rid, targets in self._noted.items() for each in targets]
            if rows:
                connection.execute(insert(SyncAwaitedTable), rows)
            self._noted.clear()

    def arrived(self) -> list[str]:
        """Return the records for which something has come, but for those that are not shown."""
        chosen = (
            select(SyncRecordTable.rid)
            .join(SyncAwaitedTable, SyncAwaitedTable.rid == SyncRecordTable.rid)
            .where(SyncAwaitedTable.arrived, SyncRecordTable.state.not_in(UNSENT))
            .distinct()
        )
        return list(self._session.scalars(chosen))

    def targets(self) -> dict[str, list[str]]:
        """Return by what they wait for the records that wait."""
        found: dict[str, list[str]] = defaultdict(list)
        chosen = select(SyncAwaitedTable.target, SyncAwaitedTable.rid).where(~SyncAwaitedTable.arrived)
        for row in self._session.execute(chosen):
            found[row.target].append(row.rid)
        return found
