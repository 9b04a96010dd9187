"""A page that arrived is written in parts, one transaction each: records merged with rows, none an edit made here.

What hangs on something that is not here is held until that arrives. What is erased elsewhere is only noted: the
engine that erases with proof does the work afterwards, and a crash in between loses nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.identifiers import new_id
from memory.lifecycle import erased
from memory.lifecycle.subjects import RECORDS
from memory.sync import aside, base64url, outbox, removals, sealing_anew, space
from memory.sync.arrival import KNOWN, Applied, Believed, Checked
from memory.sync.aside import GONE
from memory.sync.drain import drain
from memory.sync.errors import PlaintextInvalid, RecordRefused, RecordTooLarge
from memory.sync.hlc import Stamp, is_far_ahead
from memory.sync.known import (
    Seen,
    base_record,
    digest,
    load,
    long_texts,
    new,
    pack,
    record_id,
    seen,
    still_given,
    unpack,
)
from memory.sync.merge import Conflict, Merged, merge
from memory.sync.placing import Placing, waiting
from memory.sync.plaintext import SCHEMA, Entry, Opaque, Record, encode, same
from memory.sync.rows import Fields
from memory.sync.shapes import SET, Shape, shapes
from memory.sync.space import NAMING, OFFICE_NAME, Credentials
from memory.tables import SyncConflictTable, SyncRecordTable, SyncSpaceTable

Reindex = Callable[[Session, Collection[tuple[str, str]]], None]
"""Makes rows findable anew; given their types and keys."""
KEYRING_ONLY = "secret"
"""The type of keys: they rest in keyrings alone, so nothing of one that arrives is kept here."""


def apply(
    session: Session,
    checked: Checked,
    credentials: Credentials,
    *,
    now: int,
    reindex: Reindex,
    linear: bool,
) -> Applied:
    """Write a part of a page that was checked. Pending edits are sealed first, so a row is what is known of it.

    ``linear`` says that the carrier lets each revision follow the one before; a folder does not. What is refused
    changes nothing here.
    """
    here = space.of(session)
    if here is None or not here.enabled:
        return Applied()
    applied, believed = Applied(refused=checked.refused, later=checked.later), checked.believed
    if not believed:
        return applied
    drain(session, credentials, now)
    here.applying = True
    session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    session.flush()
    known = load(session, {one.header.rid for one in believed})
    work = _Apply(session, here, outbox.Outgoing(session, credentials), applied, now, linear)
    work.meet(known, believed)
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
        out: outbox.Outgoing,
        applied: Applied,
        now: int,
        linear: bool,
    ) -> None:
        self._session, self._here, self._out, self._applied = session, here, out, applied
        self._now, self._linear = now, linear
        self.clock = space.clock(here)
        self._placing = Placing(session, here, out, applied.touched, linear=linear)
        self._rows = self._placing.rows
        self._known: dict[str, SyncRecordTable] = {}
        self._rids: dict[tuple[str, str | None], str] = {}
        self._erased: set[tuple[str, str]] = set()
        self._gone = False

    def meet(self, known: dict[str, SyncRecordTable], believed: Sequence[Believed]) -> None:
        """Read all that a page has to do with, so that its items need no statements of their own."""
        self._known = known
        self._out.meet({one.header.rid for one in believed})
        keys: dict[str, set[str]] = defaultdict(set)
        values: dict[str, list[Fields]] = defaultdict(list)
        for one in believed:
            met = known.get(one.header.rid)
            if isinstance(one.content, Record) and one.content.type in shapes():
                values[one.content.type].append(_values(one.content))
            elif one.content is None and met is not None and met.local_id and met.type in shapes():
                keys[met.type].add(met.local_id)
        for type_, shape in shapes().items():
            keys[type_] |= {key for each in values[type_] if type(key := each.get(shape.synced.key)) is str}
            if keys[type_] or values[type_]:
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
            return self._erase(known, one) if one.proven else self._set_aside(known, one)
        if known is not None and known.state in GONE:
            if self._linear:
                removals.refuse_erased(known, one)
            return True
        if known is not None and known.rev == one.header.rev and known.state != "passed":
            self._renumber(known, one.item.seq)
            return True
        if one.content is KNOWN:
            return False  # it was here when the page was checked
        if known is not None:
            if self._linear and known.state != "passed":
                removals.refuse_older(known, one)
            if known.state in aside.UNSENT:
                self._show_again(known)
        if known is not None and known.state == aside.DECLINED:
            self._decline(known, one)
        elif one.content.type == KEYRING_ONLY:
            self._pass(known, one, one.content)
        elif isinstance(one.content, Opaque) or one.content.type not in (*shapes(), OFFICE_NAME):
            self._store(known, one)
        elif one.content.type == OFFICE_NAME:
            self._named(known, one, one.content)
        elif one.content.type in self._here.types:
            return self._put(known, one, one.content)
        else:
            self._pass(known, one, one.content)
        return True

    def finish(self) -> None:
        """Write everything, and place what was held for it."""
        self._placing.write()
        if self._gone:
            self._placing.let_go_of_gone()
        self._placing.place_awaiting()
        self._placing.give_back_names()
        self._out.write()

    def _erase(self, known: SyncRecordTable | None, one: Believed) -> bool:
        self._gone = True
        if known is None:
            known = self._new(one.header.rid, "", None, state="erased")
            known.seq, known.rev = one.item.seq, one.header.rev
            return True
        row = (known.type, known.local_id)
        removals.erase(known, one, self._rows, self._out)
        if known.local_id is None:
            self._placing.forget(known)
            self._rids.pop(row, None)
        return True

    def _set_aside(self, known: SyncRecordTable | None, one: Believed) -> bool:
        if known is None:
            return self._linear  # in a folder the record may still come
        if known.state not in GONE:
            with self._by_itself(known):
                removed = aside.remove(self._session, known, self._now, one.header.device_id)
            if known.state in ("passed", aside.DECLINED):
                del self._known[known.rid]  # nothing is kept of it
            if removed:
                self._applied.aside += 1
                self._touch(known)
        return True

    def _show_again(self, known: SyncRecordTable) -> None:
        with self._by_itself(known):
            aside.returned(self._session, known)
        self._touch(known)

    def _renumber(self, known: SyncRecordTable, seq: int) -> None:
        """Note under which number a service has the revision that is known here."""
        if known.state in aside.UNSENT and self._linear:
            self._show_again(known)
        if known.seq != seq:
            known.seq = seq
            if self._out.holds(known.rid):
                self.clock = self.clock.tick(self._now)
                with self._by_itself(known):
                    sealing_anew.waiting(self._session, known, self.clock, self._out)

    @contextmanager
    def _by_itself(self, known: SyncRecordTable) -> Iterator[None]:
        """Let something rare read and change the database: what the page did until now is in it."""
        self._placing.write()
        self._out.write()
        yield
        if known.local_id is not None and known.type in shapes():
            self._rows.forget(shapes()[known.type], known.local_id)

    def _touch(self, known: SyncRecordTable) -> None:
        if known.local_id and known.type in shapes() and known.waiting is None:
            self._applied.touched.add((known.type, known.local_id))

    def _pass(self, known: SyncRecordTable | None, one: Believed, remote: Record | Opaque) -> None:
        """Note what is there of a type that does not sync here: it is fetched once the owner chooses that type."""
        known = known or self._new(one.header.rid, remote.type, None)
        known.state = "passed"
        outbox.note_revision(known, one.item.seq, one.header.rev, own=False, base=known.base)

    def _decline(self, known: SyncRecordTable, one: Believed) -> None:
        """Note what the others have of something that was erased here before this device joined them."""
        outbox.note_revision(known, one.item.seq, one.header.rev, own=False, base={})

    def _store(self, known: SyncRecordTable | None, one: Believed) -> None:
        """Keep what this version does not know as it is."""
        content = one.content
        assert content is not None  # asked before
        known = known or self._new(one.header.rid, content.type, None)
        known.state, known.exp_day = "opaque", one.header.exp_day
        known.waiting = content.plaintext if isinstance(content, Opaque) else encode(content)
        outbox.note_revision(known, one.item.seq, one.header.rev, own=False, base={})

    def _named(self, known: SyncRecordTable | None, one: Believed, record: Record) -> None:
        try:
            naming = base64url.decode(record.fields[NAMING].value, 32)
        except (KeyError, ValueError) as wrong:
            raise PlaintextInvalid("naming") from wrong
        if self._here.naming not in (None, naming):
            raise PlaintextInvalid("another naming")
        local = sealing_anew.record_of(self._session, self._here, known) if known is not None else None
        merged = merge(None, local or record, record, self.clock, self._now)
        self._here.naming = naming
        known = known or self._new(one.header.rid, OFFICE_NAME, "")
        # What only later versions understand, such as a name, stays in it.
        others = {name: entry.value for name, entry in merged.record.fields.items() if name != NAMING}
        known.stamps = pack(seen(merged.record))
        known.beside = {"fields": others, "extra": dict(merged.record.extra)}
        known.state, known.waiting = "synced", None
        outbox.note_revision(known, one.item.seq, one.header.rev, own=False, base={})
        self._answer(known, merged, local)

    def _put(self, known: SyncRecordTable | None, one: Believed, remote: Record) -> bool:
        shape, header = shapes()[remote.type], one.header
        local_id = self._local_id(shape, known, remote, header.rid)
        shape.values(remote.fields)
        local = self._local(shape, known, local_id)
        if local is None and not shape.synced.reappears and self._rows.get(shape, local_id) is not None:
            return False  # an agent is writing on it
        self._hear(remote)
        if known is None and (remote.type, local_id) in self._erased:
            self._decline(self._new(header.rid, remote.type, None, state=aside.DECLINED), one)
            self._gone = True
            return True
        known = known or self._new(header.rid, remote.type, local_id)
        merged = Merged(remote, push=False, clock=self.clock)
        if local is not None:
            base = base_record(remote.type, remote.schema, self._base(known, header.parent, remote))
            merged = merge(base, local, remote, self.clock, self._now)
            self.clock = merged.clock
        known.exp_day = header.exp_day
        outbox.note_revision(known, one.item.seq, header.rev, own=False, base=long_texts(remote))
        self._placing.place(known, merged.record)
        self._keep_conflicts(known, merged.conflicts)
        self._answer(known, merged, local)
        return True

    def _answer(self, known: SyncRecordTable, merged: Merged, local: Record | None) -> None:
        """Send what was merged, unless the others have it, or make of both the same by themselves."""
        if merged.push and (self._linear or not _alike(merged.record, local) or self._out.holds(known.rid)):
            self._send(known, merged.record)
        else:
            self._out.take_back(known.rid)

    def _send(self, known: SyncRecordTable, record: Record) -> None:
        """Let what was merged go to the others; what has become too long by it stays here."""
        try:
            self._out.put(known, record, self.clock.tick(self._now))
        except RecordTooLarge:
            self._out.take_back(known.rid)
            if known.waiting is None:
                known.state = "too_long"

    def _base(self, known: SyncRecordTable, parent: int, remote: Record) -> dict[str, object]:
        """Return the revision upon which both were made.

        In a folder two devices may have built upon the same one, and each sees the other's only afterwards. A service
        that came out of a backup may give what was built upon an older one than this device knew it to have.
        """
        if self._linear and known.seq == 0:
            return still_given((known.base, known.former), remote)
        if self._linear or parent == known.seq:
            return known.base
        if known.own or parent == known.former_seq:
            return known.former
        return known.base

    def _local(self, shape: Shape, known: SyncRecordTable | None, local_id: str) -> Record | None:
        """Return the record as it is here: what waits, or the row with what stands beside it."""
        if known is not None and known.waiting is not None:
            return waiting(known)
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

    def _local_id(self, shape: Shape, known: SyncRecordTable | None, remote: Record, rid: str) -> str:
        found = remote.fields.get(shape.synced.key)
        if found is None or type(found.value) is not str or not found.value:
            raise PlaintextInvalid("key")
        naming = self._here.naming
        if naming is not None and record_id(naming, remote.type, found.value) != rid:
            raise PlaintextInvalid("rid")
        if known is not None and known.state == "passed" and known.local_id is None:
            known.local_id = found.value
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
