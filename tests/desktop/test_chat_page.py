"""A conversation in the window, from the first word to the saved file, on a real office."""

import asyncio

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from desktop.chats.inspector import Leaving
from desktop.chats.page import ChatPage
from desktop.chats.projection import notice
from desktop.pages.avatar import colour_of
from desktop.pages.first_minute import Welcome
from desktop.pages.settings import SettingsPage
from desktop.transcript.rows import MessageState
from memory import chats
from tests.desktop.waiting import until


@pytest.fixture
def page(contents) -> ChatPage:
    return contents.chat


def texts(page: ChatPage) -> list[str]:
    model = page.view.model()
    return [] if model is None else [model.data(model.index(row)) for row in range(model.rowCount())]


async def send(page: ChatPage, text: str) -> None:
    page.composer.set_text(text)
    QTest.keyClick(page.composer.editor, Qt.Key.Key_Return)
    await until(lambda: page.composer.text() == "", "the composer is emptied")


async def answered(page: ChatPage, rows: int = 2) -> None:
    await until(lambda: len(texts(page)) >= rows, "the answer's row")
    await until(lambda: page.feed is not None and not page.feed.active_runs(), "the answer's end")


async def test_a_new_office_welcomes_and_answers_without_a_key(contents, page, session):
    welcome = session.window.findChild(Welcome)
    assert welcome is not None and welcome.isVisible()
    await send(page, "What do you know about tides?")
    await answered(page)
    shown = texts(page)
    assert shown[0] == "What do you know about tides?"
    row = page.view.model().row(1)
    assert row.messages[0].author == "Librarian"
    librarian = next(agent for agent in await session.office.roster.all() if agent.librarian)
    assert row.messages[0].colour == colour_of(librarian.name, librarian.avatar)
    assert page.view.isVisible() and not welcome.isVisible()
    await until(
        lambda: [entry.title for entry in contents.listing.entries] == ["What do you know about tides?"]
    )
    await until(lambda: contents.listing.entries[0].speakers == ("Librarian",))
    await until(lambda: contents.listing.entries[0].status == "", "an answer that was watched needs no dot")
    page.begin_new()
    await until(lambda: page.conversation_id == "")
    contents.listing.reload()
    await until(lambda: contents.listing.entries[0].status == "")


async def test_what_is_typed_is_kept_and_comes_back(contents, page, session):
    QTest.keyClicks(page.composer.editor, "half a sentence")
    await until(lambda: page.conversation_id)
    first = page.conversation_id
    await until(lambda: contents.listing.entries)
    page.begin_new()
    await until(lambda: page.conversation_id == "")
    assert page.composer.text() == ""
    page.open(first)
    await until(lambda: page.composer.text() == "half a sentence")
    kept = await session.office.database.read(chats.conversation, first)
    assert kept.draft["text"] == "half a sentence"


async def test_an_unknown_name_is_refused_and_nothing_is_lost(page, session):
    page.composer.set_text("@Nobody are you there?")
    QTest.keyClick(page.composer.editor, Qt.Key.Key_Return)
    await until(lambda: "Nobody" in page.place.sentence() or "nobody" in page.place.sentence())
    assert page.composer.text() == "@Nobody are you there?"
    assert texts(page) == []


async def test_a_file_is_attached_dropped_and_taken_back(page, session, tmp_path):
    file = tmp_path / "tides.txt"
    file.write_text("High water at noon.\n")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    page.composer.editor.insertFromMimeData(mime)
    await until(lambda: len(page.composing._files) == 1)
    await until(lambda: next(iter(page.composing._files.values())).state == "ready", "the file is read")
    identifier = next(iter(page.composing._files))
    page.composer.attachment_removed.emit(identifier)
    await until(lambda: not page.composing._files)
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    page.composer.image_pasted.emit(image)
    await until(lambda: len(page.composing._files) == 1)
    pasted = next(iter(page.composing._files.values()))
    assert pasted.name == "pasted image.png"
    page.composing.attach([tmp_path / "none.pdf"])
    await until(page.place.sentence)


async def test_a_message_is_edited_and_both_branches_stay(page, session):
    await send(page, "first words")
    await answered(page)
    question = page.view.model().row(0).messages[0]
    page.view.edit_requested.emit(question.id)
    assert page.composer.text() == "first words" and page.composing.editing
    await send(page, "second words")
    await until(lambda: texts(page) and texts(page)[0] == "second words")
    await answered(page)
    branch = page.view.model().row(0).messages[0].branch
    assert branch is not None and (branch.position, branch.count) == (2, 2)
    page.view.branch_requested.emit(page.view.model().row(0).messages[0].id, -1)
    await until(lambda: texts(page)[0] == "first words")


