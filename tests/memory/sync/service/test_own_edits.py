"""What a device wrote before is never in the way of what it writes now, and nothing that is merged stops the rounds."""

from pathlib import Path

import pytest

from memory import notes, roster
from memory.sync import conflicts
from memory.sync.plaintext import LARGEST
from memory.sync.service.faults import Unreachable
from tests.memory.sync.service.offices import Office, settle


def instruct(office: Office, agent_id: str, text: str) -> None:
    office.do(roster.update_agent, agent_id, markdown="", instructions=text)


def instructions(office: Office, agent_id: str) -> str:
    return str(office.state()["agent"][agent_id]["instructions"])


def restore(backup: Path, *offices: Office) -> None:
    """Let the service come out of a backup, and every owner say that it may."""
    offices[0].hosted.restore(backup)
    for office in offices:
        office.reopen()
        office.sync(generation=office.sync().generation)


def test_an_edit_upon_one_whose_answer_was_lost_is_no_conflict(offices: list[Office]) -> None:
    one, other, _third = offices
    agent = one.do(roster.create_agent, name="Ada", instructions="a")
    settle(one, other)
    instruct(one, agent.id, "ab")
    one.wire.unheard = "/push"
    with pytest.raises(Unreachable):
        one.sync()
    instruct(one, agent.id, "abc")
    settle(one, other)
    assert instructions(one, agent.id) == instructions(other, agent.id) == "abc"
    assert one.do(conflicts.conflicts) == other.do(conflicts.conflicts) == ()


def test_an_edit_made_while_the_one_before_is_on_its_way_is_no_conflict(offices: list[Office]) -> None:
    one, other, _third = offices
    agent = one.do(roster.create_agent, name="Ada", instructions="a")
    settle(one, other)
    instruct(one, agent.id, "ab")

    async def meanwhile() -> None:
        await one.database.write(roster.update_agent, agent.id, markdown="", instructions="abc")

    one.wire.between = 3, meanwhile
    one.sync()
    settle(one, other)
    assert instructions(one, agent.id) == instructions(other, agent.id) == "abc"
    assert one.do(conflicts.conflicts) == other.do(conflicts.conflicts) == ()


def test_an_edit_that_waits_goes_to_a_service_that_came_out_of_a_backup(
    offices: list[Office], tmp_path: Path
) -> None:
    one, other, _third = offices
    kept = one.do(roster.create_agent, name="Ada", instructions="a").id
    settle(one, other)
    one.hosted.back_up(tmp_path / "backup")
    lost = one.do(roster.create_agent, name="Bea", instructions="b").id
    one.sync()
    for agent in (kept, lost):
        instruct(one, agent, "edited")
    one.seal()
    restore(tmp_path / "backup", one, other)
    settle(one, other)
    for office in (one, other):
        assert [instructions(office, agent) for agent in (kept, lost)] == ["edited", "edited"]
    live = one.hosted.live(one.member.space_id)
    assert all({rid: each[1] for rid, each in office.known().items()} == live for office in (one, other))


def test_what_a_backup_lacks_is_not_undone_by_an_edit_upon_what_it_has(
    offices: list[Office], tmp_path: Path
) -> None:
    one, other, third = offices
    agent = one.do(roster.create_agent, name="Ada", instructions="first\nsecond").id
    settle(*offices)
    one.hosted.back_up(tmp_path / "backup")
    instruct(one, agent, "first\nlost with the service")
    settle(one, other)
    instruct(third, agent, "written far away\nsecond")
    restore(tmp_path / "backup", third, one, other)
    settle(*offices)
    (shown,) = {instructions(office, agent) for office in offices}
    (lost,) = {each.lost for office in offices for each in office.do(conflicts.conflicts)}
    assert {shown, lost} == {"first\nlost with the service", "written far away\nsecond"}


def test_what_a_service_gives_of_former_days_is_no_conflict(offices: list[Office], tmp_path: Path) -> None:
    one, other, _third = offices
    agent = one.do(roster.create_agent, name="Ada", instructions="first").id
    settle(one, other)
    one.hosted.back_up(tmp_path / "backup")
    instruct(one, agent, "second")
    settle(one, other)
    restore(tmp_path / "backup", one, other)
    settle(one, other)
    for office in (one, other):
        assert instructions(office, agent) == "second" and office.do(conflicts.conflicts) == ()


def test_a_text_that_grows_too_long_by_merging_stops_nothing(offices: list[Office]) -> None:
    one, other, _third = offices
    agent = one.do(roster.create_agent, name="Ada", instructions="first\nmiddle\nlast")
    settle(one, other)
    half = "x" * (LARGEST * 6 // 10)
    instruct(one, agent.id, f"{half}\nmiddle\nlast")
    instruct(other, agent.id, f"first\nmiddle\n{half}")
    one.sync()
    other.do(notes.add_note, "milk")
    settle(other, one)
    assert "milk" in {row["text"] for row in one.state()["note"].values()}
    assert instructions(other, agent.id) == f"{half}\nmiddle\n{half}"
    instruct(other, agent.id, "short again")
    settle(other, one)
    assert instructions(one, agent.id) == "short again"


def test_a_name_that_another_agent_gave_up_is_no_name_of_two(offices: list[Office]) -> None:
    one, *_others = offices
    made = sorted(
        (one.do(roster.create_agent, name=f"agent {number}").id for number in range(6)), reverse=True
    )
    settle(*offices)
    before = {each: one.state()["agent"][each]["name"] for each in made}
    for each in made:
        one.do(roster.update_agent, each, markdown="", name=f"meanwhile {each}")
    after = dict(zip(made, [before[each] for each in (*made[1:], made[0])], strict=True))
    for each, name in after.items():
        one.do(roster.update_agent, each, markdown="", name=name)
    one.sync()
    assert [office.sync().pushed for office in offices] == [0, 0, 0]
    for office in offices:
        assert {each: office.state()["agent"][each]["name"] for each in made} == after
