"""Marks become sealed revisions: what changed is found by comparing the row with what is known of the record."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from memory.identifiers import new_id
from memory.sync import outbox, space
from memory.sync.base64url import encode as base64
from memory.sync.errors import PlaintextInvalid, RecordTooLarge
from memory.sync.known import Seen, digest, record_id, unpack
from memory.sync.merge import CHANGEABLE, MESSAGE, REDACTED
from memory.sync.plaintext import SCHEMA, Entry, Json, Record
from memory.sync.shapes import Shape, shapes
from memory.sync.space import OFFICE_NAME, Credentials
from memory.tables import (
    ConversationTable,
    SyncChangeTable,
    SyncOutboxTable,
    SyncRecordTable,
    SyncSpaceTable,
)

GONE = ("erase", "erasing", "erased")
"""The states of a record that nothing brings back."""
NAMING = "naming"
"""The field of `OFFICE_NAME` that carries the secret."""


def drain(session: Session, credentials: Credentials, now: int) -> int:
    """Seal every marked change and every erasure that the others are not told of; return how many.

    Nothing is sealed while sync is off, or before the secret that names records has arrived. ``now`` is in
    milliseconds UTC.
    """
    here = space.of(session)
    if here is None or not here.enabled or here.naming is None:
        return 0
    work = _Drain(session, here, credentials)
    count = int(work.introduce(now))
    arriving = set(
        session.scalars(select(ConversationTable.id).where(ConversationTable.arriving_import_id.is_not(None)))
    )
    order = list(shapes())
    marks = session.execute(select(SyncChangeTable.type, SyncChangeTable.local_id, SyncChangeTable.at)).all()
    for type_, local_id, at in sorted(marks, key=lambda mark: (order.index(mark.type), mark.at)):
        if type_ in here.types:
            values = shapes()[type_].read(session, local_id)
            if values is not None and arriving & {local_id, values.get("conversation_id")}:
                continue
            count += int(values is not None and work.change(shapes()[type_], local_id, values, at))
        session.execute(
            delete(SyncChangeTable).where(SyncChangeTable.type == type_, SyncChangeTable.local_id == local_id)
        )
    count += work.erasures(now)
    space.keep_clock(here, work.clock)
    session.flush()
    return count


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
        known = SyncRecordTable(rid=new_id(), type=OFFICE_NAME, local_id="")
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
