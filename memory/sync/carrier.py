"""What carries records between devices: a folder that the owner syncs by other means, or a service that counts."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from memory.sync.arrival import Item
from memory.sync.outbox import Op

Position = dict[str, Any]
"""How far a carrier was read; only the carrier understands it, and an empty one is the beginning."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a carrier has next. ``damaged`` names what could not be read at all, with the reason.

    ``head`` is the last number that a service has given, 0 where nobody counts; ``reached`` is the position behind
    the page where the carrier knows it beforehand.
    """

    items: tuple[Item, ...]
    more: bool
    damaged: tuple[tuple[str, str], ...] = ()
    head: int = 0
    reached: Position = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The others have this revision now, under this number."""

    op_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Conflicting:
    """The others have another revision than the one this was made upon: it is to be merged, then sent anew.

    Without an item it was just replaced, and the next pull brings it.
    """

    op_id: str
    item: Item | None


@dataclass(frozen=True, slots=True)
class Erased:
    """The record was erased; ``item`` is the marker that proves it, None where there is no proof."""

    op_id: str
    item: Item | None


@dataclass(frozen=True, slots=True)
class EpochStale:
    """The space has another key by now: what was sealed is to be sealed under that of ``epoch``."""

    op_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class OverQuota:
    """There is no room: ``used`` of ``limit`` bytes or records, as ``of`` says."""

    op_id: str
    used: int
    limit: int
    of: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Never to be taken as it is, for a reason in the protocol's words."""

    op_id: str
    reason: str


Verdict = Accepted | Conflicting | Erased | EpochStale | OverQuota | NotTaken


class Carrier(Protocol):
    """Every call raises OSError where nothing can be reached; then the same call may be made again."""

    @property
    def linear(self) -> bool:
        """Whether each revision of a record follows the one before; then a put may be answered by `Conflicting`."""

    async def pull(self, position: Position, skip: AbstractSet[str]) -> Page:
        """Return what lies beyond a position, but for sources that were left in this round."""

    def portions(self, page: Page, most: int) -> Iterator[Page]:
        """Cut a page into pages of fewer items; each of them leads to a position of its own."""

    def after(self, position: Position, page: Page, left: Sequence[Item]) -> Position:
        """Return the position once a page was taken, but for some items that are to come again."""

    async def push(self, ops: Sequence[Op]) -> Sequence[Verdict]:
        """Send revisions; what has no verdict stays in the outbox. Sending the same again changes nothing."""

    async def forget(self, rids: AbstractSet[str]) -> None:
        """Destroy what this device carried of records that are erased; markers stay."""

    async def largest_file(self) -> int | None:
        """Return of how many bytes a file may be, None where nobody sets a limit."""

    async def lacking(self, addresses: Sequence[bytes]) -> frozenset[bytes]:
        """Confirm sealed pieces of files that were put; return those that are not there whole."""

    async def announce(self, sizes: Mapping[bytes, int]) -> Mapping[bytes, str]:
        """Return where each of the pieces is to be put that is not there, given their bytes. Raises NoRoom."""

    async def put_piece(self, place: str, sealed: bytes) -> None:
        """Put a sealed piece where `announce` said; it counts once `lacking` confirms it."""

    async def piece(self, address: bytes) -> bytes:
        """Return a sealed piece as it is there. Raises ChunkLost."""

    async def keep_pieces(self, addresses: AbstractSet[bytes]) -> None:
        """Destroy what this device carried of files, but for these pieces."""


@dataclass(frozen=True, slots=True)
class Live:
    """What is live in a stretch of the ids, as of one number: revision and number by record id."""

    as_of: int
    items: Mapping[str, tuple[str, int]]
    more: bool


@dataclass(frozen=True, slots=True)
class Hashes:
    """For each 1/256 of the ids the XOR of SHA-256(rid ‖ rev) of what is live there, as of one number."""

    as_of: int
    ranges: tuple[bytes, ...]


@runtime_checkable
class Service(Carrier, Protocol):
    """A carrier that counts and can be asked; its calls also raise ServiceFault."""

    @property
    def signers(self) -> Mapping[str, bytes]:
        """The keys by which the service says that it signs what expired; asked for once something has."""

    @property
    def told_at(self) -> int | None:
        """The service's own time in its last answer, in milliseconds UTC; None where it tells none."""

    async def published(self) -> Mapping[str, bytes]:
        """Return the keys by which the service says that it signs, 32 bytes each, by their ids."""

    async def live(self, after_rid: str) -> Live:
        """Return a page of the ids behind one, in order."""

    async def get(self, rids: Sequence[str]) -> tuple[Item, ...]:
        """Return records by id, or their markers; what is neither is left out."""

    async def hashes(self) -> Hashes:
        """Return what this device's own hashes are compared with."""

    def restarted(self, position: Position, generation: str) -> Position:
        """Return the beginning of another generation."""

    def reconciled(self, position: Position, as_of: int) -> Position:
        """Return the position once everything was compared as of a number."""
