"""One revision of one record, sealed by a device: the service stores it and can read none of it.

Every envelope has a record key of its own, so an edit makes the former text unreadable and no nonce repeats. The key is
wrapped under the space's key apart from the text, so rotating that touches 64 bytes and no signature.
"""

import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from memory.sync.errors import EnvelopeMalformed, SealBroken, SignatureWrong, SpaceWrong
from memory.sync.header import ERASE, PUT, Header
from memory.sync.padding import SMALLEST, pad, unpad
from memory.sync.plaintext import LARGEST, Record, encode
from memory.sync.space_keys import Random, SpaceKey, SpaceKeys, wrap_epoch

TAG = 16
HASH = 32
SIGNATURE = 64
MOST_CHUNKS = 1280
"""The most pieces a record may refer to: 5 GiB in pieces of 4 MiB."""
_SMALLEST_TEXT, _LARGEST_TEXT = SMALLEST + TAG, LARGEST + 4 + TAG
_NO_NONCE = bytes(12)
"""Each key seals one text, so its nonce need not differ from that of another."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is sent and stored. ``blobs`` are hashes of file pieces, sorted; unsigned, for the service's clearing up."""

    hdr: bytes
    dek: bytes
    kc: bytes
    ct: bytes
    sig: bytes
    blobs: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Signer:
    """A device as the writer of envelopes."""

    device_id: str
    key: Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Edit:
    """Which record is written, when by the device's clock, and upon which revision."""

    rid: str
    ms: int
    counter: int
    parent: int = 0
    exp_day: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """What an envelope held."""

    header: Header
    plaintext: bytes


def seal(
    edit: Edit,
    plaintext: bytes,
    key: SpaceKey,
    signer: Signer,
    *,
    blobs: Iterable[bytes] = (),
    random: Random = os.urandom,
) -> Envelope:
    """Seal the bytes of `plaintext.encode` as a new revision.

    Revision and record key are always new: to send an envelope again, send the same one.
    """
    return _seal(PUT, edit, plaintext, key, signer, tuple(sorted(set(blobs))), random)


def seal_erase(
    edit: Edit, type_: str, schema: int, key: SpaceKey, signer: Signer, *, random: Random = os.urandom
) -> Envelope:
    """Seal the order to erase a record. The service checks it and keeps `marker_of` it."""
    return _seal(ERASE, edit, encode(Record(type_, schema, {})), key, signer, (), random)


def open_sealed(envelope: Envelope, keys: SpaceKeys, signer: Ed25519PublicKey) -> Opened:
    """Check everything about an envelope and return what it holds.

    ``signer`` is the key that the account log gives for the header's device; whether that device might write is
    asked of `memory.sync.admission`. Raises RecordRefused.
    """
    check_layout(envelope)
    header = Header.unpack(envelope.hdr)
    if header.space_id != keys.space_id:
        raise SpaceWrong
    verify_signature(envelope.hdr, envelope.kc, hashlib.sha256(envelope.ct).digest(), envelope.sig, signer)
    record_key = _record_key(envelope, header, keys)
    try:
        padded = AESGCM(record_key).decrypt(_NO_NONCE, envelope.ct, b"rec" + envelope.hdr)
    except InvalidTag:
        raise SealBroken("ct") from None
    return Opened(header, unpad(padded))


def rewrap(envelope: Envelope, keys: SpaceKeys, key: SpaceKey, *, random: Random = os.urandom) -> Envelope:
    """Return the envelope with its record key wrapped under another key of the space. Raises RecordRefused."""
    check_layout(envelope)
    header = Header.unpack(envelope.hdr)
    if header.space_id != keys.space_id or key.space_id != keys.space_id:
        raise SpaceWrong
    record_key = _record_key(envelope, header, keys)
    return replace(envelope, dek=key.wrap(record_key, header.rid, header.rev, random))


def check_layout(envelope: Envelope) -> None:
    """Raise EnvelopeMalformed where a part has not the length that the protocol gives it."""
    wrap_epoch(envelope.dek)
    if len(envelope.kc) != HASH or len(envelope.sig) != SIGNATURE:
        raise EnvelopeMalformed("kc or sig: length")
    if not _SMALLEST_TEXT <= len(envelope.ct) <= _LARGEST_TEXT:
        raise EnvelopeMalformed("ct: length")
    if envelope.blobs:
        _check_blobs(envelope.blobs)


def verify_signature(hdr: bytes, kc: bytes, ct_sha256: bytes, sig: bytes, signer: Ed25519PublicKey) -> None:
    """Raise SignatureWrong unless a device signed these parts of an envelope or marker."""
    try:
        signer.verify(sig, _signed(hdr, kc, ct_sha256))
    except InvalidSignature:
        raise SignatureWrong from None


def _seal(
    kind: int,
    edit: Edit,
    plaintext: bytes,
    key: SpaceKey,
    signer: Signer,
    blobs: tuple[bytes, ...],
    random: Random,
) -> Envelope:
    rev, record_key = random(16).hex(), random(32)
    header = Header(
        kind=kind,
        epoch=key.epoch,
        parent=edit.parent,
        exp_day=edit.exp_day,
        space_id=key.space_id,
        rid=edit.rid,
        rev=rev,
        device_id=signer.device_id,
        ms=edit.ms,
        counter=edit.counter,
    )
    hdr = header.pack()
    dek = key.wrap(record_key, edit.rid, rev, random)
    kc = _commitment(record_key)
    ct = AESGCM(record_key).encrypt(_NO_NONCE, pad(plaintext), b"rec" + hdr)
    sig = signer.key.sign(_signed(hdr, kc, hashlib.sha256(ct).digest()))
    envelope = Envelope(hdr, dek, kc, ct, sig, blobs)
    check_layout(envelope)
    return envelope


def _record_key(envelope: Envelope, header: Header, keys: SpaceKeys) -> bytes:
    record_key = keys.open(envelope.dek, header.rid, header.rev)
    if not hmac.compare_digest(_commitment(record_key), envelope.kc):
        raise SealBroken("kc")
    return record_key


def _commitment(record_key: bytes) -> bytes:
    return hashlib.sha256(b"aof/v1/kc" + record_key).digest()


def _signed(hdr: bytes, kc: bytes, ct_sha256: bytes) -> bytes:
    return b"aof/v1/rec" + hdr + kc + ct_sha256


def _check_blobs(blobs: tuple[bytes, ...]) -> None:
    if len(blobs) > MOST_CHUNKS:
        raise EnvelopeMalformed("blobs: too many")
    if any(len(each) != HASH for each in blobs) or any(a >= b for a, b in pairwise(blobs)):
        raise EnvelopeMalformed("blobs: not sorted hashes")
