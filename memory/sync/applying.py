"""A page that arrived is written in one transaction: each record merged with the row, none of it an edit made here.

What hangs on something that is not here is held until that arrives. What is erased elsewhere is only noted: the
engine that erases with proof does the work afterwards, and a crash in between loses nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.identifiers import new_id
from memory.lifecycle import erased
from memory.lifecycle.subjects import RECORDS
from memory.sync import base64url, outbox, space
from memory.sync.arrival import Applied, Believed, Item, Trust, believe
from memory.sync.awaited import Awaited
from memory.sync.drain import GONE, NAMING, drain
from memory.sync.errors import PlaintextInvalid, RecordRefused
from memory.sync.hlc import Stamp, is_far_ahead
from memory.sync.known import Seen, base_record, digest, load, long_texts, new, pack, record_id, seen, unpack
from memory.sync.merge import Conflict, Merged, merge
from memory.sync.plaintext import SCHEMA, Entry, Opaque, Record, decode, encode, same
from memory.sync.rows import Fields, Rows
from memory.sync.shapes import SET, Shape, shapes
from memory.sync.space import OFFICE_NAME, Credentials
from memory.tables import SyncConflictTable, SyncRecordTable, SyncSpaceTable

Reindex = Callable[[Session, Collection[tuple[str, str]]], None]
"""Makes rows findable anew; given their types and keys."""
_DIGITS_OF_ID = 6


def apply(
    session: Session,
    items: Sequence[Item],
    trust: Trust,
    credentials: Credentials,
    *,
    now: int,
    reindex: Reindex,
    linear: bool,
) -> Applied:
    """Write a page. Pending edits are sealed first, so a row is what is known of it.

    ``linear`` says that the carrier lets each revision follow the one before; a folder does not. What is refused
    changes nothing here.
    """
    here = space.of(session)
    if here is None or not here.enabled:
        return Applied()
    drain(session, credentials, now)
    here.applying = True
    session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    session.flush()
    applied = Applied()
    believed = believe(items, trust, applied)
    work = _Apply(session, here, credentials, applied, now, linear)
    work.meet(believed)
    for one in believed:
        try:
            (applied.taken if work.take(one) else applied.later).append(one.item)
        except RecordRefused as wrong:
            applied.refused.append((one.item, wrong.reason))
    work.finish()
    reindex(session, applied.touched)
    space.keep_clock(here, work.clock)
    here.applying = False
    session.flush()
    return applied


class _Apply:
    def __init__(
        self,
        session: Session,
        here: SyncSpaceTable,
        credentials: Credentials,
        applied: Applied,
        now: int,
        linear: bool,
    ) -> None:
        self._session, self._here, self._applied = session, here, applied
        self._now, self._linear = now, linear
        self.clock = space.clock(here)
        self._rows, self._awaited = Rows(session), Awaited(session)
        self._out = outbox.Outgoing(session, credentials)
        self._known: dict[str, SyncRecordTable] = {}
        self._rids: dict[tuple[str, str | None], str] = {}
        self._erased: set[tuple[str, str]] = set()

    def meet(self, believed: Sequence[Believed]) -> None:
        """Read all that a page has to do with, so that its items need no statements of their own."""
        self._known = load(self._session, {one.header.rid for one in believed})
        keys: dict[str, set[str]] = defaultdict(set)
        values: dict[str, list[Fields]] = defaultdict(list)
        for one in believed:
            known = self._known.get(one.header.rid)
            if isinstance(one.content, Record) and one.content.type in shapes():
                values[one.content.type].append(_values(one.content))
            elif known is not None and known.local_id is not None and known.type in shapes():
                keys[known.type].add(known.local_id)
        for type_, shape in shapes().items():
            keys[type_] |= {key for each in values[type_] if type(key := each.get(shape.synced.key)) is str}
            self._meet(shape, keys[type_], values[type_])

    def _meet(self, shape: Shape, keys: set[str], values: list[Fields]) -> None:
        type_ = shape.synced.type
        self._rows.meet(shape, keys, values)
        chosen = select(SyncRecordTable.local_id, SyncRecordTable.rid).where(
            SyncRecordTable.type == type_, SyncRecordTable.local_id.in_(keys)
        )
        self._rids |= {(type_, row.local_id): row.rid for row in self._session.execute(chosen)}
        if type_ in RECORDS:
            erased_here = erased.among(self._session, RECORDS[type_], keys)
            self._erased |= {(type_, key) for key in erased_here}

    def take(self, one: Believed) -> bool:
        """Take one item; False where it must come again later. Raises RecordRefused; then nothing of it is written."""
        known = self._known.get(one.header.rid)
        if one.content is None:
            self._erase(known, one)
        elif known is not None and known.state in GONE:
            pass
        elif known is not None and known.rev == one.header.rev:
            known.seq = one.item.seq
        elif isinstance(one.content, Opaque) or one.content.type not in (*shapes(), OFFICE_NAME):
            self._store(known, one)
        elif one.content.type == OFFICE_NAME:
            self._named(known, one, one.content)
        elif one.content.type in self._here.types:
            return self._put(known, one, one.content)
        return True

    def finish(self) -> None:
        """Write everything, place what was held for it, and let references lead to what has arrived."""
        self._write_rows()
        while arrived := self._awaited.arrived():
            known = load(self._session, arrived)
            for shape in shapes().values():
                mine = [each for each in known.values() if each.type == shape.synced.type]
                self._rows.meet(shape, (each.local_id for each in mine if each.local_id is not None))
            for each in known.values():
                self._tie_up(each)
            self._write_rows()
        self._out.write()

    def _tie_up(self, known: SyncRecordTable) -> None:
        """Give what was held a row, or a row the references that lead somewhere now."""
        if known.state == "held":
            assert known.waiting is not None  # what is held waits
            record = decode(known.waiting)
            assert isinstance(record, Record)  # only those are held
            self._write(known, record)
            return
        shape, fields = shapes()[known.type], known.beside.get("fields", {})
        assert known.local_id is not None  # what is erased waits for nothing
        row = self._rows.get(shape, known.local_id)
        assert row is not None  # a row leaves with what is known of it
        left = {
            name: value
            for name, value in fields.items()
            if name not in shape.columns or self._rows.leads_nowhere(shape, name, value)
        }
        found = {name: value for name, value in fields.items() if name not in left}
        self._awaited.note(known.rid, (value for name, value in left.items() if name in shape.columns))
        if found:
            self._rows.put(shape, known.local_id, {**row, **found})
            known.beside = {**known.beside, "fields": left}
            self._applied.touched.add((known.type, known.local_id))

    def _write_rows(self) -> None:
        # In this order, or a row would come before it is known who waits for it.
        self._session.flush()
        self._awaited.write()
        self._rows.write()

    def _erase(self, known: SyncRecordTable | None, one: Believed) -> None:
        rid = one.header.rid
        if known is None:
            self._new(rid, "", None, state="erased").rev = one.header.rev
        elif known.state == "erase":
            known.state = "erased"
            self._out.take_back(rid)
        elif known.state not in GONE:
            shape = shapes().get(known.type)
            if shape is not None and shape.synced.reappears:
                raise PlaintextInvalid("a setting is never erased")
            self._out.take_back(rid)
            known.waiting = None
            if shape is not None and known.local_id and self._rows.get(shape, known.local_id) is not None:
                known.state = "erasing"
                return
            self._rids.pop((known.type, known.local_id), None)
            self._awaited.note(rid, ())
            known.state = "erased"
            known.local_id, known.stamps, known.beside, known.base, known.former = None, {}, {}, {}, {}

    def _store(self, known: SyncRecordTable | None, one: Believed) -> None:
        """Keep what this version does not know as it is."""
        content = one.content
        assert content is not None  # asked before
        known = known or self._new(one.header.rid, content.type, None)
        known.state = "opaque"
        known.waiting = content.plaintext if isinstance(content, Opaque) else encode(content)
        outbox.note_revision(known, one.item.seq, one.header.rev, own=False, base={})

    def _named(self, known: SyncRecordTable | None, one: Believed, record: Record) -> None:
        try:
            naming = base64url.decode(record.fields[NAMING].value, 32)
        except (KeyError, ValueError) as wrong:
            raise PlaintextInvalid("naming") from wrong
        if self._here.naming not in (None, naming):
            raise PlaintextInvalid("another naming")
        self._here.naming = naming
        known = known or self._new(one.header.rid, OFFICE_NAME, "")
        known.stamps = pack(seen(record))
        outbox.note_revision(known, one.item.seq, one.header.rev, own=False, base={})

    def _put(self, known: SyncRecordTable | None, one: Believed, remote: Record) -> bool:
        shape, header = shapes()[remote.type], one.header
        local_id = self._local_id(shape, known, remote, header.rid)
        shape.values(remote.fields)
        local = self._local(shape, known, local_id)
        if local is None and not shape.synced.reappears and self._rows.get(shape, local_id) is not None:
            return False  # an agent is writing on it
        self._hear(remote)
        if known is None and (remote.type, local_id) in self._erased:
            self._new(header.rid, "", None, state="erased").rev = header.rev
            return True
        known = known or self._new(header.rid, remote.type, local_id)
        merged = Merged(remote, push=False, clock=self.clock)
        if local is not None:
            base = base_record(remote.type, remote.schema, self._base(known, header.parent))
            merged = merge(base, local, remote, self.clock, self._now)
            self.clock = merged.clock
        outbox.note_revision(known, one.item.seq, header.rev, own=False, base=long_texts(remote))
        self._write(known, merged.record)
        self._keep_conflicts(known, merged.conflicts)
        if merged.push and (self._linear or not _alike(merged.record, local) or self._out.holds(known.rid)):
            self._out.put(known, merged.record, self.clock.tick(self._now))
        else:
            self._out.take_back(known.rid)
        return True

    def _base(self, known: SyncRecordTable, parent: int) -> dict[str, object]:
        """Return the revision upon which both were made.

        In a folder two devices may have built upon the same one, and each sees the other's only afterwards.
        """
        if self._linear or parent == known.seq:
            return known.base
        if known.own or parent == known.former_seq:
            return known.former
        return known.base

    def _local(self, shape: Shape, known: SyncRecordTable | None, local_id: str) -> Record | None:
        """Return the record as it is here: what waits, or the row with what stands beside it."""
        if known is not None and known.waiting is not None:
            record = decode(known.waiting)
            assert isinstance(record, Record)  # only those are held
            return record
        values = shape.said_by(self._rows.get(shape, local_id), local_id)
        before = unpack(known.stamps) if known is not None else {}
        if values is None or (values.get(SET) is False and not before):
            return None
        beside = dict(known.beside) if known is not None else {}
        every = {**values, **beside.get("fields", {})}
        first = Stamp(0, 0, self._here.device_id)
        if not before:  # here before sync was: whatever the others say is later
            before = {name: Seen("", first) for name, value in every.items() if shape.says(name, value)}
        fields = {name: Entry(value, before[name].stamp) for name, value in every.items() if name in before}
        return Record(shape.synced.type, SCHEMA, fields, beside.get("extra", {}))

    def _write(self, known: SyncRecordTable, record: Record) -> None:
        """Write the row of a record, or hold it until what it hangs on is here."""
        shape, values = shapes()[record.type], shapes()[record.type].values(record.fields)
        assert known.local_id is not None  # a record of a known type that is not gone
        known.stamps = pack(seen(record))
        missing = {
            name: values[name]
            for name in shape.references
            if self._rows.leads_nowhere(shape, name, values[name])
        }
        self._awaited.note(known.rid, missing.values())
        if missing.keys() & shape.needed:
            known.state, known.waiting = "held", encode(record)
            return
        unknown = {
            name: entry.value
            for name, entry in record.fields.items()
            if name not in shape.columns and name != SET
        }
        if SET in record.fields and record.fields[SET].value is not True:
            self._rows.remove(shape, known.local_id)
        else:
            values |= dict.fromkeys(missing)
            self._make_room(shape, known.local_id, values)
            self._rows.put(shape, known.local_id, values)
        known.beside = {
            "fields": {**unknown, **missing},
            **({"extra": dict(record.extra)} if record.extra else {}),
        }
        known.state, known.waiting = "synced", None
        self._applied.touched.add((record.type, known.local_id))

    def _make_room(self, shape: Shape, local_id: str, values: dict[str, Any]) -> None:
        """Give the agent with the larger id another name where two devices gave theirs the same.

        Every device decides alike, and the name is an edit like any other.
        """
        if shape.synced.type != "agent":
            return
        self._write_rows()
        table = shape.table
        other = self._session.scalar(
            select(table.c.id).where(table.c.name == values["name"], table.c.id != local_id)
        )
        if other is None:
            return
        loser = max(local_id, other)
        # Of its id and of nothing else here, or two devices that know different agents would never agree.
        name = f"{values['name']} ({loser[:_DIGITS_OF_ID]})"
        if loser == local_id:
            values["name"] = name
        else:
            self._session.execute(table.update().where(table.c.id == other).values(name=name))
            self._rows.forget(shape, other)
        space.mark(self._session, "agent", loser)

    def _local_id(self, shape: Shape, known: SyncRecordTable | None, remote: Record, rid: str) -> str:
        found = remote.fields.get(shape.synced.key)
        if found is None or type(found.value) is not str or not found.value:
            raise PlaintextInvalid("key")
        naming = self._here.naming
        if naming is not None and record_id(naming, remote.type, found.value) != rid:
            raise PlaintextInvalid("rid")
        named = known is None or (known.type, known.local_id) == (remote.type, found.value)
        if not named or self._rids.get((remote.type, found.value), rid) != rid:
            raise PlaintextInvalid("rid")
        if shape.synced.only and found.value not in shape.synced.only:
            raise PlaintextInvalid("key")
        return found.value

    def _hear(self, remote: Record) -> None:
        latest = max((entry.stamp for entry in remote.fields.values()), default=None)
        if latest is not None:
            self._applied.far_ahead |= is_far_ahead(latest, self._now)
            self.clock = self.clock.heard(latest, self._now)

    def _new(self, rid: str, type_: str, local_id: str | None, *, state: str = "synced") -> SyncRecordTable:
        known = new(rid, type_, local_id)
        known.state = state
        self._session.add(known)
        self._known[rid] = known
        self._rids[type_, local_id] = rid
        return known

    def _keep_conflicts(self, known: SyncRecordTable, conflicts: tuple[Conflict, ...]) -> None:
        for one in conflicts:
            said = digest(one.lost.value)
            chosen = select(SyncConflictTable.id).where(
                SyncConflictTable.rid == known.rid,
                SyncConflictTable.field == one.field,
                SyncConflictTable.digest == said,
            )
            if self._session.scalar(chosen) is None:
                self._applied.conflicts += 1
                self._session.add(
                    SyncConflictTable(
                        id=new_id(), rid=known.rid, field=one.field, lost=one.lost.value, digest=said,
                        reason=one.reason, at=self._now,
                    )
                )  # fmt: skip


def _values(record: Record) -> Fields:
    return {name: entry.value for name, entry in record.fields.items()}


def _alike(record: Record, other: Record | None) -> bool:
    return other is not None and same(record, other)
