"""Keys out of keys: HKDF-SHA256 without salt, 32 bytes."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(key: bytes, purpose: bytes) -> bytes:
    """Return the 32 bytes that a key yields for a purpose (the ``info`` of RFC 5869)."""
    return HKDF(SHA256(), 32, None, purpose).derive(key)
