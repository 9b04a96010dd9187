"""Envelopes and markers as they travel: a map in MessagePack with raw bytes, or in JSON with base64url.

Members stand in the order of the dataclass, none is missing and none is added: what is not signed is not carried.
"""

import json
from dataclasses import fields
from typing import Any

import msgpack

from memory.sync import base64url
from memory.sync.envelope import HASH, MOST_CHUNKS, Envelope, check_layout
from memory.sync.errors import EnvelopeMalformed
from memory.sync.header import Header
from memory.sync.markers import Marker, check_marker
from memory.sync.plaintext import LARGEST

LONGEST = LARGEST + MOST_CHUNKS * (HASH + 2) + 1024
"""The most bytes of an envelope or marker in MessagePack."""
_ENVELOPE = tuple(each.name for each in fields(Envelope))
_MARKER = tuple(each.name for each in fields(Marker))
_SIGNED = _MARKER[:-1]


def to_msgpack(item: Envelope | Marker) -> bytes:
    """Return the MessagePack of an envelope or marker."""
    packed: bytes = msgpack.packb(members(item))
    return packed


def to_json(item: Envelope | Marker) -> bytes:
    """Return the JSON of an envelope or marker."""
    texts = {
        name: base64url.encode(value)
        if isinstance(value, bytes)
        else [base64url.encode(each) for each in value]
        for name, value in members(item).items()
    }
    return json.dumps(texts, separators=(",", ":")).encode("ascii")


def from_msgpack(data: bytes) -> Envelope | Marker:
    """Read either. Raises EnvelopeMalformed."""
    if len(data) > LONGEST:
        raise EnvelopeMalformed("too long")
    try:
        members = msgpack.unpackb(data, object_pairs_hook=_unique)
    except (ValueError, msgpack.UnpackException, RecursionError) as wrong:
        raise EnvelopeMalformed("not MessagePack") from wrong
    return _item(members)


def from_json(data: bytes) -> Envelope | Marker:
    """Read either. Raises EnvelopeMalformed."""
    if len(data) > LONGEST * 4 // 3 + 1024:
        raise EnvelopeMalformed("too long")
    try:
        members = json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
        if isinstance(members, dict):
            members = {name: _bytes(value) for name, value in members.items()}
    except (ValueError, RecursionError) as wrong:
        raise EnvelopeMalformed("not JSON") from wrong
    return _item(members)


def members(item: Envelope | Marker) -> dict[str, Any]:
    members = {name: getattr(item, name) for name in (_ENVELOPE if isinstance(item, Envelope) else _MARKER)}
    if isinstance(item, Marker) and not item.expiry:
        del members["expiry"]
    return members


def _bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [base64url.decode(each) for each in value]
    return base64url.decode(value)


def _item(members: Any) -> Envelope | Marker:
    if not isinstance(members, dict):
        raise EnvelopeMalformed("not a map")
    names = set(members)
    if names == set(_ENVELOPE):
        blobs = members.pop("blobs")
        if not isinstance(blobs, list) or not all(
            type(each) is bytes for each in (*blobs, *members.values())
        ):
            raise EnvelopeMalformed("not bytes")
        envelope = Envelope(**members, blobs=tuple(blobs))
        check_layout(envelope)
        Header.unpack(envelope.hdr)
        return envelope
    if names in (set(_SIGNED), set(_MARKER)):
        if not all(type(each) is bytes for each in members.values()):
            raise EnvelopeMalformed("not bytes")
        if "expiry" in members and not members["expiry"]:
            raise EnvelopeMalformed("expiry: length")
        marker = Marker(**members)
        check_marker(marker)
        return marker
    raise EnvelopeMalformed("members")


def _unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members
