"""Offices meet at the real service: what is sent, what is removed without proof, and what a device does when asked."""

import shutil
import sqlite3
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import chats, messages, notes, roster
from memory.lifecycle.subjects import Subject
from memory.sync import outbox
from memory.sync.account_log import Writer
from memory.sync.errors import ServiceWentBack
from memory.sync.exchange import exchange
from memory.sync.hosted import lifetime
from memory.sync.membership import Member
from memory.sync.service import deletion, membership
from memory.sync.service.faults import ResyncRequired, Unreachable
from memory.sync.service.log import AccountLog
from memory.sync.service.rotation import Behind, open_next, wrap_anew
from memory.sync.service.spaces import space_of, wraps_of
from memory.tables import SyncOutboxTable, SyncRecordTable
from tests.memory.sync.service.looking import edit, state_of, texts
from tests.memory.sync.service.offices import Office, settle


def test_what_is_written_here_is_there_and_what_both_changed_is_merged(offices: list[Office]) -> None:
    one, other, _third = offices
    agent = one.do(roster.create_agent, name="Ada", instructions="first\nmiddle\nlast")
    chat = one.do(chats.create_conversation)
    said = one.do(messages.add_owner_message, chat.id, "hello")
    settle(one, other)
    one.do(roster.update_agent, agent.id, markdown="", instructions="FIRST\nmiddle\nlast")
    other.do(roster.update_agent, agent.id, markdown="", instructions="first\nmiddle\nLAST")
    mine = one.do(messages.add_owner_message, chat.id, "mine")
    yours = other.do(messages.add_owner_message, chat.id, "yours")
    settle(*offices)
    states = [office.state() for office in offices]
    assert states[0] == states[1] == states[2]
    assert states[0]["agent"][agent.id]["instructions"] == "FIRST\nmiddle\nLAST"
    assert {said.id, mine.id, yours.id} == set(states[0]["message"])
    assert [office.sync().pushed for office in offices] == [0, 0, 0]


def test_a_push_that_was_taken_and_not_heard_of_is_sent_again_and_changes_nothing(
    offices: list[Office],
) -> None:
    one, other, _third = offices
    one.do(notes.add_note, "milk")
    one.wire.unheard = "/push"
    with pytest.raises(Unreachable):
        one.sync()
    live = one.hosted.live(one.member.space_id)
    settle(one, other)
    assert one.hosted.live(one.member.space_id) == live and texts(other) == ["milk"]


def test_what_another_device_writes_between_two_requests_is_neither_missed_nor_overwritten(
    offices: list[Office],
) -> None:
    one, other, _third = offices
    agent = one.do(roster.create_agent, name="Ada", instructions="\n".join(f"line {n}" for n in range(12)))
    settle(one, other)

    def edit_line(office: Office, number: int) -> None:
        lines = office.state()["agent"][agent.id]["instructions"].split("\n")
        lines[number] = f"LINE {number}"
        office.do(roster.update_agent, agent.id, markdown="", instructions="\n".join(lines))

    async def meanwhile() -> None:
        await other.round()

    for request in range(1, 6):
        for office, number in ((one, request - 1), (other, request + 5)):
            office.do(notes.add_note, f"note {number}")
            edit_line(office, number)
        one.wire.between = request, meanwhile
        one.sync()
        one.wire.between = None
    settle(one, other)
    numbers = (0, 1, 2, 3, 4, 6, 7, 8, 9, 10)
    for office in (one, other):
        instructions = office.state()["agent"][agent.id]["instructions"].split("\n")
        assert [line for line in instructions if line.isupper()] == [f"LINE {number}" for number in numbers]
        assert texts(office) == sorted(f"note {number}" for number in numbers)


def test_what_was_sent_has_the_number_that_the_others_read(offices: list[Office]) -> None:
    one, other, _third = offices
    settle(one, other)
    one.do(notes.add_note, "milk")
    assert one.sync().pushed == 1
    other.sync()
    assert one.known() == other.known()


def test_a_large_first_sync_goes_in_portions_that_the_service_takes(offices: list[Office]) -> None:
    one, other, _third = offices
    for number in range(7):
        one.do(notes.add_note, f"{number}" * 900_000)
    one.hosted.become(push_bytes=3 * 2**20)  # less than this client thinks
    settle(one, other)
    assert len(other.state()["note"]) == 7


def test_an_erased_record_does_not_come_back_by_a_lost_answer(offices: list[Office]) -> None:
    """The counter-example of the protocol: ok lost, erased, its marker dropped, and the same bytes sent again."""
    one, other, third = offices
    before = one.hosted.live(one.member.space_id)
    note = one.do(notes.add_note, "zombie").id
    one.wire.unheard = "/push"
    with pytest.raises(Unreachable):
        one.sync()
    other.sync()
    other.erase(Subject("note", note))
    settle(other, third)
    one.hosted.clock.pass_days(20)
    one.hosted.do_day()
    done = one.sync()
    assert done.erased == 1 and texts(one) == texts(third) == []
    assert one.hosted.live(one.member.space_id) == before


