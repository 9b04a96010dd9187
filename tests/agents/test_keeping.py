"""Trash, holds, restrictions, retention and the daily round, on an open office."""

import asyncio
import logging
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from agents.errors import ErasureFailed
from agents.events import Event, RetentionAsks
from agents.indexing import index_said
from agents.lifecycle import daily
from agents.lifecycle.daily import Daily
from agents.office import Office
from desktop.log_file import LogFile
from memory import audit, branches, chats, messages, notes, runs
from memory.errors import ManyAtOnce, NotFound, Refused
from memory.identifiers import now
from memory.lifecycle import holds, reports, rounds
from memory.lifecycle.retention import LONGEST_JUMP, jumped
from memory.lifecycle.subjects import Subject
from memory.lifecycle.trash import DAY
from memory.tables import AuditTable, ConversationTable, RetentionRuleTable, RunTable
from memory.tables.records import required
from tests.agents.conftest import until
from tests.agents.test_erasing import _say


def daily_at(office: Office, at: int) -> Daily:
    """The office's daily round at another time of the clock."""
    return Daily(office.database, office.locations, office.events, office.erasing, clock=lambda: at)


@pytest.mark.req("R140")
@pytest.mark.req("R143")
async def test_what_is_in_the_trash_comes_back_whole_or_goes_after_its_days(office: Office) -> None:
    conversation = await office.create_conversation(title="The quay")
    kept, thrown = await office.database.write(_say, conversation.id, "It is deep.", "Very deep indeed.")
    note = await office.notes.add("The crane is red")
    away = [Subject("message", thrown.id), Subject("note", note.id)]
    moved = await office.keeping.put_away(away)
    assert list(moved) == away
    shown = await office.database.read(branches.path, conversation.id)
    assert [one.id for turn in shown for one in turn.messages] == [kept.id]
    (hit,) = (await office.recall.search("crane red deep indeed")).hits
    assert (hit.source_id, hit.after) == (kept.id, "")
    await office.keeping.bring_back(moved)
    assert {hit.source_id for hit in (await office.recall.search("crane red deep indeed")).hits} >= {
        thrown.id
    }
    await office.keeping.put_away(away)
    assert (await daily_at(office, now() + 29 * DAY).round(confirmed=True)).trash == 0
    assert (await daily_at(office, now() + 31 * DAY).round(confirmed=True)).trash == 2
    with pytest.raises(NotFound):
        await office.message(thrown.id)
    assert (await office.message(kept.id)).text == "It is deep."


@pytest.mark.req("R146")
async def test_a_great_many_at_once_need_their_number(office: Office) -> None:
    many = [Subject("note", (await office.notes.add(f"Note {number}")).id) for number in range(51)]
    with pytest.raises(ManyAtOnce):
        await office.keeping.put_away(many)
    assert await office.keeping.trash() == ()
    with pytest.raises(ManyAtOnce):
        await office.keeping.put_away(many[:20])
    await office.keeping.put_away(many, confirmed=51)
    with pytest.raises(ManyAtOnce) as brake:
        await office.erasing.erase(many, brake=True, confirmed=50)
    assert brake.value.count == 51


@pytest.mark.req("R219")
async def test_a_hold_keeps_things_from_every_deletion(office: Office) -> None:
    note = await office.notes.add("Evidence")
    subject = Subject("note", note.id)
    await office.keeping.hold(subject, held=True)
    await office.keeping.put_away([subject])
    (thrown,) = await office.keeping.trash()
    assert thrown.leaves_at is None
    assert (await daily_at(office, now() + 400 * DAY).round(confirmed=True)).trash == 0
    with pytest.raises(Refused):
        await office.erasing.erase([subject])
    await office.keeping.hold(subject, held=False)
    assert (await daily_at(office, now() + 400 * DAY).round(confirmed=True)).trash == 1


@pytest.mark.req("R219")
async def test_what_is_held_in_a_chat_keeps_the_chat_and_nothing_else(office: Office) -> None:
    conversation = await office.create_conversation(title="The quay")
    (said,) = await office.database.write(_say, conversation.id, "It is deep.")
    note = await office.notes.add("The crane is red")
    await office.keeping.hold(Subject("message", said.id), held=True)
    await office.keeping.put_away([Subject("conversation", conversation.id), Subject("note", note.id)])
    leaving = {one.subject.kind: one.leaves_at for one in await office.keeping.trash()}
    assert leaving["conversation"] is None
    assert leaving["note"] is not None
    assert (await daily_at(office, now() + 31 * DAY).round(confirmed=True)).trash == 1
    assert [one.subject.kind for one in await office.keeping.trash()] == ["conversation"]


