"""What an owner decides about sync, between two real offices: categories that stay at home, and words that lost."""

import os
from pathlib import Path

import pytest

from agents.commands import syncing as commands
from agents.commands.serving import Served
from agents.office import Office
from memory import chats, roster
from memory.errors import NotFound, Refused
from memory.lifecycle.subjects import Subject
from memory.sync.categories import types_of
from tests.agents.syncing_offices import settle, texts
from tests.agents.test_syncing import Offices, both
from vault.recovery_key import words_of


async def titles(office: Office) -> list[str]:
    return sorted(each.title for each in await office.database.read(chats.conversations))


async def writer(office: Office) -> roster.Agent:
    return next(each for each in await office.roster.all() if each.name == "Writer")


@pytest.mark.req("R055")
async def test_what_is_left_out_from_the_start_never_leaves(offices: Offices, folder: Path) -> None:
    one, other = await offices("one"), await offices("other")
    await one.notes.add("the quetzal sings")
    await one.create_conversation(title="Rent")
    key = os.urandom(32)
    await one.syncing.found(folder, key, types_of(["agents", "chats", "settings"]))
    await other.syncing.join(folder, key)
    await settle(one, other)
    assert await titles(other) == ["Rent"] and await texts(other) == []
    await one.sync_decisions.choose(["agents", "chats", "notes", "settings"])
    await settle(one, other)
    assert await texts(other) == ["the quetzal sings"]


async def test_a_category_that_is_switched_off_stops_both_ways_and_catches_up(
    offices: Offices, folder: Path
) -> None:
    one, other, _key = await both(offices, folder)
    await one.notes.add("milk")
    await settle(one, other)
    await one.sync_decisions.choose(["agents", "chats", "settings"])
    await one.notes.add("kept at home")
    await other.notes.add("from the other")
    await other.create_conversation(title="Rent")
    await settle(one, other)
    assert await titles(one) == ["Rent"]
    assert await texts(one) == ["kept at home", "milk"] and await texts(other) == ["from the other", "milk"]
    await one.sync_decisions.choose(["agents", "chats", "notes", "settings"])
    await settle(one, other)
    wanted = ["from the other", "kept at home", "milk"]
    assert await texts(one) == wanted and await texts(other) == wanted


async def test_what_waits_when_a_category_is_switched_off_waits_on(offices: Offices, folder: Path) -> None:
    one, other, _key = await both(offices, folder)
    note = await one.notes.add("milk")
    folder.rename(folder.with_name("away"))
    with pytest.raises(Refused):
        await one.syncing.now()
    await one.sync_decisions.choose(["agents", "chats", "settings"])
    folder.with_name("away").rename(folder)
    await settle(one, other)
    assert await texts(other) == [] and (await one.syncing.status()).waiting.outbox == 0
    await one.sync_decisions.choose(["agents", "chats", "notes", "settings"])
    await settle(one, other)
    assert await texts(other) == ["milk"]
    await one.sync_decisions.choose([])
    await one.erasing.erase([Subject("note", note.id)])
    await settle(one, other)
    assert await texts(other) == [], "an erasure reaches every device, whatever syncs"


async def test_joining_without_agents_keeps_ones_own(offices: Offices, folder: Path) -> None:
    one, other = await offices("one"), await offices("other")
    key = os.urandom(32)
    await one.syncing.found(folder, key)
    own = [each.id for each in await other.roster.all()]
    await other.syncing.join(folder, key, types_of(["notes"]))
    assert [each.id for each in await other.roster.all()] == own


async def in_conflict(one: Office, other: Office) -> None:
    await settle(one, other)
    await one.roster.change((await writer(one)).id, instructions="Write short letters.")
    await other.roster.change((await writer(other)).id, instructions="Write long letters.")
    await settle(one, other)


async def test_words_that_lost_are_taken_back_on_every_device(offices: Offices, folder: Path) -> None:
    one, other, _key = await both(offices, folder)
    await in_conflict(one, other)
    assert (await writer(one)).instructions == (await writer(other)).instructions
    listed = [(office, await office.sync_decisions.conflicts()) for office in (one, other)]
    office, (found,) = next((office, each) for office, each in listed if each)
    assert {found.lost, found.kept} == {"Write short letters.", "Write long letters."}
    assert (found.type, found.name, found.field, found.reason) == ("agent", "Writer", "instructions", "text")
    await office.sync_decisions.take_back(found.id)
    await settle(one, other)
    assert [(await writer(each)).instructions for each in (one, other)] == [found.lost, found.lost]
    assert await office.sync_decisions.conflicts() == ()
    earlier = await office.roster.revisions(found.local_id)
    assert found.kept in earlier[0].markdown


async def test_words_that_lost_are_let_go_and_put_back_until_their_thing_is_erased(
    offices: Offices, folder: Path
) -> None:
    one, other, _key = await both(offices, folder)
    await in_conflict(one, other)
    office = one if await one.sync_decisions.conflicts() else other
    (found,) = await office.sync_decisions.conflicts()
    let_go = await office.sync_decisions.dismiss(found.id)
    assert await office.sync_decisions.conflicts() == ()
    await office.sync_decisions.put_back(let_go)
    assert await office.sync_decisions.conflicts() == (found,)
    await office.erasing.erase([Subject("agent", found.local_id)])
    assert await office.sync_decisions.conflicts() == ()
    with pytest.raises(NotFound):
        await office.sync_decisions.put_back(let_go)
    with pytest.raises(NotFound):
        await office.sync_decisions.take_back(found.id)


async def test_the_commands_choose_and_decide(offices: Offices, folder: Path) -> None:
    one, other = Served(await offices("one")), Served(await offices("other"))
    words = words_of(os.urandom(32))
    await commands.on(one, {"folder": str(folder), "words": words, "without": ["settings"]})
    await commands.join(other, {"folder": str(folder), "words": words, "without": []})
    rows = await commands.categories(one, {"on": [], "off": ["notes"]})
    assert {row["name"]: row["syncs"] for row in rows} == {
        "agents": True, "chats": True, "files": True, "notes": False, "settings": False,
    }  # fmt: skip
    with pytest.raises(Refused, match="“music”"):
        await commands.categories(one, {"on": ["music"], "off": []})
    await in_conflict(one.office, other.office)
    served = one if await one.office.sync_decisions.conflicts() else other
    (row,) = await commands.conflicts(served, {"take": "", "dismiss": ""})
    status = await commands.status(served, {})
    assert status["conflicts"] == 1 and status["last_round_at"] and status["fault"] == ""
    with pytest.raises(Refused, match="bureau sync conflicts"):
        await commands.conflicts(served, {"take": "zz", "dismiss": ""})
    assert await commands.conflicts(served, {"take": "", "dismiss": row["id"][:6]}) == []
    folder.rename(folder.with_name("away"))
    with pytest.raises(Refused):
        await commands.now(served, {"confirmed": None})
    status = await commands.status(served, {})
    assert "cannot be used" in status["fault"] and status["fault_at"]