def test_the_same_bytes_sent_after_the_marker_was_dropped_stay_erased(offices: list[Office]) -> None:
    one, other, third = offices
    before = one.hosted.live(one.member.space_id)
    note = one.do(notes.add_note, "zombie").id
    one.wire.unheard = "/push"
    with pytest.raises(Unreachable):
        one.sync()
    waiting = one.do(outbox.next_ops, erases=False)
    other.sync()
    other.erase(Subject("note", note))
    settle(other, third)
    (verdict,) = one.hosted.run(one.carrier.push(waiting))
    assert type(verdict).__name__ == "Erased" and one.hosted.live(one.member.space_id) == before


@pytest.mark.req("R074")
def test_what_is_over_quota_waits_and_goes_later(offices: list[Office]) -> None:
    one, other, _third = offices
    full = len(one.hosted.live(one.member.space_id))
    one.hosted.become(account_records=full)
    one.do(notes.add_note, "milk")
    done = one.sync()
    assert done.quota is not None and (done.quota.used, done.quota.limit) == (full, full)
    assert done.quota.of == "records"
    assert one.do(outbox.waiting).outbox == 1
    one.hosted.become(account_records=full + 1)
    settle(one, other)
    assert texts(other) == ["milk"]


def test_a_record_that_the_service_finds_too_large_stays_here(offices: list[Office]) -> None:
    one, other, _third = offices
    one.do(notes.add_note, "x" * 10_000)
    small = one.do(notes.add_note, "small")
    one.hosted.become(record_bytes=8_192)
    done = one.sync()
    assert done.refused == [] and one.do(outbox.waiting).too_long == 1
    settle(one, other)
    assert list(other.state()["note"]) == [small.id]


def test_while_a_deletion_is_pending_nothing_new_is_sent_and_erasures_are(offices: list[Office]) -> None:
    one, other, _third = offices
    note = one.do(notes.add_note, "milk").id
    settle(*offices)
    one.hosted.run(deletion.delete_space(one.calls, one.member.space_id, "grace"))
    one.do(notes.add_note, "bread")
    one.erase(Subject("note", note))
    done = one.sync()
    assert done.refusal is not None and done.pushed == 1
    other.sync()
    assert texts(other) == []
    one.hosted.run(deletion.restore_space(one.calls, one.member.space_id))
    settle(*offices)
    assert texts(other) == ["bread"]


async def _keep(_member: Any) -> None:
    """Stands for the vault."""


async def rotate(office: Office, spare: str) -> None:
    member, at = office.member, office.hosted.clock()
    log = AccountLog(office.calls, (member.account.n, member.account.head))
    writer = Writer(member.device.id, member.device.sign)
    await log.append(lambda account: writer.revoke_device(account, spare, at))
    space = await space_of(office.calls, member.space_id)
    pulled_to = (space.generation, space.head)
    office.member = await open_next(office.calls, log, member, at, pulled_to=pulled_to, keep=_keep)
    await wrap_anew(office.calls, office.member, office.held)


def test_what_waits_under_a_former_key_is_sealed_under_the_new_one(
    offices: list[Office], template: Any
) -> None:
    one, other, _third = offices
    other.do(notes.add_note, "sealed before")
    other.seal()
    one.hosted.run(rotate(one, template.members[3].device.id))
    member = other.member
    assert other.do(lambda session: session.scalars(select(SyncOutboxTable.epoch)).all()) == [1]
    settle(*offices)
    assert other.member != member and texts(one) == ["sealed before"]
    assert other.do(outbox.waiting).outbox == 0


def test_a_push_under_a_former_key_is_told_which_one_is_missing(offices: list[Office], template: Any) -> None:
    one, other, _third = offices
    parts = other.parts()
    other.do(notes.add_note, "sealed before")
    one.hosted.run(rotate(one, template.members[3].device.id))
    done = other.hosted.run(exchange(parts))  # the log was not read again
    assert done.epoch == 2 and done.pushed == 0 and other.do(outbox.waiting).outbox == 1
    settle(*offices)
    assert texts(one) == ["sealed before"]


def test_a_marker_of_a_device_that_was_taken_off_only_sets_aside(
    offices: list[Office], template: Any
) -> None:
    one, other, third = offices
    note = one.do(notes.add_note, "milk").id
    settle(*offices)
    other.erase(Subject("note", note))
    other.sync()
    one.sync()  # proven while its device was active
    assert texts(one) == []

    async def revoke() -> None:
        member = one.member
        log = AccountLog(one.calls, (member.account.n, member.account.head))
        writer = Writer(member.device.id, member.device.sign)
        await log.append(lambda account: writer.revoke_device(account, other.member.device.id, 0))

    one.hosted.run(revoke())
    done = third.sync()
    assert (done.aside, done.erased) == (1, 0) and state_of(third, note) == "aside"


@pytest.mark.req("R147")
def test_what_comes_to_its_last_day_is_erased_everywhere(offices: list[Office]) -> None:
    one, other, third = offices
    note = one.do(notes.add_note, "for a day").id
    one.seal()
    one.do(_last_day, note, one.hosted.service.today + 1)
    one.do(edit, note, "for one day")
    settle(one, other)
    other.do(edit, note, "edited, and still for one day")
    settle(one, other)
    third.sync()
    one.do(edit, note, "edited too late")
    one.hosted.clock.pass_days(2)
    one.hosted.do_day()
    assert other.sync().erased == 1
    settle(*offices)
    assert [texts(office) for office in offices] == [[], [], []]


