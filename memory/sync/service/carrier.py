"""Records at the hosted service: read by number, sent within its limits, compared by ids and hashes.

The position is ``generation``, ``after`` (the last number read), ``begun`` during a first sync, ``again`` (records to
be fetched once more by their ids), and ``former``: the generations before.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgpack

from memory.sync import wire
from memory.sync.arrival import Item
from memory.sync.blob_chunks import CHUNK
from memory.sync.carrier import (
    Accepted,
    Conflicting,
    EpochStale,
    Erased,
    Hashes,
    Live,
    NotTaken,
    OverQuota,
    Page,
    Position,
    Verdict,
)
from memory.sync.envelope import TAG
from memory.sync.errors import AnswerMalformed, ChunkLost, EnvelopeMalformed, NoRoom, ServiceWentBack
from memory.sync.header import Header
from memory.sync.markers import Marker
from memory.sync.outbox import Op
from memory.sync.service.calls import Calls
from memory.sync.service.faults import GenerationChanged, ServiceRefused, TooLarge
from memory.sync.service.proofs import published_keys

PUSH_OPS, PUSH_BYTES = 200, 4 * 2**20
"""The most operations and bytes of one push, where the service does not say otherwise."""
_FRAME, _HEAD = 64, 256
"""The bytes around each operation, and around all of them."""
_BY_ID = 500
_PIECES = 1000
"""The most pieces of files that are confirmed with one call."""
_PAGE = 200
"""The records of one page: what is written of them in one transaction keeps nobody waiting."""
_LARGEST = 2**63 - 1
"""The largest number that the database holds."""
_MOST_EMPTY = 100
"""So many pages one after the other may be without a record: what is being replaced just now is left out of them."""
_MOST_AGAIN = 1000
"""So many records that were not taken wait to be fetched again; with more, reading stops until they are taken."""


class HostedCarrier:
    """A space at the service as one device sees it. Every call raises Unreachable, ServiceFault or AnswerMalformed."""

    linear = True

    def __init__(
        self, calls: Calls, space_id: str, *, push_ops: int = PUSH_OPS, push_bytes: int = PUSH_BYTES
    ) -> None:
        self._calls, self._space_id = calls, space_id
        self._push_ops, self._push_bytes = push_ops, push_bytes
        self._generation = ""
        self._largest_file: int | None = None
        self._empty = 0
        self.signers: Mapping[str, bytes] = {}

    @property
    def told_at(self) -> int | None:
        """The service's own time in its last answer, in milliseconds UTC; None where it tells none."""
        return self._calls.told_at

    async def pull(self, position: Position, skip: AbstractSet[str]) -> Page:
        """Return what is to be fetched again, then what came after the position. Raises ServiceWentBack."""
        self._generation = position.get("generation") or await self._present()
        position = {**position, "generation": self._generation}
        try:
            again = [rid for rid in position.get("again", ()) if rid not in skip][:_BY_ID]
            if again:
                return await self._fetched_again(position, again)
            return await self._changes(position, skip)
        except GenerationChanged as changed:
            if changed.generation in position.get("former", ()):
                raise ServiceWentBack("a former generation") from None
            raise

    def portions(self, page: Page, most: int) -> Iterator[Page]:
        """Cut a page; each part but the last leads to its last number. What was fetched by its id has no order."""
        if "again" in page.reached:
            yield page
            return
        last = 0
        for at in range(most, len(page.items), most):
            items = page.items[last:at]
            yield replace(page, items=items, reached={**page.reached, "after": items[-1].seq})
            last = at
        yield replace(page, items=page.items[last:])

    def after(self, position: Position, page: Page, left: Sequence[Item]) -> Position:
        """Return where a page leads to; what was left is fetched by its id."""
        reached = {"again": position.get("again", ()), **page.reached} if page.reached else dict(position)
        again = {*reached.get("again", ()), *(item.source for item in left)}
        reached["again"] = sorted(again)
        return reached

    async def push(self, ops: Sequence[Op]) -> Sequence[Verdict]:
        """Send operations, in as many calls as they need."""
        verdicts: list[Verdict] = []
        for some in self._portions(ops):
            verdicts += await self._pushed(some)
        return verdicts

    async def forget(self, rids: AbstractSet[str]) -> None:
        """Do nothing: the service destroyed what was erased when it took the order."""

    async def largest_file(self) -> int | None:
        """Return the limit that the service publishes; asked once."""
        if self._largest_file is None:
            answer = _map(await self._calls.open("GET", "/.well-known/officesync"))
            self._largest_file = _number(answer.get("limits"), "attachment_bytes")
        return self._largest_file

    async def lacking(self, addresses: Sequence[bytes]) -> frozenset[bytes]:
        """Have the service confirm pieces; return those that are to be put again."""
        lacking: set[str] = set()
        for start in range(0, len(addresses), _PIECES):
            body = {"sha256": [each.hex() for each in addresses[start : start + _PIECES]]}
            answer = await self._calls.send("POST", "/v1/blobs/commit", body)
            lacking |= {each for each in _listed(answer, "missing") if isinstance(each, str)}
        return frozenset(each for each in addresses if each.hex() in lacking)

    async def announce(self, sizes: Mapping[bytes, int]) -> Mapping[bytes, str]:
        """Return the signed addresses for pieces that the service does not have. Raises NoRoom."""
        body = {"chunks": [{"sha256": each.hex(), "len": length} for each, length in sizes.items()]}
        try:
            answer = await self._calls.send("POST", "/v1/blobs/plan", body)
        except ServiceRefused as refused:
            if refused.code != "quota":
                raise
            raise NoRoom(_number(refused.more, "used"), _number(refused.more, "limit")) from None
        places = {_text(each, "sha256"): _text(each, "put") for each in _listed(answer, "missing")}
        return {each: places[each.hex()] for each in sizes if each.hex() in places}

    async def put_piece(self, place: str, sealed: bytes) -> None:
        """Put a piece at its signed address."""
        await self._calls.put_at(place, sealed, len(sealed))

    async def piece(self, address: bytes) -> bytes:
        """Return a piece as the service has it. Raises ChunkLost."""
        try:
            place = await self._calls.led_to(f"/v1/blobs/{address.hex()}")
        except ServiceRefused as refused:
            if refused.code != "not_found":
                raise
            raise ChunkLost("not at the service") from None
        sealed = await self._calls.get_at(place, CHUNK + TAG)
        if sealed is None:
            raise ChunkLost("not in the store")
        return sealed

    async def keep_pieces(self, addresses: AbstractSet[bytes]) -> None:
        """Do nothing: the service destroys pieces with the last record that names them."""

    async def live(self, after_rid: str) -> Live:
        """Return a page of the ids behind one, in order."""
        answer = await self._get("live", after_rid=after_rid)
        items: dict[str, tuple[str, int]] = {}
        for each in _listed(answer, "items"):
            rid = _text(each, "rid")
            if rid <= after_rid:
                raise AnswerMalformed("live: out of order")
            items[rid] = (_text(each, "rev"), _number(each, "seq"))
            after_rid = rid
        more = answer.get("more") is True
        if more and not items:
            raise AnswerMalformed("live: more, and nothing")
        return Live(_number(answer, "as_of"), items, more)

    async def get(self, rids: Sequence[str]) -> tuple[Item, ...]:
        """Return records by id, or their markers; what is neither, or was not asked for, is left out."""
        body = {"generation": self._generation, "rids": list(rids)}
        answer = await self._calls.send("POST", self._path("records/get"), body, packed=True)
        asked = set(rids)
        items, _damaged = _items(answer)
        await self._meet_signers(items)
        return tuple(item for item in items if item.source in asked)

    async def hashes(self) -> Hashes:
        """Return the service's hashes of what is live."""
        answer = await self._get("integrity")
        try:
            ranges = tuple(bytes.fromhex(each) for each in _listed(answer, "ranges"))
        except (TypeError, ValueError):
            ranges = ()
        if len(ranges) != 256 or any(len(each) != 32 for each in ranges):
            raise AnswerMalformed("ranges")
        return Hashes(_number(answer, "as_of"), ranges)

    async def published(self) -> Mapping[str, bytes]:
        """Return the keys by which the service says that it signs."""
        return await published_keys(self._calls)

    def restarted(self, position: Position, generation: str) -> Position:
        """Return the beginning of another generation."""
        former = [*position.get("former", ()), position.get("generation", "")]
        self._generation = generation
        return {"generation": generation, "after": 0, "former": [each for each in former if each]}

    def reconciled(self, position: Position, as_of: int) -> Position:
        """Return the position once everything was compared as of a number."""
        kept = {name: value for name, value in position.items() if name != "begun"}
        return {**kept, "generation": self._generation, "after": as_of}

    async def _meet_signers(self, items: Sequence[Item]) -> None:
        """Ask for the keys of the service where it says that something expired."""
        expired = any(isinstance(item.sealed, Marker) and item.sealed.expiry for item in items)
        if expired and not self.signers:
            self.signers = await self.published()

    async def _present(self) -> str:
        """Return the generation that the space has now; asked once, when sync begins here."""
        answer = await self._calls.get("/v1/spaces")
        for each in _listed(answer, "spaces"):
            if isinstance(each, dict) and each.get("space_id") == self._space_id:
                return _text(each, "generation")
        raise AnswerMalformed("the space is not listed")

    async def _fetched_again(self, position: Position, again: Sequence[str]) -> Page:
        items = await self.get(again)
        left = [rid for rid in position["again"] if rid not in set(again)]
        return Page(items, more=True, reached={**position, "again": left})

    async def _changes(self, position: Position, skip: AbstractSet[str]) -> Page:
        after, begun = int(position.get("after", 0)), int(position.get("begun", 0))
        answer = await self._packed(
            "changes", after=after, limit=_PAGE, **({"begun": begun} if begun else {})
        )
        items, damaged = _items(answer)
        await self._meet_signers(items)
        head, reached, more = _number(answer, "head"), _number(answer, "next"), answer.get("more") is True
        if head < after:
            raise ServiceWentBack(f"head {head}, read {after}")
        numbers = [after, *(item.seq for item in items)]
        if any(one >= other for one, other in pairwise(numbers)) or reached < numbers[-1]:
            raise AnswerMalformed("changes: out of order")
        if reached > head or (more and reached <= after) or (not more and reached < head):
            raise AnswerMalformed("changes: next")
        self._empty = self._empty + 1 if more and not items else 0
        if self._empty > _MOST_EMPTY:
            raise AnswerMalformed("changes: no end, and nothing in them")
        found = {name: value for name, value in position.items() if name not in ("begun", "again")}
        found["after"] = reached
        if more and (after == 0 or begun):
            found["begun"] = begun or head
        if len(position.get("again", ())) + len(items) > _MOST_AGAIN and skip:
            return Page((), more=False, damaged=(*damaged, ("changes", "too much waits to be taken")))
        return Page(items, more, damaged, head, found)

    async def _pushed(self, ops: Sequence[Op]) -> list[Verdict]:
        body = {
            "generation": self._generation,
            "ops": [{"op_id": bytes.fromhex(op.op_id), "env": wire.members(op.envelope)} for op in ops],
        }
        try:
            answer = await self._calls.send("POST", self._path("push"), body, packed=True)
        except TooLarge:
            if len(ops) == 1:
                return [NotTaken(ops[0].op_id, "too_large")]
            half = len(ops) // 2
            return [*await self._pushed(ops[:half]), *await self._pushed(ops[half:])]
        rids = {op.op_id: op.rid for op in ops}
        verdicts = [_verdict(each, rids) for each in _listed(answer, "results")]
        await self._meet_signers([each.item for each in verdicts if isinstance(each, Erased) and each.item])
        return verdicts

    def _portions(self, ops: Sequence[Op]) -> Iterator[Sequence[Op]]:
        portion: list[Op] = []
        size = _HEAD
        for op in ops:
            length = _FRAME + len(wire.to_msgpack(op.envelope))
            if portion and (len(portion) == self._push_ops or size + length > self._push_bytes):
                yield portion
                portion, size = [], _HEAD
            portion.append(op)
            size += length
        if portion:
            yield portion

    def _path(self, rest: str) -> str:
        return f"/v1/spaces/{self._space_id}/{rest}"

    async def _get(self, rest: str, **query: Any) -> Mapping[str, Any]:
        return _map(await self._calls.get(self._path(rest), query=self._query(query)))

    async def _packed(self, rest: str, **query: Any) -> Mapping[str, Any]:
        return _map(await self._calls.get(self._path(rest), query=self._query(query), packed=True))

    def _query(self, query: Mapping[str, Any]) -> dict[str, Any]:
        return {"generation": self._generation, **query}


