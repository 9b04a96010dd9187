"""Exports and imports of Bureau itself through the window, and the menus by which a thing's life is changed."""

import asyncio
import threading

import pytest
from PySide6.QtWidgets import QCheckBox, QMenu

from desktop.contents import Contents
from desktop.pages.privacy.asking import EraseQuestion
from desktop.pages.privacy.doing import MarksQuestion, add_life_actions
from desktop.pages.privacy.importing import kind_of_archive
from memory import branches, chats, messages, notes
from memory.errors import NotFound
from memory.lifecycle.marked import mark_of
from memory.lifecycle.subjects import Subject
from memory.transfer.exports_made import exports_made
from tests.desktop.test_privacy import chat, dialog, page, part, press, said
from tests.desktop.waiting import until

__all__ = ["page"]
SECRET = "correct horse battery"  # pragma: allowlist secret  # of an export made for a test


@pytest.mark.req("R115")
async def test_an_encrypted_export_is_made_checked_and_brought_back(page, session, tmp_path):
    kept = await chat(session, "Harbour", "How deep is it?")
    note = await session.notebook.add("Depths are given at low water.")
    export = await part(page, "export")
    export.passphrase.setText(SECRET)
    press(export, "Export…")
    assert "differ" in export.fault.text()
    export.repeat.setText(SECRET)
    file = tmp_path / "mine.aofx"
    export.export_to(file)
    await until(export.result.isVisible)
    assert "mine.aofx is written" in said(export.result) and "1 chat, 1 message" in said(export.result)
    assert kind_of_archive(file) == "sealed"
    press(export.result, "Check it now")
    await until(lambda: "is whole" in said(export.verify))
    assert "signed by this office" in said(export.verify)
    export.verify.look(file)
    await until(export.verify.passphrase.isVisible)
    assert "is whole" not in said(export.verify)
    report = await session.office.erasing.erase([Subject("note", note.id)])
    await session.office.erasing.proved(report.id)
    importing = await part(page, "import")
    importing.look(file)
    await until(lambda: "encrypted" in said(importing.result))
    importing._open("no such passphrase")
    await until(
        lambda: "passphrase" in said(importing.result) and len(said(importing.result).split(" | ")) > 2
    )
    importing._open(SECRET)
    await until(lambda: "1 record was erased here and stays out" in said(importing.result))
    assert "signed by this office" in said(importing.result)
    box = next(each for each in importing.result.findChildren(QCheckBox) if each.isVisible())
    box.setChecked(True)
    press(importing.result, "Bring it in")
    await until(lambda: "is brought in" in said(importing.result))
    assert [one.text for one in await session.office.database.read(notes.notes)] == [note.text]
    assert (await session.office.database.read(chats.conversation, kept)).title == "Harbour"


@pytest.mark.req("R136")
async def test_the_register_says_what_is_gone_and_takes_it_back(page, session, tmp_path):
    await chat(session, "Harbour", "How deep is it?")
    export = await part(page, "export")
    export.export_to(tmp_path / "mine.aofx")
    await until(lambda: "Exports made" in said(export))
    assert "not encrypted" in said(export)
    (tmp_path / "mine.aofx").unlink()
    export.mark_stale()
    await until(lambda: "no longer where it was written" in said(export))
    press(export, "The file is gone")
    await until(lambda: "You said that it is gone" in said(export))
    press(session.window.notices, "Undo")
    await until(lambda: "You said" not in said(export))
    assert (await session.office.database.read(exports_made))[0].removed_at is None


async def test_an_export_that_cannot_be_written_says_why(page, session, tmp_path):
    export = await part(page, "export")
    export.export_to(tmp_path / "no such folder" / "mine.aofx")
    await until(export.fault.isVisible)
    assert export.form.isVisible() and not export.working.isVisible()
    for box in export.categories.values():
        box.setChecked(False)
    press(export, "Export…")
    assert "tick at least one" in export.fault.text()


