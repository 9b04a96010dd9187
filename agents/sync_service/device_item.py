"""What of sync rests in the vault: the keys of this device in one item, the tokens of its session in another, and in
a third what was begun and is not done.

Tokens change every quarter of an hour; the keys are not written again for that.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from memory.sync import base64url
from memory.sync.device_keys import DeviceKeys, Receiver
from memory.sync.membership import Begun, Member
from memory.sync.recovery import RecoveryPublic
from memory.sync.service.calls import Tokens
from memory.sync.space_keys import SpaceKey
from resources.language import gettext as _
from vault.errors import KeyNotFound
from vault.office_keys import Vault
from vault.secret import Secret

ITEM, SESSION_ITEM, CHANGE_ITEM, BEGUN_ITEM = "sync", "sync-session", "sync-recovery", "sync-begun"
"""The names of the vault's items."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What this device is, and the keys of its space by epoch."""

    space_id: str
    device: DeviceKeys
    keys: tuple[SpaceKey, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryChange:
    """A recovery key whose words its owner has noted, and the one in whose place it is to come."""

    new: RecoveryPublic
    former: RecoveryPublic


class DeviceItem:
    """The vault's items of sync. Every method raises VaultError."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._alive: tuple[Secret, ...] = ()

    async def read(self) -> Kept:
        """Return the keys of this device. Raises KeyNotFound where sync was never on."""
        secret = await asyncio.to_thread(self._vault.read_key, ITEM)
        return _from_item(json.loads(secret.reveal()))

    async def write(self, member: Member | Kept) -> None:
        """Keep the keys of this device in the place of the former ones."""
        secret = Secret(json.dumps(_to_item(member)))
        await asyncio.to_thread(self._vault.write_key, ITEM, secret, _("keys of this device for sync"))

    def keep_begun(self, begun: Begun) -> None:
        """Keep the keys of a device that is becoming one of an account's; blocks."""
        secret = Secret(json.dumps(_to_item(Kept(begun.space_id, begun.device, ()))))
        self._vault.write_key(BEGUN_ITEM, secret, _("keys of this device for sync, until it has joined"))

    async def read_begun(self) -> Begun | None:
        """Return the device that was cut off while it joined, None where none was."""
        try:
            secret = await asyncio.to_thread(self._vault.read_key, BEGUN_ITEM)
        except KeyNotFound:
            return None
        kept = _from_item(json.loads(secret.reveal()))
        return Begun(kept.device, kept.space_id)

    async def forget_begun(self) -> None:
        """Forget the device that was becoming one of an account's: it has, or will never."""
        await asyncio.to_thread(self._vault.delete_key, BEGUN_ITEM)

    async def read_tokens(self) -> Tokens:
        """Return the tokens of the last session, empty ones where there was none."""
        try:
            secret = await asyncio.to_thread(self._vault.read_key, SESSION_ITEM)
        except KeyNotFound:
            return Tokens()
        return self._redacted(Tokens(**json.loads(secret.reveal())))

    async def write_tokens(self, tokens: Tokens) -> None:
        """Keep the tokens of the session."""
        self._redacted(tokens)
        secret = Secret(json.dumps({"access": tokens.access, "refresh": tokens.refresh}))
        await asyncio.to_thread(self._vault.write_key, SESSION_ITEM, secret, _("session of sync"))

    def _redacted(self, tokens: Tokens) -> Tokens:
        """Let no log show tokens as long as they are in use."""
        self._alive = tuple(Secret(text) for text in (tokens.access, tokens.refresh) if text)
        return tokens

    async def read_change(self) -> RecoveryChange | None:
        """Return the change of the recovery key that is under way, None where none is."""
        try:
            secret = await asyncio.to_thread(self._vault.read_key, CHANGE_ITEM)
        except KeyNotFound:
            return None
        return RecoveryChange(**{name: _recovery(kept) for name, kept in json.loads(secret.reveal()).items()})

    async def write_change(self, change: RecoveryChange) -> None:
        """Keep the change of the recovery key until the account has it."""
        kept = {
            name: [base64url.encode(public.sign), base64url.encode(public.kem)]
            for name, public in (("new", change.new), ("former", change.former))
        }
        secret = Secret(json.dumps(kept))
        label = _("a new recovery key for sync, its public part")
        await asyncio.to_thread(self._vault.write_key, CHANGE_ITEM, secret, label)

    async def forget_change(self) -> None:
        """Forget the change of the recovery key: it is done, or given up."""
        await asyncio.to_thread(self._vault.delete_key, CHANGE_ITEM)

    async def delete(self) -> None:
        """Destroy all of it."""
        for name in (SESSION_ITEM, CHANGE_ITEM, BEGUN_ITEM, ITEM):
            await asyncio.to_thread(self._vault.delete_key, name)


def _to_item(member: Member | Kept) -> dict[str, Any]:
    device = member.device
    return {
        "space": member.space_id,
        "device": device.id,
        "sign": base64url.encode(device.sign.private_bytes_raw()),
        "receive": base64url.encode(device.receive.private),
        "keys": {str(key.epoch): base64url.encode(key.key) for key in member.keys},
    }


def _from_item(item: dict[str, Any]) -> Kept:
    sign = Ed25519PrivateKey.from_private_bytes(base64url.decode(item["sign"], 32))
    device = DeviceKeys(item["device"], sign, Receiver(base64url.decode(item["receive"])))
    keys = (
        SpaceKey(item["space"], int(epoch), base64url.decode(key, 32)) for epoch, key in item["keys"].items()
    )
    return Kept(item["space"], device, tuple(keys))


def _recovery(kept: list[str]) -> RecoveryPublic:
    sign, kem = kept
    return RecoveryPublic(base64url.decode(sign, 32), base64url.decode(kem, 32))
