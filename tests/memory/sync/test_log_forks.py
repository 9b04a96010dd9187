"""Devices write entries of the log at once, in a folder where nobody puts them in line: all find the same."""

import random
from itertools import permutations
from pathlib import Path

import pytest

from memory.sync import account_log
from memory.sync.account_log import Entry, Writer
from memory.sync.device_keys import DeviceKeys
from memory.sync.errors import LogForked, LogShorter
from memory.sync.log_forks import Resolved, resolve
from memory.sync.recovery import RecoveryKeys
from memory.sync.service.faults import DeviceRevoked
from memory.sync.space_keys import SpaceKey
from tests.memory.sync.folder_members import RECOVERY_KEY, carry, peers
from tests.memory.sync.making import AT, SPACE


class Chain:
    """A log with devices a, b, c … whose branches a test writes."""

    def __init__(self, count: int) -> None:
        self.keys = [DeviceKeys.new() for _each in range(count)]
        self.recovery = RecoveryKeys.of(RECOVERY_KEY)
        self.log = [account_log.genesis(self.keys[0], self.recovery.public, AT)]
        for other in self.keys[1:]:
            self.log += [self.by(0).add_device(account_log.verify(self.log), other.public, AT)]
        self.log += [self.by(0).new_epoch(account_log.verify(self.log), SpaceKey.new(SPACE), AT)]

    def by(self, number: int) -> Writer:
        return Writer(self.keys[number].id, self.keys[number].sign)

    def by_recovery(self) -> Writer:
        return Writer("recovery", self.recovery.sign)

    def revokes(self, by: int, whom: int, upon: list[Entry] | None = None) -> Entry:
        account = account_log.verify(upon or self.log)
        return self.by(by).revoke_device(account, self.keys[whom].id, AT)

    def adds(self, writer: Writer, device: DeviceKeys, upon: list[Entry] | None = None) -> Entry:
        return writer.add_device(account_log.verify(upon or self.log), device.public, AT)

    def active(self, found: Resolved) -> set[int]:
        return {number for number, each in enumerate(self.keys) if found.account.is_active(each.id)}


def test_a_log_without_forks_is_the_log_itself() -> None:
    chain = Chain(3)
    found = resolve(chain.log)
    assert found == Resolved(account_log.verify(chain.log), account_log.verify(chain.log))
    assert resolve(list(reversed(chain.log)) * 2) == found
    assert resolve(chain.log[:2] + chain.log[3:]).chain.n == 1  # what lies beyond a gap waits


def test_two_that_take_each_other_off_both_go_in_whatever_order_it_is_read() -> None:
    chain = Chain(3)
    entries = [*chain.log, chain.revokes(0, 1), chain.revokes(1, 0)]
    for seen in (chain.log[-1], entries[-1], entries[-2]):
        place = (seen["n"], account_log.hash_of(seen))
        for order in permutations(entries[-3:]):
            found = resolve([*entries[:-3], *order], place)
            assert chain.active(found) == {2}
            assert set(found.off) == {chain.keys[0].id, chain.keys[1].id}


def test_who_was_taken_off_undoes_nothing_by_an_entry_that_looks_older() -> None:
    for thief, owner in ((0, 1), (1, 0)):
        chain = Chain(3)
        evil = DeviceKeys.new()
        seen = [*chain.log, chain.revokes(owner, thief)]
        for backdated in (
            [chain.adds(chain.by(thief), evil)],
            [chain.by(thief).new_epoch(account_log.verify(chain.log), SpaceKey.new(SPACE, 2), AT)],
            [
                chain.by(thief).new_recovery(
                    account_log.verify(chain.log), RecoveryKeys.of(bytes(32)).public, AT
                )
            ],
        ):
            for place in (None, (seen[-1]["n"], account_log.hash_of(seen[-1]))):
                found = resolve([*seen, *backdated], place)
                assert chain.active(found) == {owner, 2}
                assert not found.account.is_active(evil.id) and found.lost == ()
                assert found.chain == account_log.verify(seen)


