"""Devices change the list of devices, keys and recovery key in folders that are late and out of order: all agree."""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from memory.errors import Refused
from memory.sync import membership
from memory.sync.errors import LogForked, LogShorter, WrapRefused
from memory.sync.folder_account import FolderAccount
from memory.sync.key_wraps import FOR_RECOVERY
from memory.sync.membership import opened
from memory.sync.recovery import RecoveryKeys
from memory.sync.service.faults import DeviceRevoked
from tests.memory.sync.folder_members import RECOVERY_KEY, Peer, carry, peers
from tests.memory.sync.making import AT

PLACES = st.integers(0, 99)
"""Where in a list something stands, counted on from its beginning: which chain counts may hang on hashes, which are
random, and what is drawn must not."""
LATE = (DeviceRevoked, LogForked, LogShorter, Refused, WrapRefused)
"""What a round may say while files are missing; once all are there nothing but `DeviceRevoked` is left."""


class _DiedError(Exception):
    """Stands for the end of the process."""


class Accounts(RuleBasedStateMachine):
    """Each device has a copy of the folder; what carries files is a rule like any other."""

    count = 3

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="accounts-"))
        self.made = peers(self.home / "peers", self.count)
        self.saw_off: dict[str, set[str]] = {each.id: set() for each in self.made}
        self.joined = 0

    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        one, other = self.two(data)
        self.act(one, lambda: one.revoke(other))

    @rule(data=st.data())
    def rotate(self, data: st.DataObject) -> None:
        one = self.peer(data)
        self.act(one, one.rotate)

    @rule(data=st.data(), key=st.binary(min_size=32, max_size=32))
    def replace_recovery(self, data: st.DataObject, key: bytes) -> None:
        one = self.peer(data)
        self.act(one, lambda: one.replace_recovery(key))

    @rule(data=st.data())
    def round(self, data: st.DataObject) -> None:
        one = self.peer(data)
        self.act(one, one.round)

    @rule(data=st.data())
    def join(self, data: st.DataObject) -> None:
        """Let a device join by the first recovery key, if that still holds where it joins."""
        near = self.peer(data)
        if self.joined == 2:
            return
        self.joined += 1
        root = self.home / f"joined{self.joined}"
        shutil.copytree(near.root, root)
        with contextlib.suppress(WrapRefused):
            one = Peer(root, membership.join(root, near.member.space_id, RECOVERY_KEY, AT))
            self.made.append(one)
            self.saw_off[one.id] = set()

    @rule(data=st.data(), after=st.integers(0, 5))
    def die(self, data: st.DataObject, after: int) -> None:
        """End the process of a device after it has written so many files of a revocation and a rotation."""
        one, other = self.two(data)
        seen, kept = one.seen, one.member
        with _dying(after), contextlib.suppress(_DiedError, *LATE):
            one.revoke(other)
            one.round()
        if one.seen == seen:  # it ended before it had noted anything but keys
            one.member = one.member if len(one.member.keys) > len(kept.keys) else kept

    @rule(data=st.data())
    def carry_some(self, data: st.DataObject) -> None:
        """Bring some files of one device to another, in any order."""
        here, there = self.two(data)
        places = data.draw(st.lists(PLACES, min_size=1, max_size=4))
        files = sorted(here.mine.iterdir()) if here.mine.is_dir() else []
        if files:
            target = there.root / here.member.space_id / here.id
            target.mkdir(exist_ok=True)
            for path in (files[place % len(files)] for place in places):
                shutil.copy(path, target / path.name)

    @rule()
    def carry_all(self) -> None:
        carry(*self.made)

    @invariant()
    def nobody_comes_back_whom_a_device_saw_off(self) -> None:
        for each in self.made:
            active = {device.public.id for device in each.account.active()}
            assert not active & self.saw_off[each.id]
            self.saw_off[each.id] |= each.account.devices.keys() - active

    def teardown(self) -> None:
        try:
            self.settle()
            stay = [each for each in self.made if each.id in self.made[0].active()]
            assert len({frozenset(each.active()) for each in self.made}) == 1
            assert all(each.resolved().off == () and each.resolved().lost == () for each in stay)
            assert len({(each.account.head, each.key.key) for each in stay}) <= 1
            for each in stay:
                self.check_wraps(each)
        finally:
            shutil.rmtree(self.home)

    def settle(self) -> None:
        """Carry everything and let every device have rounds, until nothing moves."""
        before: Any = None
        for _turn in range(12):
            carry(*self.made)
            for each in self.made:
                with contextlib.suppress(DeviceRevoked, Refused):
                    each.round()
            heads = [each.seen for each in self.made]
            if heads == before:
                return
            before = heads
        raise AssertionError("the devices talk for ever")

    def check_wraps(self, one: Peer) -> None:
        """Every device that stays is given the current key, and nobody else is."""
        folder, account, space = (
            FolderAccount(one.root, one.member.space_id),
            one.account,
            one.member.space_id,
        )
        for each in self.made:
            keys = opened(account, folder.wraps(each.id), each.member.device.receive)
            has = account.current_epoch(space) in {key.epoch for key in keys}
            revoked = each.id in account.devices and account.devices[each.id].revoked
            opened_before = revoked and account.opened_after(space, revoked) is None
            assert not opened_before
            assert has == (each.id in one.active()) or account.current_epoch(space) == 1
        to_recovery = folder.wraps(FOR_RECOVERY)
        if account.recovery == RecoveryKeys.of(RECOVERY_KEY).public:
            keys = opened(account, to_recovery, RecoveryKeys.of(RECOVERY_KEY).receive)
            assert one.key in keys

    def act(self, one: Peer, work: Any) -> None:
        with contextlib.suppress(*LATE):
            work()

    def peer(self, data: st.DataObject) -> Peer:
        return self.made[data.draw(PLACES) % len(self.made)]

    def two(self, data: st.DataObject) -> tuple[Peer, Peer]:
        count = len(self.made)
        one, further = data.draw(PLACES) % count, data.draw(PLACES) % (count - 1)
        return self.made[one], self.made[(one + 1 + further) % count]


@contextlib.contextmanager
def _dying(after: int) -> Any:
    """Have the process end once so many files of the account were written."""
    left, append, add_wrap = after, FolderAccount.append, FolderAccount.add_wrap

    def once(work: Any) -> Any:
        def counted(*arguments: Any) -> None:
            nonlocal left
            if left == 0:
                raise _DiedError
            left -= 1
            work(*arguments)

        return counted

    FolderAccount.append, FolderAccount.add_wrap = once(append), once(add_wrap)  # type: ignore[method-assign]  # to cut off
    try:
        yield
    finally:
        FolderAccount.append, FolderAccount.add_wrap = append, add_wrap  # type: ignore[method-assign]  # put back


class FourAccounts(Accounts):
    count = 4


_SOME = settings(
    max_examples=10,
    stateful_step_count=20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


def test_devices_agree_whatever_was_written_at_once_and_however_late_it_comes() -> None:
    for machine in (Accounts, FourAccounts):
        run_state_machine_as_test(machine, settings=_SOME)
