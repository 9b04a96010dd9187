"""A message whose parent was erased, or has not come, is never out of sight: it stands at the top of its chat."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from memory import chats, messages
from memory.lifecycle.subjects import Subject
from memory.tables import MessageTable
from tests.memory.sync.service.offices import Office, settle


def begin(*offices: Office) -> tuple[str, str, str]:
    """Write a chat of two messages and let every office have it; return the ids."""
    chat = offices[0].do(chats.create_conversation).id
    first, second = (offices[0].do(messages.add_owner_message, chat, text).id for text in ("first", "second"))
    settle(*offices)
    return chat, first, second


def parents(office: Office) -> dict[str, str | None]:
    """Return what every message hangs on, by its text."""

    def ask(session: Any) -> dict[str, str | None]:
        return {row.text: row.parent_id for row in session.scalars(select(MessageTable))}

    return dict(office.do(ask))


def agree(offices: Sequence[Office], wanted: dict[str, str | None]) -> None:
    """Require all offices to show the same, and to know of every record what the service gives out."""
    live = offices[0].hosted.live(offices[0].member.space_id)
    for office in offices:
        assert parents(office) == wanted
        known = office.known()
        assert {rid: rev for rid, (state, rev, _seq) in known.items() if state == "synced"} == live


def test_two_devices_that_erase_one_above_the_other_leave_what_was_said_below(offices: list[Office]) -> None:
    one, other, third = offices
    chat, first, second = begin(*offices)
    one.do(messages.add_owner_message, chat, "said on one")
    third.do(messages.add_owner_message, chat, "said on the third")
    one.sync()
    one.erase(Subject("message", second))
    third.sync()
    third.erase(Subject("message", first))
    third.sync()
    one.sync()
    third.sync()
    settle(one, other, third)
    agree(offices, {"said on one": None, "said on the third": None})


def test_what_was_said_below_something_erased_is_shown_though_its_writer_is_never_seen_again(
    offices: list[Office],
) -> None:
    one, other, third = offices
    chat, _first, second = begin(*offices)
    other.do(messages.add_owner_message, chat, "said below")
    push, erased = other.carrier.push, list[str]()

    async def push_late(ops: Any) -> Any:
        if not erased:
            erased.append(second)
            one.erase(Subject("message", second))
            await one.round()
        return await push(ops)

    other.carrier.push = push_late  # type: ignore[method-assign]  # between what it pulls and what it sends
    other.sync()
    settle(one, third)
    agree((one, third), {"first": None, "said below": None})


def test_what_comes_before_its_new_parent_is_there_and_edits_on_both_sides_hold(
    offices: list[Office],
) -> None:
    one, other, _third = offices
    chat, _first, _second = begin(*offices)
    below = one.do(messages.add_owner_message, chat, "below").id
    settle(one, other)
    newer = one.do(messages.add_owner_message, chat, "newer").id
    one.do(_hang, below, newer)
    one.do(messages.pin_message, below, pinned=True)
    live = len(one.hosted.live(one.member.space_id))
    one.hosted.become(account_records=live)  # there is room for what was edited, not for what is new
    one.sync()
    other.sync()
    assert parents(other)["below"] is None and "newer" not in parents(other)
    assert other.state()["message"][below]["pinned"] is not None
    other.do(_restrict, below)
    other.sync()
    one.hosted.become(account_records=live + 10)
    settle(one, other)
    assert parents(one) == parents(other) and parents(other)["below"] == newer
    for office in (one, other):
        row = office.state()["message"][below]
        assert row["pinned"] is not None and row["restricted"]


def _hang(session: Any, message_id: str, parent_id: str) -> None:
    session.get_one(MessageTable, message_id).parent_id = parent_id


def _restrict(session: Any, message_id: str) -> None:
    session.get_one(MessageTable, message_id).restricted = True