@pytest.mark.req("R219")
@pytest.mark.parametrize("mark", ["held", "pinned"])
async def test_a_message_that_is_to_stay_keeps_its_files(office: Office, tmp_path: Path, mark: str) -> None:
    conversation = await office.create_conversation()
    source = tmp_path / "lease.txt"
    source.write_text("The rent is due on the third.")
    file = await office.attach(conversation.id, source)
    await office.files.settled([file.id])
    sent = await office.send(conversation.id, "See this", [file.id])
    await office.runs.wait([run.id for run in sent.runs])
    await office.keeping.set_rule("category", "files", 1)
    later = now() + 2 * DAY
    assert [one.subject.id for one in await office.keeping.leaving(later)] == [file.id]
    if mark == "held":
        await office.keeping.hold(Subject("message", sent.message.id), held=True)
        with pytest.raises(Refused):
            await office.erasing.erase([Subject("file", file.id)])
    else:
        await office.database.write(messages.pin_message, sent.message.id, pinned=True)
    assert await office.keeping.leaving(later) == ()


async def test_a_note_of_a_chat_that_is_to_stay_keeps_the_chat(office: Office) -> None:
    conversation = await office.create_conversation(title="The quay")
    note = await office.database.write(
        notes.add_note, "The crane is red", scope="conversation", scope_id=conversation.id
    )
    await office.keeping.set_rule("category", "conversations", 1)
    later = now() + 2 * DAY
    assert [one.subject.id for one in await office.keeping.leaving(later)] == [conversation.id]
    await office.database.write(notes.pin_note, note.id, pinned=True)
    assert await office.keeping.leaving(later) == ()


@pytest.mark.req("R113")
async def test_what_is_restricted_is_neither_recalled_nor_sent(office: Office, tmp_path: Path) -> None:
    conversation = await office.create_conversation()
    source = tmp_path / "lease.txt"
    source.write_text("The rent is due on the third.")
    file = await office.attach(conversation.id, source)
    await office.files.settled([file.id])
    await office.database.write(_say, conversation.id, "The tenant is called Amundsen.")
    assert len((await office.recall.search("tenant Amundsen")).hits) == 1
    (before,) = await office.preview(conversation.id, "And now?", [file.id])
    assert {part.kind for part in before.parts} >= {"conversation", "attachment"}
    await office.keeping.restrict(Subject("file", file.id), restricted=True)
    (after,) = await office.preview(conversation.id, "And now?", [file.id])
    assert "attachment" not in {part.kind for part in after.parts}
    await office.keeping.restrict(Subject("conversation", conversation.id), restricted=True)
    assert (await office.recall.search("tenant Amundsen")).hits == ()
    for asked in (office.preview(conversation.id, "And now?"), office.send(conversation.id, "And now?")):
        with pytest.raises(Refused, match="restricted"):
            await asked
    await office.keeping.restrict(Subject("conversation", conversation.id), restricted=False)
    (again,) = await office.preview(conversation.id, "And now?")
    assert "conversation" in {part.kind for part in again.parts}


@pytest.mark.req("R113")
async def test_a_restricted_message_keeps_its_files_and_its_echo_out(office: Office, tmp_path: Path) -> None:
    conversation = await office.create_conversation()
    source = tmp_path / "lease.txt"
    source.write_text("The rent is due on the third.")
    file = await office.attach(conversation.id, source)
    await office.files.settled([file.id])

    def say(session: Session) -> list[str]:
        said = []
        for text, files in (("The tenant is called Amundsen.", [file.id]), ("He keeps a dog.", [])):
            said.append(messages.add_owner_message(session, conversation.id, text, attachment_ids=files).id)
            index_said(session, said[-1])
        return said

    tenant, dog = await office.database.write(say)
    assert {hit.source_id for hit in (await office.recall.search("Amundsen")).hits} == {tenant, dog}
    assert [hit.source_id for hit in (await office.recall.search("rent third")).hits] == [file.id]
    await office.keeping.restrict(Subject("message", tenant), restricted=True)
    assert (await office.recall.search("Amundsen")).hits == ()
    assert (await office.recall.search("rent third")).hits == ()
    (account,) = await office.preview(conversation.id, "And now?")
    assert "lease" not in str(account.parts)
    await office.keeping.restrict(Subject("message", tenant), restricted=False)
    assert {hit.source_id for hit in (await office.recall.search("Amundsen")).hits} == {tenant, dog}
    assert [hit.source_id for hit in (await office.recall.search("rent third")).hits] == [file.id]


