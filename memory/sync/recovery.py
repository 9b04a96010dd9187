"""What the recovery key can do for an account: sign entries of its log, and receive the keys of spaces.

The 32 bytes are those whose 24 words the owner keeps; `vault.recovery_key` turns words into bytes and back.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from memory.sync.derivation import derive
from memory.sync.device_keys import Receiver


@dataclass(frozen=True, slots=True)
class RecoveryPublic:
    """What the account log tells of the recovery key, 32 bytes each."""

    sign: bytes
    kem: bytes


@dataclass(frozen=True, slots=True)
class RecoveryKeys:
    """The private keys that a recovery key yields."""

    sign: Ed25519PrivateKey
    receive: Receiver

    @classmethod
    def of(cls, key: bytes) -> "RecoveryKeys":
        """Return the keys of a recovery key of 32 bytes."""
        return cls(
            Ed25519PrivateKey.from_private_bytes(derive(key, b"aof/v1/recovery-sign")),
            Receiver(derive(key, b"aof/v1/recovery-kem")),
        )

    @property
    def public(self) -> RecoveryPublic:
        """What others may know."""
        return RecoveryPublic(self.sign.public_key().public_bytes_raw(), self.receive.public)
