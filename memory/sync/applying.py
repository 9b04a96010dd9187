"""A page that arrived is written in one transaction: each record merged with the row, none of it an edit made here.

What hangs on something that is not here is held until that arrives. What is erased elsewhere is only noted: the
engine that erases with proof does the work afterwards, and a crash in between loses nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.identifiers import new_id
from memory.lifecycle import erased
from memory.lifecycle.subjects import RECORDS
from memory.lifecycle.trash import DAY
from memory.sync import aside, base64url, outbox, removals, sealing_anew, space
from memory.sync.arrival import Applied, Believed, Item, Trust, check
from memory.sync.aside import GONE
from memory.sync.drain import drain
from memory.sync.errors import PlaintextInvalid, RecordRefused, SpaceKeyMissing
from memory.sync.header import Header
from memory.sync.hlc import Stamp, is_far_ahead
from memory.sync.known import Seen, base_record, digest, long_texts, pack, record_id, revisions, seen, unpack
from memory.sync.merge import Conflict, Merged, merge
from memory.sync.plaintext import SCHEMA, Entry, Opaque, Record, decode, encode, same
from memory.sync.shapes import SET, Shape, shapes
from memory.sync.space import NAMING, OFFICE_NAME, Credentials
from memory.tables import SyncConflictTable, SyncRecordTable, SyncSpaceTable

Reindex = Callable[[Session, str, str], None]
"""Makes a row findable anew; given its type and key."""
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
    work = _Apply(session, here, credentials, now, reindex, linear)
    applied = work.applied
    believed = []
    held = revisions(session, {Header.unpack(item.sealed.hdr).rid for item in items})
    for item in items:
        try:
            believed.append(check(item, trust, held, now // DAY))
        except SpaceKeyMissing:
            applied.later.append(item)
        except RecordRefused as wrong:
            applied.refused.append((item, wrong.reason))
    for one in sorted(believed, key=_order):
        try:
            (applied.taken if work.take(one) else applied.later).append(one.item)
        except RecordRefused as wrong:
            applied.refused.append((one.item, wrong.reason))
    work.place_held()
    work.tie_up()
    space.keep_clock(here, work.clock)
    here.applying = False
    session.flush()
    return applied


def _order(one: Believed) -> tuple[int, int]:
    """The secret that names records first, then what others refer to; within a chat as it was written."""
    content = one.content
    if content is None or isinstance(content, Opaque):
        return 99, 0
    place = (
        -1
        if content.type == OFFICE_NAME
        else list(shapes()).index(content.type)
        if content.type in shapes()
        else 98
    )
    ordinal = content.fields["ordinal"].value if "ordinal" in content.fields else 0
    return place, ordinal if type(ordinal) is int else 0


class _Apply:
    def __init__(
        self,
        session: Session,
        here: SyncSpaceTable,
        credentials: Credentials,
        now: int,
        reindex: Reindex,
        linear: bool,
    ) -> None:
        self._session, self._here, self._credentials = session, here, credentials
        self._now, self._reindex, self._linear = now, reindex, linear
        self.clock = space.clock(here)
        self.applied = Applied()

    def take(self, one: Believed) -> bool:
        """Take one item; False where it must come again later. Raises RecordRefused; then nothing of it is written."""
        known = self._session.get(SyncRecordTable, one.header.rid)
        if one.content is None:
            return removals.erase(self._session, known, one) if one.proven else self._set_aside(known)
        if known is not None and known.state in GONE:
            if self._linear:
                removals.refuse_erased(self._session, known, one)
            return True
        if known is not None and known.rev == one.header.rev and known.state != "passed":
            self._renumber(known, one.item.seq)
            return True
        if known is not None:
            if self._linear and known.state != "passed":
                removals.refuse_older(known, one)
            if known.state in aside.UNSENT:
                self._show_again(known)
        if isinstance(one.content, Opaque) or one.content.type not in (*shapes(), OFFICE_NAME):
            self._store(known, one)
        elif one.content.type == OFFICE_NAME:
            self._named(known, one, one.content)
        elif one.content.type in self._here.types:
            return self._put(known, one, one.content)
        else:
            self._pass(known, one, one.content)
        return True

    def place_held(self) -> None:
        """Give what was held a row, as far as what it hangs on has arrived."""
        chosen = select(SyncRecordTable).where(SyncRecordTable.state == "held")
        placed = True
        while placed:
            placed = False
            for known in self._session.scalars(chosen).all():
                assert known.waiting is not None  # what is held waits
                record = decode(known.waiting)
                assert isinstance(record, Record)  # only those are held
                if self._linear and removals.goes_with_erased(self._session, self._here, known, record):
                    continue
                placed |= self._write(known, record)

    def tie_up(self) -> None:
        """Let references lead to what has arrived meanwhile."""
        chosen = select(SyncRecordTable).where(SyncRecordTable.loose, SyncRecordTable.local_id.is_not(None))
        for known in self._session.scalars(chosen).all():
            shape, fields = shapes()[known.type], known.beside.get("fields", {})
            assert known.local_id is not None  # asked for
            found = {
                name: value
                for name, value in fields.items()
                if name in shape.columns and not shape.leads_nowhere(self._session, name, value)
            }
            if found:
                shape.write(self._session, known.local_id, found)
                left = {name: value for name, value in fields.items() if name not in found}
                known.beside = {**known.beside, "fields": left}
                known.loose = any(name in shape.columns for name in left)
                self.applied.touched.add((known.type, known.local_id))
                self._session.flush()

    def _set_aside(self, known: SyncRecordTable | None) -> bool:
        if known is None:
            return self._linear  # in a folder the record may still come
        if known.state not in GONE and aside.remove(self._session, known, self._now):
            self.applied.aside += 1
            self._touch(known)
        return True

    def _show_again(self, known: SyncRecordTable) -> None:
        aside.returned(self._session, known)
        self._touch(known)

    def _touch(self, known: SyncRecordTable) -> None:
        if known.local_id and known.type in shapes() and known.waiting is None:
            self._reindex(self._session, known.type, known.local_id)
            self.applied.touched.add((known.type, known.local_id))

    def _renumber(self, known: SyncRecordTable, seq: int) -> None:
        """Note under which number a service has the revision that is known here."""
        if known.state in aside.UNSENT and self._linear:
            self._show_again(known)
        if known.seq != seq:
            known.seq = seq
            self.clock = self.clock.tick(self._now)
            sealing_anew.waiting(self._session, known, self.clock, self._credentials)

    def _pass(self, known: SyncRecordTable | None, one: Believed, remote: Record) -> None:
        """Note what is there of a type that does not sync here: it is fetched once the owner chooses that type."""
        known = known or self._new(one.header.rid, remote.type, None)
        known.state = "passed"
        outbox.note_revision(known, one.item.seq, one.header.rev, own=False, base=known.base)
        self._session.flush()

    def _store(self, known: SyncRecordTable | None, one: Believed) -> None:
        """Keep what this version does not know as it is."""
        content = one.content
        assert content is not None  # asked before
        known = known or self._new(one.header.rid, content.type, None)
        known.state, known.exp_day = "opaque", one.header.exp_day
        known.waiting = content.plaintext if isinstance(content, Opaque) else encode(content)
        outbox.note_revision(known, one.item.seq, one.header.rev, own=False, base={})
        self._session.flush()

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
        self._session.flush()

    def _put(self, known: SyncRecordTable | None, one: Believed, remote: Record) -> bool:
        shape, header = shapes()[remote.type], one.header
        local_id = self._local_id(shape, known, remote, header.rid)
        shape.values(remote.fields)
        local = self._local(shape, known, local_id)
        if local is None and not shape.synced.reappears and shape.there(self._session, local_id):
            return False  # an agent is writing on it
        self._hear(remote)
        if known is None:
            if self._erased_here(remote.type, local_id):
                self._session.add(SyncRecordTable(rid=header.rid, type="", state="erased", rev=header.rev))
                return True
            known = self._new(header.rid, remote.type, local_id)
        merged = Merged(remote, push=False, clock=self.clock)
        if local is not None:
            base = base_record(remote.type, remote.schema, self._base(known, header.parent))
            merged = merge(base, local, remote, self.clock, self._now)
            self.clock = merged.clock
        known.exp_day = header.exp_day
        in_folder = local is not None and same(merged.record, local) and not self._waits(known)
        outbox.note_revision(known, one.item.seq, header.rev, own=False, base=long_texts(remote))
        self._write(known, merged.record)
        self._keep_conflicts(known, merged.conflicts)
        if merged.push and (self._linear or not in_folder):
            outbox.put(self._session, known, merged.record, self.clock.tick(self._now), self._credentials)
        else:
            outbox.take_back(self._session, known.rid)
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
        values = shape.read(self._session, local_id)
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

    def _write(self, known: SyncRecordTable, record: Record) -> bool:
        """Write the row of a record, or hold it; return whether it was written."""
        shape = shapes()[record.type]
        assert known.local_id is not None  # a record of a known type that is not gone
        known.stamps = pack(seen(record))
        values = shape.values(record.fields)
        if any(shape.leads_nowhere(self._session, name, values[name]) for name in shape.needed):
            known.state, known.waiting = "held", encode(record)
            self._session.flush()
            return False
        fields = {
            name: entry.value
            for name, entry in record.fields.items()
            if name not in shape.columns and name != SET
        }
        for name, value in values.items():
            if shape.leads_nowhere(self._session, name, value):
                fields[name], values[name] = value, None
        if SET in record.fields and record.fields[SET].value is not True:
            shape.remove(self._session, known.local_id)
        else:
            self._make_room(shape, known.local_id, values)
            shape.write(self._session, known.local_id, values)
        known.loose = any(name in shape.columns for name in fields)
        known.beside = {"fields": fields, **({"extra": dict(record.extra)} if record.extra else {})}
        known.state, known.waiting = "synced", None
        self._session.flush()
        self._reindex(self._session, record.type, known.local_id)
        self.applied.touched.add((record.type, known.local_id))
        return True

    def _make_room(self, shape: Shape, local_id: str, values: dict[str, Any]) -> None:
        """Give the agent with the larger id another name where two devices gave theirs the same.

        Every device decides alike, and the name is an edit like any other.
        """
        if shape.synced.type != "agent":
            return
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
        space.mark(self._session, "agent", loser)

    def _local_id(self, shape: Shape, known: SyncRecordTable | None, remote: Record, rid: str) -> str:
        found = remote.fields.get(shape.synced.key)
        if found is None or type(found.value) is not str or not found.value:
            raise PlaintextInvalid("key")
        naming = self._here.naming
        if naming is not None and record_id(naming, remote.type, found.value) != rid:
            raise PlaintextInvalid("rid")
        other = select(SyncRecordTable.rid).where(
            SyncRecordTable.type == remote.type, SyncRecordTable.local_id == found.value
        )
        if known is not None and known.state == "passed" and known.local_id is None:
            known.local_id = found.value
        if (known is not None and (known.type, known.local_id) != (remote.type, found.value)) or (
            self._session.scalar(other) not in (None, rid)
        ):
            raise PlaintextInvalid("rid")
        if shape.synced.only and found.value not in shape.synced.only:
            raise PlaintextInvalid("key")
        return found.value

    def _hear(self, remote: Record) -> None:
        latest = max((entry.stamp for entry in remote.fields.values()), default=None)
        if latest is not None:
            self.applied.far_ahead |= is_far_ahead(latest, self._now)
            self.clock = self.clock.heard(latest, self._now)

    def _erased_here(self, type_: str, local_id: str) -> bool:
        kind = next((RECORDS[kind] for kind in RECORDS if kind == type_), None)
        return kind is not None and bool(erased.among(self._session, kind, [local_id]))

    def _waits(self, known: SyncRecordTable) -> bool:
        return outbox.is_waiting(self._session, known.rid)

    def _new(self, rid: str, type_: str, local_id: str | None) -> SyncRecordTable:
        known = SyncRecordTable(
            rid=rid, type=type_, local_id=local_id, seq=0, rev="", stamps={}, beside={}, base={},
            former={}, former_seq=0, loose=False, own=False, state="synced", exp_day=0,
        )  # fmt: skip
        self._session.add(known)
        self._session.flush()
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
                self.applied.conflicts += 1
                self._session.add(
                    SyncConflictTable(
                        id=new_id(), rid=known.rid, field=one.field, lost=one.lost.value, digest=said,
                        reason=one.reason, at=self._now,
                    )
                )  # fmt: skip
