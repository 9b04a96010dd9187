"""Devices of one account, each with a copy of the folder of its own; a test carries files between them."""

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from memory.sync import folder_membership, membership
from memory.sync.account import Account
from memory.sync.folder_account import FolderAccount
from memory.sync.folder_log import read_log
from memory.sync.log_forks import Resolved
from memory.sync.membership import Member
from memory.sync.recovery import RecoveryKeys
from memory.sync.service.rotation import is_due
from memory.sync.space_keys import SpaceKey
from tests.memory.sync.making import AT

RECOVERY_KEY = bytes(range(32))


@dataclass(repr=False)
class Peer:
    """One device with its copy of the folder, its keys and what it took last."""

    root: Path
    member: Member
    seen: tuple[int, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.take(self.member)

    def __repr__(self) -> str:
        return f"Peer({self.root.name})"

    @property
    def id(self) -> str:
        return self.member.device.id

    @property
    def account(self) -> Account:
        return self.member.account

    @property
    def mine(self) -> Path:
        return self.root / self.member.space_id / self.id

    @property
    def folder(self) -> FolderAccount:
        return FolderAccount(self.root, self.member.space_id)

    @property
    def epoch(self) -> int:
        return self.account.current_epoch(self.member.space_id)

    @property
    def key(self) -> SpaceKey:
        """The key that is written under now."""
        return next(key for key in self.member.keys if key.epoch == self.epoch)

    def take(self, member: Member) -> None:
        self.member, self.seen = member, (member.account.n, member.account.head)

    def resolved(self) -> Resolved:
        return read_log(self.folder, self.seen).resolved

    def renew(self) -> None:
        self.take(folder_membership.renew(self.root, self.member, self.seen, AT))

    def round(self) -> None:
        """Do what a round does for the account: renew, and open the next epoch where one is due."""
        self.renew()
        if is_due(self.account, self.member.space_id):
            self.rotate()

    def rotate(self) -> None:
        self.take(folder_membership.open_next(self.root, self.member, self.seen, AT, self.keep))

    def keep(self, member: Member) -> None:
        self.member = replace(self.member, keys=member.keys)

    def revoke(self, *others: "Peer") -> None:
        ids = [each.id for each in others]
        self.take(folder_membership.revoke(self.root, self.member, self.seen, AT, ids))

    def replace_recovery(self, key: bytes) -> None:
        public = RecoveryKeys.of(key).public
        self.take(folder_membership.replace_recovery(self.root, self.member, self.seen, AT, public))

    def active(self) -> set[str]:
        return {each.public.id for each in self.resolved().account.active()}


def founded(home: Path) -> Peer:
    root = home / "0"
    root.mkdir(parents=True)
    return Peer(root, membership.found(root, RECOVERY_KEY, AT))


def joined(home: Path, first: Peer, number: int, key: bytes = RECOVERY_KEY) -> Peer:
    """Let another device join by the recovery key, with a copy of what the first one has."""
    root = home / str(number)
    shutil.copytree(first.root, root)
    return Peer(root, membership.join(root, first.member.space_id, key, AT))


def peers(home: Path, count: int) -> list[Peer]:
    """Return so many devices that know of each other and have each other's files."""
    made = [founded(home)]
    for number in range(1, count):
        made.append(joined(home, made[0], number))
        carry(*made)
        for each in made:
            each.renew()
        carry(*made)
    return made


def carry(*devices: Peer) -> None:
    """Bring what each device wrote to all the others."""
    for source in devices:
        for target in devices:
            if source is not target and source.mine.is_dir():
                there = target.root / source.member.space_id / source.id
                shutil.rmtree(there, ignore_errors=True)
                shutil.copytree(source.mine, there)
