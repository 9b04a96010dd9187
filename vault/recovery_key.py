"""The recovery key: 32 random bytes, shown once as 24 words of BIP-39, kept only by the owner.

The office keeps a public key derived from it, so its keys can be wrapped again at any time without it.
"""

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from vault.errors import RecoveryKeyWrong
from vault.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hpke import Suite
    from mnemonic import Mnemonic

LENGTH = 32
WORDS = 24
_KEM_PURPOSE = b"aof/v1/recovery-kem"


def words_of(key: bytes) -> str:
    """Return the 24 words of a recovery key of 32 bytes, separated by spaces."""
    return _words().to_mnemonic(key)


def key_of(words: Secret) -> bytes:
    """Return the 32 bytes of 24 words; capitals, line breaks, numbering and first four letters are accepted.

    Raises RecoveryKeyWrong, which says which word to look at.
    """
    text = unicodedata.normalize("NFKD", words.reveal()).lower()
    given = re.findall(r"[^\W\d_]+", text)
    if len(given) != WORDS:
        raise RecoveryKeyWrong.count(len(given))
    known = _words().wordlist
    # The first four letters name a word of this list uniquely.
    full = {word[:4]: word for word in known}
    found = []
    for position, word in enumerate(given, 1):
        whole = word if word in known else full.get(word) if len(word) == 4 else None
        if whole is None:
            raise RecoveryKeyWrong.word(position)
        found.append(whole)
    if not _words().check(" ".join(found)):
        raise RecoveryKeyWrong.checksum()
    return bytes(_words().to_entropy(found))


def public_key(key: bytes) -> bytes:
    """Return the 32 raw bytes of the X25519 public key to which keys are wrapped."""
    return _private_key(key).public_key().public_bytes_raw()


def wrap(public: bytes, data: bytes, purpose: bytes) -> bytes:
    """Encrypt to a public key by HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM); adds 48 bytes."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    return _suite().encrypt(data, X25519PublicKey.from_public_bytes(public), purpose)


def unwrap(key: bytes, wrapped: bytes, purpose: bytes) -> bytes:
    """Decrypt what `wrap` encrypted to the public key of this recovery key.

    Raises RecoveryKeyWrong if it was wrapped to another one or was changed.
    """
    from cryptography.exceptions import InvalidTag

    try:
        return _suite().decrypt(wrapped, _private_key(key), purpose)
    except (InvalidTag, ValueError):
        raise RecoveryKeyWrong.other() from None


def _private_key(key: bytes) -> "X25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return X25519PrivateKey.from_private_bytes(HKDF(SHA256(), 32, None, _KEM_PURPOSE).derive(key))


def _suite() -> "Suite":
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@cache
def _words() -> "Mnemonic":
    from mnemonic import Mnemonic

    return Mnemonic("english")
