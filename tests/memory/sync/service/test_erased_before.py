"""What was erased on a device before it joined is not brought back there, and not taken from those who have it."""

from typing import Any

import pytest
from sqlalchemy import insert, select

from memory import chats, messages, notes
from memory.lifecycle.subjects import Subject
from memory.tables import ConversationTable, MessageTable, NoteTable
from tests.memory.sync.service.offices import Office, settle

TABLES = (ConversationTable, MessageTable, NoteTable)


def bring(one: Office, other: Office) -> None:
    """Let the other office have what one has, as from one backup."""

    def rows(session: Any) -> list[tuple[Any, list[dict[str, Any]]]]:
        return [
            (table, [dict(row._mapping) for row in session.execute(select(table.__table__))])
            for table in TABLES
        ]

    def put(session: Any) -> None:
        for table, found in one.do(rows):
            if found:
                session.execute(insert(table.__table__), found)

    other.do(put)


def kept(office: Office) -> set[str]:
    return {key for type_ in ("note", "message", "conversation") for key in office.state()[type_]}


@pytest.mark.req("R158")
def test_it_stays_where_it_was_kept_and_away_where_it_was_erased(offices: list[Office]) -> None:
    one, other, third = offices
    note = one.do(notes.add_note, "milk").id
    chat = one.do(chats.create_conversation).id
    said = [one.do(messages.add_owner_message, chat, text).id for text in ("first", "second")]
    bring(one, other)
    other.erase(Subject("note", note), Subject("conversation", chat))
    settle(one, other, third)
    one.do(messages.pin_message, said[0], pinned=True)
    said.append(third.do(messages.add_owner_message, chat, "third").id)
    settle(one, other, third)
    for office in offices:
        office.hosted.clock.pass_days(2)
        done = office.sync()
        assert (done.refused, done.mended, done.aside, done.asks) == ([], 0, 0, 0)
    settle(one, other, third)
    assert kept(one) == kept(third) == {note, chat, *said} and kept(other) == set()
    one.erase(Subject("note", note), Subject("conversation", chat))
    settle(one, other, third)
    assert kept(one) == kept(third) == kept(other) == set()
    assert {state for state, _rev, _seq in other.known().values()} <= {"synced", "erased"}


def test_what_hangs_on_it_is_shown_and_stays_in_its_place_elsewhere(offices: list[Office]) -> None:
    one, other, _third = offices
    chat = one.do(chats.create_conversation).id
    first = one.do(messages.add_owner_message, chat, "first").id
    bring(one, other)
    other.erase(Subject("message", first))
    second = one.do(messages.add_owner_message, chat, "second").id
    settle(one, other)
    assert one.state()["message"][second]["parent_id"] == first
    assert kept(other) == {chat, second} and other.state()["message"][second]["parent_id"] is None
    other.do(messages.pin_message, second, pinned=True)
    settle(one, other)
    row = one.state()["message"][second]
    assert row["parent_id"] == first and row["pinned"] is not None
