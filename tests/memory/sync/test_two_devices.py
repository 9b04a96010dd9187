"""Two offices meet in a folder: what is written on one is on the other, and what both changed is merged."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, select, update
from sqlalchemy.orm import Session

from memory import chats, messages, notes, roster, settings
from memory.identifiers import new_id, now
from memory.lifecycle.subjects import Subject
from memory.messages import Speaker
from memory.sync import outbox, space
from memory.sync.drain import drain
from memory.sync.folder import FolderCarrier
from memory.sync.hlc import Stamp
from memory.sync.known import new, record_id
from memory.sync.plaintext import Entry, Record
from memory.tables import (
    AgentTable,
    SyncAwaitedTable,
    SyncChangeTable,
    SyncConflictTable,
    SyncOutboxTable,
    SyncRecordTable,
    SyncSpaceTable,
)
from tests.memory.sync.devices import Device, settle
from tests.memory.sync.making import SPACE


def alike(one: Device, other: Device) -> dict[str, dict[str, Any]]:
    state = one.state()
    assert state == other.state()
    return state


def chat(device: Device, *turns: str) -> tuple[str, list[str]]:
    """Write a chat of the owner's turns, each with an answer; return its id and those of its messages."""
    conversation = device.do(chats.create_conversation)
    written = []
    for text in turns:
        said = device.do(messages.add_owner_message, conversation.id, text)
        (answer,) = device.do(messages.add_agent_messages, said.id, [Speaker(None, "Ada", "0" * 32, "m")])
        device.do(messages.append_text, answer.id, f"answer to {text}")
        device.do(messages.finish_message, answer.id, "complete")
        written += [said.id, answer.id]
    return conversation.id, written


def test_everything_that_syncs_comes_over_and_nothing_comes_back(devices: list[Device]) -> None:
    one, other = devices
    agent = one.do(roster.create_agent, name="Ada", instructions="Be brief.")
    conversation, written = chat(one, "hello", "and again")
    note = one.do(notes.add_note, "The milk is sour", source_message_id=written[0], agent_id=agent.id)
    one.do(settings.change, "trash.days", 5)
    settle(one, other)
    state = alike(one, other)
    assert sorted(written, key=lambda each: state["message"][each]["ordinal"]) == written
    assert state["message"].keys() == set(written) and conversation in state["conversation"]
    assert state["note"][note.id]["source_message_id"] == written[0]
    assert other.do(settings.value, "trash.days") == 5
    assert [one.sync().pushed, other.sync().pushed] == [0, 0]
    one.do(settings.reset, "trash.days")
    settle(one, other)
    assert "trash.days" not in alike(one, other)["setting"]
    other.do(settings.change, "trash.days", 7)
    settle(one, other)
    assert alike(one, other)["setting"]["trash.days"]["value"] == 7


def test_an_erasure_costs_no_statement_for_each_record_that_waits(devices: list[Device]) -> None:
    """In a first sync thousands of messages wait for a chat that was renamed after them."""
    one, other = devices
    settle(one, other)
    counts = [0]

    def count(*_arguments: object) -> None:
        counts[-1] += 1

    event.listen(Engine, "after_cursor_execute", count)
    try:
        for waiting in (0, 300):
            note = one.do(notes.add_note, "milk")
            settle(one, other)
            one.erase(Subject("note", note.id))
            one.sync()
            other.do(_wait, waiting)
            counts.append(0)
            other.sync()
            counts.append(0)
            assert note.id not in other.state()["note"]
    finally:
        event.remove(Engine, "after_cursor_execute", count)
    assert counts[3] - counts[1] < 10


def _wait(session: Session, count: int) -> None:
    rid = session.scalars(select(SyncRecordTable.rid).where(SyncRecordTable.state == "synced")).first()
    session.add_all(SyncAwaitedTable(rid=rid, target=new_id(), arrived=False) for _each in range(count))


def test_edits_made_apart_are_merged_by_field_and_by_line(devices: list[Device]) -> None:
    one, other = devices
    agent = one.do(roster.create_agent, name="Ada", instructions="first\nmiddle\nlast")
    settle(one, other)
    one.do(roster.update_agent, agent.id, markdown="", instructions="FIRST\nmiddle\nlast", role="writer")
    other.do(roster.update_agent, agent.id, markdown="", instructions="first\nmiddle\nLAST", language="de")
    settle(one, other)
    merged = alike(one, other)["agent"][agent.id]
    assert (merged["instructions"], merged["role"], merged["language"]) == (
        "FIRST\nmiddle\nLAST",
        "writer",
        "de",
    )


def test_edits_that_both_had_sent_before_they_met_are_merged_by_line(
    devices: list[Device], tmp_path: Path
) -> None:
    one, other = devices
    agent = one.do(roster.create_agent, name="Ada", instructions="first\nmiddle\nlast")
    settle(one, other)
    one.do(roster.update_agent, agent.id, markdown="", instructions="FIRST\nmiddle\nlast")
    other.do(roster.update_agent, agent.id, markdown="", instructions="first\nmiddle\nLAST")
    one.sync()
    theirs = tmp_path / "folder" / SPACE / one.keys.id
    theirs.rename(tmp_path / "theirs")
    other.sync()
    (tmp_path / "theirs").rename(theirs)
    settle(one, other)
    assert alike(one, other)["agent"][agent.id]["instructions"] == "FIRST\nmiddle\nLAST"


