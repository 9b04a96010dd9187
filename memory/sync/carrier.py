"""What carries records between devices: a folder that the owner syncs by other means, or a service."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Protocol

from memory.sync.arrival import Item
from memory.sync.outbox import Op

Position = dict[str, Any]
"""How far a carrier was read; only the carrier understands it, and an empty one is the beginning."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a carrier has next. ``damaged`` names what could not be read at all, with the reason."""

    items: tuple[Item, ...]
    more: bool
    damaged: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The others have this revision now, under this number."""

    op_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Conflicting:
    """The others have another revision than the one this was made upon: it is to be merged, then sent anew."""

    op_id: str
    item: Item


Verdict = Accepted | Conflicting


class Carrier(Protocol):
    """Every method blocks and raises OSError where nothing can be reached; then the same call may be made again."""

    @property
    def linear(self) -> bool:
        """Whether each revision of a record follows the one before; then a put may be answered by `Conflicting`."""

    def pull(self, position: Position, skip: AbstractSet[str]) -> Page:
        """Return what lies beyond a position, but for sources that were left in this round."""

    def after(self, position: Position, page: Page, left: Sequence[Item]) -> Position:
        """Return the position once a page was taken, but for some items that are to come again."""

    def push(self, ops: Sequence[Op]) -> Sequence[Verdict]:
        """Send revisions; what has no verdict stays in the outbox. Sending the same again changes nothing."""

    def forget(self, rids: AbstractSet[str]) -> None:
        """Destroy what this device carried of records that are erased; markers stay."""
