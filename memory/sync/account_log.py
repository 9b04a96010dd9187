"""The chain of signed entries that says which devices, recovery key and epochs an account has.

    {"v":1, "n":k, "prev":"sha256:…", "type":…, "at":…, "body":…, "by":device id or "recovery", "sig":…}

Bodies: ``genesis`` {device, recovery} · ``add_device`` {device} · ``revoke_device`` {device_id} · ``new_recovery``
{recovery} · ``new_epoch`` {space_id, epoch, sk_commit}, with device {id, sign, hpke} and recovery {sign, kem}. Keys
are base64url, ids hexadecimal, ``at`` is RFC 3339 in UTC and whole seconds. The first ``prev`` has 64 zeros, the
first epoch of a space is 1 and each later one the next. Members that are added are signed with the others and mean
nothing here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from memory.sync import base64url
from memory.sync.account import Account, Device, Epoch
from memory.sync.device_keys import DeviceKeys, DevicePublic, suite_of
from memory.sync.errors import LogDamaged, LogForked, LogNewer, LogShorter
from memory.sync.header import NO_DEVICE
from memory.sync.recovery import RecoveryPublic
from memory.sync.signed_json import digest, hash_bytes, hash_text, is_signed, sign
from memory.sync.space_keys import SpaceKey

Entry = dict[str, Any]

_PURPOSE = b"aof/v1/log"
_VERSION = 1
_BEFORE_THE_FIRST = hash_text(bytes(32))
_ID = re.compile("[0-9a-f]{32}")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Writer:
    """Makes the next entries of a log, as one device or as the recovery key (``by`` is RECOVERY).

    What is made is not yet part of the account: the service appends it, and `extend` takes it in.
    """

    def __init__(self, by: str, key: Ed25519PrivateKey) -> None:
        self._by = by
        self._key = key

    def add_device(self, account: Account, device: DevicePublic, at: int) -> Entry:
        """Make the entry by which a device joins."""
        return self._entry(account, "add_device", {"device": _device_members(device)}, at)

    def revoke_device(self, account: Account, device_id: str, at: int) -> Entry:
        """Make the entry by which a device goes."""
        return self._entry(account, "revoke_device", {"device_id": device_id}, at)

    def new_recovery(self, account: Account, recovery: RecoveryPublic, at: int) -> Entry:
        """Make the entry that puts another recovery key in the place of the former."""
        return self._entry(account, "new_recovery", {"recovery": _recovery_members(recovery)}, at)

    def new_epoch(self, account: Account, key: SpaceKey, at: int) -> Entry:
        """Make the entry that opens the epoch of a space's key."""
        body = {
            "space_id": key.space_id,
            "epoch": key.epoch,
            "sk_commit": hash_text(key.commitment()),
        }
        return self._entry(account, "new_epoch", body, at)

    def _entry(self, account: Account, kind: str, body: dict[str, Any], at: int) -> Entry:
        return _signed(account.n + 1, hash_text(account.head), kind, body, at, self._by, self._key)


def genesis(device: DeviceKeys, recovery: RecoveryPublic, at: int) -> Entry:
    """Make the first entry of an account; ``at`` is in milliseconds UTC here as everywhere."""
    body = {"device": _device_members(device.public), "recovery": _recovery_members(recovery)}
    return _signed(0, _BEFORE_THE_FIRST, "genesis", body, at, device.id, device.sign)


def verify(entries: Sequence[Any], seen: tuple[int, bytes] | None = None) -> Account:
    """Return the account of a whole chain, as it was parsed from JSON. Raises LogRefused.

    ``seen`` are the number and hash of the last entry that this device took: a shorter chain and one that differs
    up to there are refused.
    """
    if not entries:
        raise LogShorter(-1, seen[0] if seen else 0)
    account = _checked(0, entries[0], _first)
    for entry in entries[1:]:
        account = _next(account, entry)
    if seen is not None:
        n, hashed = seen
        if account.n < n:
            raise LogShorter(account.n, n)
        if account.hashes[n] != hashed:
            raise LogForked(f"entry {n}")
    return account


def extend(account: Account, entries: Sequence[Any]) -> Account:
    """Return the account after further entries. Raises LogRefused."""
    following = entries[0] if entries else None
    if isinstance(following, dict) and following.get("prev") != hash_text(account.head):
        raise LogForked(f"entry {account.n + 1}")
    for entry in entries:
        account = _next(account, entry)
    return account


def hash_of(entry: Any) -> bytes:
    """Return the hash by which the next entry names this one, 32 bytes; empty for what is no entry."""
    try:
        return hash_bytes(digest(entry))
    except (TypeError, ValueError):
        return b""