def test_another_generation_asks_and_then_everything_is_there_again(
    offices: list[Office], tmp_path: Any
) -> None:
    one, other, third = offices
    early, gone = (one.do(notes.add_note, text).id for text in ("early", "gone"))
    settle(*offices)
    one.hosted.back_up(tmp_path / "backup")
    late = one.do(notes.add_note, "late").id
    other.do(edit, early, "edited later")
    one.erase(Subject("note", gone))
    one.sync()
    settle(one, other)
    waiting = third.do(notes.add_note, "waits").id
    third.seal()
    one.hosted.restore(tmp_path / "backup")
    for office in offices:
        office.reopen()
    asked = one.sync()
    assert asked.generation and asked.pulled == asked.pushed == asked.erased == 0
    assert one.sync(generation="ab" * 16).generation == asked.generation
    assert set(one.state()["note"]) == {early, late}
    for office in offices:
        office.sync(generation=asked.generation)
    settle(*offices)
    states = [office.state()["note"] for office in offices]
    assert states[0] == states[1] == states[2] and set(states[0]) == {early, late, waiting}
    assert states[0][early]["text"] == "edited later"
    assert state_of(third, gone) == "aside"  # erased elsewhere before it heard of it, and without proof now


def test_a_former_generation_and_a_head_that_goes_back_are_told_and_change_nothing(
    offices: list[Office], tmp_path: Any
) -> None:
    one = offices[0]
    one.do(notes.add_note, "early")
    settle(*offices)
    one.hosted.back_up(tmp_path / "first")
    before = one.do(notes.add_note, "late").id
    settle(*offices)
    _put_back(one, tmp_path / "first")
    with pytest.raises(ServiceWentBack, match="older state"):
        one.sync()
    assert before in one.state()["note"]
    one.hosted.restore(tmp_path / "first")  # now as its operator should
    one.reopen()
    asked = one.sync()
    settle_one = one.sync(generation=asked.generation)
    assert settle_one.pushed >= 1
    _put_back(one, tmp_path / "first")
    with pytest.raises(ServiceWentBack):
        one.sync()
    assert before in one.state()["note"]


def _put_back(office: Office, backup: Any) -> None:
    """Run the service on earlier records as if nothing had happened."""
    hosted = office.hosted
    hosted.run(lifetime.close_service(hosted.service))
    shutil.copy(backup, hosted.records)
    ledger = hosted.settings.data / "ledger.sqlite"
    with sqlite3.connect(ledger) as connection:
        connection.execute("DELETE FROM tides")
    connection.close()
    hosted.open()
    office.reopen()


def test_a_service_that_says_compare_for_ever_is_left_alone(offices: list[Office]) -> None:
    one, _other, _third = offices

    def always(path: str, response: Any) -> Any:
        if path.endswith("/changes"):
            return httpx2.Response(410, json={"error": "resync_required", "horizon": 5})
        return response

    one.wire.twist = always
    with pytest.raises(ResyncRequired):
        one.sync()


def _last_day(session: Session, note_id: str, day: int) -> None:
    chosen = select(SyncRecordTable).where(SyncRecordTable.local_id == note_id)
    session.scalars(chosen).one().exp_day = day


def test_a_key_that_a_device_was_given_before_it_was_taken_off_is_not_opened(
    offices: list[Office], template: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, third = offices
    settle(*offices)
    at, spare = one.hosted.clock(), template.members[3].device.id
    kept: list[Member] = []

    async def keep(member: Member) -> None:
        kept.append(member)

    async def take_off(office: Office, device_id: str) -> None:
        log = AccountLog(office.calls, (office.member.account.n, office.member.account.head))
        writer = Writer(office.member.device.id, office.member.device.sign)
        await log.append(lambda account: writer.revoke_device(account, device_id, at))

    async def read_and_take_off(calls: Any, space: Any) -> Any:
        found = await wraps_of(calls, space)
        if len(kept) == 1:
            await take_off(other, third.member.device.id)
        return found

    async def open_one() -> Member:
        log = AccountLog(one.calls, (one.member.account.n, one.member.account.head))
        space = await space_of(one.calls, one.member.space_id)
        pulled_to = (space.generation, space.head)
        return await open_next(one.calls, log, one.member, at, pulled_to=pulled_to, keep=keep)

    one.hosted.run(take_off(one, spare))
    monkeypatch.setattr(membership, "wraps_of", read_and_take_off)
    with pytest.raises(Behind):
        one.hosted.run(open_one())
    account = one.hosted.run(AccountLog(one.calls, (one.member.account.n, one.member.account.head)).read())
    assert account.current_epoch(one.member.space_id) == 1 and kept[-1] == one.member
    opened = one.hosted.run(open_one())
    assert opened.account.current_epoch(one.member.space_id) == 2
    assert opened.keys[-1] != kept[0].keys[-1], "another key than the one that was given away"
