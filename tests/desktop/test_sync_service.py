"""The Sync page and the real service: signed up by mail, another device let in, taken off, exported, deleted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from agents.office import Office
from desktop.pages.recovery_words import RecoveryWords
from desktop.pages.sync.devices import Admission
from desktop.pages.sync.page import SyncPage
from memory import notes
from memory.sync.service.sign_in import Asked
from tests.desktop.test_names import unnamed
from tests.desktop.test_privacy import press, said
from tests.desktop.test_sync import PASSPHRASE, other, page
from tests.desktop.waiting import until
from tests.memory.sync.hosted.running import Running, running

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
    await until(lambda: said(page.devices).count("Device ") == 2)
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


async def test_what_the_service_holds_is_exported_deleted_and_kept_after_all(
    page: SyncPage, session, hosted: Running
) -> None:
    await signed_up(page, hosted)
    holdings = page.holdings
    press(holdings, "Export…")
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
