"""The Sync page and the real service: signed up by mail, another device let in, taken off, exported, deleted."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QRadioButton

from agents.lifecycle.transfer import Wish
from agents.office import Office
from desktop.pages.recovery_words import RecoveryWords
from desktop.pages.sync.devices import Admission
from desktop.pages.sync.entering import Offices, Words
from desktop.pages.sync.page import SyncPage
from memory import notes
from memory.locations import Locations
from memory.sync.service.faults import DeviceRevoked
from memory.sync.service.profile import Summary
from memory.sync.service.sign_in import Asked
from memory.transfer.age import Encryption
from tests.desktop.conftest import PASSPHRASE
from tests.desktop.test_names import unnamed
from tests.desktop.test_privacy import press, said
from tests.desktop.test_sync import other, page
from tests.desktop.waiting import until
from tests.memory.sync.hosted.running import Running, running
from vault.recovery_key import words_of
from vault.secret import Secret

__all__ = ["other", "page"]

EMAIL = "ada@example.org"


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "hosted") as found:
        yield found


async def signed_up(page: SyncPage, hosted: Running) -> None:
    """Go through every step of the page as its owner does."""
    await page._load()
    beginning = page.beginning
    beginning.by_service.setChecked(True)
    beginning.address.setText(hosted.url)
    press(page, "Continue")
    await until(lambda: "mail address" in beginning.fault.text())
    beginning.email.setText(EMAIL)
    press(page, "Continue")
    await until(lambda: "says of itself" in said(page))
    assert "is gone after" in said(page) and "/privacy" in said(page) and unnamed(page) == []
    assert "not declared" in said(page), "the region that the service declares"
    press(page, "Send me a code")
    await until(lambda: "A code is on its way" in said(page))
    await asyncio.to_thread(hosted.do_jobs)
    press(page, "Continue")
    assert "Type the code" in beginning.fault.text() and unnamed(page) == []
    beginning.code.setText(hosted.inbox.code(EMAIL))
    press(page, "Continue")
    await until(lambda: any(each.isVisible() for each in page.findChildren(RecoveryWords)))
    (words,) = page.findChildren(RecoveryWords)
    words.check.click()
    press(words, "Done")
    await until(lambda: page.on.isVisible() and page.standing.queue.text() == "Nothing waits to be sent.")
    await until(lambda: "this one" in said(page.devices))


@pytest.mark.req("R005", "R025", "R184")
async def test_an_account_is_begun_and_another_device_let_in_and_taken_off(
    page: SyncPage, session, other: Office, hosted: Running
) -> None:
    await signed_up(page, hosted)
    assert page.standing.place.text() == hosted.url and page.recovery.isVisible() and unnamed(page) == []
    joining = other.syncing.joining
    asked: Asked = await joining.ask_code(hosted.url, EMAIL)
    await asyncio.to_thread(hosted.do_jobs)
    await joining.announce(asked, hosted.inbox.code(EMAIL))
    press(page.devices, "Let a device in…")
    (admission,) = page.devices.findChildren(Admission)
    theirs = None
    while theirs is None:
        theirs = await joining.compare()
        await asyncio.sleep(0.05)
    await until(lambda: admission.six is not None)
    assert "  ".join(theirs.words) in said(admission) and unnamed(page) == []
    press(admission, "They are alike")
    await until(lambda: said(page.devices).count("last there") == 2)
    await joining.finish()
    await session.office.notes.add("milk")
    await session.office.syncing.now()
    await other.syncing.now()
    assert [each.text for each in await other.database.read(notes.notes)] == ["milk"]
    session.office.app_lock._given_at = None
    press(page.devices, "Take it off…")
    await until(page.devices.owner.isVisible)
    page.devices.owner.field.setText(PASSPHRASE)
    page.devices.owner.given.emit()
    await until(lambda: "taken off the account" in said(page.devices))


async def test_no_recovery_key_is_shown_before_the_code_is_right_and_the_account_free(
    page: SyncPage, session, other: Office, hosted: Running
) -> None:
    await page._load()
    await until(page.beginning.isVisible)
    asked, code = await code_for(session.office, hosted)
    page.beginning._show_code(asked)
    await until(page.beginning.go_on.isVisible)
    page.beginning.code.setText(f"{code}x")
    press(page, "Continue")
    await until(lambda: page.beginning.fault.isVisible() and page.beginning.fault.text() != "")
    assert page.findChildren(RecoveryWords) == []
    await other.syncing.joining.found(*await code_for(other, hosted), os.urandom(32))
    asked, code = await code_for(session.office, hosted)
    page.beginning._show_code(asked)
    await until(page.beginning.go_on.isVisible)
    page.beginning.code.setText(code)
    press(page, "Continue")
    await until(lambda: "has devices already" in page.beginning.fault.text())
    assert page.findChildren(RecoveryWords) == []


@pytest.mark.req("R012", "R131")
async def test_what_the_service_holds_is_exported_deleted_and_kept_after_all(
    page: SyncPage, session, hosted: Running
) -> None:
    await signed_up(page, hosted)
    holdings = page.holdings
    session.office.app_lock._given_at = None
    press(holdings, "Export…")
    await until(holdings.exporter.isVisible)
    assert unnamed(page) == [] and hosted.rows("records", "SELECT * FROM exports") == []
    holdings.exporter.field.setText(PASSPHRASE)
    holdings.exporter.given.emit()
    await until(lambda: "puts it together" in said(holdings))
    await asyncio.to_thread(hosted.do_jobs)
    await until(holdings.link.isVisible)
    assert holdings.link.text().startswith(f"{hosted.url}/x/")
    assert QGuiApplication.clipboard().text() == holdings.link.text()
    press(holdings, "Delete there…")
    assert unnamed(page) == []
    press(holdings, "Delete at the service")
    await until(lambda: "until then you can call it off" in said(holdings))
    await session.office.notes.add("milk")
    press(page, "Sync now")
    await until(lambda: "about to be deleted" in said(page.standing))
    press(holdings, "Call the deletion off")
    await until(lambda: "is called off" in said(holdings))
    press(page, "Sync now")
    await until(lambda: page.standing.queue.text() == "Nothing waits to be sent.")
    press(holdings, "Receipts…")
    await until(lambda: "There is no receipt" in said(holdings))


async def test_a_service_that_shows_another_key_for_receipts_is_named(
    page: SyncPage, session, hosted: Running
) -> None:
    await signed_up(page, hosted)
    assert "another key" not in said(page)
    object.__setattr__(hosted.service.keys, "signer", Ed25519PrivateKey.generate())
    press(page.holdings, "Receipts…")
    await until(lambda: "There is no receipt" in said(page.holdings))
    press(page, "Sync now")
    await until(lambda: f"another key for its receipts ({hosted.service.keys.key_id})" in said(page.standing))
    assert unnamed(page) == []


async def test_what_another_device_deletes_or_calls_off_is_shown_after_the_next_round(
    page: SyncPage, session, other: Office, hosted: Running
) -> None:
    await signed_up(page, hosted)
    asked: Asked = await other.syncing.joining.ask_code(hosted.url, EMAIL)
    await asyncio.to_thread(hosted.do_jobs)
    key = os.urandom(32)
    await session.office.syncing.account.replace_recovery(key)
    await other.syncing.joining.join(asked, hosted.inbox.code(EMAIL), key)
    press(page, "Sync now")
    await until(lambda: " 0 of " not in page.account.room.text())
    for what in ("office", "account"):
        await other.syncing.holdings.delete(what, "grace")
        press(page, "Sync now")
        await until(lambda: "until then you can call it off" in said(page.holdings))
        assert page.holdings.restore.isVisible()
        press(page.holdings, "Receipts…")
        await until(lambda: "There is no receipt" in said(page.holdings))
        assert "until then you can call it off" in said(page.holdings), "both are true"
        await other.syncing.holdings.restore(what)
        press(page, "Sync now")
        await until(lambda: "until then you can call it off" not in said(page.holdings))
        assert not page.holdings.restore.isVisible() and "There is no receipt" in said(page.holdings)


async def test_the_account_is_frozen_gets_another_address_and_its_sessions_end(
    page: SyncPage, session, hosted: Running
) -> None:
    await signed_up(page, hosted)
    card = page.account
    await until(card.room.isVisible)
    assert "of 100,000 items" in card.room.text() and unnamed(page) == []
    press(card, "Freeze")
    await until(lambda: "Your account is frozen" in said(card))
    await session.office.notes.add("milk")
    press(page, "Sync now")
    await until(lambda: "takes nothing new until" in said(page.standing))
    press(card, "Unfreeze")
    await until(lambda: card.freeze.text() == "Freeze" and "is frozen" not in said(card))
    press(page, "Sync now")
    await until(lambda: page.standing.queue.text() == "Nothing waits to be sent.")
    press(card, "Who is signed in")
    await until(lambda: "Somebody with your mailbox" in said(card))
    assert "· this one" in said(card) and unnamed(page) == []
    press(card.sessions, "End")
    await until(lambda: "Somebody with your mailbox" not in said(card))
    press(card, "Change the mail address…")
    assert unnamed(page) == [] and not card.code.isVisible()
    press(card.address, "Send me a code")
    await until(lambda: "Type the new mail address" in said(card))
    session.office.app_lock._given_at = None
    card.email.setText("ada@example.com")
    card.email.returnPressed.emit()
    await until(card.owner.isVisible)
    card.owner.field.setText(PASSPHRASE)
    card.owner.given.emit()
    await until(card.code.isVisible)
    await asyncio.to_thread(hosted.do_jobs)
    await until(lambda: QApplication.focusWidget() is card.code)
    card.code.setText(hosted.inbox.code("ada@example.com"))
    press(card.address, "Change the address")
    await until(lambda: "has the address ada@example.com now" in said(card))
    assert not card.address.isVisible()


async def test_what_was_read_beside_a_freezing_does_not_undo_it(
    page: SyncPage, session, hosted: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed_up(page, hosted)
    card, profile = page.account, session.office.syncing.profile
    await until(card.room.isVisible)
    freeze, summary = profile.freeze, profile.summary
    begun, answered = asyncio.Event(), asyncio.Event()

    async def read_before_its_answer(*, frozen: bool) -> None:
        await freeze(frozen=frozen)
        await card.show_account()

    async def answered_late() -> Summary:
        found = await summary()
        begun.set()
        await answered.wait()
        return found

    monkeypatch.setattr(profile, "freeze", read_before_its_answer)
    press(card, "Freeze")
    await until(lambda: card.freeze.isEnabled() and card.freeze.text() == "Unfreeze")
    assert "Your account is frozen" in said(card)
    monkeypatch.setattr(profile, "freeze", freeze)
    monkeypatch.setattr(profile, "summary", answered_late)
    reading = asyncio.create_task(card.show_account())
    await begun.wait()
    press(card, "Unfreeze")
    await until(lambda: card.freeze.text() == "Freeze")
    answered.set()
    assert (await reading) is not None
    assert card.freeze.text() == "Freeze" and "is frozen" not in said(card)


async def test_an_export_is_shared_only_where_a_passphrase_protects_it(
    page: SyncPage, session, hosted: Running, tmp_path: Path
) -> None:
    await signed_up(page, hosted)
    plain = await session.office.transfers.export(tmp_path / "plain.aofx", Wish())
    page.holdings.share(plain.path)
    await until(lambda: "not protected by a passphrase" in said(page.holdings))
    assert not page.holdings.link.isVisible()
    sealed = Wish(encryption=Encryption(passphrase="four plain words"))
    written = await session.office.transfers.export(tmp_path / "sealed.aofx", sealed)
    page.holdings.share(written.path)
    await until(page.holdings.link.isVisible)
    link = page.holdings.link.text()
    assert "five times at most" in said(page.holdings) and QGuiApplication.clipboard().text() == link
    fetched = await asyncio.to_thread(httpx2.post, link, follow_redirects=True)
    assert fetched.content == written.path.read_bytes()


async def test_one_of_several_offices_is_chosen_and_all_other_devices_taken_off(
    page: SyncPage, session, other: Office, hosted: Running, own_home: Path
) -> None:
    key = os.urandom(32)
    await other.notes.add("private")
    await other.syncing.joining.found(*await code_for(other, hosted), key)
    work = await Office.open(Locations.find(own_home / "work"), passphrase=Secret(PASSPHRASE))
    try:
        await work.notes.add("work")
        await work.syncing.joining.join(*await code_for(work, hosted), key, "new")
        chosen = (await work.syncing.joined()).space_id
        await page._load()
        asked, code = await code_for(session.office, hosted)
        await until(page.beginning.isVisible)
        page.beginning._show_code(asked)
        await until(page.beginning.go_on.isVisible)
        page.beginning.code.setText(code)
        page.beginning.by_words.click()
        press(page, "Continue")
        await until(lambda: page.findChildren(Words))
        (words,) = page.findChildren(Words)
        await until(words.isVisible)
        words.field.setPlainText(words_of(key))
        press(page, "Join")
        await until(lambda: page.findChildren(Offices))
        (offices,) = page.findChildren(Offices)
        await until(offices.isVisible)
        named = [each.text() for each in offices.findChildren(QRadioButton)]
        assert any(each.startswith(f"Office {chosen[:8]}") for each in named) and unnamed(page) == []
        offices.findChildren(QRadioButton)[offices.ids.index(chosen)].click()
        press(page.beginning, "Continue")
        await until(lambda: page.on.isVisible() and said(page.devices).count("last there") == 3)
        await until(lambda: not page.beginning.working.isVisibleTo(page.beginning))
        assert [each.text for each in await session.office.database.read(notes.notes)] == ["work"]
        press(page.devices, "Take all others off…")
        assert "2 devices are taken off" in said(page.devices) and unnamed(page) == []
        press(page.devices, "Take them off")
        await until(lambda: said(page.devices).count("taken off the account") == 2)
        assert not page.devices.others.isVisible() and not page.devices.question.isVisible()
        with pytest.raises(DeviceRevoked):
            await work.syncing.now()
    finally:
        await work.close()


async def code_for(office: Office, hosted: Running) -> tuple[Asked, str]:
    asked = await office.syncing.joining.ask_code(hosted.url, EMAIL)
    await asyncio.to_thread(hosted.do_jobs)
    return asked, hosted.inbox.code(EMAIL)
