"""Purposes that are switched off on the Privacy page, and the parts of it that choose what is exported and erased."""

import json
import zipfile
from datetime import datetime

import pytest
from PySide6.QtCore import QDate
from PySide6.QtWidgets import QLabel, QMenu, QPushButton

from desktop.chats.hidden_messages import HiddenMessages, show_hidden
from desktop.contents import Contents
from desktop.pages.privacy.asking import EraseQuestion
from desktop.pages.usage import UsagePage
from memory import consents, ledger, messages, notes, purposes
from memory.errors import NotFound
from memory.lifecycle.data_map import Category
from memory.tables import UsageTable
from memory.tables.records import required
from memory.transfer.watching import Watch
from tests.desktop.test_privacy import chat, dialog, page, part, press, said
from tests.desktop.waiting import until
from tests.memory.transfer import foreign_archives as made
from vault.secret import Secret

__all__ = ["page"]


@pytest.mark.req("R114")
async def test_a_purpose_is_switched_off_undone_and_what_came_of_it_erased(page, session):
    writer = next(agent for agent in await session.office.roster.all() if agent.name == "Writer")
    note = await session.office.database.write(notes.add_note, "Depths are at low water.", agent_id=writer.id)
    shown = await part(page, "purposes")
    box = shown.switches["memory", writer.id]
    assert box.isChecked() and "Erase its" not in buttons(shown)
    box.click()
    await until(lambda: not shown.switches["memory", writer.id].isChecked())
    await until(lambda: "Erase its 1 note…" in buttons(shown))
    assert await session.office.database.read(purposes.objections, "memory") == {writer.id}
    assert await session.office.database.read(consents.consents) == ()
    press(session.window.notices, "Undo")
    await until(lambda: shown.switches["memory", writer.id].isChecked())
    shown.switches["memory", ""].setChecked(False)
    await until(lambda: not shown.switches["memory", writer.id].isEnabled())
    press(shown, "Erase its 1 note…")
    question = await dialog(session)
    press(question, "Erase now")
    await until(lambda: "Erase its" not in buttons(shown))
    with pytest.raises(NotFound):
        await session.office.database.read(notes.note, note.id)


def buttons(parent) -> str:
    return " | ".join(each.text() for each in parent.findChildren(QPushButton) if each.isVisible())


@pytest.mark.req("R114")
async def test_usage_charts_are_empty_where_their_owner_objected(page, session):
    writer = next(agent for agent in await session.office.roster.all() if agent.name == "Writer")

    def use(database_session):
        for agent_id in (writer.id, None):
            row = ledger.add_usage(
                database_session, run_id=None, agent_id=agent_id, connection_id=None,
                model="m", input_tokens=5, output_tokens=5, cost=7,
            )  # fmt: skip
            required(database_session, UsageTable, row.id).day = "2026-01-02"

    await session.office.database.write(use)
    usage = UsagePage(session)
    session.window.add_page("usage", usage)
    usage.period.setCurrentIndex(3)
    await usage._load()
    assert usage.total.text().startswith("2 requests")
    await session.office.keeping.switch("usage", writer.id, on=False)
    await usage._load()
    assert usage.total.text().startswith("1 request,")
    shown = await part(page, "purposes")
    await until(lambda: "Take its name off 1 line" in buttons(shown))
    press(shown, "Take its name off 1 line")
    await until(lambda: "Take its" not in buttons(shown))
    await session.office.keeping.switch("usage", "", on=False)
    await usage._load()
    assert usage._states.currentIndex() == 1 and "switched off" in usage._message.accessibleName()


