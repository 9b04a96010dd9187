"""A conversation of hundreds of turns through the page that shows it."""

import pytest_asyncio

from desktop.contents import Contents
from memory import branches
from memory.database import Database
from tests.bench.offices import _long_chat
from tests.desktop.waiting import until

MESSAGES = 1_200


@pytest_asyncio.fixture
async def contents(session):
    contents = Contents(session.window)
    await contents.fill(session)
    return contents


async def test_the_end_is_shown_before_the_rest_is_read(contents, session, monkeypatch):
    identifier = await session.office.database.write(_long_chat, MESSAGES)
    reads: list[tuple[str, int]] = []
    shown: list[int] = []
    read = Database.read

    async def watched(database, operation, *args, **named):
        found = await read(database, operation, *args, **named)
        if operation in (branches.tail, branches.turns):
            reads.append((operation.__name__, len(found)))
        return found

    monkeypatch.setattr(Database, "read", watched)
    contents.chat.shown.connect(lambda _id: shown.append(len(reads)))
    await contents.chat._open(identifier, "")
    assert reads[0] == ("tail", 40)
    assert shown == [1] or sum(count for _name, count in reads[: shown[0]]) <= 440, reads
    model = contents.chat.view.model()
    last = model.row(model.rowCount() - 1).messages[0].id
    await until(lambda: model.rowCount() == MESSAGES, "the beginning follows")
    assert model.row(model.rowCount() - 1).messages[0].id == last
    assert [model.row(place).messages[0].text for place in (0, 2)] == [
        f"And what does sheet {number} say of the depth at the quay?" for number in (0, 2)
    ]


async def test_a_change_while_the_beginning_comes_shows_nothing_twice(contents, session):
    identifier = await session.office.database.write(_long_chat, 100)
    await contents.chat._open(identifier, "")
    feed = contents.chat.feed
    await feed.refresh()
    model = contents.chat.view.model()
    await until(lambda: model.rowCount() >= 100)
    await feed.refresh()
    assert model.rowCount() == 100
    first = [model.row(place).messages[0].id for place in range(100)]
    assert len(set(first)) == 100


async def test_what_is_read_stays_where_it_is_while_the_beginning_comes(contents, session):
    identifier = await session.office.database.write(_long_chat, MESSAGES)
    await contents.chat._open(identifier, "")
    view = contents.chat.view
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    place = view.scroll_position()
    await until(lambda: view.model().rowCount() == MESSAGES)
    after = view.scroll_position()
    assert (after.row_id, after.offset) == (place.row_id, place.offset)
    view.finding.search("sheet 4 say")
    found = view.model().row(4).messages[0].id
    await until(
        lambda: found in [card.message.id for row in view.layout_.rows.values() for card in row.cards]
    )


def on_screen(view) -> list[str]:
    return [card.message.id for row in view.layout_.rows.values() for card in row.cards]


async def test_find_knows_what_is_not_yet_read_and_leads_there(contents, session):
    identifier = await session.office.database.write(_long_chat, MESSAGES)
    await contents.chat._open(identifier, "")
    view, feed = contents.chat.view, contents.chat.feed
    assert feed.filling and view.model().rowCount() < MESSAGES
    view.finding.search("SHEET 4 say")
    assert view.finding.found == []
    await until(lambda: len(view.finding.found) == 1, "the database knows it")
    await until(lambda: view.finding.current in on_screen(view), "the chat is read up to it")
    assert view.model().place_of_message(view.finding.current) == 4
    contents.chat.view.finding.search("does sheet")
    whole = [
        view.model().row(place).messages[0].id
        for place in range(MESSAGES)
        if "does sheet" in view.model().row(place).messages[0].text
    ]
    assert view.finding.found == whole and len(whole) == MESSAGES // 2


async def test_find_keeps_its_place_when_the_rest_is_found(contents, session):
    identifier = await session.office.database.write(_long_chat, MESSAGES)
    await contents.chat._open(identifier, "")
    finding = contents.chat.view.finding
    finding.search("does sheet")
    few, here = len(finding.found), finding.current
    await until(lambda: len(finding.found) == MESSAGES // 2, "all are counted")
    assert few < MESSAGES // 2 and finding.current == here == finding.found[-1]
    finding.step(1)
    assert finding.current == finding.found[0]
    await until(lambda: finding.current in on_screen(contents.chat.view), "the first is brought")


async def test_a_message_and_a_place_far_above_are_reached(contents, session):
    database = session.office.database
    identifier = await database.write(_long_chat, MESSAGES)
    steps = await database.read(branches.outline, identifier)
    far = steps[30].message_ids[0]
    await contents.chat._open(identifier, far)
    view = contents.chat.view
    assert far in on_screen(view) and view.current_message == far
    view.scroll_to_message(steps[60].message_ids[0])
    place = view.scroll_position()
    await contents.chat.remember()
    await contents.chat._begin_new()
    contents.chat._feeds.clear()
    await contents.chat._open(identifier, "")
    await until(lambda: view.scroll_position() == place, "it is read on where it was left")


async def test_the_saved_texts_of_the_shown_path_are_searched(session):
    database = session.office.database
    identifier = await database.write(_long_chat, 60)
    steps = await database.read(branches.outline, identifier)
    assert await database.read(branches.containing, identifier, " SHEET 6 SAY") == (steps[6].message_ids[0],)
    assert await database.read(branches.containing, identifier, "  ") == ()