@pytest.mark.req("R113")
async def test_a_run_that_was_given_what_is_restricted_now_does_not_go_on(office: Office) -> None:
    note = await office.notes.add("The crane is red")
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "What colour is the crane?")
    (run,) = sent.runs
    await office.runs.wait([run.id])
    await office.database.write(_cut_off, run.id, f'<data id="{note.id}">')
    await office.database.read(holds.refuse_given, run.id)
    await office.keeping.restrict(Subject("note", note.id), restricted=True)
    await office.resume(run.id)
    await office.runs.wait([run.id])
    ended = await office.database.read(runs.run, run.id)
    assert ended.state == "failed" and "restricted now" in ended.reason


def _cut_off(session: Session, run_id: str, given: str) -> None:
    """Leave a run as the end of the program leaves it in the middle of its work."""
    row = required(session, RunTable, run_id)
    row.state, row.history = "interrupted", {"provider": "", "text_length": 0, "messages": [given]}


@pytest.mark.req("R113")
async def test_another_version_of_a_restricted_note_is_restricted_too(office: Office) -> None:
    note = await office.notes.add("The crane is red")
    await office.keeping.restrict(Subject("note", note.id), restricted=True)
    changed = await office.notes.change(note.id, "The crane is blue")
    assert changed.restricted
    assert (await office.recall.search("crane")).hits == ()


@pytest.mark.req("R147")
async def test_the_narrowest_rule_decides_and_pins_and_holds_are_exempt(office: Office) -> None:
    made = [await office.create_conversation(title=title) for title in ("plain", "longer", "pinned", "held")]
    plain, longer, pinned, held = (one.id for one in made)
    await office.database.write(_age, [one.id for one in made], now() - 40 * DAY)
    await office.database.write(chats.pin, pinned)
    await office.keeping.hold(Subject("conversation", held), held=True)
    await office.keeping.set_rule("category", "conversations", 30)
    await office.keeping.set_rule("conversation", longer, 90)
    assert [one.subject.id for one in await office.keeping.leaving(now())] == [plain]
    assert [one.label for one in await office.keeping.leaving(now() + 60 * DAY)] == ["plain", "longer"]
    done = await daily_at(office, now()).round()
    assert (done.retention, done.asks) == (1, 0)
    left = await office.database.read(chats.conversations)
    assert {one.id for one in left} == {longer, pinned, held}
    with pytest.raises(Refused):
        await office.keeping.set_rule("category", "weather", 30)


@pytest.mark.parametrize(
    ("seen_at", "at", "asks"),
    [
        (None, 50 * DAY, False),
        (50 * DAY, 50 * DAY, False),
        (50 * DAY, 49 * DAY, False),
        (50 * DAY, 49 * DAY - 1, True),
        (50 * DAY, 0, True),
        (50 * DAY, 50 * DAY + LONGEST_JUMP, False),
        (50 * DAY, 50 * DAY + LONGEST_JUMP + 1, True),
    ],
)
def test_a_clock_set_back_or_far_forward_is_a_jump(seen_at: int | None, at: int, asks: bool) -> None:
    assert jumped(seen_at, at) is asks


async def test_what_went_with_something_before_it_stops_no_round(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily, "_AT_ONCE", 1)
    conversation = await office.create_conversation(title="The quay")
    (said,) = await office.database.write(_say, conversation.id, "It is deep.")
    note = await office.notes.add("The crane is red")
    for kind, identifier in (("conversation", conversation.id), ("message", said.id), ("note", note.id)):
        await office.keeping.put_away([Subject(kind, identifier)])
    await daily_at(office, now() + 31 * DAY).round(confirmed=True)
    assert await office.keeping.trash() == ()


