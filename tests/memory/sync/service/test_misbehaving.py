"""A service that reorders, withholds, rolls back or gives out again what was erased: it is told, nothing is lost."""

from collections.abc import Callable
from itertools import count
from typing import Any

import httpx2
import msgpack
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import notes
from memory.lifecycle.subjects import Subject
from memory.sync.aside import MOST
from memory.sync.errors import AnswerMalformed, ServiceWentBack
from memory.tables import NoteTable, SyncRecordTable
from tests.memory.sync.service.looking import state_of, texts
from tests.memory.sync.service.offices import Office, settle

Change = Callable[[dict[str, Any]], object]


def answering(end: str, change: Change) -> Callable[[str, httpx2.Response], httpx2.Response]:
    """Change the members of each answer from a path."""

    def twist(path: str, response: httpx2.Response) -> httpx2.Response:
        if not path.endswith(end) or response.status_code != 200:
            return response
        packed = "msgpack" in response.headers["content-type"]
        members = msgpack.unpackb(response.content) if packed else response.json()
        change(members)
        if packed:
            return httpx2.Response(200, headers=response.headers, content=msgpack.packb(members))
        return httpx2.Response(200, json=members)

    return twist


@pytest.fixture
def written(offices: list[Office]) -> str:
    """Two notes that every office has; the id of the first."""
    first = offices[0].do(notes.add_note, "first").id
    offices[0].do(notes.add_note, "second")
    settle(*offices)
    found: str = first
    return found


def test_revisions_out_of_order_are_not_taken(offices: list[Office]) -> None:
    one, other, _third = offices
    for text in ("a", "b"):
        one.do(notes.add_note, text)
    one.sync()
    position = other.position()
    other.wire.twist = answering("/changes", lambda page: page["items"].reverse())
    with pytest.raises(AnswerMalformed):
        other.sync()
    assert texts(other) == [] and other.position() == position
    other.wire.twist = None
    settle(one, other)
    assert texts(other) == ["a", "b"]


@pytest.mark.parametrize(
    ("end", "change"),
    [
        ("/changes", lambda page: page.pop("items")),
        ("/changes", lambda page: page.update(next=page["head"] + 1)),
        ("/changes", lambda page: page.update(next=0, more=True)),
        ("/changes", lambda page: page.update(head="many")),
        ("/changes", lambda page: page["items"].append(7)),
        ("/push", lambda answer: answer["results"][0].update(op_id="ab" * 16)),
        ("/push", lambda answer: answer["results"][0].update(outcome="perhaps")),
        ("/push", lambda answer: answer["results"][0].pop("seq")),
        ("/push", lambda answer: answer["results"][0].update(seq=2**63)),
        ("/integrity", lambda answer: answer["ranges"].pop()),
    ],
)
def test_an_answer_that_makes_no_sense_changes_nothing(
    offices: list[Office], end: str, change: Change
) -> None:
    one, other, _third = offices
    other.do(notes.add_note, "written there")
    other.sync()
    one.do(notes.add_note, "milk")
    one.hosted.clock.pass_days(2)
    one.wire.twist = answering(end, change)
    with pytest.raises(AnswerMalformed):
        one.sync()
    assert "milk" in texts(one)
    one.wire.twist = None
    settle(one, other)
    assert texts(one) == texts(other) == ["milk", "written there"]


@pytest.mark.parametrize("items", [[], [{"seq": 0}]])
def test_pages_without_an_end_and_without_a_record_end_the_round(
    offices: list[Office], items: list[Any]
) -> None:
    one, other, _third = offices
    one.do(notes.add_note, "milk")
    one.sync()
    numbers = count(other.position()["after"] + 1)

    def go_on(page: dict[str, Any]) -> None:
        number = next(numbers)
        given = [{**each, "seq": number} for each in items]
        page.update(items=given, head=2**60, next=number, more=True)

    other.wire.twist = answering("/changes", go_on)
    with pytest.raises(AnswerMalformed):
        other.sync()
    assert next(numbers) < 1000 and texts(other) == []


def test_what_was_withheld_is_found_by_its_hash(offices: list[Office], written: str) -> None:
    one, other, _third = offices
    late = one.do(notes.add_note, "late").id
    one.sync()
    other.wire.twist = answering("/changes", lambda page: page["items"].clear())
    other.sync()
    assert late not in other.state()["note"]
    other.wire.twist = None
    other.hosted.clock.pass_days(2)
    done = other.sync()
    assert done.mended == 1 and late in other.state()["note"]
    other.hosted.clock.pass_days(2)
    assert other.sync().mended == 0


def test_a_service_that_never_gives_out_what_it_has_is_told(offices: list[Office], written: str) -> None:
    one, other, _third = offices
    one.do(notes.add_note, "late")
    one.sync()
    changes = answering("/changes", lambda page: page["items"].clear())
    records = answering("/records/get", lambda page: page["items"].clear())
    other.wire.twist = lambda path, response: records(path, changes(path, response))
    other.hosted.clock.pass_days(2)
    done = other.sync()
    ((_where, reason),) = done.refused
    assert reason == "the service has something else than it gives out"
    assert texts(other) == ["first", "second"]


