"""By which key a service signs: the first that it shows is remembered, and another one proves nothing."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from agents.commands.serving import Served
from agents.commands.syncing import status
from agents.office import Office
from agents.sync_standing import key_words
from memory import audit
from memory.lifecycle.subjects import Subject
from memory.lifecycle.trash import DAY
from memory.sync import space
from memory.sync.errors import ReceiptKeyOther, ReceiptWrong
from memory.sync.service.faults import AccountPurged
from memory.sync.service_keys import fingerprint
from tests.agents.test_sync_service import EMAIL, Offices, found, hosted, join, settle
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]


def signs_with(hosted: Running, key: Ed25519PrivateKey) -> str:
    """Let the service sign with a key, and publish it; return how it is named."""
    object.__setattr__(hosted.service.keys, "signer", key)
    return fingerprint(key.public_key().public_bytes_raw())


async def words(office: Office) -> tuple[str, ...]:
    return key_words(await office.syncing.joined())


async def actions(office: Office) -> list[str]:
    return [entry.kind for entry in await office.database.read(audit.entries)]


def _compared_yesterday(session: Session) -> None:
    here = space.of(session)
    assert here is not None
    here.compared_at -= DAY


@pytest.mark.req("R144")
async def test_the_first_key_of_a_service_is_remembered_and_no_other_one_proves_anything(
    offices: Offices, hosted: Running
) -> None:
    one = await offices("one")
    first, second = [await one.notes.add(text) for text in ("milk", "bread")]
    key = await found(one, hosted)
    own = hosted.service.keys.signer
    assert (await one.syncing.joined()).service_keys == (fingerprint(hosted.service.keys.public),)
    await one.erasing.erase([Subject("note", first.id)])
    await one.syncing.now()
    proved = await one.syncing.holdings.prove_erased()
    assert await words(one) == ()

    name = signs_with(hosted, Ed25519PrivateKey.generate())
    await one.erasing.erase([Subject("note", second.id)])
    await one.syncing.now()
    with pytest.raises(ReceiptKeyOther, match=name):
        await one.syncing.holdings.prove_erased()
    with pytest.raises(ReceiptKeyOther, match=name):
        await one.syncing.holdings.fetch_receipts()
    assert await one.syncing.holdings.receipts() == (proved,)
    (sentence,) = await words(one)
    assert name in sentence
    assert (await status(Served(one), {}))["remarks"] == [sentence]
    assert (await actions(one)).count("sync service shows another key") == 1

    signs_with(hosted, own)
    with pytest.raises(ReceiptWrong):  # what was signed in between proves nothing now either
        await one.syncing.holdings.fetch_receipts()
    assert await words(one) == () and await one.syncing.holdings.receipts() == (proved,)

    signs_with(hosted, Ed25519PrivateKey.generate())
    await one.syncing.leave()
    await join(one, hosted, key)  # its owner says so: what it shows now counts
    assert await words(one) == ()
    await settle(one)


async def test_another_key_is_noticed_within_a_day_though_nobody_asks_for_a_receipt(
    offices: Offices, hosted: Running
) -> None:
    one = await offices("one")
    await found(one, hosted)
    name = signs_with(hosted, Ed25519PrivateKey.generate())
    await one.syncing.now()
    assert await words(one) == ()
    await one.database.write(_compared_yesterday)
    await one.syncing.now()
    (sentence,) = await words(one)
    assert name in sentence


async def test_the_receipt_of_a_purge_under_another_key_is_not_kept_and_said(
    offices: Offices, hosted: Running
) -> None:
    one = await offices("one")
    await found(one, hosted)
    await one.syncing.holdings.ask_mail_code()
    await asyncio.to_thread(hosted.do_jobs)
    await one.syncing.holdings.delete("account", "now", hosted.inbox.code(EMAIL))
    name = signs_with(hosted, Ed25519PrivateKey.generate())
    await asyncio.to_thread(hosted.do_jobs)
    with pytest.raises(AccountPurged):
        await one.syncing.now()
    assert await one.syncing.holdings.receipts() == ()
    (sentence,) = await words(one)
    assert name in sentence
