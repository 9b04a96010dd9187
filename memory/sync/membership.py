"""How a device comes to be one of an account's: it founds the space, or joins by the recovery key."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from memory.disk import flush_folder
from memory.identifiers import new_id
from memory.sync import account_log
from memory.sync.account import RECOVERY, Account
from memory.sync.device_keys import DeviceKeys, Receiver
from memory.sync.envelope import Signer
from memory.sync.errors import RecoveryKeyOther, SignerRefused, WrapRefused
from memory.sync.folder import revisions
from memory.sync.folder_account import FolderAccount
from memory.sync.folder_log import read_log
from memory.sync.key_wraps import FOR_RECOVERY, Wrap, unwrap, wrap
from memory.sync.recovery import RecoveryKeys
from memory.sync.space_keys import SpaceKey


@dataclass(frozen=True, slots=True)
class Member:
    """This device as one of an account: what it is, which keys of the space it has, what the log said last."""

    space_id: str
    device: DeviceKeys
    keys: tuple[SpaceKey, ...] = field(repr=False)
    account: Account


@dataclass(frozen=True, slots=True)
class Begun:
    """A device that is becoming one of an account's; cut off, it goes on as the same one.

    ``space_id`` is the space that it founds, empty where it founds none.
    """

    device: DeviceKeys
    space_id: str = ""


Keep = Callable[[Begun], None]
"""Keeps in the vault, before anybody is told of it, what a device goes on with if it is cut off."""


def found(root: Path, recovery_key: bytes, at: int, keep: Keep = lambda _begun: None) -> Member:
    """Begin an account and a space of one device in a folder, whole or not at all; blocks.

    ``recovery_key`` are 32 new random bytes. Raises OSError, and what ``keep`` raises.
    """
    device, recovery = DeviceKeys.new(), RecoveryKeys.of(recovery_key)
    key = SpaceKey.new(new_id())
    log = [account_log.genesis(device, recovery.public, at)]
    account = account_log.verify(log)
    writer = account_log.Writer(device.id, device.sign)
    log.append(writer.new_epoch(account, key, at))
    account = account_log.extend(account, log[-1:])
    part = root / f".{key.space_id}.part"
    folder = FolderAccount(root, part.name)
    try:
        part.mkdir()
        folder.add_wrap(wrap(key, FOR_RECOVERY, recovery.public.kem, Signer(device.id, device.sign)), key)
        for entry in log:
            folder.append(device.id, entry)
        keep(Begun(device, key.space_id))
        part.rename(root / key.space_id)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    flush_folder(root)
    return Member(key.space_id, device, (key,), account)


def join(
    root: Path,
    space_id: str,
    recovery_key: bytes,
    at: int,
    begun: Begun | None = None,
    keep: Keep = lambda _begun: None,
) -> Member:
    """Become a device of the account of a space by its recovery key, the one that was ``begun`` if it may; blocks.

    Raises LogRefused, WrapRefused where the recovery key is another one, OSError, and what ``keep`` raises.
    """
    folder, recovery = FolderAccount(root, space_id), RecoveryKeys.of(recovery_key)
    found = read_log(folder).resolved
    account = found.chain
    if found.void or account.recovery != recovery.public:
        raise RecoveryKeyOther
    keys = opened(account, folder.wraps(FOR_RECOVERY), recovery.receive)
    require_current(account, space_id, keys)
    device = going_on(account, begun)
    if device is None or _has_written(root / space_id / device.id):
        device = DeviceKeys.new()
    if not found.account.is_active(device.id):
        keep(Begun(device))
        entry = account_log.Writer(RECOVERY, recovery.sign).add_device(account, device.public, at)
        account = account_log.extend(account, [entry])
        folder.append(device.id, entry)
    return Member(space_id, device, keys, account)


def going_on(account: Account, begun: Begun | None) -> DeviceKeys | None:
    """Return the device that was begun, None where there is none or the account has taken it off."""
    if begun is None:
        return None
    known = account.devices.get(begun.device.id)
    may = known is None or (known.revoked is None and known.public == begun.device.public)
    return begun.device if may else None


def _has_written(mine: Path) -> bool:
    """Whether a device has been in use: its clock and numbers are not to be begun anew."""
    return mine.is_dir() and next(revisions(mine), None) is not None


def opened(account: Account, wraps: Iterable[Wrap], receiver: Receiver) -> tuple[SpaceKey, ...]:
    """Return the keys of epochs that the log knows, by epoch, out of wraps for one recipient.

    Some are of no use: those for a former recovery key, and those of who opened an epoch at the same time as another
    device and whose branch lost.
    """
    keys: dict[int, SpaceKey] = {}
    for each in wraps:
        try:
            epoch, signer = account.epoch(each.space_id, each.epoch), account.device(each.by).verifies
            keys[each.epoch] = unwrap(each, receiver, signer, epoch.commitment)
        except (WrapRefused, SignerRefused):
            continue
    return tuple(keys[epoch] for epoch in sorted(keys))


def require_current(account: Account, space_id: str, keys: Iterable[SpaceKey]) -> None:
    """Raise WrapRefused unless the key of the current epoch is among these."""
    if account.current_epoch(space_id) not in {key.epoch for key in keys}:
        raise WrapRefused("no key of this epoch")
