"""A rotation that is cut off at any of its requests is finished by another device, and no device is locked out."""

from dataclasses import replace

import httpx2
import pytest

from memory.sync.membership import Begun, Member
from memory.sync.service import membership, rotation
from memory.sync.service.faults import Unreachable
from memory.sync.service.spaces import space_of, wraps_of
from tests.memory.sync.hosted.running import START
from tests.memory.sync.service.conftest import Client, Clients
from tests.memory.sync.service.test_hostile_service import (
    Between,
    between,
    by,
    head_of,
    nobody,
    pushed,
    renewed,
    two,
)


class Cut:
    """Cuts the connection at one request: before it arrives, or before its answer does."""

    def __init__(self, line: Between) -> None:
        self._line = line
        self._left = -1
        self.happened = False

    def at(self, request: int, *, answered: bool) -> None:
        self._left, self.happened = request, False
        self._line.before = None if answered else self._before
        self._line.change = self._after if answered else None

    def mend(self) -> None:
        self._line.before = self._line.change = None

    async def _before(self, request: httpx2.Request) -> None:
        self._count(request)

    def _after(self, request: httpx2.Request, _response: httpx2.Response, _content: bytes) -> None:
        self._count(request)

    def _count(self, request: httpx2.Request) -> None:
        self._left -= 1
        if self._left < 0:
            self.happened = True
            raise httpx2.ReadError("cut", request=request)


class Vault:
    """Keeps the keys of one device, as the vault of its office does."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.kept = client.mine

    async def keep(self, member: Member) -> None:
        self.kept = member

    async def start(self) -> None:
        """Begin again after a crash, with what was kept."""
        account = await self.client.log().read()
        self.client.member = replace(self.kept, account=self.client.mine.account)
        renewed_member = await membership.renew(
            self.client.calls, self.client.log(), replace(self.kept, account=account), account.n - 1
        )
        self.client.member = self.kept = renewed_member


async def take_off(vault: Vault, device_id: str) -> None:
    """Do what a device does when its owner takes another one off."""
    one = vault.client
    await one.log().append(
        lambda now: (
            by(one).revoke_device(now, device_id, START) if now.device(device_id).active_at(now.n) else None
        )
    )
    await finish(vault)


async def finish(vault: Vault) -> None:
    """Do what is left, as the next round of any device does."""
    one = vault.client
    await vault.start()
    if rotation.is_due(one.mine.account, one.mine.space_id):
        opened = await rotation.open_next(
            one.calls, one.log(), one.mine, START, pulled_to=await head_of(one), keep=vault.keep
        )
        one.member = vault.kept = opened
    await rotation.wrap_anew(one.calls, one.mine, nobody)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hosted", "answered"),
    [("sqlite", False), ("sqlite", True), ("postgresql", True)],
    ids=["not sent", "not answered", "not answered by PostgreSQL"],
    indirect=["hosted"],
)
async def test_any_device_finishes_what_was_cut_off_anywhere(clients: Clients, answered: bool) -> None:
    clients.hosted.service.limits.take = _unlimited  # type: ignore[method-assign]  # for one test
    one, other = await two(clients)
    vaults = Vault(one), Vault(other)
    await pushed(one)
    await pushed(other)
    cut = Cut(between(one))
    request = 0
    while True:
        third = clients.new()
        cut.mend()
        gone = (await third.join(clients.recovery_key)).device.id
        await renewed(one)
        vaults[0].kept = one.mine
        cut.at(request, answered=answered)
        try:
            await take_off(vaults[0], gone)
        except Unreachable:
            assert cut.happened
        cut.mend()
        if (await other.log().read()).device(gone).revoked is None:
            await take_off(vaults[1], gone)
        await finish(vaults[1])
        await finish(vaults[0])
        await _whole(one, other)
        if not cut.happened:
            break
        request += 1
    assert request > 10


@pytest.mark.slow
@pytest.mark.parametrize("answered", [False, True], ids=["not sent", "not answered"])
async def test_a_device_that_is_cut_off_while_joining_goes_on_as_the_same_one(
    clients: Clients, answered: bool
) -> None:
    clients.hosted.service.limits.take = _unlimited  # type: ignore[method-assign]  # for one test
    one, key, request = clients.new(), clients.recovery_key, 0
    await one.found(key)
    while True:
        kept: list[Begun] = []

        async def keep(begun: Begun, kept: list[Begun] = kept) -> None:
            kept.append(begun)

        first = await clients.new().by_mail()
        cut = Cut(between(first))
        cut.at(request, answered=answered)
        try:
            await membership.join(first.calls, key, START, keep=keep)
        except Unreachable:
            assert cut.happened
        cut.mend()
        again, begun = await clients.new().by_mail(), kept[-1] if kept else None
        member, founds = await membership.join(again.calls, key, START, begun=begun, keep=keep)
        assert member.keys == one.mine.keys and not founds
        assert len((await one.log().read()).active()) == request + 2
        if not cut.happened:
            break
        request += 1
    assert request > 4


async def _whole(one: Client, other: Client) -> None:
    account = await one.log().read()
    current = account.current_epoch(one.mine.space_id)
    assert one.mine.keys[-1] == other.mine.keys[-1] and one.mine.keys[-1].epoch == current
    space = await space_of(other.calls, one.mine.space_id)
    assert space.epoch == current and await rotation.is_done(other.calls, space)
    wraps = await wraps_of(other.calls, space)
    assert {each.epoch for each in wraps} == {current}
    assert {each.recipient_id for each in wraps} == {
        *(each.public.id for each in account.active()),
        "0" * 32,
    }


async def _unlimited(*_limit: object) -> None:
    return None
