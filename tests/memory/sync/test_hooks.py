"""What is changed here is marked in the transaction of the change, and only what is changed here."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from memory import chats, messages, notes, settings
from memory.lifecycle.data_map import data_map
from memory.lifecycle.data_map.syncing import EVERYTHING, synced
from memory.lifecycle.subjects import Subject
from memory.messages import Speaker
from memory.sync import space
from memory.sync.drain import Drained, drain
from memory.tables import Base, ConversationTable, NoteTable, SyncChangeTable, SyncRecordTable, SyncSpaceTable
from tests.agents.test_erasing import _decrypted
from tests.memory.conftest import KEY
from tests.memory.sync.devices import Device, settle


def marks(device: Device) -> set[tuple[str, str]]:
    def read(session: Session) -> set[tuple[str, str]]:
        return {
            (type_, key)
            for type_, key in session.execute(select(SyncChangeTable.type, SyncChangeTable.local_id))
        }

    found: set[tuple[str, str]] = device.do(read)
    return found


def seal(device: Device, at: int = 1) -> int:
    drained: Drained = device.do(drain, device.credentials, at)
    return drained.sealed


@pytest.mark.req("R046", "R055")
def test_every_column_of_the_office_syncs_or_says_why_not() -> None:
    entries = {each.table: each for each in synced()}
    assert len(entries) == len(synced())
    assert entries.keys() == {entry.table for entry in data_map() if entry.table}
    for table, each in entries.items():
        assert all(reason.endswith(".") for reason in each.stays.values()), table
        if each.type:
            columns = Base.metadata.tables[table].columns.keys()
            assert sorted([*each.columns, *each.stays]) == sorted(columns), table
            assert not {"key", "secret"} & set(each.columns) or table == "setting"
        else:
            assert list(each.stays) == [EVERYTHING], table
    staying = {table for table, each in entries.items() if not each.type}
    assert {"embedding", "passage", "index_snapshot", "backup", "blob", "audit", "outbox", "usage"} <= staying


def test_every_setting_syncs_or_is_known_to_stay() -> None:
    (shape,) = (each for each in synced() if each.table == "setting")
    stay = {"appearance", "network", "alerts", "backup", "lock", "window", "lifecycle", "first_minute"}
    for setting in settings.declared():
        assert (setting.key in shape.only) != (setting.key.partition(".")[0] in stay), setting.key


def test_without_sync_nothing_is_marked(devices: list[Device]) -> None:
    one = devices[0]
    one.do(space.leave)
    one.do(notes.add_note, "milk")
    assert marks(one) == set()


def test_a_row_is_marked_when_it_is_ready_and_only_for_what_syncs(devices: list[Device]) -> None:
    one = devices[0]
    conversation = one.do(chats.create_conversation)
    said = one.do(messages.add_owner_message, conversation.id, "hello")
    (answer,) = one.do(messages.add_agent_messages, said.id, [Speaker(None, "Ada", "0" * 32, "m")])
    one.do(messages.append_text, answer.id, "half")
    seal(one)
    one.do(messages.append_text, answer.id, " an answer")
    assert marks(one) == set()
    one.do(messages.finish_message, answer.id, "complete")
    assert ("message", answer.id) in marks(one)
    seal(one)
    one.do(chats.set_draft, conversation.id, {"text": "unsent"})
    one.do(settings.change, "appearance.text_zoom", 120)
    assert marks(one) == set()
    one.do(settings.change, "trash.days", 3)
    assert marks(one) == {("setting", "trash.days")}


def test_what_did_not_change_after_all_is_not_sealed(devices: list[Device]) -> None:
    one = devices[0]
    note = one.do(notes.add_note, "milk")
    assert seal(one) == 1
    one.do(notes.pin_note, note.id, pinned=True)
    one.do(notes.pin_note, note.id, pinned=False)
    assert marks(one) == {("note", note.id)} and seal(one) == 0
    one.do(space.mark_everything)
    assert seal(one) == 0


def test_what_arrives_is_not_marked(devices: list[Device]) -> None:
    one, other = devices
    one.do(notes.add_note, "milk")
    one.sync()
    assert other.sync().pulled == 1
    assert marks(other) == set()
    assert not other.do(lambda session: session.scalars(select(SyncSpaceTable.applying)).one())


def test_what_was_changed_while_sync_was_off_is_found(devices: list[Device]) -> None:
    one, other = devices
    note = one.do(notes.add_note, "milk")
    settle(one, other)
    one.do(space.switch, enabled=False)
    one.do(notes.pin_note, note.id, pinned=True)
    gone = one.do(notes.add_note, "bread")
    assert marks(one) == set() and seal(one) == 0
    one.erase(Subject("note", gone.id))
    one.do(space.switch, enabled=True)
    settle(one, other)
    assert one.state() == other.state()
    assert other.state()["note"][note.id]["pinned_at"] is not None


def test_an_erased_row_leaves_only_its_number_among_the_devices(devices: list[Device]) -> None:
    one, other = devices
    note = one.do(notes.add_note, "a quiet orchid")
    settle(one, other)
    one.do(notes.pin_note, note.id, pinned=True)
    one.erase(Subject("note", note.id))
    assert marks(one) == set()
    said = one.do(_everything)
    assert "orchid" not in said and note.id not in said
    assert one.do(lambda session: session.scalars(select(SyncRecordTable.state)).all()).count("erase") == 1
    assert asyncio.run(one.database.fold_log())
    pages = [page.lower() for page in _decrypted(one.database.path, KEY)]
    for trace in (b"orchid", note.id.encode(), bytes.fromhex(note.id).lower()):
        assert not any(trace in page for page in pages)


def _everything(session: Session) -> str:
    tables = ("sync_space", "sync_record", "sync_awaited", "sync_change", "sync_outbox", "sync_conflict")
    return repr([session.execute(text(f"SELECT * FROM {table}")).all() for table in tables])


def test_a_killed_process_leaves_no_edit_without_its_mark_and_no_mark_without_its_edit(
    devices: list[Device], tmp_path: Path
) -> None:
    one, other = devices
    ids = [one.do(notes.add_note, f"note {number}").id for number in range(3)]
    settle(one, other)
    one.database.close()
    command = [sys.executable, "-m", "tests.memory.sync.killed_while_editing", str(tmp_path / "0"), *ids]
    for lines in (1, 5, 12):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        reported = {}
        for _line in range(lines):
            note_id, number = child.stdout.readline().split()
            reported[note_id] = int(number)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        one.reopen()
        told = {key for _type, key in marks(one)}
        before = other.state()["note"]
        now = one.do(lambda session: {row.id: row.text for row in session.scalars(select(NoteTable))})
        assert told == {each for each in ids if now[each] != before[each]["text"]}
        assert reported.keys() <= told
        settle(one, other)
        assert one.state() == other.state()
        one.database.close()
    one.reopen()


def test_what_an_import_is_bringing_in_waits_until_it_is_whole(devices: list[Device]) -> None:
    one = devices[0]
    conversation = one.do(chats.create_conversation)
    said = one.do(messages.add_owner_message, conversation.id, "hello")

    def arriving(session: Session, import_id: str | None) -> None:
        session.get_one(ConversationTable, conversation.id).arriving_import_id = import_id

    one.do(arriving, "ab" * 16)
    assert seal(one) == 0
    one.do(arriving, None)
    assert {("conversation", conversation.id), ("message", said.id)} <= marks(one)
    assert seal(one) == 2


def test_many_edits_are_sealed_in_small_transactions(devices: list[Device]) -> None:
    one = devices[0]
    for number in range(5):
        one.do(notes.add_note, f"note {number}")
    drained = [one.do(drain, one.credentials, 1, 2).sealed for _turn in range(4)]
    assert drained == [2, 2, 1, 0]
