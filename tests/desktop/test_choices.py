"""Which models the composer offers, and that the chosen one is the one that is asked."""

import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.chats.choices import works
from desktop.chats.page import ChatPage
from desktop.contents import Contents
from memory import accounts, chats, runs
from tests.desktop.waiting import until
from vault.secret import Secret

NOWHERE = "http://127.0.0.1:9/v1"


@pytest_asyncio.fixture
async def page(session) -> ChatPage:
    office = session.office
    await office.connections.add(
        "openai-compatible", Secret("loopback-one-0001"), label="work", base_url=NOWHERE, model="large"
    )
    await office.connections.add("openai-compatible", None, label="cellar", base_url=NOWHERE, model="llama")
    contents = Contents(session.window)
    await contents.fill(session)
    return contents.chat


def offered(page: ChatPage) -> list[tuple[str, str]]:
    return [(choice.group, choice.label) for choice in page.composer.model._choices]


def pick(page: ChatPage, label: str) -> None:
    pill = page.composer.model
    pill._pick(next(choice.id for choice in pill._choices if choice.label == label))


async def test_models_of_every_working_key_are_offered_and_the_chosen_one_is_asked(page, session):
    office = session.office
    work, cellar = await office.connections.all()
    await office.database.write(accounts.set_models, work.id, [{"id": "large"}, {"id": "small"}])
    await page.composing.choices.refresh()
    assert offered(page) == [("", "large"), ("work", "small"), ("cellar", "llama")]
    pick(page, "llama")
    page.composer.set_text("How deep is it?")
    await until(lambda: page.conversation_id)
    await until(lambda: "cellar" in page.inspector._leaving[1], "the account names the key that is asked")
    page.composer.submit()
    await until(lambda: page.feed is not None and page.view.model().rowCount() == 2)
    await until(lambda: not page.feed.active_runs())
    run = await office.database.read(runs.run, page.feed.last_runs()[0])
    assert (run.connection_id, run.model) == (cellar.id, "llama")
    kept = await office.database.read(chats.conversation, page.conversation_id)
    assert (kept.connection_id, kept.model) == (cellar.id, "llama")
    assert page.composer.model.text() == "llama"
    await office.connections.remove(cellar.id)
    kept = await office.database.read(chats.conversation, page.conversation_id)
    assert (kept.connection_id, kept.model) == (None, "")


async def test_hundreds_of_models_are_found_by_typing(page, session):
    office = session.office
    work, _cellar = await office.connections.all()
    listed = [{"id": f"maker-{number}/model-{number}"} for number in range(300)]
    await office.database.write(accounts.set_models, work.id, listed)
    await page.composing.choices.refresh()
    pill = page.composer.model
    session.window.show()
    QTest.keyClick(pill, Qt.Key.Key_Return)
    filtered = pill.filter
    assert filtered is not None and filtered.isVisible() and pill.menu is None
    QTest.keyClicks(filtered.field, "model-28")
    assert [each.title for each in filtered.shown()][:2] == ["maker-28/model-28", "maker-280/model-280"]
    QTest.keyClick(filtered.field, Qt.Key.Key_Down)
    QTest.keyClick(filtered.field, Qt.Key.Key_Return)
    assert not filtered.isVisible() and pill.text() == "maker-280/model-280"
    assert page.composing.choices.model == "maker-280/model-280"


async def test_keys_that_were_refused_are_left_out(page, session):
    office = session.office
    work, cellar = await office.connections.all()
    refused = {"model": "llama", "steps": [{"name": "key", "state": "failed", "sentence": "refused"}]}
    await office.database.write(accounts.record_check, cellar.id, refused)
    await page.composing.choices.refresh()
    assert offered(page) == [("", "large")]
    weak = {"model": "llama", "steps": [{"name": "tools", "state": "failed", "sentence": "none"}]}
    changed = await office.database.write(accounts.record_check, cellar.id, weak)
    assert works(changed) and works(work)
    await page.composing.choices.refresh()
    assert ("cellar", "llama") in offered(page)
    pick(page, "llama")
    assert page.composing.choices.connection_id == cellar.id
    page.composing.choices._choose_agent(page.composing.choices._team[0].id)
    assert page.composing.choices.connection_id == ""
