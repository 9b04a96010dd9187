"""The key of a space on its way to a device or to the recovery key, signed by the device that sends it."""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from memory.sync.account import Account
from memory.sync.device_keys import DeviceKeys, Receiver, seal_to
from memory.sync.envelope import Signer
from memory.sync.errors import WrapRefused
from memory.sync.header import NO_DEVICE
from memory.sync.space_keys import SpaceKey

FOR_RECOVERY = NO_DEVICE
"""The recipient's id where a key is wrapped to recovery."""


@dataclass(frozen=True, slots=True)
class Wrap:
    """A wrapped key of a space; ``by`` is the device that wrapped and signed it."""

    space_id: str
    epoch: int
    recipient_id: str
    by: str
    output: bytes
    sig: bytes


def wrap(key: SpaceKey, recipient_id: str, public: bytes, signer: Signer) -> Wrap:
    """Wrap a key to the public HPKE key of a recipient. Raises WrapRefused for a key that is none."""
    try:
        output = seal_to(public, key.key, _info(key.space_id, key.epoch))
    except ValueError as wrong:
        raise WrapRefused(str(wrong)) from wrong
    signature = signer.key.sign(_signed(key.space_id, key.epoch, recipient_id, output))
    return Wrap(key.space_id, key.epoch, recipient_id, signer.device_id, output, signature)


def wraps_for_all(account: Account, key: SpaceKey, device: DeviceKeys) -> tuple[Wrap, ...]:
    """Wrap a key for every active device and for recovery."""
    signer = Signer(device.id, device.sign)
    recipients = [(each.public.id, each.public.hpke) for each in account.active()]
    recipients.append((FOR_RECOVERY, account.recovery.kem))
    return tuple(wrap(key, recipient, public, signer) for recipient, public in recipients)


def unwrap(wrapped: Wrap, receiver: Receiver, signer: Ed25519PublicKey, commitment: bytes) -> SpaceKey:
    """Return the key of a space.

    ``signer`` is the key that the account log gives for the device that wrapped it, ``commitment`` what the log
    says of this space and epoch: no other key is taken. Raises WrapRefused.
    """
    try:
        signer.verify(
            wrapped.sig, _signed(wrapped.space_id, wrapped.epoch, wrapped.recipient_id, wrapped.output)
        )
        key = SpaceKey(
            wrapped.space_id,
            wrapped.epoch,
            receiver.open(wrapped.output, _info(wrapped.space_id, wrapped.epoch)),
        )
    except InvalidSignature:
        raise WrapRefused("sig") from None
    except ValueError as wrong:
        raise WrapRefused(str(wrong)) from wrong
    if len(key.key) != 32 or not hmac.compare_digest(key.commitment(), commitment):
        raise WrapRefused("sk_commit")
    return key


def _place(space_id: str, epoch: int) -> bytes:
    return bytes.fromhex(space_id) + epoch.to_bytes(4, "big")


def _info(space_id: str, epoch: int) -> bytes:
    return b"aof/v1/vk" + _place(space_id, epoch)


def _signed(space_id: str, epoch: int, recipient_id: str, output: bytes) -> bytes:
    return (
        b"aof/v1/wrap"
        + _place(space_id, epoch)
        + bytes.fromhex(recipient_id)
        + hashlib.sha256(output).digest()
    )