def test_of_two_changes_of_one_line_the_loser_is_listed(devices: list[Device]) -> None:
    one, other = devices
    agent = one.do(roster.create_agent, name="Ada", instructions="line")
    settle(one, other)
    one.do(roster.update_agent, agent.id, markdown="", instructions="my line")
    other.do(roster.update_agent, agent.id, markdown="", instructions="your line")
    settle(one, other)
    kept = alike(one, other)["agent"][agent.id]["instructions"]
    lost = [
        text
        for device in devices
        for text in device.do(lambda session: session.scalars(select(SyncConflictTable.lost)).all())
    ]
    assert {kept, *lost} == {"my line", "your line"} and len(lost) == 1


def test_both_answer_in_one_chat_and_both_branches_stay(devices: list[Device]) -> None:
    one, other = devices
    conversation, written = chat(one, "hello")
    settle(one, other)
    mine = one.do(messages.add_owner_message, conversation, "mine")
    yours = other.do(messages.add_owner_message, conversation, "yours")
    settle(one, other)
    state = alike(one, other)["message"]
    assert {mine.id, yours.id, *written} == set(state)
    assert state[mine.id]["parent_id"] == state[yours.id]["parent_id"] == written[-1]


@pytest.mark.parametrize("kind", ["conversation", "message", "note"])
def test_what_is_erased_here_is_erased_there(devices: list[Device], kind: str) -> None:
    one, other = devices
    conversation, written = chat(one, "hello", "again")
    note = one.do(notes.add_note, "milk")
    settle(one, other)
    gone = {"conversation": conversation, "message": written[1], "note": note.id}[kind]
    one.erase(Subject(kind, gone))  # type: ignore[arg-type]  # one of its words
    later = other.do(notes.add_note, "written meanwhile")
    settle(one, other)
    state = alike(one, other)
    assert gone not in state[kind] and later.id in state["note"]
    if kind == "message":
        assert state["message"][written[2]]["parent_id"] == written[0]
    if kind == "conversation":
        assert state["message"] == {}


def test_what_was_edited_there_and_erased_here_stays_erased(devices: list[Device]) -> None:
    one, other = devices
    note = one.do(notes.add_note, "milk")
    settle(one, other)
    other.do(notes.pin_note, note.id, pinned=True)
    other.sync()
    one.erase(Subject("note", note.id))
    settle(one, other)
    assert alike(one, other)["note"] == {}


def test_so_many_erasures_wait_for_the_owner(devices: list[Device]) -> None:
    one, other = devices
    made = [one.do(notes.add_note, f"note {number}").id for number in range(12)]
    settle(one, other)
    one.erase(*(Subject("note", each) for each in made))
    one.sync()
    done = other.sync()
    assert (done.asks, done.erased, len(other.state()["note"])) == (12, 0, 12)
    assert other.sync(confirmed=12).erased == 12
    settle(one, other)
    assert alike(one, other)["note"] == {}


def test_a_folder_that_is_away_loses_nothing(devices: list[Device], tmp_path: Path) -> None:
    one, other = devices
    one.do(notes.add_note, "a quiet orchid")
    (tmp_path / "folder").rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        one.sync()
    one.do(drain, one.credentials, now())
    (sealed,) = one.do(lambda session: session.scalars(select(SyncOutboxTable.envelope)).all())
    assert b"orchid" not in sealed
    (tmp_path / "away").rename(tmp_path / "folder")
    settle(one, other)
    assert [note["text"] for note in alike(one, other)["note"].values()] == ["a quiet orchid"]


def test_a_file_that_comes_after_later_ones_is_read(devices: list[Device], tmp_path: Path) -> None:
    one, other = devices
    here = tmp_path / "folder" / SPACE / one.keys.id
    before = set(here.iterdir())
    first = one.do(notes.add_note, "first")
    one.sync()
    (late,) = set(here.iterdir()) - before
    late.rename(tmp_path / "late")
    second = one.do(notes.add_note, "second")
    one.sync()
    assert other.sync().pulled == 1 and list(other.state()["note"]) == [second.id]
    (tmp_path / "late").rename(late)
    assert other.sync().pulled == 1
    assert alike(one, other)["note"].keys() == {first.id, second.id}


def test_messages_that_come_before_their_chat_are_held_until_it_is_here(
    devices: list[Device], tmp_path: Path
) -> None:
    one, other = devices
    here = tmp_path / "folder" / SPACE / one.keys.id
    before = set(here.iterdir())
    conversation, written = chat(one, "hello", "again")
    one.sync()
    away = sorted(set(here.iterdir()) - before)[:2]
    for path in away:
        path.rename(tmp_path / path.name)
    other.sync()
    assert other.state()["message"] == {} and other.do(outbox.waiting).held == len(written) - 1
    for path in reversed(away):
        (tmp_path / path.name).rename(path)
        other.sync()
    assert other.do(outbox.waiting).held == 0
    state = alike(one, other)
    assert state["message"].keys() == set(written) and conversation in state["conversation"]


