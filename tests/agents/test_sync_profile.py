"""The account as a whole from the office: its mail address, freezing it, how much of its room is used."""

import asyncio
import base64

import pytest

from agents.commands import sync_account as commands
from agents.commands.serving import Served
from memory import audit
from memory.errors import Refused
from memory.sync.service.faults import DeletionPending, ServiceRefused
from tests.agents.syncing_offices import settle, texts
from tests.agents.test_sync_service import EMAIL, Offices, found, hosted, join
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]


@pytest.mark.req("R111")
async def test_the_mail_address_is_changed_by_a_code_that_comes_there(
    offices: Offices, hosted: Running
) -> None:
    one = await offices("one")
    key = await found(one, hosted)
    profile, served = one.syncing.profile, Served(one)
    with pytest.raises(Refused, match="new mail address"):
        await profile.ask_address(" ada ")
    verifier = base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()
    proof = {"email": "ada@example.com", "verifier": verifier}
    await commands.address_code(served, proof)
    await asyncio.to_thread(hosted.do_jobs)
    with pytest.raises(ServiceRefused, match="wrong, used or older"):
        await commands.address(served, {**proof, "code": "AAAA-BBBB"})
    code = hosted.inbox.code("ada@example.com")
    assert await commands.address(served, {**proof, "code": code}) == {"mail address": "ada@example.com"}
    # Who joins signs in by the new address, and the former one is nobody's.
    other = await offices("other")
    asked = await other.syncing.joining.ask_code(hosted.url, "ada@example.com")
    await asyncio.to_thread(hosted.do_jobs)
    await other.syncing.joining.join(asked, hosted.inbox.code("ada@example.com"), key)
    await settle(one, other)
    stranger = await offices("stranger")
    with pytest.raises(Refused, match="no account of yours"):
        await join(stranger, hosted, key)
    assert "sync address changed" in {entry.kind for entry in await one.database.read(audit.entries)}


async def test_an_address_of_another_account_is_refused(offices: Offices, hosted: Running) -> None:
    one, bob = await offices("one"), await offices("bob")
    await found(one, hosted)
    asked = await bob.syncing.joining.ask_code(hosted.url, "bob@example.org")
    await asyncio.to_thread(hosted.do_jobs)
    await bob.syncing.joining.found(asked, hosted.inbox.code("bob@example.org"), bytes(range(32)))
    wanted = await bob.syncing.profile.ask_address(EMAIL)
    await asyncio.to_thread(hosted.do_jobs)
    with pytest.raises(ServiceRefused, match="Another account at this service"):
        await bob.syncing.profile.change_address(wanted, hosted.inbox.code(EMAIL))
    await bob.syncing.now()


@pytest.mark.req("R113")
async def test_a_frozen_account_takes_nothing_new_until_its_owner_ends_that(
    offices: Offices, hosted: Running
) -> None:
    one, other = await offices("one"), await offices("other")
    await join(other, hosted, await found(one, hosted))
    await settle(one, other)
    served = Served(one)
    before = await commands.summary(served, {})
    assert before["state"] == "active" and 0 < before["records"] < before["records at most"]
    assert await commands.freeze(served, {"frozen": True}) == {"account": "frozen"}
    await other.notes.add("milk")
    done = await other.syncing.now()
    assert isinstance(done.refusal, DeletionPending) and done.refusal.state == "frozen"
    assert "bureau sync unfreeze" in str(done.refusal) and done.pushed == 0
    assert (await commands.summary(served, {}))["state"] == "frozen"
    await other.syncing.profile.freeze(frozen=False)
    await settle(one, other)
    assert await texts(one) == ["milk"]
    after = await commands.summary(served, {})
    assert (after["state"], after["records"]) == ("active", before["records"] + 1)
    assert after["bytes"] > before["bytes"]
