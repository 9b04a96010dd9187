"""Records that arrived become rows, and what they refer to and is not here is kept in mind until it comes."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.sync import removals, space
from memory.sync.awaited import Awaited
from memory.sync.known import load, pack, seen
from memory.sync.merge import MESSAGE
from memory.sync.outbox import Outgoing
from memory.sync.plaintext import Record, decode, encode
from memory.sync.rows import Rows
from memory.sync.shapes import SET, Shape, shapes
from memory.tables import SyncRecordTable, SyncSpaceTable

_DIGITS_OF_ID = 6
_PARENT = "parent_id"
"""What a message hangs on; without it the message stands at the top of its chat."""


class Placing:
    """Writes the records of one page; ``touched`` takes type and key of the rows that are written."""

    def __init__(
        self,
        session: Session,
        here: SyncSpaceTable,
        out: Outgoing,
        touched: set[tuple[str, str]],
        *,
        linear: bool,
    ) -> None:
        self._session, self._here, self._out, self._linear = session, here, out, linear
        self.rows = Rows(session)
        self._awaited, self._touched = Awaited(session), touched
        self._wanted: dict[str, str] = {}

    def place(self, known: SyncRecordTable, record: Record) -> None:
        """Write the row of a record, or hold it until what it hangs on is here."""
        shape, values = shapes()[record.type], shapes()[record.type].values(record.fields)
        assert known.local_id is not None  # a record of a known type that is not gone
        known.stamps = pack(seen(record))
        missing = {
            name: values[name]
            for name in shape.references
            if self.rows.leads_nowhere(shape, name, values[name])
        }
        if _PARENT in missing and removals.is_erased(self._session, self._here, MESSAGE, missing[_PARENT]):
            # Its writer knew nothing of that, so it is an edit of whoever learns of both.
            del missing[_PARENT]
            values[_PARENT] = None
            space.mark(self._session, MESSAGE, known.local_id)
        self._awaited.note(known.rid, missing.values())
        if lacking := missing.keys() & shape.needed:
            if self.go_with_erased(known, record):
                return
            if lacking != {_PARENT} or not self._stands_without(known.local_id, missing[_PARENT]):
                known.state, known.waiting = "held", encode(record)
                return
        unknown = {
            name: entry.value
            for name, entry in record.fields.items()
            if name not in shape.columns and name != SET
        }
        if SET in record.fields and record.fields[SET].value is not True:
            self.rows.remove(shape, known.local_id)
        else:
            values |= dict.fromkeys(missing)
            self._make_room(shape, known.local_id, values)
            self.rows.put(shape, known.local_id, values)
        known.beside = {
            "fields": {**unknown, **missing},
            **({"extra": dict(record.extra)} if record.extra else {}),
        }
        known.state, known.waiting = "synced", None
        self._touched.add((record.type, known.local_id))

    def write(self) -> None:
        """Put into the database what was placed."""
        # In this order, or a row would come before it is known who waits for it.
        self._session.flush()
        self._awaited.write()
        self.rows.write()

    def place_awaiting(self) -> None:
        """Place what was held for something that has come, and let references lead to it."""
        self.write()
        while arrived := self._awaited.arrived():
            known = load(self._session, arrived)
            for shape in shapes().values():
                mine = (each.local_id for each in known.values() if each.type == shape.synced.type)
                self.rows.meet(shape, (key for key in mine if key is not None))
            for each in known.values():
                if each.state == "held":
                    self.place(each, waiting(each))
                else:
                    self._tie_up(each)
            self.write()

    def let_go_of_gone(self) -> None:
        """Let nothing wait for what is erased, or not taken here: a message goes with its chat, or to the top of it."""
        self._awaited.write()
        targets = self._awaited.targets()
        gone = removals.gone_among(self._session, self._here, targets)
        for target in (each for each in targets if each in gone):
            for known in load(self._session, targets[target]).values():
                if known.state == "held":
                    self.place(known, waiting(known))
                elif known.type == MESSAGE and known.local_id is not None:
                    self._stand_at_top(known, known.local_id, target)

    def forget(self, known: SyncRecordTable) -> None:
        """Let a record that has no row any more wait for nothing."""
        self._awaited.note(known.rid, ())

    def go_with_erased(self, known: SyncRecordTable, record: Record) -> bool:
        """Have a record erased that was written into something erased; return whether it was."""
        if not removals.goes_with_erased(self._session, self._here, known, record, linear=self._linear):
            return False
        self._out.take_back(known.rid)
        self.forget(known)
        return True

    def _stands_without(self, local_id: str, parent: str) -> bool:
        """Whether a message is shown though its parent is not here: it is here, or the parent never comes."""
        return self.rows.get(shapes()[MESSAGE], local_id) is not None or removals.is_declined(
            self._session, self._here, MESSAGE, parent
        )

    def _stand_at_top(self, known: SyncRecordTable, local_id: str, parent: str) -> None:
        """Let a row that stands at the top until its parent comes stay there, and the others hear so."""
        fields = dict(known.beside.get("fields", {}))
        if fields.get(_PARENT) == parent and removals.is_erased(self._session, self._here, MESSAGE, parent):
            del fields[_PARENT]
            known.beside = {**known.beside, "fields": fields}
            space.mark(self._session, MESSAGE, local_id)
        self._awaited.note(
            known.rid, (value for name, value in fields.items() if name in shapes()[MESSAGE].columns)
        )

    def _tie_up(self, known: SyncRecordTable) -> None:
        """Let those references of a row lead somewhere that can now."""
        shape, fields = shapes()[known.type], known.beside.get("fields", {})
        assert known.local_id is not None  # what is erased waits for nothing
        row = self.rows.get(shape, known.local_id)
        assert row is not None  # a row leaves with what is known of it
        left = {
            name: value
            for name, value in fields.items()
            if name not in shape.columns or self.rows.leads_nowhere(shape, name, value)
        }
        found = {name: value for name, value in fields.items() if name not in left}
        self._awaited.note(known.rid, (value for name, value in left.items() if name in shape.columns))
        if found:
            self.rows.put(shape, known.local_id, {**row, **found})
            known.beside = {**known.beside, "fields": left}
            self._touched.add((known.type, known.local_id))

    def _make_room(self, shape: Shape, local_id: str, values: dict[str, Any]) -> None:
        """Give the agent with the larger id another name where two devices gave theirs the same.

        Every device decides alike, and the name is an edit like any other.
        """
        if shape.synced.type != "agent":
            return
        self.write()
        self._wanted.pop(local_id, None)
        table = shape.table
        other = self._session.scalar(
            select(table.c.id).where(table.c.name == values["name"], table.c.id != local_id)
        )
        if other is None:
            return
        loser = max(local_id, other)
        # Of its id and of nothing else here, or two devices that know different agents would never agree.
        name_of_both = values["name"]
        name = f"{name_of_both} ({loser[:_DIGITS_OF_ID]})"
        if loser == local_id:
            values["name"] = name
        else:
            self._session.execute(table.update().where(table.c.id == other).values(name=name))
            self.rows.forget(shape, other)
        self._wanted[loser] = name_of_both
        space.mark(self._session, "agent", loser)

    def give_back_names(self) -> None:
        """Let agents have the names that others have given up later in the page."""
        self.write()
        for agent_id, name in self._wanted.items():
            shape = shapes()["agent"]
            table = shape.table
            if self._session.scalar(select(table.c.id).where(table.c.name == name)) is None:
                self._session.execute(table.update().where(table.c.id == agent_id).values(name=name))
                self.rows.forget(shape, agent_id)


def waiting(known: SyncRecordTable) -> Record:
    """Return what is held of a record."""
    assert known.waiting is not None  # what is held waits
    record = decode(known.waiting)
    assert isinstance(record, Record)  # only those are held
    return record