async def test_a_round_that_fails_is_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stops one round, agents at work or a folder that went away, the next one still comes."""
    monkeypatch.setattr(daily, "_AGAIN_SECONDS", 0.0)
    note = await office.notes.add("The crane is red")
    await office.keeping.put_away([Subject("note", note.id)])
    shutil.rmtree(office.locations.logs)
    tries: list[int] = []

    async def busy_at_first(*arguments: Any, **options: Any) -> reports.EraseReport:
        tries.append(1)
        if len(tries) < 3:
            raise ErasureFailed("Agents keep working on this.")
        return await office.erasing.erase(*arguments, **options)

    erasing = office.erasing
    at_work = daily_at(office, now() + 31 * DAY)
    await office.database.write(rounds.note, now() + 31 * DAY)
    monkeypatch.setattr(at_work, "_erasing", SimpleNamespace(erase=busy_at_first, deepen=erasing.deepen))
    await at_work.start()
    await until(lambda: len(tries) == 3)
    while await office.keeping.trash():
        await asyncio.sleep(0)
    await at_work.close()
    assert await office.database.read(notes.notes) == () and len(tries) == 3


@pytest.mark.parametrize("days", [-40, 40])
async def test_nothing_goes_when_the_clock_jumps_until_its_owner_confirms(
    office: Office, heard: list[Event], days: int
) -> None:
    note = await office.notes.add("Old")
    await office.keeping.set_rule("category", "notes", 1)
    assert (await daily_at(office, now()).round()).retention == 0
    at = now() + days * DAY
    if days < 0:
        await office.database.write(_age_note, note.id, at - 5 * DAY)
    assert (await daily_at(office, at).round()).asks == 1
    assert (await office.database.read(notes.note, note.id)).text == "Old"
    assert RetentionAsks(1) in heard
    assert (await daily_at(office, at).round(confirmed=True)).retention == 1


@pytest.mark.req("R150")
@pytest.mark.req("R072")
async def test_ledgers_and_logs_are_shortened_and_the_audit_trail_still_verifies(office: Office) -> None:
    for number in range(3):
        await office.database.write(audit.append, "test", str(number))
    await office.database.write(_age_audit, now() - 800 * DAY)
    done = await daily_at(office, now()).round()
    assert done.ledgers["audit"] == 3
    assert await office.database.read(audit.verify) >= 1


async def test_no_number_of_days_is_too_large_for_a_round(office: Office) -> None:
    with pytest.raises(Refused, match="36500"):
        await office.keeping.set_rule("category", "usage", 10**23)
    rule = await office.keeping.set_rule("category", "usage", 36_500)
    await office.database.write(_lengthen, rule.id, 2**62)  # as an import brings it
    assert (await daily_at(office, now()).round()).ledgers == {}


@pytest.mark.req("R071")
async def test_no_line_of_a_log_is_kept_over_thirty_days(office: Office) -> None:
    """A log that is written to every few days lets its old lines go, because each day has its file."""
    path, at = office.locations.logs / "window.log", now() / 1000
    for days in (45, 31, 29, 2, 0):
        log = LogFile(path, 1_000_000)
        record = logging.makeLogRecord({"msg": f"line of {days} days ago", "name": "test"})
        record.created = at - days * 86_400
        log.handle(record)
        log.close()
        os.utime(path, (record.created, record.created))
    assert (await daily_at(office, now()).round()).logs == 2
    left = "".join(one.read_text() for one in sorted(office.locations.logs.iterdir()))
    assert [days for days in (45, 31, 29, 2, 0) if f"line of {days} days ago" in left] == [29, 2, 0]


@pytest.mark.req("R148")
async def test_without_a_rule_everything_is_kept(office: Office) -> None:
    conversation = await office.create_conversation(title="The quay")
    (said,) = await office.database.write(_say, conversation.id, "It is deep.")
    note = await office.notes.add("The crane is red")
    done = await daily_at(office, now() + 3_650 * DAY).round(confirmed=True)
    assert (done.trash, done.retention, done.asks) == (0, 0, 0)
    assert (await office.message(said.id)).text == "It is deep."
    assert (await office.database.read(notes.note, note.id)).text == "The crane is red"


async def test_the_key_changes_a_week_after_an_erasure(office: Office) -> None:
    note = await office.notes.add("Gone soon")
    await office.erasing.proved((await office.erasing.erase([Subject("note", note.id)])).id)
    key = office.vault.keys.database_key
    assert not (await daily_at(office, now() + 6 * DAY).round(confirmed=True)).deep
    assert office.vault.keys.database_key == key
    assert (await daily_at(office, now() + 8 * DAY).round(confirmed=True)).deep
    assert office.vault.keys.database_key != key
    assert [one.level for one in await office.database.read(reports.reports)] == ["deep", "full"]
    assert not (await daily_at(office, now() + 16 * DAY).round(confirmed=True)).deep


def _age(session: Session, conversation_ids: list[str], at: int) -> None:
    for identifier in conversation_ids:
        session.get_one(ConversationTable, identifier).updated_at = at


def _lengthen(session: Session, rule_id: str, days: int) -> None:
    session.get_one(RetentionRuleTable, rule_id).days = days


def _age_note(session: Session, note_id: str, at: int) -> None:
    from memory.tables import NoteTable

    session.get_one(NoteTable, note_id).created_at = at


def _age_audit(session: Session, at: int) -> None:
    """Write the same chain as it would have been made at an earlier time."""
    rows = session.query(AuditTable).order_by(AuditTable.number).all()
    previous = "0" * 64
    for row in rows:
        row.at, row.previous_hash = at, previous
        row.hash = previous = audit._hash(row.number, at, row.kind, row.subject, row.detail, previous)
