"""Record keys in a folder come under the current key of the space, each device seeing to what lies below its own name.

Below the name of a device that was taken off nobody writes: what it wrote and is held here is sealed anew by who holds
it, and what it erased is ordered erased once more. What nobody held before stays locked.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from memory.sync import wire
from memory.sync.account import Account
from memory.sync.envelope import Envelope, rewrap
from memory.sync.errors import EnvelopeMalformed, RecordRefused
from memory.sync.folder import revisions
from memory.sync.folder_account import FolderAccount
from memory.sync.folder_pieces import put_in_place, write_part
from memory.sync.header import ERASE, Header
from memory.sync.membership import Member
from memory.sync.space_keys import SpaceKeys, wrap_epoch

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Orphaned:
    """What devices that were taken off have in the folder: revisions by record, and records that they erased alone."""

    puts: dict[str, frozenset[str]]
    erased: frozenset[str]


def wrap_own_anew(root: Path, member: Member) -> tuple[int, frozenset[str]]:
    """Wrap the record keys below this device's name under the current key; blocks.

    Returns how many were, and the records of which a revision does not open: it was sealed under a key whose place
    another device's took. Raises OSError; then the same call goes on.
    """
    keys = SpaceKeys(member.space_id, *member.keys)
    current = keys.of(member.account.current_epoch(member.space_id))
    wrapped, shut, parts = 0, set[str](), list[Path]()
    for path, envelope, header in _puts(root / member.space_id / member.device.id):
        try:
            anew = rewrap(envelope, keys, current)
        except RecordRefused:
            shut.add(header.rid)
            continue
        if wrap_epoch(envelope.dek) != current.epoch:
            parts.append(write_part(path, wire.to_msgpack(anew)))
            wrapped += 1
        if len(parts) == _AT_ONCE:
            put_in_place(parts)
            parts.clear()
    put_in_place(parts)
    return wrapped, frozenset(shut)


def remove_shut(root: Path, member: Member, held: Mapping[str, str]) -> None:
    """Remove revisions below this device's name that nobody opens and another took the place of; blocks.

    ``held`` are the revisions that this device holds, by record. Raises OSError.
    """
    keys = SpaceKeys(member.space_id, *member.keys)
    for path, envelope, header in _puts(root / member.space_id / member.device.id):
        if held.get(header.rid, header.rev) != header.rev:
            try:
                keys.open(envelope.dek, header.rid, header.rev)
            except RecordRefused:
                path.unlink(missing_ok=True)


def orphaned(root: Path, member: Member) -> Orphaned:
    """Return what devices that were taken off have in the folder; blocks. Raises OSError."""
    puts, erased, ordered = defaultdict[str, set[str]](set), set[str](), set[str]()
    for device_id in member.account.devices:
        active = member.account.is_active(device_id)
        for _path, envelope in _envelopes(root / member.space_id / device_id):
            header = Header.unpack(envelope.hdr)
            if header.kind == ERASE:
                (ordered if active else erased).add(header.rid)
            elif not active:
                puts[header.rid].add(header.rev)
    found = {rid: frozenset(revs) for rid, revs in puts.items()}
    return Orphaned(found, frozenset(erased - ordered))


def ordered_erased(root: Path, member: Member) -> frozenset[str]:
    """Return the records that an active device ordered erased, whose orders alone count; blocks. Raises OSError."""
    return frozenset(
        header.rid
        for device in member.account.active()
        for _path, envelope in _envelopes(root / member.space_id / device.public.id)
        if (header := Header.unpack(envelope.hdr)).kind == ERASE
    )


def remove_former_wraps(root: Path, member: Member) -> int:
    """Remove this device's wraps of former keys once no active device has a revision under one; blocks.

    Returns how many were removed. Raises OSError.
    """
    folder, current = FolderAccount(root, member.space_id), member.account.current_epoch(member.space_id)
    former = folder.former_wraps(member.device.id, current)
    if not former or _former_needed(root / member.space_id, member.account, current):
        return 0
    for each in former:
        each.unlink(missing_ok=True)
    return len(former)


def _former_needed(space: Path, account: Account, current: int) -> bool:
    return any(
        wrap_epoch(envelope.dek) < current
        for device in account.active()
        for _path, envelope, _header in _puts(space / device.public.id)
    )


def _puts(folder: Path) -> Iterator[tuple[Path, Envelope, Header]]:
    for path, envelope in _envelopes(folder):
        header = Header.unpack(envelope.hdr)
        if header.kind != ERASE:
            yield path, envelope, header


def _envelopes(folder: Path) -> Iterator[tuple[Path, Envelope]]:
    """Yield what a device wrote, but for what is not whole or was replaced meanwhile."""
    if not folder.is_dir():
        return
    for _counter, path in sorted(revisions(folder)):
        try:
            sealed = wire.from_msgpack(path.read_bytes())
        except (FileNotFoundError, EnvelopeMalformed):
            continue
        if isinstance(sealed, Envelope):
            yield path, sealed
