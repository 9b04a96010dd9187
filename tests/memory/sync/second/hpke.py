"""RFC 9180 in base mode with X25519, or with ML-KEM-768 and X25519 joined as X-Wing joins them."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.memory.sync.second.primitives import expand, extract, gcm_open, gcm_seal, uint

CURVE_KEM, HYBRID_KEM = 0x0020, 0x647A


def public_of(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def hybrid_public_of(private: bytes) -> bytes:
    lattice = MLKEM768PrivateKey.from_seed_bytes(private[:64]).public_key().public_bytes_raw()
    return lattice + public_of(private[64:])


def seal(public: bytes, ephemeral: bytes, data: bytes, info: bytes) -> bytes:
    """Suite 1, with the ephemeral key given."""
    enc = public_of(ephemeral)
    key, nonce = _schedule(CURVE_KEM, _curve_secret(_exchange(ephemeral, public), enc, public), info)
    return b"\x01" + enc + gcm_seal(key, nonce, data, b"")


def unseal(private: bytes, sealed: bytes, info: bytes) -> bytes:
    if sealed[0] == 1:
        enc, ct = sealed[1:33], sealed[33:]
        secret = _curve_secret(_exchange(private, enc), enc, public_of(private))
        kem = CURVE_KEM
    else:
        enc, ct = sealed[1:1121], sealed[1121:]
        lattice = MLKEM768PrivateKey.from_seed_bytes(private[:64]).decapsulate(enc[:1088])
        secret = _joined(lattice, _exchange(private[64:], enc[1088:]), enc[1088:], public_of(private[64:]))
        kem = HYBRID_KEM
    key, nonce = _schedule(kem, secret, info)
    return gcm_open(key, nonce, ct, b"")


def hybrid_seal(public: bytes, ephemeral: bytes, data: bytes, info: bytes) -> bytes:
    """Suite 2; ML-KEM draws its own random bytes."""
    secret, ct = MLKEM768PublicKey.from_public_bytes(public[:1184]).encapsulate()
    enc = public_of(ephemeral)
    joined = _joined(secret, _exchange(ephemeral, public[1184:]), enc, public[1184:])
    key, nonce = _schedule(HYBRID_KEM, joined, info)
    return b"\x02" + ct + enc + gcm_seal(key, nonce, data, b"")


def _exchange(private: bytes, public: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))


def _joined(lattice: bytes, curve: bytes, enc: bytes, public: bytes) -> bytes:
    label = bytes.fromhex("5c2e2f2f5e5c")
    return hashlib.sha3_256(lattice + curve + enc + public + label).digest()


def _curve_secret(exchanged: bytes, enc: bytes, public: bytes) -> bytes:
    suite = b"KEM" + uint(CURVE_KEM, 2)
    return _expand(suite, _extract(suite, b"", b"eae_prk", exchanged), b"shared_secret", enc + public, 32)


def _schedule(kem: int, secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    suite = b"HPKE" + uint(kem, 2) + uint(1, 2) + uint(2, 2)
    context = b"\0" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    scheduled = _extract(suite, secret, b"secret", b"")
    return _expand(suite, scheduled, b"key", context, 32), _expand(
        suite, scheduled, b"base_nonce", context, 12
    )


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return extract(salt, b"HPKE-v1" + suite + label + material)


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return expand(key, uint(length, 2) + b"HPKE-v1" + suite + label + info, length)