def test_what_a_newcomer_of_the_one_taken_off_says_counts_for_no_more_than_its_own_voice() -> None:
    chain, evil = Chain(3), DeviceKeys.new()
    owner = [chain.revokes(1, 0)]
    branch = [chain.adds(chain.by(0), evil)]
    account = account_log.verify([*chain.log, *branch])
    by_evil = Writer(evil.id, evil.sign)
    branch.append(by_evil.revoke_device(account, chain.keys[1].id, AT))
    branch.append(by_evil.new_epoch(account_log.verify([*chain.log, *branch]), SpaceKey.new(SPACE, 2), AT))
    found = resolve([*chain.log, *owner, *branch])
    assert chain.active(found) == {2} and not found.account.is_active(evil.id)
    assert found.chain == account_log.verify(chain.log)


def test_a_former_recovery_key_adds_nothing_by_an_entry_that_looks_older() -> None:
    chain, evil = Chain(2), DeviceKeys.new()
    new = RecoveryKeys.of(bytes(32)).public
    said = chain.by(1).new_recovery(account_log.verify(chain.log), new, AT)
    found = resolve([*chain.log, said, chain.adds(chain.by_recovery(), evil)])
    assert found.account.recovery == new and not found.account.is_active(evil.id) and found.lost == ()
    found = resolve(
        [
            *chain.log,
            said,
            chain.by_recovery().new_recovery(
                account_log.verify(chain.log), RecoveryKeys.of(bytes([1] * 32)).public, AT
            ),
        ]
    )
    assert found.account.recovery == new and found.lost == ()


def test_of_branches_that_are_no_quarrel_the_longer_one_counts_and_the_rest_is_said_anew() -> None:
    chain, new, other = Chain(2), DeviceKeys.new(), DeviceKeys.new()
    short = [chain.adds(chain.by(0), new)]
    long = [chain.adds(chain.by(1), other)]
    long.append(chain.by(1).new_epoch(account_log.verify([*chain.log, *long]), SpaceKey.new(SPACE, 2), AT))
    found = resolve([*chain.log, *short, *long], (short[0]["n"], account_log.hash_of(short[0])))
    assert found.chain == account_log.verify([*chain.log, *long])
    assert found.lost == (new.public,)
    alike = [chain.adds(chain.by(0), new), chain.adds(chain.by(1), other)]
    assert resolve([*chain.log, *alike]).chain.head == account_log.hash_of(alike[0])  # added first


def test_what_nobody_signed_counts_for_nothing_and_what_vanished_stops_everything() -> None:
    chain = Chain(2)
    good = chain.revokes(0, 1)
    for wrong in (good | {"at": "2026-03-01T12:00:01Z"}, good | {"by": "77" * 16}, good | {"v": 0}):
        for order in permutations([good, wrong]):
            found = resolve([*chain.log, *order])
            assert found == resolve([*chain.log, good]) and found.refused == (wrong,)
        assert resolve([*chain.log, wrong]) == resolve(chain.log)
        with pytest.raises(LogShorter):
            resolve([*chain.log, wrong], (good["n"], account_log.hash_of(good)))
    place = (good["n"], account_log.hash_of(good))
    with pytest.raises(LogShorter):
        resolve(chain.log, place)
    with pytest.raises(LogForked):  # another branch, and the one that was taken is gone
        resolve([*chain.log, chain.adds(chain.by(1), DeviceKeys.new())], place)
    with pytest.raises(LogForked):
        resolve([*chain.log, account_log.genesis(chain.keys[1], chain.recovery.public, AT)])


