"""A clock that is ahead, on the Sync page and where the Privacy page asks before anything goes."""

from PySide6.QtWidgets import QPushButton

from agents.lifecycle.daily import Daily
from desktop.pages.privacy.retention import RetentionPart
from memory.identifiers import now
from memory.lifecycle.subjects import Subject
from memory.lifecycle.trash import DAY
from tests.desktop.test_privacy import press, said
from tests.desktop.test_sync import folder, other, page, together
from tests.desktop.waiting import until

__all__ = ["folder", "other", "page"]


async def test_a_clock_that_is_ahead_is_named_and_asks_before_anything_goes(page, session, other, folder):
    retention = RetentionPart(session)
    session.window.add_page("retention", retention)
    office = session.office
    old = await office.notes.add("milk")
    await office.keeping.put_away([Subject("note", old.id)])
    office.syncing.clock = lambda: now() + 60 * DAY
    await together(session, other, folder)
    await until(lambda: "60 days ahead" in said(page.standing))
    daily = Daily(office.database, office.locations, office.events, office.erasing, office.syncing.clock)
    assert (await daily.round()).asks == 1
    asked = retention._asks.text()
    assert "60 days ahead" in asked and "1 thing is due" in asked and not retention.asks.isHidden()
    office.__dict__["daily"] = daily
    retention.asks.findChildren(QPushButton)[0].click()
    await until(retention.asks.isHidden)
    assert await office.keeping.trash() == ()
    press(page, "Sync now")
    await until(lambda: "days ahead" not in said(page.standing))