def is_signed_by(entry: Mapping[str, Any], public: bytes) -> bool:
    """Whether this key signed an entry, wherever in a log it stands."""
    try:
        return is_signed(_PURPOSE, entry, public)
    except (TypeError, ValueError):
        return False


def _next(account: Account, entry: Any) -> Account:
    return _checked(account.n + 1, entry, lambda n, found: _follow(account, n, found))


def _checked(n: int, entry: Any, read: Callable[[int, Mapping[str, Any]], Account]) -> Account:
    if not isinstance(entry, dict):
        raise LogDamaged(n, "not an object")
    version = entry.get("v")
    if type(version) is not int or version < _VERSION:
        raise LogDamaged(n, "v")
    if version > _VERSION:
        raise LogNewer(n, f"v {version}")
    try:
        if type(entry.get("n")) is not int or entry["n"] != n:
            raise ValueError("n")
        if not _AT.fullmatch(_text(entry, "at")):
            raise ValueError("at")
        return read(n, entry)
    except ValueError as wrong:
        raise LogDamaged(n, str(wrong)) from wrong


def _first(n: int, entry: Mapping[str, Any]) -> Account:
    if entry.get("type") != "genesis" or entry.get("prev") != _BEFORE_THE_FIRST:
        raise ValueError("not the beginning of a log")
    body = _members(entry, "body")
    device, recovery = _device(_members(body, "device")), _recovery(_members(body, "recovery"))
    if device.id == NO_DEVICE or entry.get("by") != device.id:
        raise ValueError("by")
    if not is_signed(_PURPOSE, entry, device.sign):
        raise ValueError("sig")
    return Account(n, (hash_bytes(digest(entry)),), {device.id: Device(device, n)}, recovery, {})


def _follow(account: Account, n: int, entry: Mapping[str, Any]) -> Account:
    if hash_bytes(entry.get("prev")) != account.head:
        raise ValueError("prev")
    public = account.signs(_text(entry, "by"))
    if public is None:
        raise ValueError("by: not active")
    if not is_signed(_PURPOSE, entry, public):
        raise ValueError("sig")
    apply = _RULES.get(_text(entry, "type"))
    if apply is None:
        raise LogNewer(n, "type")
    after = apply(account, n, _members(entry, "body"))
    return replace(after, n=n, hashes=(*account.hashes, hash_bytes(digest(entry))))


def _add_device(account: Account, n: int, body: Mapping[str, Any]) -> Account:
    return account.with_device(_device(_members(body, "device")), n)


def _revoke_device(account: Account, n: int, body: Mapping[str, Any]) -> Account:
    return account.without_device(_text(body, "device_id"), n)


def _new_recovery(account: Account, n: int, body: Mapping[str, Any]) -> Account:
    return replace(account, recovery=_recovery(_members(body, "recovery")))


def _new_epoch(account: Account, n: int, body: Mapping[str, Any]) -> Account:
    epoch = body.get("epoch")
    if type(epoch) is not int:
        raise ValueError("epoch")
    return account.with_epoch(_id(body, "space_id"), Epoch(epoch, n, hash_bytes(body.get("sk_commit"))))


_RULES = {
    "add_device": _add_device,
    "revoke_device": _revoke_device,
    "new_recovery": _new_recovery,
    "new_epoch": _new_epoch,
}


def _signed(
    n: int, previous: str, kind: str, body: dict[str, Any], at: int, by: str, key: Ed25519PrivateKey
) -> Entry:
    said = datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    entry = {"v": _VERSION, "n": n, "prev": previous, "type": kind, "at": said, "body": body, "by": by}
    return sign(_PURPOSE, entry, key)


def _device_members(device: DevicePublic) -> dict[str, str]:
    return {
        "id": device.id,
        "sign": base64url.encode(device.sign),
        "hpke": base64url.encode(device.hpke),
    }


def _recovery_members(recovery: RecoveryPublic) -> dict[str, str]:
    return {"sign": base64url.encode(recovery.sign), "kem": base64url.encode(recovery.kem)}


def _device(members: Mapping[str, Any]) -> DevicePublic:
    hpke = base64url.decode(members.get("hpke"))
    suite_of(hpke)
    return DevicePublic(_id(members, "id"), base64url.decode(members.get("sign"), 32), hpke)


def _recovery(members: Mapping[str, Any]) -> RecoveryPublic:
    return RecoveryPublic(base64url.decode(members.get("sign"), 32), base64url.decode(members.get("kem"), 32))


def _members(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    if not isinstance(found := whole.get(name), dict):
        raise ValueError(name)
    return found


def _text(whole: Mapping[str, Any], name: str) -> str:
    if not isinstance(found := whole.get(name), str):
        raise ValueError(name)
    return found


def _id(whole: Mapping[str, Any], name: str) -> str:
    if not _ID.fullmatch(found := _text(whole, name)):
        raise ValueError(name)
    return found