@pytest.mark.req("R130")
async def test_an_export_shows_how_far_it_is_and_ends_by_cancel(page, session, tmp_path):
    conversation = await chat(session, "Harbour", "How deep is it?")
    for number in range(4):
        await session.office.attach(conversation, bytes([number]) * 3_000_000, f"sheet {number}.bin")
    export = await part(page, "export")
    working, told, pressed = export.working, [], threading.Event()
    show = working.progress

    def follow(done: int, total: int) -> None:
        told.append((done, total))
        show(done, total)

    def wait(done: int, total: int) -> None:
        show(done, total)
        if 2 * done > total:
            pressed.wait(5)

    working.progress = follow
    export.export_to(tmp_path / "whole.aofx")
    await until(export.result.isVisible)
    assert told == sorted(told) and len({done for done, _total in told}) > 2
    assert told[-1][0] == told[-1][1] > 12_000_000
    working.progress = wait
    export.export_to(tmp_path / "part.aofx")
    await until(working.isVisible)
    await until(lambda: working.bar.maximum() < 2 * working.bar.value() < 2 * working.bar.maximum())
    working.cancel.click()
    pressed.set()
    await until(lambda: not working.isVisible())
    assert [path.name for path in tmp_path.iterdir() if "aofx" in path.name] == ["whole.aofx"]
    assert export.form.isVisible() and not export.result.isVisible()


async def test_a_message_is_thrown_away_held_and_erased_from_its_menu(session):
    contents = Contents(session.window)
    await contents.fill(session)
    conversation = await chat(session, "Harbour", "How deep is it?", "And at low water?")
    await contents.chat._open(conversation, "")
    model = contents.chat.view.model()
    await until(lambda: model.rowCount() > 0)
    turn = (await session.office.database.read(branches.path, conversation))[0].messages[0]
    contents.chat.view.commands.run(turn.id, "marks")
    await until(lambda: session.window.findChildren(MarksQuestion))
    question = session.window.findChildren(MarksQuestion)[0]
    question.hold.setChecked(True)

    async def held() -> bool:
        return (await session.office.database.read(mark_of, Subject("message", turn.id)))[0]

    while not await held():
        await asyncio.sleep(0.01)
    question.hold.setChecked(False)
    while await held():
        await asyncio.sleep(0.01)
    question.leave()
    contents.chat.view.commands.run(turn.id, "erase")
    asking = await dialog(session)
    press(asking, "Erase now")
    await until(lambda: not [each for each in session.window.findChildren(EraseQuestion) if each.isVisible()])
    with pytest.raises(NotFound):
        await session.office.database.read(messages.message, turn.id)


async def test_the_open_chat_gives_way_when_it_is_erased_and_undo_brings_back_what_was_thrown_away(session):
    contents = Contents(session.window)
    await contents.fill(session)
    conversation = await chat(session, "Harbour", "How deep is it?")
    await contents.chat._open(conversation, "")
    contents.area.list.act.emit("trash", conversation)
    await until(lambda: any("in the trash" in each for each in session.window.notices.sentences()))
    await until(lambda: contents.listing.entries == [])
    press(session.window.notices, "Undo")
    await until(lambda: [entry.title for entry in contents.listing.entries] == ["Harbour"])
    await session.office.erasing.erase([Subject("conversation", conversation)])
    await until(lambda: contents.chat.conversation_id == "" and contents.listing.entries == [])


async def test_an_agent_goes_to_the_trash_by_its_menu(session):
    agent = (await session.office.roster.all())[0]
    menu = QMenu(session.window)
    add_life_actions(menu, session, Subject("agent", agent.id), agent.name)
    assert [action.text() for action in menu.actions()] == ["Move to the trash", "Erase…"]
    menu.actions()[0].trigger()
    await until(lambda: session.window.notices.sentences())
    assert agent.id not in [each.id for each in await session.office.roster.all()]
    press(session.window.notices, "Undo")

    async def back() -> bool:
        return agent.id in [each.id for each in await session.office.roster.all()]

    while not await back():
        await asyncio.sleep(0.01)
