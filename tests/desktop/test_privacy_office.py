"""Parts of the Privacy page about the office as a whole: what it holds, who receives it, backups, its end."""

import pytest

from desktop.contents import Contents
from desktop.locking import LockGate
from desktop.pages.privacy.asking import EraseQuestion, ask_to_erase
from desktop.pages.privacy.everything import EverythingCard
from desktop.pages.privacy.my_data import _PAGES, _PARTS
from desktop.pages.privacy.page import parts
from desktop.rail import places
from memory import consents, ledger
from memory.lifecycle.data_map import Category
from memory.lifecycle.subjects import Subject
from tests.desktop.test_privacy import chat, page, part, press, said
from tests.desktop.waiting import until
from vault.secret import Secret

__all__ = ["page"]


@pytest.mark.req("R110")
async def test_my_data_counts_every_category_and_each_has_a_door(page, session):
    await chat(session, "Harbour", "How deep is it?")
    data = await part(page, "data")
    await until(lambda: "2 entries" in said(data))
    assert set(data.cards) == set(Category)
    talk = said(data.cards[Category.CONVERSATIONS])
    assert "2 entries" in talk and "as long as your rule says" in talk
    assert "provider of an agent receives" in talk
    assert "Nobody receives it." in said(data.cards[Category.SETTINGS])
    named = {each.name for each in parts()}
    assert set(_PARTS.values()) <= named and set(_PAGES.values()) <= {each.name for each in places()}
    assert set(_PARTS) | set(_PAGES) == set(Category)
    contents = Contents(session.window)
    await contents.fill(session)
    press(data.cards[Category.AUDIT], "Show")
    assert page.current == "audit"
    session.window.show_page("privacy")


@pytest.mark.req("R190")
async def test_a_receiver_is_cut_off_by_a_press_and_undo_lets_it_in_again(page, session):
    receivers = await part(page, "receivers")
    assert "Nobody receives your data" in receivers._message.accessibleName()
    office = session.office
    await office.connections.add(
        "anthropic", Secret("loopback-test-0009"), label="work", base_url="https://api.example.org", model="m"
    )
    await office.database.write(
        ledger.begin_request, host="api.example.org", purpose="chat", categories=("conversation",)
    )
    await office.database.write(consents.give, "api.example.org")
    await receivers._load()
    await until(lambda: "api.example.org" in said(receivers))
    words = said(receivers)
    assert "Keys: work" in words and "Agents: " in words and "1 request" in words and "Consents" in words
    press(receivers, "Send nothing more")
    await until(lambda: "You withdrew your consent" in said(receivers))
    assert await office.database.read(consents.standing, "api.example.org") == "withdrawn"
    press(session.window.notices, "Undo")
    await until(lambda: "You withdrew" not in said(receivers))
    assert await office.database.read(consents.standing, "api.example.org") == "given"


@pytest.mark.req("R158")
async def test_a_backup_is_made_checked_gone_back_to_and_removed(page, session, tmp_path):
    backups = await part(page, "backups")
    await until(lambda: "There is no backup yet" in said(backups))
    press(backups, "Back up now")
    await until(lambda: "made by you" in said(backups))
    press(backups, "Check")
    await until(lambda: any("is whole" in each for each in session.window.notices.sentences()))
    press(backups, "Go back…")
    await until(backups.ready.isVisible)
    assert "when it starts again" in said(backups.ready)
    press(backups.ready, "Stay with the present")
    await until(lambda: not backups.ready.isVisible())
    await backups.put_into(tmp_path / "not there" / "at all")
    await until(backups.fault.isVisible)
    await backups.put_into(tmp_path)
    await until(lambda: str(tmp_path) in backups.folder.text())
    backups.rhythm.setCurrentIndex(backups.rhythm.findData("weekly"))
    backups.rhythm.activated.emit(backups.rhythm.currentIndex())
    await until(lambda: session.preferences.value("backup.rhythm") == "weekly")
    press(backups, "Remove")
    await until(lambda: "There is no backup yet" in said(backups))


@pytest.mark.req("R078")
async def test_the_diagnostics_are_shown_before_they_are_saved(page, session, tmp_path):
    await chat(session, "The ochre pelican", "seventeen lighthouses")
    shown = await part(page, "diagnostics")
    assert not shown.save.isEnabled()
    press(shown, "Show what it would hold")
    await until(shown.save.isEnabled)
    text = shown.text.toPlainText()
    assert "Bureau diagnostics" in text and "pelican" not in text and "lighthouses" not in text
    await shown.save_to(tmp_path / "bundle.txt")
    assert (tmp_path / "bundle.txt").read_text() == text
    await shown.save_to(tmp_path / "bundle.txt")
    assert any("there already" in each for each in session.window.notices.sentences())


@pytest.mark.req("R175")
async def test_a_question_does_not_stay_over_a_locked_window(session):
    contents = Contents(session.window)
    await contents.fill(session)
    asked = await chat(session, "Secret plans", "a")
    question = await ask_to_erase(session, (Subject("conversation", asked),), "Secret plans")
    assert question.isVisible()
    await session.office.app_lock.lock()
    await until(lambda: session.window.findChildren(LockGate))
    assert not [each for each in session.window.findChildren(EraseQuestion) if each.isVisible()]
    contents.locking.deleteLater()


@pytest.mark.req("R142")
@pytest.mark.req("R146")
async def test_the_office_is_erased_only_after_its_words_are_typed(page, session, tmp_path):
    await chat(session, "Harbour", "How deep is it?")
    await session.office.transfers.export(tmp_path / "copy.aofx")
    await session.office.backups.make("owner")
    erasing = await part(page, "erase")
    card = erasing.findChild(EverythingCard)
    closed = []
    session.window.closing.connect(lambda: closed.append(True))
    assert card.copies.text().splitlines()[1:] == [str(tmp_path / "copy.aofx")]
    card.field.setText("erase everythin")
    assert not card.erase.isEnabled()
    card.field.setText("Erase everything")
    home = session.office.locations.home
    card.erase.click()
    await until(lambda: closed, "Bureau closes")
    left = [path for path in home.rglob("*") if path.is_file()] if home.exists() else []
    assert left == []
    await session.save_unsaved()