async def test_keys_open_chats_pages_palette_and_sheet(contents, page, session, qtbot):
    ids = []
    for number in range(3):
        ids.append((await session.office.create_conversation(title=f"Chat {number}")).id)
    await until(lambda: len(contents.listing.entries) == 3)
    window = session.window
    window.activateWindow()
    await until(window.isActiveWindow)  # the palette goes with the focus, which a late activation takes away
    order = [entry.id for entry in contents.listing.entries]
    for keys, wanted in ((Qt.Key.Key_2, order[1]), (Qt.Key.Key_1, order[0])):
        contents.command(f"chat {keys - Qt.Key.Key_0}")
        await until(lambda wanted=wanted: page.conversation_id == wanted)
    contents.command("next")
    await until(lambda: page.conversation_id == order[1])
    contents.command("previous")
    await until(lambda: page.conversation_id == order[0])
    contents.command("page 2")
    assert window.current_page == "team"
    contents.command("palette")
    await until(contents.palette.isVisible)
    QTest.keyClicks(contents.palette.field, "Chat 2")
    assert contents.palette.shown()[0].title == "Chat 2"
    QTest.keyClick(contents.palette.field, Qt.Key.Key_Return)
    await until(lambda: page.conversation_id == ids[2] and window.current_page == "chats")
    contents.command("sheet")
    assert contents.sheet.isVisible()
    QTest.keyClick(contents.sheet, Qt.Key.Key_Escape)
    assert not contents.sheet.isVisible()
    zoom = session.preferences.value("appearance.text_zoom")
    contents.command("larger")
    await until(lambda: session.preferences.value("appearance.text_zoom") > zoom)
    contents.command("normal")
    await until(lambda: session.preferences.value("appearance.text_zoom") == 100)


async def test_every_declared_key_has_its_command(contents):
    from desktop.shortcuts import shortcuts

    named = {each.command for each in shortcuts() if each.command}
    assert named <= set(contents._commands())
    assert {shortcut.key().toString() for shortcut in contents._bound} >= {
        "Ctrl+K",
        "Ctrl+N",
        "Ctrl+9",
        "Alt+8",
        "F1",
    }


async def test_the_list_renames_pins_archives_and_undoes(contents, page, session):
    conversation = await session.office.create_conversation(title="Bread")
    await until(lambda: contents.listing.entries)
    pane = contents.area.list
    pane.model.renamed.emit(conversation.id, "Bread, third try")
    await until(lambda: contents.listing.entries[0].title == "Bread, third try")
    pane.act.emit("pin", conversation.id)
    await until(lambda: contents.listing.entries[0].pinned)
    pane.act.emit("trash", conversation.id)
    await until(lambda: not contents.listing.entries)
    assert pane.empty.isVisible()
    card = session.window.notices._cards["“Bread, third try” is in the trash."]
    next(b for b in card.findChildren(type(pane.new)) if b.text() == "Undo").click()
    await until(lambda: contents.listing.entries)
    pane.act.emit("archive", conversation.id)
    await until(lambda: not contents.listing.entries)
    pane.view_wanted.emit("archived")
    await until(lambda: contents.listing.entries)


async def test_search_finds_titles_and_words_of_messages(contents, page, session):
    await send(page, "The heating failed in Überlingen on Monday.")
    await answered(page)
    other = await session.office.create_conversation(title="Bread")
    pane = contents.area.list
    pane.search.setText("überlingen")
    await until(lambda: [e.id for e in contents.listing.entries] == [page.conversation_id])
    pane.search.setText("bread")
    await until(lambda: [e.id for e in contents.listing.entries] == [other.id])
    pane.search.setText("zeppelin")
    await until(lambda: not contents.listing.entries)
    assert "Nothing in titles" in pane.empty.text()
    pane.search.clear()
    await until(lambda: len(contents.listing.entries) == 2)


async def test_search_finds_notes_and_leads_to_them(contents, page, session):
    await session.notebook.add("Depths are given at low water.")
    pane = contents.area.list
    contents.command("palette")
    await until(contents.palette.isVisible)
    QTest.keyClicks(contents.palette.field, "low WATER")
    QTest.keyClick(contents.palette.field, Qt.Key.Key_Return)
    await until(lambda: pane.notes.lines)
    assert pane.search.text() == "low WATER" and pane.search.hasFocus()
    QTest.keyClick(pane.search, Qt.Key.Key_Down)
    QTest.keyClick(pane.notes.lines[0], Qt.Key.Key_Space)
    memory = session.window.page("memory")
    await until(lambda: [card._note.text for card in memory.cards] == ["Depths are given at low water."])
    assert memory.search.text() == "Depths are given at low water."
    pane.search.setText("zeppelin")
    await until(lambda: not pane.notes.lines and not pane.notes.isVisible())


async def test_a_chat_is_saved_as_markdown_and_as_a_page(page, session, tmp_path):
    from desktop.chats.saving import file_name, save

    await send(page, "Keep <b>this</b> sentence.")
    await answered(page)
    await save(session, page.conversation_id, tmp_path / "chat.md")
    await save(session, page.conversation_id, tmp_path / "chat.html")
    assert "Keep <b>this</b> sentence." in (tmp_path / "chat.md").read_text().replace("\\", "")
    page_text = (tmp_path / "chat.html").read_text()
    assert "<b>this</b>" not in page_text and "&lt;b&gt;this" in page_text
    assert file_name("a/b: c*?") == "a b c"


