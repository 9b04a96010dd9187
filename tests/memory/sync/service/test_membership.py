"""Devices join an account at the real service, by the recovery key or six words; keys reach all of them."""

import os

import pytest

from memory.errors import Refused
from memory.sync.account_log import Writer
from memory.sync.enrolment import six_words
from memory.sync.errors import LogForked, LogShorter, WrapRefused
from memory.sync.recovery import RecoveryKeys
from memory.sync.service import membership, sign_in
from memory.sync.service.enrolling import Admitting, Joining, waiting_devices
from memory.sync.service.faults import DeviceRevoked, ServiceRefused
from memory.sync.service.spaces import space_of, spaces, wraps_of
from tests.memory.sync.hosted.running import START
from tests.memory.sync.service.conftest import Client, Clients


async def test_a_device_founds_and_another_joins_by_the_recovery_key(clients: Clients) -> None:
    one, other = clients.new(), clients.new()
    first = await one.found(clients.recovery_key)
    second = await other.join(clients.recovery_key)
    assert second.space_id == first.space_id and second.keys == first.keys
    assert {each.public.id for each in second.account.active()} == {first.device.id, second.device.id}
    space = await space_of(other.calls, second.space_id)
    wraps = await wraps_of(other.calls, space)
    assert len({each.recipient_id for each in wraps}) == 3 and space.epoch == 1


async def test_what_joins_nothing(clients: Clients) -> None:
    one, other = clients.new(), clients.new()
    with pytest.raises(Refused, match="no account of yours"):
        await other.join(clients.recovery_key)
    await one.found(clients.recovery_key)
    with pytest.raises(WrapRefused):
        await other.join(os.urandom(32))
    with pytest.raises(Refused, match="has devices already"):
        await other.found(os.urandom(32))
    with pytest.raises(Refused, match="no such office"):
        await membership.join(other.calls, clients.recovery_key, START, "ff" * 16)
    assert len((await one.log().read()).devices) == 1


@pytest.mark.req("R007")
async def test_the_code_is_worth_nothing_to_who_did_not_ask(clients: Clients) -> None:
    one, thief = clients.new(), clients.new()
    asked = await sign_in.ask_code(one.calls, "ada@example.org")
    clients.hosted.do_jobs()
    code = clients.hosted.inbox.code("ada@example.org")
    stolen = sign_in.Asked(asked.url, asked.email, os.urandom(32))
    with pytest.raises(ServiceRefused) as refused:
        await sign_in.redeem(thief.calls, stolen, code)
    assert refused.value.code == "code_refused"


async def by_six_words(old: Client, new: Client) -> tuple[bytes, bytes]:
    joining = Joining(new.calls)
    await joining.begin()
    assert await joining.compare() is None
    (waiting,) = await waiting_devices(old.calls)
    admitting = Admitting(old.calls, old.log(), old.mine.device, waiting)
    await admitting.answer()
    assert await admitting.compare() is None
    seen_new = await joining.compare()
    seen_old = await admitting.compare()
    assert seen_new is not None and seen_old is not None
    assert await joining.admitted(START) is None
    await admitting.admit(START)
    admitted = await joining.admitted(START)
    assert admitted is not None and not admitted[1]
    new.member = admitted[0]
    return seen_old, seen_new


async def test_a_device_joins_by_six_words(clients: Clients) -> None:
    one, other = clients.new(), clients.new()
    await one.found(clients.recovery_key)
    await other.by_mail()
    seen_old, seen_new = await by_six_words(one, other)
    assert seen_old == seen_new and six_words(seen_old) == six_words(seen_new)
    assert other.mine.keys == one.mine.keys
    assert await waiting_devices(one.calls) == ()


async def test_who_was_cut_off_after_admitting_leaves_the_rest_to_another_device(clients: Clients) -> None:
    one, two, three = clients.new(), clients.new(), clients.new()
    await one.found(clients.recovery_key)
    await two.join(clients.recovery_key)
    await three.by_mail()
    joining = Joining(three.calls)
    await joining.begin()
    (waiting,) = await waiting_devices(one.calls)
    admitting = Admitting(one.calls, one.log(), one.mine.device, waiting)
    await admitting.answer()
    await joining.compare()
    await admitting.compare()
    writer = Writer(one.mine.device.id, one.mine.device.sign)
    await one.log().append(lambda now: writer.add_device(now, joining.device.public, START))
    assert await joining.admitted(START) is None
    await membership.renew(two.calls, two.log(), two.mine, two.mine.account.n)
    admitted = await joining.admitted(START)
    assert admitted is not None and admitted[0].keys == one.mine.keys


async def test_an_older_or_another_log_is_refused(clients: Clients) -> None:
    one, other = clients.new(), clients.new()
    first = await one.found(clients.recovery_key)
    log = one.log()
    await log.read()
    await other.join(clients.recovery_key)
    assert (await log.read()).n == 2
    rows = "DELETE FROM log_entries WHERE n = 2"
    clients.hosted.run(_change(clients, rows))
    with pytest.raises(LogShorter):
        await log.read()
    with pytest.raises(LogShorter):
        await other.log().read()
    assert (await one.log().read()).n == first.account.n
    writer = Writer(first.device.id, first.device.sign)
    recovery = RecoveryKeys.of(os.urandom(32)).public
    account = await one.log().append(lambda now: writer.new_recovery(now, recovery, START))
    with pytest.raises(LogForked):
        await log.read()
    with pytest.raises(LogForked):
        await other.log().read()
    assert account.n == 2


async def _change(clients: Clients, sql: str) -> None:
    from sqlalchemy import text

    async with clients.hosted.service.stores.records.write() as connection:
        await connection.execute(text(sql))


async def test_a_session_is_renewed_by_refresh_then_by_signature_and_a_revoked_device_is_told(
    clients: Clients,
) -> None:
    one, other = clients.new(), clients.new()
    first = await one.found(clients.recovery_key)
    second = await other.join(clients.recovery_key)
    clients.hosted.clock.pass_days(0.02)
    await spaces(other.calls)
    assert other.kept[-1].refresh != other.kept[-2].refresh
    clients.hosted.clock.pass_days(31)
    await spaces(other.calls)
    assert len(other.kept) == 3
    writer = Writer(first.device.id, first.device.sign)
    await one.log().append(lambda now: writer.revoke_device(now, second.device.id, START))
    with pytest.raises(DeviceRevoked):
        await spaces(other.calls)
