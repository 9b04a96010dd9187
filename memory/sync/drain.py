"""Marks become sealed revisions: what changed is found by comparing the row with what is known of the record."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Integer, and_, bindparam, delete, literal_column, or_, select
from sqlalchemy.orm import Session

from memory.identifiers import new_id
from memory.sync import marking, outbox, space
from memory.sync.aside import GONE, UNSENT, taken_back
from memory.sync.base64url import encode as base64
from memory.sync.errors import PlaintextInvalid, RecordTooLarge
from memory.sync.known import Seen, digest, load, new, record_id, unpack
from memory.sync.merge import CHANGEABLE, MESSAGE, REDACTED
from memory.sync.plaintext import SCHEMA, Entry, Json, Record
from memory.sync.shapes import Shape, shapes
from memory.sync.space import NAMING, OFFICE_NAME, Credentials
from memory.tables import (
    ConversationTable,
    MessageTable,
    SyncChangeTable,
    SyncOutboxTable,
    SyncRecordTable,
    SyncSpaceTable,
)

_TOGETHER = 200
_NUMBER = literal_column("sync_change.rowid", Integer)
_ARRIVING = select(ConversationTable.id).where(ConversationTable.arriving_import_id.is_not(None))
_OF_ARRIVING = select(MessageTable.id).where(MessageTable.conversation_id.in_(_ARRIVING))
_UNREADY = or_(
    and_(SyncChangeTable.type == "conversation", SyncChangeTable.local_id.in_(_ARRIVING)),
    and_(SyncChangeTable.type == MESSAGE, SyncChangeTable.local_id.in_(_OF_ARRIVING)),
)
# Made once, for a round asks them several times, mostly to learn that there is nothing.
_MARKS = (
    select(_NUMBER.label("number"), SyncChangeTable.type, SyncChangeTable.local_id, SyncChangeTable.at)
    .where(~_UNREADY)
    .order_by(_NUMBER)
    .limit(bindparam("most"))
)
_NAME = select(SyncRecordTable.rid).where(SyncRecordTable.type == OFFICE_NAME)
_ORDERS = select(SyncRecordTable).where(
    SyncRecordTable.state == "erase", SyncRecordTable.rid.not_in(select(SyncOutboxTable.rid))
)


class Drained(NamedTuple):
    """How many revisions were sealed, how many marks were looked at, and whether more rows are still to be marked."""

    sealed: int
    looked_at: int
    marking: bool = False


def drain(session: Session, credentials: Credentials, now: int, most: int | None = None) -> Drained:
    """Seal marked changes and the erasures that the others are not told of.

    Nothing is sealed while sync is off, or before the secret that names records has arrived. ``now`` is in
    milliseconds UTC; ``most`` are the marks of one transaction, so that nobody waits long for the database.
    """
    here = space.of(session)
    if here is None or not here.enabled or here.naming is None:
        return Drained(0, 0)
    work = _Drain(session, here, credentials)
    sealed, looked_at = int(work.introduce(now)), 0
    unmarked = marking.go_on(session, here, _TOGETHER if most is None else most)
    while unmarked and most is None:
        unmarked = marking.go_on(session, here, _TOGETHER)
    while marks := _marks(session, _TOGETHER if most is None else min(most - looked_at, _TOGETHER)):
        for type_, shape in shapes().items():
            if type_ in here.types and (mine := _of(shape, marks)):
                sealed += work.changes(shape, mine)
        done = delete(SyncChangeTable).where(_NUMBER.in_([mark.number for mark in marks]))
        session.connection().execute(done)
        looked_at += len(marks)
    sealed += work.erasures(now)
    work.out.write()
    space.keep_clock(here, work.clock)
    session.flush()
    return Drained(sealed, looked_at, unmarked)


def _marks(session: Session, most: int) -> list[Any]:
    """Return the marks that were set first, but for chats that an import is still bringing in."""
    return list(session.execute(_MARKS, {"most": most}))


class _Drain:
    def __init__(self, session: Session, here: SyncSpaceTable, credentials: Credentials) -> None:
        self._session, self._here = session, here
        self.out = outbox.Outgoing(session, credentials)
        self.clock = space.clock(here)

    def introduce(self, now: int) -> bool:
        """Write the record of the space, where this device founded it."""
        if self._session.scalar(_NAME) is not None:
            return False
        assert self._here.naming is not None  # asked before
        self.clock, stamp = self.clock.edit(now)
        record = Record(OFFICE_NAME, SCHEMA, {NAMING: Entry(base64(self._here.naming), stamp)})
        known = new(new_id(), OFFICE_NAME, "")
        self._session.add(known)
        self.out.put(known, record, self.clock)
        return True

    def changes(self, shape: Shape, marks: Mapping[str, int]) -> int:
        """Seal the rows of one type that differ from what is known of them; return how many.

        ``marks`` says by key when each was changed.
        """
        rows = shape.read(self._session, marks.keys())
        said = {
            key: row
            for key in marks
            if (row := shape.said_by(rows.get(key), key)) is not None and shape.is_ready(row)
        }
        known = self._known(shape.synced.type, said)
        return sum(self._change(shape, known[key], values, marks[key]) for key, values in said.items())

    def _change(self, shape: Shape, known: SyncRecordTable, values: dict[str, Json], at: int) -> bool:
        if known.state in GONE:
            # Another device erased it before this one had named it.
            known.type, known.local_id, known.state = (
                shape.synced.type,
                str(values[shape.synced.key]),
                "erasing",
            )
            return False
        if known.state in UNSENT and not taken_back(self._session, known, values.get("trashed_at")):
            return False
        before = unpack(known.stamps)
        beside: Mapping[str, Json] = known.beside.get("fields", {})
        changed = {
            name: value
            for name, value in values.items()
            if _differs(shape, before, name, value) and not (value is None and name in beside)
        }
        if not changed or (not before and values.get("set") is False):
            return False
        if shape.synced.type == MESSAGE and before and changed.keys() - CHANGEABLE:
            # What was written is written anew, by an answer that was resumed or for what was erased elsewhere:
            # only so does every device take it whole, and none brings the former words back.
            changed[REDACTED] = True
        self.clock = self.clock.tick(at)
        fields = _entries(before, {**values, **beside})
        for name, value in changed.items():
            former = before.get(name)
            fields[name] = Entry(value, self.clock.over(former.stamp if former else None))
        known.beside = _beside(known, changed)
        extra: Mapping[str, Json] = dict(known.beside).get("extra", {})
        record = Record(shape.synced.type, SCHEMA, fields, extra)
        return self._put(known, record)

    def erasures(self, now: int) -> int:
        """Seal the orders to erase that do not wait already."""
        rows = self._session.scalars(_ORDERS).all()
        for known in rows:
            self.clock = self.clock.tick(now)
            self.out.put_erase(known, self.clock)
        return len(rows)

    def _known(self, type_: str, keys: Iterable[str]) -> dict[str, SyncRecordTable]:
        """Return by key what is known of records, of new ones nothing."""
        assert self._here.naming is not None  # asked before
        rids = {key: record_id(self._here.naming, type_, key) for key in keys}
        met = load(self._session, rids.values())
        known = {key: met.get(rid) or new(rid, type_, key) for key, rid in rids.items()}
        self._session.add_all(known.values())
        return known

    def _put(self, known: SyncRecordTable, record: Record) -> bool:
        try:
            self.out.put(known, record, self.clock)
        except (RecordTooLarge, PlaintextInvalid):
            known.state = "too_long"
            return False
        if known.state == "too_long":
            known.state = "synced"
        return True


def _of(shape: Shape, marks: Sequence[Any]) -> dict[str, int]:
    """Return when each row of a type was changed, by key; the earliest stands first."""
    found = (mark for mark in marks if mark.type == shape.synced.type)
    return {mark.local_id: mark.at for mark in sorted(found, key=lambda mark: int(mark.at))}


def _differs(shape: Shape, before: Mapping[str, Seen], name: str, value: Json) -> bool:
    if name in before:
        return before[name].digest != digest(value)
    return shape.says(name, value)


def _entries(before: Mapping[str, Seen], values: Mapping[str, Json]) -> dict[str, Entry]:
    return {name: Entry(values[name], seen.stamp) for name, seen in before.items() if name in values}


def _beside(known: SyncRecordTable, changed: Mapping[str, Json]) -> dict[str, Any]:
    """Return what stays beside the row once these fields have values of their own."""
    fields = {name: value for name, value in known.beside.get("fields", {}).items() if name not in changed}
    if REDACTED in changed:
        fields[REDACTED] = True
    return {**known.beside, "fields": fields}
