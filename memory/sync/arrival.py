"""What a carrier brings, and whom to believe: an item is checked whole before anything of it is used."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from memory.sync.account import Account
from memory.sync.admission import admit_put, erases_at_once
from memory.sync.envelope import Envelope, open_sealed
from memory.sync.errors import RecordRefused, SignatureWrong, SpaceKeyMissing, SpaceWrong
from memory.sync.header import ERASE, PUT, Header
from memory.sync.markers import Marker, check_marker, marker_of, verify_erase, verify_expiry
from memory.sync.plaintext import Opaque, Record, decode
from memory.sync.shapes import shapes
from memory.sync.space import OFFICE_NAME
from memory.sync.space_keys import SpaceKeys, wrap_epoch


@dataclass(frozen=True, slots=True)
class Item:
    """A revision or marker as it arrives. ``seq`` is its number among the carrier's; ``source`` where it lay."""

    seq: int
    sealed: Envelope | Marker
    source: str = ""


@dataclass(frozen=True, slots=True)
class Believed:
    """An item of which everything was checked; ``content`` is None where the record is erased.

    ``proven`` is False where whoever erased it could not: then the record is only set aside.
    """

    item: Item
    header: Header
    content: Record | Opaque | None
    proven: bool = True


KNOWN = Opaque("", 0, b"")
"""Stands for the content of a revision that this device holds."""


@dataclass(frozen=True, slots=True)
class Trust:
    """By whom and with which keys items are checked; ``service`` are the keys that sign what expired."""

    account: Account
    keys: SpaceKeys
    service: tuple[Ed25519PublicKey, ...] = ()


def check(item: Item, trust: Trust, held: Mapping[str, str] | None = None, today: int = 0) -> Believed:
    """Return what an item says; ``held`` gives the revisions that this device holds. Raises RecordRefused.

    ``today`` counts days from 1970-01-01 UTC.
    """
    sealed = item.sealed
    if isinstance(sealed, Envelope) and Header.unpack(sealed.hdr).kind == ERASE:
        sealed = marker_of(sealed)
    if isinstance(sealed, Marker):
        return _erased(item, sealed, trust, held or {}, today)
    header = Header.unpack(sealed.hdr)
    device = trust.account.device(header.device_id)
    admit_put(
        trust.account,
        header,
        wrap_epoch(sealed.dek),
        held_before=(held or {}).get(header.rid) == header.rev,
    )
    opened = open_sealed(sealed, trust.keys, device.verifies)
    return Believed(item, header, decode(opened.plaintext))


def _erased(item: Item, marker: Marker, trust: Trust, held: Mapping[str, str], today: int) -> Believed:
    header = check_marker(marker)
    if header.space_id != trust.keys.space_id:
        raise SpaceWrong
    verifies = trust.account.device(header.device_id).verifies
    if not marker.expiry:
        verify_erase(marker, verifies)
        return Believed(item, header, None, erases_at_once(trust.account, header))
    for service in trust.service:
        try:
            verify_expiry(marker, verifies, service, today=header.exp_day, held_rev=header.rev)
        except SignatureWrong:
            continue
        # Before its day, or of a revision that never came here, it proves nothing of what is here.
        proven = header.exp_day <= today and held.get(header.rid, header.rev) == header.rev
        return Believed(item, header, None, proven)
    raise SignatureWrong("expiry")


@dataclass(slots=True)
class Applied:
    """What became of a page: what was taken, and what was refused with the reason in the protocol's words."""

    taken: list[Item] = field(default_factory=list)
    refused: list[tuple[Item, str]] = field(default_factory=list)
    later: list[Item] = field(default_factory=list)
    """What is to be brought again: its key has not arrived, or an agent is writing on it."""
    touched: set[tuple[str, str]] = field(default_factory=set)
    """Type and key of the rows that were written."""
    conflicts: int = 0
    aside: int = 0
    """How many records were removed without proof."""
    far_ahead: bool = False
    """Whether a device's clock is more than a day ahead."""


@dataclass(slots=True)
class Checked:
    """What checking made of a page: what is to be taken, in the order to take it, and the rest as in `Applied`."""

    believed: list[Believed] = field(default_factory=list)
    refused: list[tuple[Item, str]] = field(default_factory=list)
    later: list[Item] = field(default_factory=list)


def check_all(
    items: Iterable[Item], trust: Trust, held: Mapping[str, str], today: int, known: Container[str] = ()
) -> Checked:
    """Check a page; ``held`` and ``today`` are as in `check`.

    A revision that is held of one of the ``known`` records is not opened once more: nothing of it is used.
    """
    checked = Checked()
    for item in items:
        try:
            header = Header.unpack(item.sealed.hdr)
            if header.rid in known and held.get(header.rid) == header.rev and _is_put(item, header):
                checked.believed.append(Believed(item, header, KNOWN))
            else:
                checked.believed.append(check(item, trust, held, today))
        except SpaceKeyMissing:
            checked.later.append(item)
        except RecordRefused as wrong:
            checked.refused.append((item, wrong.reason))
    checked.believed.sort(key=_order)
    return checked


def _is_put(item: Item, header: Header) -> bool:
    return isinstance(item.sealed, Envelope) and header.kind == PUT


def _order(one: Believed) -> tuple[int, int]:
    """The secret that names records first, then what others refer to; within a chat as it was written."""
    content = one.content
    if not isinstance(content, Record):
        return len(shapes()), 0
    ordinal = content.fields["ordinal"].value if "ordinal" in content.fields else 0
    return _places().get(content.type, len(shapes())), ordinal if type(ordinal) is int else 0


@cache
def _places() -> dict[str, int]:
    return {OFFICE_NAME: -1, **{type_: place for place, type_ in enumerate(shapes())}}
