"""The key of a space: 32 random bytes for each epoch, under which the keys of its records are wrapped."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from memory.sync.derivation import derive
from memory.sync.errors import EnvelopeMalformed, SealBroken, SpaceKeyMissing, SpaceWrong

Random = Callable[[int], bytes]
"""Gives so many bytes that nobody can foresee; always ``os.urandom`` but where vectors are checked."""

FIRST_EPOCH = 1
WRAPPED = 64
"""The bytes of a wrapped record key."""
_NONCE = 12


@dataclass(frozen=True, slots=True)
class SpaceKey:
    """The key of a space in one epoch."""

    space_id: str
    epoch: int
    key: bytes = field(repr=False)
    _cipher: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cipher", AESGCM(derive(self.key, b"aof/v1/wrap")))

    @classmethod
    def new(cls, space_id: str, epoch: int = FIRST_EPOCH, random: Random = os.urandom) -> "SpaceKey":
        """Make a key."""
        return cls(space_id, epoch, random(32))

    def commitment(self) -> bytes:
        """Return the 32 bytes that the account log holds, so that no other key is taken for this epoch."""
        place = bytes.fromhex(self.space_id) + self.epoch.to_bytes(4, "big")
        return hashlib.sha256(b"aof/v1/sk" + place + self.key).digest()

    def wrap(self, record_key: bytes, rid: str, rev: str, random: Random = os.urandom) -> bytes:
        """Return the 64 bytes ``dek`` of a record key of 32 bytes, bound to one revision of one record."""
        nonce, epoch = random(_NONCE), self.epoch.to_bytes(4, "big")
        return epoch + nonce + self._cipher.encrypt(nonce, record_key, self._bound(rid, rev))

    def unwrap(self, dek: bytes, rid: str, rev: str) -> bytes:
        """Return the record key. Raises SealBroken."""
        try:
            return self._cipher.decrypt(dek[4 : 4 + _NONCE], dek[4 + _NONCE :], self._bound(rid, rev))
        except InvalidTag:
            raise SealBroken("dek") from None

    def _bound(self, rid: str, rev: str) -> bytes:
        return b"dek" + bytes.fromhex(self.space_id + rid + rev) + self.epoch.to_bytes(4, "big")


class SpaceKeys:
    """The keys of one space that a device holds, by epoch."""

    def __init__(self, space_id: str, *keys: SpaceKey) -> None:
        self.space_id = space_id
        self._keys: dict[int, SpaceKey] = {}
        for key in keys:
            self.add(key)

    def add(self, key: SpaceKey) -> None:
        """Take a key of this space. Raises SpaceWrong."""
        if key.space_id != self.space_id:
            raise SpaceWrong
        self._keys[key.epoch] = key

    def of(self, epoch: int) -> SpaceKey:
        """Return the key of an epoch. Raises SpaceKeyMissing."""
        if (key := self._keys.get(epoch)) is None:
            raise SpaceKeyMissing(epoch)
        return key

    def open(self, dek: bytes, rid: str, rev: str) -> bytes:
        """Return a record key by the epoch it is wrapped under. Raises EnvelopeMalformed or another RecordRefused."""
        return self.of(wrap_epoch(dek)).unwrap(dek, rid, rev)


def wrap_epoch(dek: bytes) -> int:
    """Return the epoch under whose key a record key is wrapped. Raises EnvelopeMalformed."""
    if len(dek) != WRAPPED:
        raise EnvelopeMalformed("dek: length")
    return int.from_bytes(dek[:4], "big")