@pytest.mark.req("R115")
@pytest.mark.req("R120")
async def test_an_export_is_narrowed_to_a_chat_an_agent_a_day_and_categories(page, session, tmp_path):
    harbour = await chat(session, "Harbour", "How deep is it?")
    await chat(session, "Garden", "What grows in shade?")
    export = await part(page, "export")
    export.chat.setCurrentText("Gard")
    press(export, "Export…")
    assert "choose from the list" in export.fault.text()
    export.chat.setCurrentText("Harbour")
    assert export.wish().filters.conversation_id == harbour
    export.since.setCurrentIndex(3)
    assert export.day.isVisible()
    export.day.setDate(QDate(2026, 1, 31))
    export.embeddings.setChecked(True)
    export.categories[Category.NOTES].setChecked(False)
    wish = export.wish()
    assert wish.with_embeddings and Category.NOTES not in wish.filters.categories
    midnight = datetime(2026, 1, 31).astimezone()
    assert wish.filters.since == int(midnight.timestamp() * 1000)
    file = tmp_path / "harbour.aofx"
    export.export_to(file)
    await until(export.result.isVisible)
    assert "1 chat, 1 message" in said(export.result)
    with zipfile.ZipFile(file) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith("conversations.jsonl")]
        assert [json.loads(line)["id"] for line in archive.read(name).splitlines()] == [harbour]


@pytest.mark.req("R112")
async def test_a_key_is_erased_from_the_erase_part_and_leaves_the_vault(page, session):
    connections = session.office.connections
    added = await connections.add("openai", Secret("test-key-0123456789-abcdefghij"), label="Old key")
    erase = await part(page, "erase")
    erase.kind.setCurrentIndex(2)
    await until(lambda: erase.things.count() == 1)
    press(erase, "Erase…")
    question = await dialog(session)
    assert "Revoke it at its provider" in said(question)
    press(question, "Erase now")
    await until(lambda: not session.window.findChildren(EraseQuestion), "the end of the erasure")
    assert await connections.all() == ()
    with pytest.raises(Exception, match="key"):
        session.office.vault.read_key(added.id)


@pytest.mark.req("R011")
async def test_what_another_app_did_not_show_can_be_read_from_the_menu_of_its_chat(session, tmp_path):
    contents = Contents(session.window)
    await contents.fill(session)
    nodes = [
        made.node("root", None),
        made.node("system", "root", "system", "You are a careful harbour pilot."),
        made.node("ask", "system", "user", "How deep is it?", 1.0),
        made.node("tool", "ask", "tool", "depth: 6.4 m", 2.0, name="sounder"),
        made.node("told", "tool", "assistant", "6.4 m.", 3.0),
    ]
    archive = made.zipped(tmp_path / "chatgpt.zip", {"conversations.json": [made.chatgpt(nodes, "told")]})
    await session.office.imports.bring_in(archive, Watch())
    await contents.listing.read()
    (entry,) = contents.listing.entries
    pane = contents.area.list
    assert entry.imported and "hidden" in [verb for _words, verb in pane._verbs(entry)]
    pane.act.emit("hidden", entry.id)
    await until(lambda: session.window.findChildren(HiddenMessages))
    (shown,) = session.window.findChildren(HiddenMessages)
    text = " | ".join(each.text() for each in shown.findChildren(QLabel))
    assert "careful harbour pilot" in text and "How deep is it?" not in text
    hidden = await session.office.database.read(messages.hidden_messages, entry.id)
    assert text.count("without words") == 0 and str(len(hidden)) in text
    more = next(each for each in shown.findChildren(QPushButton) if each.accessibleName().startswith("More"))
    more.click()
    (menu,) = shown.findChildren(QMenu)
    assert any("Erase" in action.text() for action in menu.actions())
    menu.close()
    shown.leave()
    own = await chat(session, "Harbour", "How deep is it?")
    await contents.listing.read()
    mine = next(each for each in contents.listing.entries if each.id == own)
    assert not mine.imported and "hidden" not in [verb for _words, verb in pane._verbs(mine)]
    nothing = await show_hidden(session, own, "Harbour")
    assert "is shown in it" in " | ".join(each.text() for each in nothing.findChildren(QLabel))
