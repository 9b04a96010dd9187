"""The Privacy page on a real office: trash, retention, erasing with its report, imports, the audit trail."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from sqlalchemy import update

from agents.indexing import index_said
from desktop.pages.privacy.asking import EraseQuestion
from desktop.pages.privacy.page import PrivacyPage, parts
from desktop.pages.privacy.report import as_text
from memory import audit, chats, messages
from memory.errors import NotFound
from memory.identifiers import now
from memory.lifecycle import reports
from memory.lifecycle.subjects import Subject
from memory.lifecycle.trash import DAY
from memory.tables import AuditTable, ConversationTable
from tests.desktop.test_names import unnamed
from tests.desktop.waiting import until
from tests.memory.transfer import foreign_archives as made


@pytest.fixture
def page(session) -> PrivacyPage:
    page = PrivacyPage(session)
    session.window.add_page("privacy", page)
    session.window._body.setCurrentWidget(page)
    return page


async def part(page: PrivacyPage, name: str):
    shown = page.show_part(name)
    await until(shown.isVisible)
    await shown._load()
    return shown


def press(parent: QWidget, words: str) -> None:
    found = [each for each in parent.findChildren(QPushButton) if each.text() == words and each.isVisible()]
    assert found, f"no button “{words}” among {[b.text() for b in parent.findChildren(QPushButton)]}"
    QTest.mouseClick(found[0], Qt.MouseButton.LeftButton)


def said(parent: QWidget) -> str:
    return " | ".join(each.text() for each in parent.findChildren(QLabel) if each.isVisible())


async def dialog(session) -> EraseQuestion:
    def shown() -> list[EraseQuestion]:
        return [each for each in session.window.findChildren(EraseQuestion) if each.isVisible()]

    await until(shown)
    return shown()[-1]


async def chat(session, title: str, *texts: str) -> str:
    office = session.office
    conversation = await office.create_conversation(title=title)

    def say(database_session):
        for text in texts:
            index_said(
                database_session, messages.add_owner_message(database_session, conversation.id, text).id
            )

    await office.database.write(say)
    return conversation.id


async def aged(session, conversation_id: str, days: int) -> None:
    def set_back(database_session):
        database_session.execute(
            update(ConversationTable)
            .where(ConversationTable.id == conversation_id)
            .values(updated_at=now() - days * DAY)
        )

    await session.office.database.write(set_back)


async def test_every_part_opens_by_keyboard_and_names_what_it_has(page, session):
    await chat(session, "Harbour", "How deep is it?")
    page.list.setFocus()
    for number, each in enumerate(parts()):
        assert page.list.currentRow() == number
        shown = page._made[each.name]
        await shown._load()
        assert shown.isVisible() and unnamed(page) == [], each.name
        QTest.keyClick(page.list, Qt.Key.Key_Down)
    session.window.resize(420, 800)
    await until(page.choice.isVisible)
    assert not page.list.isVisible() and page.choice.currentText() == parts()[-1].title
    page.choice.setCurrentIndex(0)
    assert page.current == parts()[0].name


@pytest.mark.req("R140")
@pytest.mark.req("R146")
async def test_the_trash_counts_down_gives_back_and_undoes(page, session):
    first = await chat(session, "Bread", "salt")
    trash = await part(page, "trash")
    assert "empty" in trash._message.accessibleName()
    await session.office.keeping.put_away([Subject("conversation", first)])
    await until(lambda: len(trash.rows) == 1)
    assert "Bread" in said(trash) and "leaves in 30 days" in said(trash)
    press(trash, "Put back")
    await until(lambda: not trash.rows or trash._states.currentIndex() == 1)
    assert (await session.office.database.read(chats.conversation, first)).trashed_at is None
    press(session.window.notices, "Undo")
    await until(lambda: trash._states.currentIndex() == 0)
    assert (await session.office.database.read(chats.conversation, first)).trashed_at


@pytest.mark.req("R146")
async def test_emptying_a_full_trash_wants_its_number_typed(page, session):
    subjects = [Subject("conversation", await chat(session, f"Chat {number}", "a")) for number in range(51)]
    await session.office.keeping.put_away(subjects, confirmed=51)
    trash = await part(page, "trash")
    press(trash, "Empty the trash…")
    asking = await dialog(session)
    press(asking, "Erase now")
    await until(asking.number.isVisible)
    assert "51 things" in asking.fault.text()
    QTest.keyClicks(asking.number, "50")
    press(asking, "Erase now")
    await until(lambda: asking.erase.isEnabled())
    assert len(await session.office.keeping.trash()) == 51
    asking.number.setText("51")
    press(asking, "Erase now")
    await until(lambda: trash._states.currentIndex() == 1, "the trash is empty")
    assert await session.office.keeping.trash() == ()


@pytest.mark.req("R147")
async def test_a_rule_shows_what_leaves_before_anything_does(page, session):
    old = await chat(session, "Old tides", "low water")
    await aged(session, old, 31)
    retention = await part(page, "retention")
    assert retention.leaving.words.text() == "Nothing leaves in the next 30 days."
    choice = retention.choices["category", "conversations"]
    choice.setCurrentIndex(choice.findData(30))
    choice.activated.emit(choice.currentIndex())
    await until(lambda: "1 thing is due" in retention.leaving.words.text())
    press(retention.leaving, "See them")
    assert "Old tides" in said(retention.leaving)
    press(retention.leaving, "Keep")
    await until(lambda: "Nothing leaves" in retention.leaving.words.text())
    await until(lambda: "Old tides" in said(retention.marks) and "held since" in said(retention.marks))
    press(retention.marks, "Release")
    await until(lambda: "1 thing is due" in retention.leaving.words.text())
    press(retention.leaving, "Erase now what is due")
    await until(lambda: "Nothing leaves" in retention.leaving.words.text())
    with pytest.raises(NotFound):
        await session.office.database.read(chats.conversation, old)


async def test_a_changed_rule_can_be_undone_and_a_narrow_one_added(page, session):
    retention = await part(page, "retention")
    choice = retention.choices["category", "notes"]
    choice.setCurrentIndex(choice.findData(90))
    choice.activated.emit(choice.currentIndex())
    await until(lambda: any("rule is changed" in each for each in session.window.notices.sentences()))
    press(session.window.notices, "Undo")
    await until(lambda: retention.choices["category", "notes"].currentText() == "for ever")
    retention.new_rule.days.setValue(14)
    press(retention.new_rule, "Add the rule")
    await until(lambda: len([key for key in retention.choices if key[0] == "agent"]) == 1)
    rule = (await session.office.keeping.rules())[0]
    assert (rule.scope, rule.days) == ("agent", 14)


@pytest.mark.req("R112")
async def test_a_chat_is_erased_and_the_report_says_what_was_searched(page, session, tmp_path):
    gone = await chat(session, "The ochre pelican", "seventeen lighthouses stand there")
    erasing = await part(page, "erase")
    await until(lambda: "Nothing was erased yet" in said(erasing))
    erasing.things.setCurrentIndex(erasing.things.findData(gone))
    press(erasing, "Erase…")
    asking = await dialog(session)
    assert "1 chat, 1 message" in said(asking)
    press(asking, "Erase now")
    await until(lambda: "1 chat, 1 message" in said(erasing), "the line of the report")
    found = (await session.office.database.read(reports.reports))[0]
    await session.office.erasing.proved(found.id)
    await until(lambda: "nothing found" in said(erasing))
    press(erasing, "Report")
    await until(erasing.report.isVisible)
    words = said(erasing.report)
    assert "pages of the database" in words and "fingerprints" in words and "Outbox" in words
    await erasing.report.save_to(tmp_path / "report.txt")
    text = (tmp_path / "report.txt").read_text()
    assert text == as_text(erasing.report.shown, ())
    assert "pelican" not in text and "nothing found" in text
    press(erasing.report, "Back")
    assert not erasing.report.isVisible()


async def test_a_hold_is_said_before_it_refuses(page, session):
    kept = await chat(session, "Evidence", "a")
    await session.office.keeping.hold(Subject("conversation", kept), held=True)
    erasing = await part(page, "erase")
    erasing.things.setCurrentIndex(erasing.things.findData(kept))
    press(erasing, "Erase…")
    asking = await dialog(session)
    assert "hold" in asking.fault.text() and not asking.erase.isEnabled()
    press(asking, "Cancel")
    erasing.things.setEditText("no such chat")
    press(erasing, "Erase…")
    assert "choose from the list" in erasing.fault.text()


@pytest.mark.req("R137")
async def test_an_export_of_chatgpt_is_looked_into_and_brought_in(page, session, tmp_path):
    archive = made.zipped(tmp_path / "export.zip", {"conversations.json": [made.branched(1), {"broken": 1}]})
    importing = await part(page, "import")
    importing.look(archive)
    await until(importing.result.isVisible)
    assert "ChatGPT" in said(importing.result) and "1 chat" in said(importing.result)
    assert await session.office.database.read(chats.conversations) == ()
    press(importing.result, "1 thing could not come in")
    press(importing.result, "Bring it in")
    await until(lambda: "Brought in so far" in said(importing))
    assert len(await session.office.database.read(chats.conversations)) == 1
    press(importing.result, "Bring in another")
    importing.look(archive)
    await until(lambda: "nothing new" in said(importing))


async def test_what_is_no_export_says_so_and_cancel_leaves_all_as_it_was(page, session, tmp_path):
    importing = await part(page, "import")
    (tmp_path / "notes.txt").write_text("no export at all")
    importing.look(tmp_path / "notes.txt")
    await until(importing.fault.isVisible)
    assert importing.fault.text() and importing.choose.isVisible()
    many = [made.branched(number) for number in range(2000)]
    importing.look(made.zipped(tmp_path / "many.zip", {"conversations.json": many}))
    await until(importing.working.isVisible)
    importing.working.cancel.click()
    await until(lambda: any("Stopped" in each for each in session.window.notices.sentences()))
    assert importing.choose.isVisible() and not importing.result.isVisible()


@pytest.mark.req("R077")
async def test_the_audit_trail_filters_checks_and_tells_of_a_change(page, session):
    office = session.office
    for number in range(230):
        await office.database.write(audit.append, "setting changed", "runs.effort", {"to": str(number)})
    await office.database.write(audit.append, "erased", "0" * 32, {"counts": {"messages": 2}})
    trail = await part(page, "audit")
    assert trail.model.rowCount() == 200 and "2 messages" in trail.model.columns[3].words(trail.model.rows[0])
    trail.model.fetchMore(trail.model.index(-1, -1))
    await until(lambda: trail.model.complete)
    press(trail, "Check the chain")
    await until(trail.result.isVisible)
    assert "whole" in trail.result.text()
    trail.kinds.setCurrentIndex(trail.kinds.findData("erased"))
    await until(lambda: trail.model.rowCount() == 1)

    def forge(database_session):
        database_session.execute(
            update(AuditTable).where(AuditTable.number == 5).values(detail={"to": "forged"})
        )

    await office.database.write(forge)
    press(trail, "Check the chain")
    await until(lambda: "changed at entry 5" in trail.result.text())
