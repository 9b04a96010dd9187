"""A new device joins: it commits itself, the old one answers, and their owner compares six words on both screens.

The service in between relays. It cannot put another key in the new device's place, because the words depend on
two numbers of which each side chose one before it knew the other.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import cache

from memory.sync.errors import EnrolmentRefused

NONCE = 32
WORDS = 6
_WORD_BITS = 11


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What the new device reveals once the old one has answered: its number and its public keys."""

    nonce: bytes
    sign: bytes
    hpke: bytes

    @property
    def commitment(self) -> bytes:
        """The 32 bytes that the new device posts first."""
        return hashlib.sha256(b"aof/v1/sas-commit" + self.nonce + self._keys()).digest()

    def _keys(self) -> bytes:
        return self.sign + len(self.hpke).to_bytes(2, "big") + self.hpke


@dataclass(frozen=True, slots=True)
class Answer:
    """What the old device posts before it has seen the keys.

    ``fingerprint`` is the hash of the account log's first entry, ``head`` of its last, 32 bytes each.
    """

    nonce: bytes
    fingerprint: bytes
    head: bytes


def new_nonce() -> bytes:
    """Return a number for one try."""
    return os.urandom(NONCE)


def check_reveal(commitment: bytes, newcomer: Newcomer) -> None:
    """Raise EnrolmentRefused unless the new device reveals what it committed itself to."""
    if len(newcomer.nonce) != NONCE or len(newcomer.sign) != 32:
        raise EnrolmentRefused("length")
    if not hmac.compare_digest(newcomer.commitment, commitment):
        raise EnrolmentRefused("commitment")


def comparison(answer: Answer, newcomer: Newcomer) -> bytes:
    """Return the 32 bytes that both devices must see alike."""
    return hashlib.sha256(
        b"aof/v1/sas" + answer.fingerprint + answer.head + newcomer._keys() + newcomer.nonce + answer.nonce
    ).digest()


def six_words(compared: bytes) -> tuple[str, ...]:
    """Return the words of BIP-39 for the first 66 bits of `comparison`."""
    number = int.from_bytes(compared, "big") >> (len(compared) * 8 - WORDS * _WORD_BITS)
    places = (number >> (_WORD_BITS * place) & (2**_WORD_BITS - 1) for place in reversed(range(WORDS)))
    return tuple(_words()[place] for place in places)


@cache
def _words() -> list[str]:
    from mnemonic import Mnemonic

    return Mnemonic("english").wordlist
