"""The primitives that the document names, from hashlib and hmac, and ciphers from OpenSSL."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM


def uint(value: int, size: int) -> bytes:
    return bytes((value >> 8 * place) & 255 for place in reversed(range(size)))


def number(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value << 8 | byte
    return value


def sha256(*parts: bytes) -> bytes:
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part)
    return hashed.digest()


def extract(salt: bytes, material: bytes) -> bytes:
    return hmac.new(salt or bytes(32), material, "sha256").digest()


def expand(key: bytes, info: bytes, length: int) -> bytes:
    made, block = b"", b""
    for count in range(1, -(-length // 32) + 1):
        block = hmac.new(key, block + info + bytes([count]), "sha256").digest()
        made += block
    return made[:length]


def hkdf(key: bytes, info: bytes) -> bytes:
    return expand(extract(b"", key), info, 32)


def gcm_seal(key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    cipher = Cipher(AES(key), GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(aad)
    return cipher.update(data) + cipher.finalize() + cipher.tag


def gcm_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
    cipher = Cipher(AES(key), GCM(nonce, sealed[-16:])).decryptor()
    cipher.authenticate_additional_data(aad)
    return cipher.update(sealed[:-16]) + cipher.finalize()


def sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def public_of(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def check_signature(public: bytes, signature: bytes, message: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
