"""What went missing elsewhere, in an owner's hands: listed, taken back, let go, in a real office."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.commands import syncing as commands
from agents.commands.serving import Served
from agents.events import NotesChanged
from agents.office import Office
from memory import notes
from memory.errors import Refused
from memory.identifiers import now
from memory.lifecycle import holds
from memory.lifecycle.subjects import Subject
from memory.sync import aside
from memory.tables import SyncRecordTable
from tests.agents.syncing_offices import settle, texts
from tests.agents.test_syncing import Offices, both


def withhold(session: Session, *ids: str) -> int:
    """Let a service have these no more."""
    chosen = select(SyncRecordTable).where(SyncRecordTable.local_id.in_(ids))
    rows = session.scalars(chosen).all()
    return sum(aside.remove(session, row, now(), aside.ABSENT) for row in rows)


async def with_set_aside(offices: Offices, folder: Path, *said: str) -> tuple[Office, Office, list[str]]:
    one, other, _key = await both(offices, folder)
    ids = [(await one.notes.add(each)).id for each in said]
    await settle(one, other)
    assert await one.database.write(withhold, *ids) == len(ids)
    return one, other, ids


async def test_it_is_taken_back_and_offered_to_the_others(offices: Offices, folder: Path) -> None:
    one, other, _ids = await with_set_aside(offices, folder, "milk", "bread")
    served = Served(one)
    listed = await commands.aside(served, {"take_back": [], "let_go": []})
    assert sorted((each["what"], each["name"], each["why"]) for each in listed) == [
        ("note", "bread", "missing"),
        ("note", "milk", "missing"),
    ]
    assert (await commands.status(served, {}))["set aside"] == 2 and await texts(one) == []
    told: list[object] = []
    one.events.subscribe(told.append)
    milk = next(each for each in listed if each["name"] == "milk")
    left = await commands.aside(served, {"take_back": [milk["id"][:8]], "let_go": []})
    assert [each["name"] for each in left] == ["bread"] and await texts(one) == ["milk"]
    assert any(isinstance(event, NotesChanged) for event in told)
    await settle(one, other)
    assert await texts(one) == ["milk"] and await texts(other) == ["bread", "milk"]
    with pytest.raises(Refused, match="see “bureau sync aside”"):
        await commands.aside(served, {"take_back": ["zz"], "let_go": []})
    assert await commands.aside(served, {"take_back": ["all"], "let_go": []}) == []
    assert await texts(one) == ["bread", "milk"]


async def test_it_is_let_go_with_proof_and_the_others_keep_theirs(offices: Offices, folder: Path) -> None:
    one, other, (milk, bread) = await with_set_aside(offices, folder, "milk", "bread")
    await one.database.write(holds.hold, Subject("note", bread), held=True)
    decisions = one.sync_decisions
    with pytest.raises(Refused, match="1 thing stays"):
        await decisions.let_go()
    assert [each.name for each in await decisions.set_aside()] == ["bread"]
    await one.database.write(holds.hold, Subject("note", bread), held=False)
    assert await decisions.let_go() == 1 and await decisions.set_aside() == ()
    await settle(one, other)
    assert await texts(one) == [] and await texts(other) == ["bread", "milk"]
    found = await one.database.read(notes.notes)
    assert not {milk, bread} & {note.id for note in found}


async def test_what_does_not_sync_is_named(offices: Offices, folder: Path) -> None:
    one, other, _key = await both(offices, folder)
    await one.notes.add("An endless tale. " + "word " * 260_000)
    await settle(one, other)
    served = Served(one)
    (listed,) = await commands.apart(served, {})
    assert listed == {"what": "note", "name": "An endless tale.", "state": "too_long"}
    assert (await commands.status(served, {}))["too long"] == 1 and await texts(other) == []
