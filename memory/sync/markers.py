"""What is left of an erased record: enough for every device to check that one of them, or its expiry, erased it."""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from memory.sync.envelope import HASH, SIGNATURE, Envelope, verify_signature
from memory.sync.errors import EnvelopeMalformed, SignatureWrong
from memory.sync.header import ERASE, PUT, Header


@dataclass(frozen=True, slots=True)
class Marker:
    """An erased record. ``expiry`` is the service's signature where a put came to its last day, else empty."""

    hdr: bytes
    kc: bytes
    ct_sha256: bytes
    sig: bytes
    expiry: bytes = b""


def marker_of(envelope: Envelope, expiry: bytes = b"") -> Marker:
    """Return what the service keeps of an envelope once key and text are gone."""
    ct_sha256 = hashlib.sha256(envelope.ct).digest()
    return Marker(envelope.hdr, envelope.kc, ct_sha256, envelope.sig, expiry)


def check_marker(marker: Marker) -> Header:
    """Return the header of a marker of the right layout. Raises EnvelopeMalformed."""
    if len(marker.kc) != HASH or len(marker.ct_sha256) != HASH or len(marker.sig) != SIGNATURE:
        raise EnvelopeMalformed("marker: length")
    header = Header.unpack(marker.hdr)
    if header.kind != (PUT if marker.expiry else ERASE):
        raise EnvelopeMalformed("marker: kind")
    return header


def verify_erase(marker: Marker, signer: Ed25519PublicKey) -> Header:
    """Return the header of a record that a device erased. Raises RecordRefused."""
    header = check_marker(marker)
    if marker.expiry:
        raise EnvelopeMalformed("marker: expiry")
    verify_signature(marker.hdr, marker.kc, marker.ct_sha256, marker.sig, signer)
    return header


def verify_expiry(
    marker: Marker, signer: Ed25519PublicKey, service: Ed25519PublicKey, *, today: int, held_rev: str
) -> Header:
    """Return the header of a record that the service erased on its last day.

    ``today`` counts days from 1970-01-01 UTC, ``held_rev`` is the revision this device holds. Raises RecordRefused.
    """
    header = check_marker(marker)
    verify_signature(marker.hdr, marker.kc, marker.ct_sha256, marker.sig, signer)
    try:
        service.verify(marker.expiry, b"aof/v1/expiry" + marker.hdr)
    except InvalidSignature:
        raise SignatureWrong("expiry") from None
    if not 0 < header.exp_day <= today or header.rev != held_rev:
        raise EnvelopeMalformed("marker: not expired")
    return header