async def test_a_link_is_shown_before_it_is_opened(page, session):
    page.view.link_requested.emit("https://example.org/somewhere")
    assert session.window.notices.sentences() == ["https://example.org/somewhere"]
    page.view.link_requested.emit("file:///etc/passwd")
    assert "not opened" in session.window.notices.sentences()[-1]


async def test_the_place_where_a_chat_is_read_is_kept(page, session):
    for number in range(4):
        await send(page, f"question {number} " + "with many words " * 60)
        await answered(page, 2 * number + 2)
    first = page.view.model().row(0).messages[0].id
    page.view.scroll_to_message(first)
    identifier = page.conversation_id
    page.begin_new()
    await until(lambda: page.conversation_id == "")
    kept = await session.office.database.read(chats.conversation, identifier)
    assert kept.scroll["message"] and kept.scroll["seen_at"]


async def test_another_chat_never_shows_the_account_of_the_former_one(page, session, monkeypatch):
    office = session.office
    first, second = [await office.create_conversation(title=title) for title in ("First", "Second")]
    await page._open(first.id, "")
    page.inspector.show_leaving([Leaving("survey.pdf", 900, "attachment")], "the cellar", None)
    asked: asyncio.Event = asyncio.Event()
    reckoned, reckon = asyncio.Event(), office.preview

    async def slow(conversation_id, *words, **more):
        asked.set()
        await reckoned.wait()
        return await reckon(conversation_id, *words, **more)

    monkeypatch.setattr(office, "preview", slow)
    await page._open(second.id, "")
    await asked.wait()
    assert page.inspector._leaving == ((), "", None) and "Adding up" in page.inspector._nothing
    reckoned.set()
    await until(lambda: "librarian" in page.inspector._nothing, "the account of the second chat")


async def test_a_cap_leads_to_its_setting(contents, session):
    told = notice(MessageState.STOPPED, "The cap per run of $1 leaves $0.", "run")
    assert told is not None
    assert [action.name for action in told.actions] == ["run_cap", "resume"]
    session.setting_wanted.emit("budget.run_cap")
    shown = session.window.page("settings")
    assert session.window.current_page == "settings" and isinstance(shown, SettingsPage)
    await until(shown.controls["budget.run_cap"].widget.hasFocus, "the focus on the cap")
    own = notice(MessageState.STOPPED, "The cap of this agent per day of $1 leaves $0.", "agent")
    assert own is not None and own.actions[0].label == "Open Team"


async def test_of_two_chats_opened_at_once_the_later_one_is_shown_and_no_draft_is_mixed(
    page, session, monkeypatch, tmp_path
):
    office = session.office
    one, two, three = [await office.create_conversation(title=title) for title in ("one", "two", "three")]
    (tmp_path / "tides.txt").write_text("High water at noon.\n")
    file = await office.attach(two.id, tmp_path / "tides.txt")
    await office.database.write(chats.set_draft, two.id, {"text": "of two", "attachment_ids": [file.id]})
    await office.database.write(chats.set_draft, three.id, {"text": "of three", "attachment_ids": []})
    await page._open(one.id, "")
    real = office.database.read

    async def read(operation, *arguments, **named):
        if page.conversation_id == two.id:  # a long search has the lane
            await asyncio.sleep(0.2)
        return await real(operation, *arguments, **named)

    monkeypatch.setattr(office.database, "read", read)
    await asyncio.gather(page._open(two.id, ""), page._open(three.id, ""))
    assert page.conversation_id == page.composing.conversation.id == three.id
    assert page.composer.text() == "of three"
    await page.remember()
    kept = [(await office.database.read(chats.conversation, each.id)).draft for each in (one, two, three)]
    assert [each.get("text", "") for each in kept] == ["", "of two", "of three"]


async def test_a_file_stays_with_the_chat_it_was_dropped_in(page, session):
    office = session.office
    first, second = [await office.create_conversation(title=title) for title in ("first", "second")]
    await page._open(first.id, "")
    attaching = asyncio.create_task(page.composing._attach([(b"High water at noon.\n", "tides.txt")]))
    await asyncio.sleep(0)
    page.composing.conversation = second
    await attaching
    assert not page.composing._files
    kept = await office.database.read(chats.conversation, first.id)
    assert len(kept.draft["attachment_ids"]) == 1


async def test_a_search_that_ends_late_does_not_stand_under_an_empty_field(contents, session):
    for title in ("alpha", "beta", "gamma"):
        await session.office.create_conversation(title=title)
    listing, field = contents.listing, contents.area.list.search
    field.blockSignals(True)
    await listing.read()
    field.setText("alpha")
    searching = asyncio.create_task(listing.read())
    await asyncio.sleep(0)
    field.setText("")
    await searching
    field.blockSignals(False)
    assert len(listing.entries) == 3
