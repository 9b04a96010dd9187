"""How a device stays one of an account whose devices meet in a folder: it takes keys, hands them on, renews them.

    revoke entry → wraps of the next key, read back → new_epoch entry → each device wraps its own record keys anew →
    each device removes its wraps of the former keys

Nobody puts entries in line there: `log_forks` says which count, and what another branch lost is said anew by the next
device that sees it. What of a rotation is done can be seen from the folder, so any device goes on after a crash.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from memory.errors import Refused
from memory.sync.account import Account
from memory.sync.account_log import Writer
from memory.sync.device_keys import DevicePublic
from memory.sync.errors import LogForked, WrapRefused
from memory.sync.folder_account import FolderAccount
from memory.sync.folder_log import LogRead, read_log
from memory.sync.key_wraps import FOR_RECOVERY, wraps_for_all
from memory.sync.membership import Member, opened, require_current
from memory.sync.recovery import RecoveryPublic
from memory.sync.service.faults import DeviceRevoked
from memory.sync.space_keys import SpaceKey
from resources.language import gettext as _

_MOST_SAID = 100
"""So many entries of other branches are said anew at once."""

Seen = tuple[int, bytes]
"""Number and hash of the last entry that a device took."""
Keep = Callable[[Member], None]
"""Keeps a key in the vault before anybody is told of it."""


def read(root: Path, space_id: str, seen: Seen) -> LogRead:
    """Return the account log as the folder shows it now; blocks. Raises LogRefused, OSError."""
    return read_log(FolderAccount(root, space_id), seen)


def renew(root: Path, member: Member, seen: Seen, at: int) -> Member:
    """Return this device's membership as it is now, with keys of epochs that were opened meanwhile; blocks.

    What other branches of the log said and still holds is said anew, a copy of the log is kept, and files of this
    device that were damaged are put right. Where the log has moved, every other device and recovery is given the keys
    that this one has: whoever was to do so may have been cut off. Raises DeviceRevoked, Refused where this device's own
    entry lost and nobody said it anew yet, LogRefused, WrapRefused, OSError.
    """
    folder = FolderAccount(root, member.space_id)
    log = _said_anew(folder, member, seen, at)
    account = log.resolved.account
    folder.keep_log(member.device.id, log.resolved.entries, log.files, log.damaged)
    keys = {key.epoch: key for key in member.keys if _may_be(account, key)}
    current = account.current_epoch(member.space_id)
    if current not in keys:
        keys |= {
            key.epoch: key
            for key in opened(account, folder.wraps(member.device.id), member.device.receive)
            if key.epoch not in keys
        }
        require_current(account, member.space_id, keys.values())
    renewed = replace(member, keys=tuple(keys[epoch] for epoch in sorted(keys)), account=account)
    if (account.n, account.head) != seen:
        _hand_on(folder, renewed)
    return renewed


def open_next(root: Path, member: Member, seen: Seen, at: int, keep: Keep) -> Member:
    """Open the next epoch of the space; blocks.

    The key is always a new one: that of a try which was cut off may be wrapped for a device that is off by now. Raises
    WrapRefused where the folder holds something else than was written, LogRefused, OSError.
    """
    folder, space_id = FolderAccount(root, member.space_id), member.space_id
    account = _said_anew(folder, member, seen, at).resolved.account
    epoch = account.current_epoch(space_id) + 1
    key = SpaceKey.new(space_id, epoch)
    member = replace(member, keys=(*(each for each in member.keys if each.epoch < epoch), key))
    keep(member)
    staged = wraps_for_all(account, key, member.device)
    for each in staged:
        folder.add_wrap(each, key)
    there = folder.wraps_by(member.device.id)
    if any(each not in there for each in staged):
        raise WrapRefused("staged wraps are not those that were written")
    chain = _said_anew(folder, member, seen, at).resolved.chain
    if chain.head == account.head:  # or else somebody may be off by now who was given this key
        folder.append(member.device.id, _writer(member).new_epoch(chain, key, at))
    return renew(root, member, seen, at)


def revoke(root: Path, member: Member, seen: Seen, at: int, device_ids: Iterable[str]) -> Member:
    """Take devices off the account; the key is due to be renewed then. Raises as `renew`; blocks."""
    folder = FolderAccount(root, member.space_id)
    for device_id in device_ids:
        found = _said_anew(folder, member, seen, at).resolved
        if found.chain.is_active(device_id):
            folder.append(member.device.id, _writer(member).revoke_device(found.chain, device_id, at))
    return renew(root, member, seen, at)


def replace_recovery(root: Path, member: Member, seen: Seen, at: int, public: RecoveryPublic) -> Member:
    """Put another recovery key in the place of the former one, and wrap the keys of the space to it; blocks.

    Where this is cut off after the entry, the next device that sees it wraps them. Raises as `renew`.
    """
    folder = FolderAccount(root, member.space_id)
    found = _said_anew(folder, member, seen, at).resolved
    if found.chain.recovery != public:
        folder.append(member.device.id, _writer(member).new_recovery(found.chain, public, at))
    return renew(root, member, seen, at)


def _said_anew(folder: FolderAccount, member: Member, seen: Seen, at: int) -> LogRead:
    """Return what counts, once this device has said what other branches of the log lost."""
    for _entry in range(_MOST_SAID):
        log = read_log(folder, seen)
        found = log.resolved
        _require_in(found.account, member.device.id)
        writer = _writer(member)
        if found.off:
            entry = writer.revoke_device(found.chain, found.off[0], at)
        elif found.lost:
            said = found.lost[0]
            make = writer.add_device if isinstance(said, DevicePublic) else writer.new_recovery
            entry = make(found.chain, said, at)  # type: ignore[arg-type]  # each takes its own
        else:
            return log
        folder.append(member.device.id, entry)
    raise LogForked("no end of it")


def _require_in(account: Account, device_id: str) -> None:
    if account.is_active(device_id):
        return
    if device_id in account.devices:
        raise DeviceRevoked
    raise Refused(
        _(
            "Your other devices do not know this one yet: open Bureau on one of them and sync there, then here again."
        )
    )


def _hand_on(folder: FolderAccount, member: Member) -> None:
    """Give every active device the current key, and those that this device hands out still; recovery each anew."""
    device_id, current = member.device.id, member.account.current_epoch(member.space_id)
    for key in member.keys:
        handed_out = folder.has_wrap(device_id, key, FOR_RECOVERY)
        if key.epoch == current or (key.epoch < current and handed_out):
            for wrapped in wraps_for_all(member.account, key, member.device):
                to = wrapped.recipient_id
                if to == FOR_RECOVERY or not folder.has_wrap(device_id, key, to):
                    folder.add_wrap(wrapped, key)


def _may_be(account: Account, key: SpaceKey) -> bool:
    """Whether a key is the one of its epoch, or of the one that is still to be opened."""
    current = account.current_epoch(key.space_id)
    if key.epoch > current:
        return key.epoch == current + 1
    return account.epoch(key.space_id, key.epoch).commitment == key.commitment()


def _writer(member: Member) -> Writer:
    return Writer(member.device.id, member.device.sign)
