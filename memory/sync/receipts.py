"""Receipts of deletion: what the service destroyed, signed with a key that it publishes. They verify offline."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from memory.sync.errors import ReceiptWrong
from memory.sync.signed_json import digest, hash_bytes, hash_text, is_signed

SCOPES = ("account", "space", "records")
_COUNTS = ("records", "blobs", "bytes", "key_rows")
_TEXTS = (
    "receipt_id",
    "key_id",
    "subject",
    "requested_at",
    "mode",
    "purged_at",
    "policy_version",
    "server",
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt that its signature proves. ``hash`` is what the service's next receipt names as ``previous``."""

    receipt_id: str
    scope: str
    purged_at: str
    counts: Mapping[str, int]
    keys_destroyed: tuple[bytes, ...]
    previous: bytes
    hash: bytes
    members: Mapping[str, Any]


def verify(signed: Any, keys: Mapping[str, bytes]) -> Receipt:
    """Return a receipt, parsed from JSON, if one of the service's published keys (by id, 32 bytes each) signed it.

    Raises ReceiptWrong.
    """
    if not isinstance(signed, dict) or type(signed.get("v")) is not int or signed["v"] != 1:
        raise ReceiptWrong("v")
    public = keys.get(str(signed.get("key_id")))
    if public is None:
        raise ReceiptWrong("key_id")
    try:
        if not is_signed(b"aof/v1/receipt", signed, public):
            raise ReceiptWrong("sig")
        return _receipt(signed)
    except ValueError as wrong:
        raise ReceiptWrong(str(wrong)) from wrong


def hash_of_ids(rids: Iterable[str]) -> str:
    """Return the hash by which a receipt names the records it is about: SHA-256 of their sorted ids, joined."""
    return hash_text(hashlib.sha256(b"".join(bytes.fromhex(rid) for rid in sorted(set(rids)))).digest())


def _receipt(signed: Mapping[str, Any]) -> Receipt:
    texts = {name: signed.get(name) for name in _TEXTS}
    if not all(isinstance(text, str) for text in texts.values()) or signed.get("scope") not in SCOPES:
        raise ValueError("members")
    counts, destroyed = signed.get("counts"), signed.get("keys_destroyed")
    if not isinstance(counts, dict) or any(type(counts.get(name)) is not int for name in _COUNTS):
        raise ValueError("counts")
    if not isinstance(destroyed, list):
        raise ValueError("keys_destroyed")
    return Receipt(
        receipt_id=str(texts["receipt_id"]),
        scope=str(signed["scope"]),
        purged_at=str(texts["purged_at"]),
        counts={name: counts[name] for name in _COUNTS},
        keys_destroyed=tuple(hash_bytes(each) for each in destroyed),
        previous=hash_bytes(signed.get("prev")),
        hash=hash_bytes(digest(signed)),
        members=dict(signed),
    )
