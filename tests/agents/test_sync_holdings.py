"""What the service holds is deleted, proved and exported from the office, against the real service."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from agents.commands import sync_account as commands
from agents.commands.serving import Served
from agents.lifecycle.transfer import Wish
from agents.office import Office
from memory import notes
from memory.errors import Refused
from memory.lifecycle.subjects import Subject
from memory.sync import kept_receipts
from memory.sync.errors import ReceiptWrong
from memory.sync.kept_receipts import KeptReceipt
from memory.sync.service.faults import AccountPurged, DeletionPending, ServiceRefused, SpacePurged
from memory.transfer.age import Encryption
from tests.agents.syncing_offices import settle, texts
from tests.agents.test_sync_service import EMAIL, Offices, found, hosted, join
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]


async def do_jobs(hosted: Running) -> None:
    await asyncio.to_thread(hosted.do_jobs)


async def only(office: Office) -> KeptReceipt:
    (kept,) = await office.syncing.holdings.receipts()
    return kept


@pytest.mark.req("R112", "R144")
async def test_what_is_erased_here_is_proved_by_a_receipt_that_needs_no_service(
    offices: Offices, hosted: Running
) -> None:
    one, other = await offices("one"), await offices("other")
    note = await one.notes.add("the quetzal sings")
    key = await found(one, hosted)
    await join(other, hosted, key)
    await settle(one, other)
    with pytest.raises(Refused, match="has been erased yet"):
        await one.syncing.holdings.prove_erased()
    await one.erasing.erase([Subject("note", note.id)])
    await settle(one, other)
    assert await texts(other) == []
    proved = await one.syncing.holdings.prove_erased()
    assert (proved.receipt.scope, proved.receipt.counts["records"]) == ("records", 1)
    assert await one.syncing.holdings.fetch_receipts() == 0
    file = kept_receipts.to_file(await only(one))
    receipt, signed_by = kept_receipts.from_file(file)
    assert receipt == proved.receipt and signed_by == hosted.service.keys.public
    with pytest.raises(ReceiptWrong):
        kept_receipts.from_file(file.replace(b'"records": 1', b'"records": 2'))
    for damaged in (b"", b"[]", b'{"key": "AA"}', file[:-40]):
        with pytest.raises(ReceiptWrong):
            kept_receipts.from_file(damaged)


@pytest.mark.req("R143", "R158")
async def test_a_deletion_is_thought_over_called_off_and_then_done_at_once(
    offices: Offices, hosted: Running
) -> None:
    one, other = await offices("one"), await offices("other")
    key = await found(one, hosted)
    await join(other, hosted, key)
    await settle(one, other)
    holdings = one.syncing.holdings
    begun = await holdings.delete("account", "grace")
    assert begun.grace_until is not None
    await other.notes.add("written meanwhile")
    done = await other.syncing.now()
    assert isinstance(done.refusal, DeletionPending) and done.pushed == 0
    await other.syncing.holdings.restore("account")
    await settle(one, other)
    assert await texts(one) == ["written meanwhile"]
    with pytest.raises(ServiceRefused) as refused:
        await holdings.restore("account")
    assert refused.value.code == "nothing_pending"
    with pytest.raises(ServiceRefused) as refused:
        await holdings.delete("account", "now", "00000000")
    assert refused.value.code == "mail_code_refused"
    await holdings.ask_mail_code()
    await do_jobs(hosted)
    await holdings.delete("account", "now", hosted.inbox.code(EMAIL))
    await do_jobs(hosted)
    for office in (one, other):
        with pytest.raises(AccountPurged):
            await office.syncing.now()
        kept = await only(office)
        assert (kept.receipt.scope, kept.receipt.counts["records"] > 5) == ("account", True)
        assert await texts(office) == ["written meanwhile"]
    with pytest.raises(AccountPurged):
        await one.syncing.now()
    assert (await other.database.read(notes.notes))[0].text == "written meanwhile"
    await other.syncing.leave()
    assert (await only(other)).receipt.scope == "account"
    dump = await asyncio.to_thread(hosted.rows, "records", "SELECT count(*) FROM records")
    assert dump[0][0] == 0


async def test_the_receipt_of_the_account_is_fetched_when_nothing_else_is_left(
    offices: Offices, hosted: Running
) -> None:
    """As the mail says: the device shows it when all is done, whether a round came in between or not."""
    one = await offices("one")
    await found(one, hosted)
    holdings, wanted = one.syncing.holdings, {"erased": False, "fetch": True, "save": ""}
    await holdings.ask_mail_code()
    await do_jobs(hosted)
    await holdings.delete("account", "now", hosted.inbox.code(EMAIL))
    with pytest.raises(AccountPurged):
        await commands.receipts(Served(one), wanted)
    await do_jobs(hosted)
    (row,) = await commands.receipts(Served(one), wanted)
    assert (row["scope"], row["id"]) == ("account", (await only(one)).receipt.receipt_id)


async def test_whatever_is_pending_is_called_off_without_saying_what(
    offices: Offices, hosted: Running
) -> None:
    """As a refused put says: who reads it knows not whether the account goes, or this office."""
    one = await offices("one")
    await found(one, hosted)
    for whats in (("office",), ("account",), ("office", "account")):
        for what in whats:
            await one.syncing.holdings.delete(what, "grace")
        assert await commands.restore(Served(one), {"what": ""}) == {"restored": ", ".join(whats)}
        await one.notes.add("goes on")
        assert (await one.syncing.now()).refusal is None
        await asyncio.to_thread(hosted.forget_limits)
    with pytest.raises(ServiceRefused, match="No deletion is pending"):
        await commands.restore(Served(one), {"what": ""})


@pytest.mark.req("R141", "R216")
async def test_this_office_alone_is_deleted(offices: Offices, hosted: Running) -> None:
    one, other = await offices("one"), await offices("other")
    key = await found(one, hosted)
    await join(other, hosted, key)
    await settle(one, other)
    await one.syncing.holdings.ask_mail_code()
    await do_jobs(hosted)
    await one.syncing.holdings.delete("office", "now", hosted.inbox.code(EMAIL))
    await do_jobs(hosted)
    with pytest.raises(SpacePurged):
        await other.syncing.now()
    assert (await only(other)).receipt.scope == "space"
    assert await one.syncing.holdings.fetch_receipts() == 1


@pytest.mark.req("R131", "R134")
async def test_the_service_exports_what_it_holds_and_hands_out_what_was_encrypted(
    offices: Offices, hosted: Running, tmp_path: Path
) -> None:
    one = await offices("one")
    await one.notes.add("the quetzal sings")
    await found(one, hosted)
    holdings = one.syncing.holdings
    export = await holdings.ask_export("full", 2)
    assert await holdings.export_state(export.export_id) == "waiting"
    await do_jobs(hosted)
    assert await holdings.export_state(export.export_id) == "ready"
    held = await asyncio.to_thread(_fetch, export.link)
    assert held[:2] == b"PK" and b"quetzal" not in held
    plain = await one.transfers.export(tmp_path / "plain.aofx", Wish())
    with pytest.raises(Refused, match="not protected by a passphrase"):
        await holdings.share(plain.path, 1)
    with pytest.raises(Refused, match="cannot be read"):
        await holdings.share(tmp_path / "away", 1)
    sealed = Wish(encryption=Encryption(passphrase="four plain words"))
    written = await one.transfers.export(tmp_path / "sealed.aofx", sealed)
    shared = await holdings.share(written.path, 1)
    assert await asyncio.to_thread(_fetch, shared.link) == written.path.read_bytes()
    hosted.clock.pass_days(0.1)
    assert (await asyncio.to_thread(httpx2.get, shared.link)).status_code == 404


def _fetch(link: str) -> bytes:
    return httpx2.post(link, follow_redirects=True).content