def _items(answer: Any) -> tuple[tuple[Item, ...], tuple[tuple[str, str], ...]]:
    """Return what is whole, and what is not, by its number."""
    items: list[Item] = []
    damaged: list[tuple[str, str]] = []
    for each in _listed(answer, "items"):
        seq = _number(each, "seq")
        try:
            items.append(_item(seq, each.get("env") or each.get("marker")))
        except EnvelopeMalformed as wrong:
            damaged.append((str(seq), wrong.reason))
    return tuple(items), tuple(damaged)


def _item(seq: int, members: Any) -> Item:
    """Return what one record arrived as. Raises EnvelopeMalformed."""
    try:
        sealed = wire.from_msgpack(msgpack.packb(members))
    except (TypeError, ValueError, OverflowError):
        raise EnvelopeMalformed("not a map") from None
    return Item(seq, sealed, Header.unpack(sealed.hdr).rid)


def _verdict(told: Any, rids: Mapping[str, str]) -> Verdict:
    op_id = _map(told).get("op_id")
    if not isinstance(op_id, str) or op_id not in rids:
        raise AnswerMalformed("results: op_id")
    match told.get("outcome"):
        case "ok":
            return Accepted(op_id, _number(told, "seq"))
        case "conflict":
            return Conflicting(op_id, _told_item(told.get("env"), rids[op_id], _number(told, "seq")))
        case "erased":
            return Erased(op_id, _told_item(told.get("marker"), rids[op_id], 0))
        case "epoch_stale":
            return EpochStale(op_id, _number(told, "epoch"))
        case "quota":
            return OverQuota(op_id, _number(told, "used"), _number(told, "limit"), _text(told, "of"))
        case "invalid":
            return NotTaken(op_id, _text(told, "reason"))
    raise AnswerMalformed("results: outcome")


def _told_item(members: Any, rid: str, seq: int) -> Item | None:
    """Return what a verdict brings along; None where it is not there, or not of this record."""
    if members is None:
        return None
    try:
        item = _item(seq, members)
    except EnvelopeMalformed:
        return None
    return item if item.source == rid else None


def _map(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise AnswerMalformed("not a map")
    return answer


def _listed(answer: Any, name: str) -> list[Any]:
    found = _map(answer).get(name)
    if not isinstance(found, list):
        raise AnswerMalformed(name)
    return found


def _number(answer: Any, name: str) -> int:
    found = _map(answer).get(name)
    if type(found) is not int or not 0 <= found <= _LARGEST:
        raise AnswerMalformed(name)
    return found


def _text(answer: Any, name: str) -> str:
    found = _map(answer).get(name)
    if not isinstance(found, str):
        raise AnswerMalformed(name)
    return found
