"""What becomes of pushed operations, judged one after another in the order that the protocol fixes. No database here.

An operation is judged against the space as the operations before it left it.
"""

from dataclasses import dataclass, field
from typing import Any

from memory.sync.hosted.pushed import Op

Outcome = dict[str, Any]


@dataclass(slots=True)
class Held:
    """A record as it stands after the operations judged so far."""

    rev: str
    seq: int
    size: int
    stored: Any = None
    """The row of the database, where it is asked for and no operation of this push wrote the record."""
    written: Op | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What an operation led to before."""

    envelope_hash: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What an account may use, and what it uses elsewhere and here."""

    bytes_limit: int
    records_limit: int
    bytes_used: int
    records_used: int


@dataclass(slots=True)
class State:
    """What the operations of one push meet and change."""

    epoch: int
    rotating: bool
    head: int
    quota: Quota
    held: dict[str, Held]
    erased: set[str]
    seen: dict[str, Seen]
    bytes_grown: int = 0
    records_grown: int = 0
    touched: set[str] = field(default_factory=set)
    erasing: dict[str, tuple[int, Op]] = field(default_factory=dict)
    superseded: list[tuple[str, str]] = field(default_factory=list)
    accepted: list[tuple[Op, int]] = field(default_factory=list)

    def judge(self, op: Op) -> Outcome:
        """Return the outcome of an operation and change the state by it."""
        rid = op.header.rid
        held = self.held.get(rid)
        if not op.erases:
            if not self._epoch_fits(op.header.epoch):
                return _told(op, "epoch_stale", epoch=self.epoch)
            if rid in self.erased:
                return self._gone(op)
        if (seen := self.seen.get(op.op_id)) is not None:
            if seen.envelope_hash != op.envelope_hash:
                return _told(op, "invalid", reason="op_id was used for another envelope")
            return _told(op, "ok", seq=seen.seq)
        if op.erases:
            return self._erase(op, held)
        if held is None and op.header.parent != 0:
            return self._gone(op)
        if held is not None and held.rev == op.header.rev:
            return _told(op, "ok", seq=held.seq)
        if held is not None and held.seq != op.header.parent:
            return _told(op, "conflict", seq=held.seq, rid=rid, held=held)
        return self._put(op, held)

    def _epoch_fits(self, epoch: int) -> bool:
        return self.epoch > 0 and (epoch == self.epoch or (self.rotating and epoch == self.epoch - 1))

    def _gone(self, op: Op) -> Outcome:
        if (pending := self.erasing.get(op.header.rid)) is not None:
            return _told(op, "erased", marker=marker_of(pending[1]))
        return _told(op, "erased", rid=op.header.rid)

    def _erase(self, op: Op, held: Held | None) -> Outcome:
        rid = op.header.rid
        self.head += 1
        if held is not None:
            self.bytes_grown -= held.size
            self.records_grown -= 1
            del self.held[rid]
        self.erased.add(rid)
        self.erasing[rid] = (self.head, op)
        return self._accept(op)

    def _put(self, op: Op, held: Held | None) -> Outcome:
        quota = self.quota
        grows = op.size - (held.size if held else 0)
        used_bytes, used_records = (
            quota.bytes_used + self.bytes_grown,
            quota.records_used + self.records_grown,
        )
        if grows > 0 and used_bytes + grows > quota.bytes_limit:
            return _told(op, "quota", used=used_bytes, limit=quota.bytes_limit, of="bytes")
        if held is None and used_records + 1 > quota.records_limit:
            return _told(op, "quota", used=used_records, limit=quota.records_limit, of="records")
        self.head += 1
        self.bytes_grown += grows
        self.records_grown += held is None
        if held is not None:
            self.superseded.append((op.header.rid, held.rev))
        self.held[op.header.rid] = Held(op.header.rev, self.head, op.size, written=op)
        return self._accept(op)

    def _accept(self, op: Op) -> Outcome:
        self.touched.add(op.header.rid)
        self.accepted.append((op, self.head))
        self.seen[op.op_id] = Seen(op.envelope_hash, self.head)
        return _told(op, "ok", seq=self.head)

    def written(self) -> list[tuple[Op, int]]:
        """Return the operations whose records stay, with their numbers."""
        return [(held.written, held.seq) for held in self.held.values() if held.written is not None]


def marker_of(op: Op) -> dict[str, bytes]:
    """Return what is kept of an erasing operation."""
    found = op.envelope
    return {"hdr": found.hdr, "kc": found.kc, "ct_sha256": op.ct_sha256, "sig": found.sig}


def _told(op: Op, outcome: str, **more: Any) -> Outcome:
    return {"op_id": op.op_id, "outcome": outcome, **more}