def test_a_service_that_says_all_is_gone_takes_ten_things_out_of_sight_and_asks(
    offices: list[Office],
) -> None:
    one, other, _third = offices
    for number in range(MOST + 5):
        one.do(notes.add_note, f"note {number}")
    settle(*offices)
    empty = answering("/live", lambda page: page["items"].clear())
    told: list[str] = []

    def twist(path: str, response: httpx2.Response) -> httpx2.Response:
        if path.endswith("/changes") and not told:
            told.append(path)
            return httpx2.Response(410, json={"error": "resync_required", "horizon": 9})
        return empty(path, response)

    one.wire.twist = twist
    done = one.sync()
    assert done.missing == 5 and done.aside == MOST + 5
    assert one.do(_states).count("aside") == MOST
    one.wire.twist = None
    # The service is honest again: by its hashes everything is found, and shown as it was.
    one.hosted.clock.pass_days(2)
    one.sync()
    settle(*offices)
    assert len(one.state()["note"]) == MOST + 5 and one.state() == other.state()


def _states(session: Session) -> list[str]:
    return list(session.scalars(select(SyncRecordTable.state)))


def test_an_older_revision_under_a_new_number_is_not_taken(offices: list[Office], written: str) -> None:
    one, other, third = offices
    former: dict[str, Any] = {}

    def keep(page: dict[str, Any]) -> None:
        if page["items"]:
            former.update(page["items"][-1])

    one.do(_edit, written, "edited")
    one.sync()
    third.wire.twist = answering("/changes", keep)
    third.sync()
    one.do(_edit, written, "edited again")
    settle(one, other)

    def replay(page: dict[str, Any]) -> None:
        page["head"] += 1
        page["next"] = page["head"]
        page["items"] = [{"seq": page["head"], "env": former["env"]}]

    other.wire.twist = answering("/changes", replay)
    done = other.sync()
    assert [reason for _where, reason in done.refused] == ["an older revision came again"]
    assert texts(other) == ["edited again", "second"]


def test_an_erased_record_that_is_given_out_again_is_not_taken_and_erased_once_more(
    offices: list[Office], written: str
) -> None:
    one, other, third = offices
    kept: dict[str, Any] = {}

    def keep(page: dict[str, Any]) -> None:
        if page["items"]:
            kept.update(page["items"][-1])

    one.do(_edit, written, "edited")
    one.sync()
    third.wire.twist = answering("/changes", keep)
    third.sync()
    other.sync()
    one.erase(Subject("note", written))
    settle(*offices)

    def again(page: dict[str, Any]) -> None:
        page["head"] += 1
        page["next"] = page["head"]
        page["items"] = [{"seq": page["head"], "env": kept["env"]}]

    other.wire.twist = answering("/changes", again)
    done = other.sync()
    assert [reason for _where, reason in done.refused] == ["erased, and came again"]
    assert done.pushed == 1 and texts(other) == ["second"]


def test_a_record_that_was_changed_on_its_way_is_fetched_until_it_is_whole(offices: list[Office]) -> None:
    one, other, _third = offices
    note = one.do(notes.add_note, "milk").id
    one.sync()

    def spoil(page: dict[str, Any]) -> None:
        for item in page["items"]:
            item["env"]["sig"] = bytes(64)

    changes, records = answering("/changes", spoil), answering("/records/get", spoil)
    other.wire.twist = lambda path, response: records(path, changes(path, response))
    for _round in range(2):
        done = other.sync()
        assert len(done.refused) >= 1 and texts(other) == []
    other.wire.twist = None
    assert other.sync().refused == [] and list(other.state()["note"]) == [note]
    assert other.position()["again"] == []


def test_a_head_that_goes_back_is_told(offices: list[Office], written: str) -> None:
    one, _other, _third = offices
    one.wire.twist = answering("/changes", lambda page: page.update(head=1, next=1, items=[]))
    with pytest.raises(ServiceWentBack):
        one.sync()
    assert texts(one) == ["first", "second"]
    one.wire.twist = answering("/live", lambda page: page.update(as_of=1))
    assert state_of(one, written) == "synced"


def test_an_unproven_erasure_in_an_answer_to_a_push_sets_aside(offices: list[Office], written: str) -> None:
    one, other, _third = offices
    one.do(_edit, written, "edited")

    def erased(answer: dict[str, Any]) -> None:
        for result in answer["results"]:
            result.pop("seq", None)
            result["outcome"] = "erased"

    one.wire.twist = answering("/push", erased)
    done = one.sync()
    assert done.aside == 1 and state_of(one, written) == "aside"
    one.wire.twist = None
    settle(one, other)  # what was said to be erased is still given out, so it is shown again
    assert state_of(one, written) == "synced" and "edited" in texts(one)


def _edit(session: Session, note_id: str, text: str) -> None:
    session.get_one(NoteTable, note_id).text = text
