"""The service as one who receives data: listed, cut off, told which Bureau speaks; and how far sync is behind it."""

import asyncio
import ssl
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from agents.commands import diagnosis, privacy
from agents.commands.serving import Served
from agents.events import Notice
from agents.lifecycle.recipients import recipients
from agents.office import Office
from agents.sync_service.connecting import NotReached
from agents.sync_service.policy import ACCEPTED, ANNOUNCED, HOLDS
from memory import audit, ledger, notes
from memory.errors import Refused
from memory.sync.hosted import policies
from tests.agents.test_connections import self_signed
from tests.agents.test_sync_service import Offices, found, hosted, join, settle, texts
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]


@pytest.mark.req("R055")
async def test_nothing_goes_anywhere_before_sync_is_turned_on(office: Office) -> None:
    await office.notes.add("the quetzal sings")
    await office.backups.make("owner")
    with pytest.raises(Refused, match="does not sync"):
        await office.sync_rounds.now()
    assert office.sync_rounds.standing.phase == "off"
    assert await office.database.read(ledger.outbox) == ()
    assert await office.database.read(recipients) == ()


@pytest.mark.req("R091", "R190")
async def test_the_service_is_among_the_recipients_and_nothing_is_sent_to_it_after_a_withdrawal(
    offices: Offices, hosted: Running
) -> None:
    one, other = await offices("one"), await offices("other")
    await join(other, hosted, await found(one, hosted))
    await settle(one, other)
    host = hosted.url.removeprefix("http://")
    (service,) = await one.database.read(recipients)
    assert (service.host, service.categories, service.connections) == (host, ("sealed",), ())
    assert service.requests > 5 and service.bytes_sent > 0
    served = Served(one)
    await privacy.withdraw(served, {"host": host})
    await one.notes.add("the quetzal sings")
    before = len(await one.database.read(ledger.outbox))
    with pytest.raises(Refused, match="nothing more to be sent"):
        await one.syncing.now()
    assert len(await one.database.read(ledger.outbox)) == before
    assert (await other.syncing.now()).pulled == 0 and await texts(other) == []
    await privacy.give(served, {"host": host})
    await settle(one, other)
    assert await texts(other) == ["the quetzal sings"]


@pytest.mark.req("R098", "R191", "R210")
async def test_a_policy_that_is_announced_is_told_once_and_again_when_it_holds(
    offices: Offices, hosted: Running, tmp_path: Path
) -> None:
    one = await offices("one")
    told: list[str] = []
    one.events.subscribe(lambda event: told.append(event.sentence) if isinstance(event, Notice) else None)
    await found(one, hosted)
    await settle(one)
    assert told == []
    (tmp_path / "policy.html").write_text("words")
    announced = policies.announce(hosted.service, "2", "2026-04-15", tmp_path / "policy.html")
    assert await asyncio.to_thread(hosted.run, announced) == 1
    for _another_start in range(2):
        one.syncing._policy._day = 0
        await settle(one)
    assert len(told) == 1 and "changes on 2026-04-15: version 2" in told[0]
    hosted.clock.pass_days(50)
    settings = replace(hosted.service.settings, policy_version="2", policy_effective="2026-04-15")
    hosted.service.settings = settings
    for _another_start in range(2):
        one.syncing._policy._day = 0
        await settle(one)
    assert len(told) == 2 and "version 2 holds now" in told[1]
    kinds = [entry.kind for entry in await one.database.read(audit.entries)]
    assert [kinds.count(each) for each in (ACCEPTED, ANNOUNCED, HOLDS)] == [1, 1, 1]


@pytest.mark.req("R170")
async def test_a_service_that_nobody_vouches_for_is_not_spoken_to(office: Office, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)
    async with server:
        address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(NotReached):
            await office.syncing.joining.ask_code(address, "ada@example.org")
    assert heard == []


@pytest.mark.req("R076")
async def test_the_service_knows_which_bureau_and_protocol_a_device_speaks(
    offices: Offices, hosted: Running
) -> None:
    one = await offices("one")
    await found(one, hosted)
    (row,) = hosted.rows("records", "SELECT versions FROM devices")
    assert row.versions == f"bureau {version('bureau')}, protocol 1"


@pytest.mark.req("R074", "R083")
async def test_doctor_says_how_far_sync_is_behind_and_what_keeps_it(
    offices: Offices, hosted: Running
) -> None:
    one = await offices("one")
    assert await sync_check(one) is None
    await found(one, hosted)
    assert (await sync_check(one))["state"] == "ok"  # type: ignore[index]  # sync is on
    await one.notes.add("milk")
    behind = await sync_check(one)
    assert behind is not None and behind["state"] == "hint" and "1 change waits" in behind["sentence"]
    object.__setattr__(hosted.service.settings, "account_records", 1)
    done = await one.syncing.now()
    assert done.quota is not None and done.quota.limit == 1
    await one.notes.add("bread")
    assert len(await one.database.read(notes.notes)) == 2, "the office goes on"
    hosted.stop()
    with pytest.raises(Refused, match="cannot be reached"):
        await one.syncing.now()
    away = await sync_check(one)
    assert away is not None and away["state"] == "failed" and "Nothing was lost" in away["sentence"]


async def sync_check(office: Office) -> dict[str, str] | None:
    checks = (await diagnosis.doctor(Served(office), {}))["checks"]
    return next((check for check in checks if check["name"] == "sync"), None)
