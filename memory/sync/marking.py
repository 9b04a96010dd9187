"""Every row that syncs is marked, some of them in each transaction, so that nobody waits for the database.

How far that has come is in the row of the space: a crash only lets it go on from there.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Select, func, insert, literal_column, select
from sqlalchemy.orm import Session

from memory.identifiers import now
from memory.sync.known import digest
from memory.sync.shapes import Shape, shapes
from memory.tables import SyncChangeTable, SyncSpaceTable

_NUMBER = literal_column("rowid", Integer)
"""By which rows are marked in the order written, or answers would be sent before their questions."""
_START = (0, "")


def begin(here: SyncSpaceTable) -> None:
    """Let every row of the chosen types be marked: what is known already will turn out to be unchanged."""
    here.marking = {type_: list(_START) for type_ in shapes() if type_ in here.types}


def go_on(session: Session, here: SyncSpaceTable, most: int) -> bool:
    """Mark up to ``most`` rows; return whether there may be more."""
    left = {type_: place for type_, place in here.marking.items() if type_ in here.types}
    for type_, shape in shapes().items():
        if most > 0 and type_ in left:
            rows = session.execute(_unmarked(session, shape, left[type_]).limit(most)).all()
            if rows:
                marks = [{"type": type_, "local_id": row.key, "at": now()} for row in rows]
                session.execute(insert(SyncChangeTable).prefix_with("OR IGNORE"), marks)
                left[type_] = [rows[-1].number, digest(rows[-1].key)]
            if len(rows) < most:
                del left[type_]
            most -= len(rows)
    if left != here.marking:
        here.marking = left
    return bool(left)


def unmarked(session: Session) -> int:
    """Return how many rows are still to be marked."""
    here = session.scalars(select(SyncSpaceTable)).one_or_none()
    if here is None:
        return 0
    types = [type_ for type_ in here.marking if type_ in here.types]
    rows = (_unmarked(session, shapes()[type_], here.marking[type_]).subquery() for type_ in types)
    return sum(session.scalar(select(func.count()).select_from(each)) or 0 for each in rows)


def _unmarked(session: Session, shape: Shape, place: Sequence[Any]) -> Select[Any]:
    """Return the rows that come after a place: number, and digest of the key, of the last one that was marked.

    VACUUM may give rows other numbers, in the same order; where that happened, or the row is gone, all come again.
    The key itself would stay behind when its row is erased.
    """
    number, said = place
    key = session.scalar(select(shape.key).where(number == _NUMBER))
    if key is None or digest(key) != said:
        number = 0
    chosen = select(_NUMBER.label("number"), shape.key.label("key")).where(number < _NUMBER)
    if shape.synced.only:
        chosen = chosen.where(shape.key.in_(shape.synced.only))
    return chosen.order_by(_NUMBER)
