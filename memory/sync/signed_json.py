"""JSON objects that carry a signature over their one canonical form (RFC 8785): entries of the log, receipts."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from memory.sync import base64url

_SIGNATURE = "sig"
_HASH = "sha256:"
_HASH_TEXT = re.compile(_HASH + "[0-9a-f]{64}")


def canonical(members: Mapping[str, Any]) -> bytes:
    """Return the canonical form. Raises ValueError for what JSON of every language does not hold."""
    try:
        return rfc8785.dumps(dict(members))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as wrong:
        raise ValueError("no canonical form") from wrong


def sign(purpose: bytes, members: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the object with its signature, made for a purpose."""
    return {**members, _SIGNATURE: base64url.encode(key.sign(purpose + canonical(members)))}


def is_signed(purpose: bytes, signed: Mapping[str, Any], public: bytes) -> bool:
    """Whether a key of 32 bytes signed the object for a purpose. Raises ValueError where it has no canonical form."""
    members = {name: value for name, value in signed.items() if name != _SIGNATURE}
    try:
        signature = base64url.decode(signed.get(_SIGNATURE), 64)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, purpose + canonical(members))
    except InvalidSignature:
        return False
    return True


def digest(signed: Mapping[str, Any]) -> str:
    """Return ``sha256:`` and the hash of the object with its signature. Raises ValueError."""
    return hash_text(hashlib.sha256(canonical(signed)).digest())


def hash_text(raw: bytes) -> str:
    """Return a hash of 32 bytes as the protocol writes it."""
    return _HASH + raw.hex()


def hash_bytes(text: object) -> bytes:
    """Return the 32 bytes of ``sha256:…``. Raises ValueError."""
    if not isinstance(text, str) or not _HASH_TEXT.fullmatch(text):
        raise ValueError("not a hash")
    return bytes.fromhex(text.removeprefix(_HASH))