def test_a_reference_leads_somewhere_once_its_row_is_here_whoever_brings_it(devices: list[Device]) -> None:
    one, other = devices
    agent = one.do(roster.create_agent, name="Ada")
    note = one.do(notes.add_note, "milk", agent_id=agent.id)
    other.do(lambda session: session.execute(update(SyncSpaceTable).values(types=["note"])))
    settle(one, other)
    assert other.state()["note"][note.id]["agent_id"] is None
    assert other.do(_awaited) == [(agent.id, False)]
    other.do(lambda session: session.add(AgentTable(id=agent.id, name="Ada", created_at=1, updated_at=1)))
    assert other.do(_awaited) == [(agent.id, True)]
    one.do(notes.add_note, "bread")
    settle(one, other)
    assert other.state()["note"][note.id]["agent_id"] == agent.id and other.do(_awaited) == []
    assert one.sync().pulled == 0  # that it leads somewhere is no edit


def test_what_was_there_before_sync_is_sent_in_the_order_written(devices: list[Device]) -> None:
    one = devices[0]
    _conversation, written = chat(one, *(f"turn {number}" for number in range(20)))
    one.do(lambda session: session.execute(delete(SyncChangeTable)))
    one.do(space.mark_everything)
    one.do(drain, one.credentials, now())
    naming = one.do(lambda session: session.scalars(select(SyncSpaceTable.naming)).one())
    sent = [op.rid for op in one.do(outbox.next_ops, erases=False)]
    assert [rid for rid in sent if rid in {record_id(naming, "message", each) for each in written}] == [
        record_id(naming, "message", each) for each in written
    ]


def _awaited(session: Session) -> list[tuple[str, bool]]:
    rows = session.execute(select(SyncAwaitedTable.target, SyncAwaitedTable.arrived))
    return [(row.target, row.arrived) for row in rows]


def test_a_damaged_file_is_told_and_read_once_it_is_whole(devices: list[Device], tmp_path: Path) -> None:
    one, other = devices
    note = one.do(notes.add_note, "milk")
    one.sync()
    path = max((tmp_path / "folder" / SPACE / one.keys.id).glob("*.msgpack"))
    whole = path.read_bytes()
    for damaged in (whole[:100], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        path.write_bytes(damaged)
        done = other.sync()
        assert len(done.refused) == 1 and other.state()["note"] == {}
    path.write_bytes(whole)
    assert other.sync().refused == [] and list(other.state()["note"]) == [note.id]


def test_a_number_in_the_folder_never_comes_again(devices: list[Device], tmp_path: Path) -> None:
    one, other = devices
    note = one.do(notes.add_note, "milk")
    settle(one, other)
    other.erase(Subject("note", note.id))
    settle(one, other)
    one.carrier = FolderCarrier(tmp_path / "folder", SPACE, one.keys.id)
    later = one.do(notes.add_note, "bread")
    settle(one, other)
    assert list(alike(one, other)["note"]) == [later.id]


def test_the_folder_holds_no_word_and_no_id(devices: list[Device], tmp_path: Path) -> None:
    one, other = devices
    note = one.do(notes.add_note, "a quiet orchid")
    settle(one, other)
    files = [path for path in (tmp_path / "folder").rglob("*") if path.is_file()]
    everything = b"".join(path.read_bytes() for path in files) + repr(files).encode()
    assert files and b"orchid" not in everything
    assert note.id.encode() not in everything and bytes.fromhex(note.id) not in everything


@pytest.mark.req("R020", "R021")
def test_a_key_that_arrives_is_kept_nowhere(devices: list[Device]) -> None:
    one, other = devices
    settle(one, other)
    rid = new_id()

    def send(session: Session, type_: str) -> None:
        here, known = space.of(session), new(rid if type_ == "secret" else new_id(), type_, "")
        assert here is not None
        out, clock = outbox.Outgoing(session, one.credentials), space.clock(here).tick(now())
        session.add(known)
        session.flush()
        stamp = Stamp(clock.ms, clock.counter, here.device_id)
        out.put(known, Record(type_, 1, {"value": Entry(f"quetzal {type_}", stamp)}), clock)
        out.write()
        space.keep_clock(here, clock)

    for type_ in ("secret", "contact"):
        one.do(send, type_)
    one.sync()
    other.sync()

    def read(session: Session) -> dict[str, dict[str, Any]]:
        rows = session.scalars(select(SyncRecordTable)).all()
        return {row.type: {**vars(row), "rid": row.rid} for row in rows}

    rows = other.do(read)
    secret, contact = rows["secret"], rows["contact"]
    assert (secret["rid"], secret["state"], secret["waiting"]) == (rid, "passed", None)
    assert contact["state"] == "opaque" and b"quetzal contact" in contact["waiting"]
    assert "quetzal secret" not in repr(rows)
