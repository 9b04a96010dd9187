"""The pages on a real office: what they show, and what they do."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from agents.events import OutboxChanged
from desktop import first_look
from desktop.pages.keys import KeysPage
from desktop.pages.memory import MemoryPage
from desktop.pages.outbox import OutboxPage
from desktop.pages.page import Page
from desktop.pages.recovery_words import RecoveryWords
from desktop.pages.settings import SettingsPage
from desktop.pages.team import TeamPage
from desktop.pages.usage import UsagePage
from memory import ledger, notes
from memory.errors import StorageError
from memory.locations import Locations
from tests.desktop.waiting import until


def shown(page: Page) -> Page:
    page.session.window.add_page(page.accessibleName(), page)
    page.session.window._body.setCurrentWidget(page)
    return page


def button(parent: QWidget, words: str) -> QPushButton:
    found = [each for each in parent.findChildren(QPushButton) if each.text() == words and each.isVisible()]
    assert found, f"no button “{words}” among {[b.text() for b in parent.findChildren(QPushButton)]}"
    return found[0]


def press(parent: QWidget, words: str) -> None:
    QTest.mouseClick(button(parent, words), Qt.MouseButton.LeftButton)


async def test_the_outbox_teaches_while_it_is_empty_and_grows_with_every_request(session):
    page = OutboxPage(session)
    shown(page)
    await until(lambda: page._states.currentIndex() == 1, "the empty state")
    assert "Nothing has left" in page._message.accessibleName()
    request = await session.office.database.write(
        ledger.begin_request,
        host="api.example.org",
        purpose="chat",
        categories=("conversation", "attachment"),
    )
    session.office.events.publish(OutboxChanged())
    await until(lambda: page.model.rowCount() == 1)
    row = [page.model.columns[n].words(page.model.rows[0]) for n in range(page.model.columnCount())]
    assert "api.example.org" in row and "conversation, files" in row and "under way" in row
    await session.office.database.write(
        ledger.finish_request, request.id, status=401, error="The provider does not accept the key."
    )
    session.office.events.publish(OutboxChanged())
    await until(lambda: page.model.rows[0].finished_at)
    assert page.model.columns[-1].words(page.model.rows[0]) == "The provider does not accept the key."


async def test_the_outbox_reads_more_as_it_is_scrolled(session):
    def fill(database_session):
        for number in range(450):
            ledger.begin_request(database_session, host=f"host-{number}", purpose="chat")

    await session.office.database.write(fill)
    page = OutboxPage(session)
    shown(page)
    await until(lambda: page.model.rowCount() == 200)
    assert page.model.canFetchMore(page.model.index(-1, -1))
    page.model.fetchMore(page.model.index(-1, -1))
    await until(lambda: page.model.rowCount() == 400)
    page.model.fetchMore(page.model.index(-1, -1))
    await until(lambda: page.model.complete)
    assert len({request.id for request in page.model.rows}) == 450


@pytest.mark.req("R073")
@pytest.mark.req("R059")
async def test_usage_says_unknown_where_no_price_is_known(session):
    await session.office.database.write(
        ledger.add_usage,
        run_id=None,
        agent_id=None,
        connection_id=None,
        model="mystery-1",
        input_tokens=1200,
        output_tokens=300,
        cost=None,
    )
    page = UsagePage(session)
    shown(page)
    await until(lambda: page.model.rowCount() == 1)
    assert page.total.text() == "1 request, 1,500 tokens, cost unknown"
    page.tabs.setCurrentIndex(2)
    await until(lambda: page.model.rows and page.model.rows[0].label == "mystery-1")
    assert page.model.columns[-1].words(page.model.rows[0]) == "unknown"


async def test_the_language_is_kept_where_the_next_start_finds_it(session, tmp_path):
    page = SettingsPage(session)
    shown(page)
    await until(lambda: page._states.currentIndex() == 0)
    box = page.controls["appearance.language"].widget
    assert [box.itemData(index) for index in range(box.count())] == ["", "en", "de", "pl", "ru", "uk"]
    box.setCurrentIndex(box.findData("de"))
    await until(lambda: session.preferences.value("appearance.language") == "de")
    first_look.write(Locations(tmp_path), session.window.look_now())
    assert first_look.read(Locations(tmp_path)).language == "de"
    await session.preferences.reset("appearance.language")
    assert session.window.look_now().language == ""


@pytest.mark.req("R213")
async def test_a_setting_is_stored_and_one_that_does_not_fit_is_explained(session):
    page = SettingsPage(session)
    shown(page)
    await until(lambda: page._states.currentIndex() == 0)
    box = page.controls["budget.day_cap"].widget
    box.setValue(12.5)
    await until(lambda: session.preferences.value("budget.day_cap") == 12_500_000)
    page.controls["appearance.reduced_motion"].widget.setChecked(True)
    await until(lambda: session.preferences.value("appearance.reduced_motion") is True)
    assert (await session.office.settings.value("appearance.reduced_motion")) is True
    page.search.setText("proxy")
    seen = [row for _words, row, _card in page._rows if row.isVisible()]
    assert len(seen) == 1
    page.search.setText("nothing like this")
    assert page._nothing.isVisible()


async def test_the_recovery_key_is_shown_once_and_opens_the_office(session):
    page = SettingsPage(session)
    shown(page)
    page.search.setText("recovery")
    await until(lambda: page._states.currentIndex() == 0)
    press(page, "Make a recovery key")
    await until(lambda: any(b.text() == "Done" and b.isVisible() for b in page.findChildren(QPushButton)))
    done = button(page, "Done")
    assert not done.isEnabled()
    section = next(row for words, row, _card in page._rows if "recovery" in words)
    (shown_words,) = section.findChildren(RecoveryWords)
    words = shown_words._words
    assert len(words.split()) == 24
    assert not shown_words.code.isVisible()
    press(section, "QR code")
    assert shown_words.code.isVisible() and not shown_words.code.pixmap().isNull()
    QTest.mouseClick(shown_words.check, Qt.MouseButton.LeftButton, pos=shown_words.check.rect().center() / 8)
    shown_words.check.setChecked(True)
    QTest.mouseClick(done, Qt.MouseButton.LeftButton)
    await until(lambda: not section.findChildren(RecoveryWords))
    assert session.office.vault.has_recovery_key


async def test_five_agents_stand_on_their_cards_and_leave_can_be_undone(session):
    page = TeamPage(session)
    shown(page)
    await until(lambda: len(page.cards) == 5)
    names = [card.agent.name for card in page.cards]
    assert "Librarian" in names
    page.archive(page.cards[0].agent)
    await until(lambda: len(page.cards) == 4)
    await until(session.window.notices.sentences)
    press(session.window.notices, "Undo")
    await until(lambda: len(page.cards) == 5)


async def test_agents_are_put_into_another_order(session):
    page = TeamPage(session)
    shown(page)
    await until(lambda: len(page.cards) == 5)
    names = [card.agent.name for card in page.cards]
    (menu,) = page.cards[2].findChildren(QMenu)
    (up,) = [action for action in menu.actions() if action.text() == "Move up"]
    up.trigger()
    moved = [names[0], names[2], names[1], *names[3:]]
    await until(lambda: [card.agent.name for card in page.cards] == moved)
    page.move_agent(page.cards[0].agent, -1)  # the first one stays where it is
    page.move_agent(page.cards[4].agent, 1)
    page.move_agent(page.cards[1].agent, 1)
    await until(lambda: [card.agent.name for card in page.cards] == names)
    assert [each.name for each in await session.office.roster.all()] == names


async def test_another_key_becomes_the_default(session):
    connections = session.office.connections
    for label in ("first", "second"):
        await connections.add("openai-compatible", None, label=label, base_url="http://127.0.0.1:9/v1")
    page = KeysPage(session)
    shown(page)
    await until(lambda: len(page.cards) == 2)
    press(page, "Make default")
    await until(lambda: [card.accessibleName() for card in page.cards.values()] == ["second", "first"])
    assert (await connections.resolve(None, "some"))[0].label == "second"


async def test_an_agent_is_edited_and_a_taken_name_is_refused(session):
    for label in ("here", "there", "there again"):
        address = f"http://127.0.0.1:{len(label)}/v1"
        await session.office.connections.add("openai-compatible", None, label=label, base_url=address)
    page = TeamPage(session)
    shown(page)
    await until(lambda: len(page.cards) == 5)
    first, second = page.cards[0].agent, page.cards[1].agent
    page.edit(first)
    await until(lambda: page.editor.name.text() == first.name)
    page.editor.name.setText(second.name)
    press(page.editor, "Save")
    await until(page.editor.fault.isVisible)
    assert second.name in page.editor.fault.text()
    page.editor.name.setText("Coordinator")
    page.editor.run_cap.setValue(0.25)
    assert list(page.editor.recipients) == ["127.0.0.1:4", "127.0.0.1:5", "127.0.0.1:11"]
    page.editor.recipients["127.0.0.1:5"].setChecked(True)
    press(page.editor, "Save")
    await until(lambda: any(card.agent.name == "Coordinator" for card in page.cards))
    changed = await session.office.roster.agent(first.id)
    assert changed.run_cap == 250_000
    assert changed.recipients == ("127.0.0.1:5",)
    assert changed.instructions == first.instructions
    assert changed.tools == first.tools


async def test_an_agent_is_copied_written_and_read_again(session, tmp_path):
    page = TeamPage(session)
    shown(page)
    await until(lambda: len(page.cards) == 5)
    agent = page.cards[1].agent
    page.duplicate(agent)
    await until(lambda: any(card.agent.name == f"{agent.name} 2" for card in page.cards))
    await page._export(agent, tmp_path / "one.md")
    text = (tmp_path / "one.md").read_text().replace(f"name: {agent.name}", "name: Cousin")
    (tmp_path / "two.md").write_text(text)
    (tmp_path / "bad.md").write_text("nothing")
    await page.take_in([tmp_path / "bad.md", tmp_path / "two.md"])
    await until(lambda: any(card.agent.name == "Cousin" for card in page.cards))
    assert any("bad.md" in sentence for sentence in session.window.notices.sentences())


async def test_notes_are_added_pinned_changed_forgotten_and_come_back(session):
    page = MemoryPage(session)
    shown(page)
    await until(lambda: page._empty.isVisible())
    QTest.keyClicks(page.text, "Use metres, never feet.")
    QTest.keyClick(page.text, Qt.Key.Key_Return)
    await until(lambda: len(page.cards) == 1)
    press(page.cards[0], "Pin")
    await until(lambda: page.cards[0]._note.pinned_at)
    press(page.cards[0], "Edit")
    page.cards[0].field.setPlainText("Use metres and litres.")
    press(page.cards[0], "Save")
    await until(lambda: page.cards and page.cards[0]._note.text == "Use metres and litres.")
    press(page.cards[0], "Forget")
    await until(lambda: not page.cards)
    press(session.window.notices, "Undo")
    await until(lambda: len(page.cards) == 1)
    found = await session.office.recall.search("litres")
    assert [hit.text for hit in found.hits] == ["Use metres and litres."]
    assert not (await session.office.recall.search("feet")).hits


async def test_a_proposal_waits_in_the_inbox_until_it_is_accepted_in_other_words(session):
    await session.office.database.write(notes.add_note, "The owner likes tea.", state="proposed")
    page = MemoryPage(session)
    shown(page)
    await until(lambda: page.tabs.tabText(1) == "Inbox (1)")
    page.tabs.setCurrentIndex(1)
    await until(lambda: len(page.cards) == 1)
    press(page.cards[0], "Edit")
    page.cards[0].field.setPlainText("The owner likes green tea.")
    press(page.cards[0], "Accept")
    await until(lambda: page.tabs.tabText(1) == "Inbox")
    accepted = await session.office.database.read(notes.notes)
    assert [note.text for note in accepted] == ["The owner likes green tea."]


async def test_the_tester_ranks_hits_with_their_legs(session):
    await session.notebook.add("The harbour is six metres deep at the quay.")
    await session.notebook.add("Bread needs salt.")
    page = MemoryPage(session)
    shown(page)
    page.show_tester("how deep is the harbour")
    await until(lambda: page.tester._hits.count() == 1)
    assert "words" in page.tester.summary.text()
    hit = page.tester._hits.itemAt(0).widget()
    assert "six metres" in hit.accessibleName()
    page.show_tester("zebra crossing")
    await until(lambda: page.tester._hits.itemAt(0) and page.tester._hits.itemAt(0).widget() is not hit)


async def test_a_page_that_cannot_be_read_says_why_and_tries_again(session, monkeypatch):
    page = OutboxPage(session)

    async def fail():
        raise StorageError("The disk is full: free some space.")

    monkeypatch.setattr(page, "load", fail)
    with pytest.raises(StorageError):
        await page._load()
    assert "free some space" in page._message.accessibleName()
    monkeypatch.undo()
    shown(page)
    press(page, "Try again")
    await until(lambda: "Nothing has left" in page._message.accessibleName())


async def test_a_key_is_not_sent_before_its_provider_is_chosen(session):
    page = KeysPage(session)
    shown(page)
    await until(lambda: page._states.currentIndex() == 1)
    press(page, "Add a key")
    form = page.form
    QTest.keyClicks(form.key, "some-key-of-nobody-knows")
    assert form.provider.currentData() == ""
    press(form, "Save and check")
    assert "Choose whose key this is" in form.fault.text()
    assert await session.office.connections.all() == ()
    form.key.setText("sk-ant-" + "x" * 30)
    assert form.provider.currentData() == "anthropic"
