"""What is restricted stands greyed in the window with a word that says so, and what waits is told."""

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest

from agents.events import OfficePaused, OfficeResumed
from agents.indexing import index_said
from desktop.chats.page import ChatPage
from desktop.pages.memory import MemoryPage
from memory import messages
from memory.lifecycle.subjects import Subject
from tests.desktop.waiting import until


@pytest.fixture
def page(contents) -> ChatPage:
    return contents.chat


async def chat(session, tmp_path) -> tuple[str, str, str]:
    """A chat of one message with a file; returns the ids of the three."""
    office = session.office
    conversation = await office.create_conversation(title="The lease")
    source = tmp_path / "lease.txt"
    source.write_text("The rent is due on the third.")
    file = await office.attach(conversation.id, source)
    await office.files.settled([file.id])

    def say(database_session) -> str:
        said = messages.add_owner_message(
            database_session, conversation.id, "Amundsen rents it.", attachment_ids=[file.id]
        )
        index_said(database_session, said.id)
        return said.id

    return conversation.id, await office.database.write(say), file.id


def shown(page: ChatPage):
    return page.view.model().row(0).messages[0]


@pytest.mark.req("R113")
async def test_a_restricted_message_and_file_are_greyed_and_named_so(page, session, tmp_path):
    conversation_id, message_id, file_id = await chat(session, tmp_path)
    page.open(conversation_id)
    await until(lambda: page.conversation_id == conversation_id and page.view.model().rowCount())
    keeping = session.office.keeping
    await keeping.restrict(Subject("message", message_id), restricted=True)
    await until(lambda: shown(page).dim)
    assert shown(page).footer == "restricted: no agent is given this"
    assert [file.dim for file in shown(page).attachments] == [True]
    card = page.view.card_at(message_id)
    assert "restricted" in card.details()
    await keeping.restrict(Subject("message", message_id), restricted=False)
    await until(lambda: not shown(page).dim)
    assert shown(page).footer == ""
    await keeping.restrict(Subject("file", file_id), restricted=True)
    await until(lambda: shown(page).attachments[0].dim)
    assert shown(page).attachments[0].detail == "restricted" and not shown(page).dim


@pytest.mark.req("R113")
async def test_a_restricted_chat_takes_nothing_until_the_restriction_is_lifted(
    contents, page, session, tmp_path
):
    conversation_id, _message_id, _file_id = await chat(session, tmp_path)
    page.open(conversation_id)
    await until(lambda: page.conversation_id == conversation_id)
    page.composer.set_text("And now?")
    await session.office.keeping.restrict(Subject("conversation", conversation_id), restricted=True)
    await until(page.place.reason)
    await until(lambda: shown(page).dim)
    assert shown(page).footer == ""
    QTest.keyClicks(page.composer.editor, " more")
    QTest.keyClick(page.composer.editor, Qt.Key.Key_Return)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "lease.txt"))])
    contents.area.files_dropped.emit(data)
    assert page.composer.text() == "And now?" and not page.composer.send.isEnabled()
    await until(lambda: contents.listing.entries[0].restricted)
    pane = contents.area.list
    subtitle = pane.model.data(pane.model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert "restricted" in subtitle
    page.begin_new()
    await until(lambda: not page.place.reason())
    page.open(conversation_id)
    await until(page.place.reason)
    QTest.mouseClick(page.place.lift, Qt.MouseButton.LeftButton)
    await until(lambda: not page.place.reason())
    await until(lambda: not shown(page).dim)
    assert page.composer.text() == "And now?" and page.composer.send.isEnabled()


@pytest.mark.req("R113")
async def test_a_restricted_note_says_so_on_the_memory_page(session):
    note = await session.notebook.add("The crane is red")
    page = MemoryPage(session)
    session.window.add_page("memory", page)
    session.window.show_page("memory")
    await until(lambda: page.cards)
    await session.office.keeping.restrict(Subject("note", note.id), restricted=True)
    await until(lambda: page.cards and page.cards[0]._text.property("role") == "dim")
    assert page.cards[0]._facts("").startswith("restricted: no agent is given it")


async def test_while_the_office_waits_the_window_says_why_and_takes_nothing(page, session):
    QTest.keyClicks(page.composer.editor, "half a sentence")
    events = session.office.events
    events.publish(OfficePaused("The database is being encrypted anew."))
    assert session.window.notices.sentences() == ["The database is being encrypted anew."]
    assert page.place.reason() == "The office waits a moment. What you wrote stays here."
    QTest.keyClicks(page.composer.editor, " and more")
    QTest.keyClick(page.composer.editor, Qt.Key.Key_Return)
    assert page.composer.text() == "half a sentence"
    events.publish(OfficeResumed())
    assert session.window.notices.sentences() == [] and page.place.reason() == ""
    QTest.keyClicks(page.composer.editor, " and more")
    assert page.composer.text() == "half a sentence and more"