def test_nobody_whom_a_device_saw_taken_off_comes_back() -> None:
    chain, new = Chain(3), DeviceKeys.new()
    branch = [chain.adds(chain.by(0), new)]
    branch.append(
        Writer(new.id, new.sign).revoke_device(
            account_log.verify([*chain.log, *branch]), chain.keys[2].id, AT
        )
    )
    rival = [chain.adds(chain.by(1), DeviceKeys.new())]
    for _more in range(3):
        rival.append(chain.adds(chain.by(1), DeviceKeys.new(), [*chain.log, *rival]))
    found = resolve([*chain.log, *rival, *branch], (branch[-1]["n"], account_log.hash_of(branch[-1])))
    assert chain.active(found) == {0, 1} and found.off == (chain.keys[2].id,)


def test_a_newcomer_whom_one_branch_adds_and_takes_off_stays_off_in_all() -> None:
    chain, new = Chain(3), DeviceKeys.new()
    taken = [chain.revokes(0, 1)]
    taken.append(chain.adds(chain.by(0), new, [*chain.log, *taken]))
    taken.append(chain.by(0).revoke_device(account_log.verify([*chain.log, *taken]), new.id, AT))
    rival = [chain.adds(chain.by_recovery(), new)]
    rival.append(chain.revokes(2, 0, [*chain.log, *rival]))
    for seen in (taken[-1], rival[-1]):
        found = resolve([*chain.log, *taken, *rival], (seen["n"], account_log.hash_of(seen)))
        assert chain.active(found) == {2} and not found.account.is_active(new.id)
        assert found.off == tuple(sorted((chain.keys[1].id, new.id))) and found.lost == ()


def test_who_was_taken_off_takes_off_nobody_who_joined_later() -> None:
    for multiplied in (False, True):
        chain, new, second = Chain(3), DeviceKeys.new(), DeviceKeys.new()
        seen = [*chain.log, chain.revokes(1, 2)]
        seen.append(chain.adds(chain.by_recovery(), new, seen))
        evil, signer = list(chain.log), chain.by(2)
        if multiplied:
            evil.append(chain.adds(signer, second, evil))
            signer = Writer(second.id, second.sign)
        evil.append(chain.adds(signer, new, evil))
        evil.append(signer.revoke_device(account_log.verify(evil), new.id, AT))
        found = resolve([*seen, *evil], (len(seen) - 1, account_log.hash_of(seen[-1])))
        assert chain.active(found) == {0, 1} and found.account.is_active(new.id)
        assert found.chain == account_log.verify(seen) and found.off == ()


def test_a_former_recovery_key_takes_off_nobody_who_joined_later() -> None:
    chain, new = Chain(2), DeviceKeys.new()
    seen = [*chain.log]
    account = account_log.verify(seen)
    seen.append(chain.by(0).new_recovery(account, RecoveryKeys.of(bytes(32)).public, AT))
    seen.append(chain.adds(chain.by(1), new, seen))
    evil, stolen = list(chain.log), DeviceKeys.new()
    evil.append(chain.adds(chain.by_recovery(), stolen, evil))
    signer = Writer(stolen.id, stolen.sign)
    evil.append(chain.adds(signer, new, evil))
    evil.append(signer.revoke_device(account_log.verify(evil), new.id, AT))
    found = resolve([*seen, *evil], (len(seen) - 1, account_log.hash_of(seen[-1])))
    assert chain.active(found) == {0, 1} and found.account.is_active(new.id)


def test_all_devices_agree_whatever_was_written_at_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    for run in range(12):
        made = peers(tmp_path / str(run), 4)
        for each in made:
            others = [other for other in made if other is not each]
            match chance.randrange(4):
                case 0:
                    each.revoke(chance.choice(others))
                case 1:
                    each.rotate()
                case 2:
                    each.replace_recovery(chance.randbytes(32))
        for _turn in range(6):
            carry(*made)
            for each in chance.sample(made, len(made)):
                try:
                    each.round()
                except DeviceRevoked:
                    continue
        carry(*made)
        assert len({frozenset(each.active()) for each in made}) == 1
        stay = [each for each in made if each.id in made[0].active()]
        for each in stay:
            each.round()
        assert len({each.account.head for each in stay}) <= 1
        assert len({each.key.key for each in stay}) <= 1
