"""What an account log says: its devices, its recovery key, and the epochs of its spaces."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from memory.sync.device_keys import DevicePublic
from memory.sync.errors import LogForked, SignerRefused, WrapRefused
from memory.sync.header import NO_DEVICE
from memory.sync.recovery import RecoveryPublic
from memory.sync.space_keys import FIRST_EPOCH

RECOVERY = "recovery"
"""Who signs an entry of the log where the recovery key does."""
STRANGER = "not in the log"
"""Why a record of a device that never was of the account is refused."""


@dataclass(frozen=True)
class Device:
    """A device of the owner; ``added`` and ``revoked`` are places in the log."""

    public: DevicePublic
    added: int
    revoked: int | None = None
    verifies: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verifies", Ed25519PublicKey.from_public_bytes(self.public.sign))

    def active_at(self, n: int) -> bool:
        """Whether entry ``n`` of the log leaves the device active."""
        return self.added <= n and (self.revoked is None or self.revoked > n)


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch of a space: the entry that opened it, and the commitment to its key (32 bytes)."""

    epoch: int
    n: int
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """The state after entry ``n``. ``hashes`` are those of all entries, 32 bytes each."""

    n: int
    hashes: tuple[bytes, ...]
    devices: Mapping[str, Device]
    recovery: RecoveryPublic
    spaces: Mapping[str, tuple[Epoch, ...]]

    @property
    def fingerprint(self) -> bytes:
        """The hash of the first entry: which account this is."""
        return self.hashes[0]

    @property
    def head(self) -> bytes:
        """The hash of the last entry."""
        return self.hashes[-1]

    def device(self, device_id: str) -> Device:
        """Return a device, active or not. Raises SignerRefused."""
        if (device := self.devices.get(device_id)) is None:
            raise SignerRefused(STRANGER)
        return device

    def active(self) -> tuple[Device, ...]:
        """Return the devices that are active now."""
        return tuple(device for device in self.devices.values() if device.active_at(self.n))

    def is_active(self, device_id: str) -> bool:
        """Whether a device of this id is one of the account's now."""
        device = self.devices.get(device_id)
        return device is not None and device.active_at(self.n)

    def signs(self, by: str) -> bytes | None:
        """Return the key of who may sign the next entry, None for anybody else."""
        if by == RECOVERY:
            return self.recovery.sign
        device = self.devices.get(by)
        return device.public.sign if device is not None and device.active_at(self.n) else None

    def epoch(self, space_id: str, epoch: int) -> Epoch:
        """Return an epoch of a space. Raises WrapRefused."""
        for each in self.spaces.get(space_id, ()):
            if each.epoch == epoch:
                return each
        raise WrapRefused("epoch not in the log")

    def current_epoch(self, space_id: str) -> int:
        """Return the last epoch of a space, 0 if it has none yet."""
        epochs = self.spaces.get(space_id, ())
        return epochs[-1].epoch if epochs else FIRST_EPOCH - 1

    def opened_after(self, space_id: str, n: int) -> int | None:
        """Return the first epoch that a space opened after entry ``n``."""
        return next((each.epoch for each in self.spaces.get(space_id, ()) if each.n > n), None)

    def require(self, fingerprint: bytes, head: bytes) -> None:
        """Raise LogForked unless this is the account that another device named, with the entry it had last."""
        if self.fingerprint != fingerprint or head not in self.hashes:
            raise LogForked("not the account of the other device")

    def with_device(self, device: DevicePublic, n: int) -> "Account":
        """Add a device. Raises ValueError for an id that is zero or was ever used."""
        if device.id == NO_DEVICE or device.id in self.devices:
            raise ValueError("device id")
        return replace(self, devices={**self.devices, device.id: Device(device, n)})

    def without_device(self, device_id: str, n: int) -> "Account":
        """Revoke a device. Raises ValueError for one that is not active."""
        device = self.devices.get(device_id)
        if device is None or not device.active_at(self.n):
            raise ValueError("device not active")
        return replace(self, devices={**self.devices, device_id: Device(device.public, device.added, n)})

    def with_epoch(self, space_id: str, epoch: Epoch) -> "Account":
        """Open the next epoch of a space. Raises ValueError for any other."""
        if epoch.epoch != self.current_epoch(space_id) + 1:
            raise ValueError("epoch")
        return replace(self, spaces={**self.spaces, space_id: (*self.spaces.get(space_id, ()), epoch)})
