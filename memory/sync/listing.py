"""Records that its owner may want to see one by one: set aside, on this device alone, too long, not placed yet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.lifecycle.subjects import portions
from memory.lifecycle.trash import ASIDE_DAYS, DAY
from memory.sync.aside import ASIDE
from memory.sync.placing import waiting
from memory.sync.shapes import shapes
from memory.tables import SyncRecordTable
from memory.titles import title_from

APART = ("kept", "too_long", "held", "opaque")
"""The states of records that stand in no list but this one, and that the other devices have otherwise or not at all."""
_CALLED = ("title", "name", "text", "key")
"""The fields by which a record is called, the best first."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One record and how it stands. ``name`` is its title or how its text begins, empty where nothing says it.

    Of what was set aside, ``since`` says when and ``until`` until when it stays, in UTC milliseconds; ``by`` is
    `aside.ABSENT`, `aside.VERDICT` or the id of the device whose order it was, empty for everything else.
    """

    rid: str
    type: str
    name: str
    state: str
    since: int | None = None
    until: int | None = None
    by: str = ""


def set_aside(session: Session) -> tuple[Listed, ...]:
    """Return what was set aside and lies in the trash, the latest first; what was taken out of it waits to be sent."""
    return tuple(sorted(_listed(session, (ASIDE,)), key=lambda one: (-(one.since or 0), one.rid)))


def apart(session: Session) -> tuple[Listed, ...]:
    """Return what does not sync as everything else does, by state and name."""
    found = _listed(session, APART)
    return tuple(sorted(found, key=lambda one: (APART.index(one.state), one.type, one.name, one.rid)))


def _listed(session: Session, states: tuple[str, ...]) -> Iterator[Listed]:
    chosen = select(SyncRecordTable).where(SyncRecordTable.state.in_(states))
    records = session.scalars(chosen).all()
    rows = _rows(session, records)
    for known in records:
        fields = rows.get((known.type, known.local_id or ""), {})
        if known.waiting is not None and known.type in shapes():
            fields = {name: entry.value for name, entry in waiting(known).fields.items()}
        elif known.state == ASIDE and fields and fields["trashed_at"] is None:
            continue
        since = known.aside_at if known.state == ASIDE else None
        until = since + ASIDE_DAYS * DAY if since is not None else None
        yield Listed(known.rid, known.type, _name(fields), known.state, since, until, known.aside_by)


def _rows(session: Session, records: Any) -> dict[tuple[str, str], Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for type_, shape in shapes().items():
        keys = [each.local_id for each in records if each.type == type_ and each.local_id]
        for some in portions(keys):
            found |= {(type_, key): row for key, row in shape.read(session, some).items()}
    return found


def _name(fields: Mapping[str, Any]) -> str:
    called = (fields.get(each) for each in _CALLED)
    return title_from(next((said for said in called if isinstance(said, str) and said.strip()), ""))
