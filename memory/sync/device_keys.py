"""The keys of a device: Ed25519 to sign, HPKE (RFC 9180) to receive the keys of spaces.

The length of a public HPKE key names its suite: 32 bytes are X25519 (suite 1), 1,216 are ML-KEM-768 followed by X25519
(suite 2). Both suites use HKDF-SHA256 and AES-256-GCM.
"""

import os
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

X25519, HYBRID = 1, 2
_CURVE, _LATTICE, _LATTICE_SEED = 32, 1184, 64
_LENGTHS = {_CURVE: X25519, _LATTICE + _CURVE: HYBRID}
_PRIVATE = {_CURVE: X25519, _LATTICE_SEED + _CURVE: HYBRID}
_SUITES = {
    X25519: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    HYBRID: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}


@dataclass(frozen=True, slots=True)
class DevicePublic:
    """What the account log tells of a device."""

    id: str
    sign: bytes
    hpke: bytes


@dataclass(frozen=True)
class Receiver:
    """The private half of an HPKE key: 32 bytes of X25519, or 64 of ML-KEM-768's seed and 32 of X25519."""

    private: bytes = field(repr=False)

    @classmethod
    def new(cls, suite: int = X25519) -> "Receiver":
        """Make a key of a suite."""
        return cls(os.urandom(_CURVE if suite == X25519 else _LATTICE_SEED + _CURVE))

    @cached_property
    def suite(self) -> int:
        """X25519 or HYBRID."""
        return _PRIVATE[len(self.private)]

    @cached_property
    def public(self) -> bytes:
        """The public half."""
        curve = self._curve.public_key().public_bytes_raw()
        if self.suite == X25519:
            return curve
        return self._lattice.public_key().public_bytes_raw() + curve

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Return what `seal_to` sealed, with its first byte. Raises ValueError."""
        if not sealed or sealed[0] != self.suite:
            raise ValueError("suite")
        key = self._curve if self.suite == X25519 else MLKEM768X25519PrivateKey(self._lattice, self._curve)
        try:
            return _SUITES[self.suite].decrypt(sealed[1:], key, info)
        except InvalidTag:
            raise ValueError("does not open") from None

    @property
    def _curve(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.private[-_CURVE:])

    @property
    def _lattice(self) -> MLKEM768PrivateKey:
        return MLKEM768PrivateKey.from_seed_bytes(self.private[:_LATTICE_SEED])


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """The private keys of a device, to be kept in the keyring of its system."""

    id: str
    sign: Ed25519PrivateKey
    receive: Receiver

    @classmethod
    def new(cls, suite: int = X25519) -> "DeviceKeys":
        """Make a device."""
        return cls(os.urandom(16).hex(), Ed25519PrivateKey.generate(), Receiver.new(suite))

    @property
    def public(self) -> DevicePublic:
        """What others may know."""
        return DevicePublic(self.id, self.sign.public_key().public_bytes_raw(), self.receive.public)


def suite_of(public: bytes) -> int:
    """Return the suite of a public HPKE key. Raises ValueError."""
    if (suite := _LENGTHS.get(len(public))) is None:
        raise ValueError("hpke: length")
    return suite


def seal_to(public: bytes, data: bytes, info: bytes) -> bytes:
    """Return ``uint8(suite) ‖ enc ‖ ct`` for the holder of a key. Raises ValueError for a key that is none."""
    suite = suite_of(public)
    curve = X25519PublicKey.from_public_bytes(public[-_CURVE:])
    key = (
        curve
        if suite == X25519
        else MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(public[:_LATTICE]), curve)
    )
    return bytes([suite]) + _SUITES[suite].encrypt(data, key, info)
