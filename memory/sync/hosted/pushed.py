"""One pushed operation: read and checked as far as it can be without the database."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from memory.sync import wire
from memory.sync.blob_chunks import CHUNK
from memory.sync.envelope import TAG, Envelope, verify_signature
from memory.sync.errors import RecordRefused
from memory.sync.header import ERASE, Header
from memory.sync.hosted.errors import malformed
from memory.sync.hosted.settings import Settings
from memory.sync.space_keys import wrap_epoch


class Invalid(Exception):
    """The operation is not taken, whatever the state of the space; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Op:
    """An operation whose envelope is whole and signed by the calling device."""

    op_id: str
    header: Header
    envelope: Envelope
    ct_sha256: bytes
    envelope_hash: bytes

    @property
    def erases(self) -> bool:
        """Whether it erases its record."""
        return self.header.kind == ERASE

    @property
    def size(self) -> int:
        """The bytes that count against the quota."""
        return len(self.envelope.ct)


def op_id_of(found: Any) -> str:
    """Return the id of an operation, given as bytes or hexadecimal digits. Raises Refusal."""
    try:
        raw = found if isinstance(found, bytes) else bytes.fromhex(found)
    except (TypeError, ValueError):
        raw = b""
    if len(raw) != 16:
        raise malformed("op_id")
    return raw.hex()


def read_op(
    op_id: str, env: Any, packed: bool, *, space_id: str, device_id: str, sign: bytes, settings: Settings
) -> Op:
    """Read and check an operation. Raises Invalid."""
    try:
        envelope = wire.from_msgpack(msgpack.packb(env)) if packed else _from_json(env)
    except RecordRefused as wrong:
        raise Invalid(wrong.reason) from None
    except (TypeError, ValueError, OverflowError):
        raise Invalid("env") from None
    if not isinstance(envelope, Envelope):
        raise Invalid("a marker is not pushed")
    header = Header.unpack(envelope.hdr)
    if len(envelope.ct) > settings.record_bytes + TAG:
        raise Invalid("too_large")
    if (len(envelope.blobs) - 1) * CHUNK >= settings.attachment_bytes:
        raise Invalid("attachment_too_large")
    if header.space_id != space_id:
        raise Invalid("space_id")
    if header.device_id != device_id:
        raise Invalid("device_id")
    if wrap_epoch(envelope.dek) != header.epoch:
        raise Invalid("wrap_epoch")
    ct_sha256 = hashlib.sha256(envelope.ct).digest()
    try:
        verify_signature(
            envelope.hdr, envelope.kc, ct_sha256, envelope.sig, Ed25519PublicKey.from_public_bytes(sign)
        )
    except RecordRefused as wrong:
        raise Invalid(wrong.reason) from None
    whole = envelope.hdr + envelope.dek + envelope.kc + ct_sha256 + envelope.sig + b"".join(envelope.blobs)
    return Op(op_id, header, envelope, ct_sha256, hashlib.sha256(whole).digest())


def _from_json(env: Any) -> Any:
    return wire.from_json(json.dumps(env).encode())
