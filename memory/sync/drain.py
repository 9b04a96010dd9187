"""Marks become sealed revisions: what changed is found by comparing the row with what is known of the record."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from memory.identifiers import new_id
from memory.sync import outbox, space
from memory.sync.aside import GONE, UNSENT, taken_back
from memory.sync.base64url import encode as base64
from memory.sync.errors import PlaintextInvalid, RecordTooLarge
from memory.sync.known import Seen, digest, record_id, unpack
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


class Drained(NamedTuple):
    """How many revisions were sealed, and how many marks were looked at."""

    sealed: int
    looked_at: int


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
    for type_, local_id, at in _marks(session, most):
        looked_at += 1
        if type_ in here.types:
            values = shapes()[type_].read(session, local_id)
            sealed += int(values is not None and work.change(shapes()[type_], local_id, values, at))
        session.execute(
            delete(SyncChangeTable).where(SyncChangeTable.type == type_, SyncChangeTable.local_id == local_id)
        )
    sealed += work.erasures(now)
    space.keep_clock(here, work.clock)
    session.flush()
    return Drained(sealed, looked_at)


def _marks(session: Session, most: int | None) -> list[tuple[str, str, int]]:
    """Return marks, what others refer to first, but for chats that an import is still bringing in."""
    arriving = select(ConversationTable.id).where(ConversationTable.arriving_import_id.is_not(None))
    theirs = select(MessageTable.id).where(MessageTable.conversation_id.in_(arriving))
    unready = {"conversation": arriving, "message": theirs}
    found: list[tuple[str, str, int]] = []
    for type_ in shapes():
        chosen = select(SyncChangeTable.local_id, SyncChangeTable.at).where(SyncChangeTable.type == type_)
        if type_ in unready:
            chosen = chosen.where(SyncChangeTable.local_id.not_in(unready[type_]))
        if most is not None:
            chosen = chosen.limit(most - len(found))
        found += [
            (type_, row.local_id, row.at) for row in session.execute(chosen.order_by(SyncChangeTable.at))
        ]
    return found


class _Drain:
    def __init__(self, session: Session, here: SyncSpaceTable, credentials: Credentials) -> None:
        self._session, self._here, self._credentials = session, here, credentials
        self.clock = space.clock(here)

    def introduce(self, now: int) -> bool:
        """Write the record of the space, where this device founded it."""
        chosen = select(SyncRecordTable.rid).where(SyncRecordTable.type == OFFICE_NAME)
        if self._session.scalar(chosen) is not None:
            return False
        assert self._here.naming is not None  # asked before
        self.clock, stamp = self.clock.edit(now)
        record = Record(OFFICE_NAME, SCHEMA, {NAMING: Entry(base64(self._here.naming), stamp)})
        known = SyncRecordTable(rid=new_id(), type=OFFICE_NAME, local_id="", exp_day=0)
        self._session.add(known)
        self._session.flush()
        outbox.put(self._session, known, record, self.clock, self._credentials)
        return True

    def change(self, shape: Shape, local_id: str, values: dict[str, Json], at: int) -> bool:
        """Seal a row if it differs from what is known of it."""
        known = self._known(shape.synced.type, local_id)
        if known.state in GONE:
            # Another device erased it before this one had named it.
            known.type, known.local_id, known.state = shape.synced.type, local_id, "erasing"
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
            self.clock, stamp = self.clock.edit(at, former.stamp if former else None)
            fields[name] = Entry(value, stamp)
        known.beside = _beside(known, changed)
        extra: Mapping[str, Json] = dict(known.beside).get("extra", {})
        record = Record(shape.synced.type, SCHEMA, fields, extra)
        return self._put(known, record)

    def erasures(self, now: int) -> int:
        """Seal the orders to erase that do not wait already."""
        queued = select(SyncOutboxTable.rid)
        chosen = select(SyncRecordTable).where(
            SyncRecordTable.state == "erase", SyncRecordTable.rid.not_in(queued)
        )
        rows = self._session.scalars(chosen).all()
        for known in rows:
            self.clock = self.clock.tick(now)
            outbox.put_erase(self._session, known, self.clock, self._credentials)
        return len(rows)

    def _known(self, type_: str, local_id: str) -> SyncRecordTable:
        assert self._here.naming is not None  # asked before
        rid = record_id(self._here.naming, type_, local_id)
        known = self._session.get(SyncRecordTable, rid)
        if known is None:
            known = SyncRecordTable(
                rid=rid, type=type_, local_id=local_id, stamps={}, beside={}, base={}, former={}
            )
            self._session.add(known)
            self._session.flush()
        return known

    def _put(self, known: SyncRecordTable, record: Record) -> bool:
        try:
            outbox.put(self._session, known, record, self.clock, self._credentials)
        except (RecordTooLarge, PlaintextInvalid):
            known.state = "too_long"
            return False
        if known.state == "too_long":
            known.state = "synced"
        return True


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
