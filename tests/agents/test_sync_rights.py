"""What is done to one thing on one device holds on the others and at the service: corrected, restricted, gone."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.office import Office
from memory import attachments, messages, notes
from memory.lifecycle.subjects import Subject
from memory.tables import AgentRevisionTable, EmbeddingTable, PassageTable
from tests.agents.conftest import until
from tests.agents.test_erasing import traces
from tests.agents.test_sync_service import found, hosted, join, settle
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]

Offices = Callable[..., Awaitable[Office]]


async def both(offices: Offices, hosted: Running) -> tuple[Office, Office]:
    one, other = await offices("one"), await offices("other")
    await join(other, hosted, await found(one, hosted))
    await settle(one, other)
    return one, other


async def nothing_at_the_service(hosted: Running, *words: str) -> None:
    dumped = await asyncio.to_thread(hosted.dump)
    assert [word for word in words if word.encode() in dumped] == []


@pytest.mark.req("R040", "R042", "R111", "R113")
async def test_a_note_is_corrected_restricted_and_erased_on_every_device(
    offices: Offices, hosted: Running
) -> None:
    one, other = await both(offices, hosted)
    conversation = await one.create_conversation(title="The mill")
    said = await one.database.write(messages.add_owner_message, conversation.id, "The crane is red, I think")
    note = await one.database.write(notes.add_note, "The crane by the mill is red", source_message_id=said.id)
    await settle(one, other)
    (there,) = await other.database.read(notes.notes)
    assert (there.id, there.text, there.source_message_id) == (note.id, note.text, said.id)
    changed = await other.notes.change(note.id, "The crane by the mill is vermilion")
    await settle(one, other)
    assert [
        hit.text for hit in (await one.recall.search("crane mill")).hits if hit.source_kind == "note"
    ] == ["The crane by the mill is vermilion"]
    await one.keeping.restrict(Subject("note", changed.id), restricted=True)
    await settle(one, other)
    (shown,) = await other.database.read(notes.notes)
    assert shown.id == changed.id and shown.restricted
    assert (await other.recall.search("vermilion")).hits == ()
    await other.keeping.restrict(Subject("note", changed.id), restricted=False)
    await settle(one, other)
    assert len((await one.recall.search("vermilion")).hits) == 1
    await one.erasing.erase([Subject("note", changed.id), Subject("message", said.id)])
    await settle(one, other)
    for office in (one, other):
        assert await office.database.read(notes.notes) == ()
        assert traces(office, ("vermilion", "crane", changed.id, said.id)) == []
    await nothing_at_the_service(hosted, "vermilion", "crane", changed.id, said.id)


@pytest.mark.req("R041", "R046", "R047")
async def test_vectors_are_made_on_each_device_and_go_on_each_with_their_file(
    offices: Offices, hosted: Running
) -> None:
    one, other = await both(offices, hosted)
    for office in (one, other):
        await office.recall.start()
    conversation = await one.create_conversation(title="Lease")
    file = await one.attach(
        conversation.id, b"The vermilion deposit is held by Quince and Sons. " * 40, "lease.txt"
    )
    await one.send(conversation.id, "@Librarian What is the deposit?", attachment_ids=[file.id])
    await until(lambda: not one.runs.busy(conversation.id))
    await settle(one, other)
    for office in (one, other):
        await office.files.settled([file.id])
        await office.recall.settled()
        passages, vectors = await office.database.read(_of_file, file.id)
        assert passages > 0 and vectors == passages
    await other.erasing.erase([Subject("conversation", conversation.id)])
    await settle(one, other)
    await asyncio.to_thread(hosted.do_jobs)
    for office in (one, other):
        await office.recall.settled()
        assert await office.database.read(_of_file, file.id) == (0, 0)
        assert await office.database.read(attachments.attachments_in_state, "ready") == ()
        assert (await office.recall.search("deposit Quince")).hits == ()
        assert traces(office, ("quince", file.id)) == []
    assert await asyncio.to_thread(hosted.objects) == {}
    await nothing_at_the_service(hosted, "Quince", file.id)


def _of_file(session: Session, file_id: str) -> tuple[int, int]:
    """How many passages of a file there are, and how many of them have a vector."""
    passages = select(PassageTable.number).where(PassageTable.source_id == file_id)
    number = EmbeddingTable.passage_number
    vectors = select(func.count(number.distinct())).where(number.in_(passages))
    return len(session.scalars(passages).all()), session.scalar(vectors) or 0


@pytest.mark.req("R049", "R112")
async def test_an_agent_is_on_every_device_and_goes_on_each_with_the_history_it_has_there(
    offices: Offices, hosted: Running
) -> None:
    one, other = await both(offices, hosted)
    agent = await one.roster.add("Pilot", instructions="Count pelicans")
    await settle(one, other)
    assert (await other.roster.agent(agent.id)).instructions == "Count pelicans"
    await other.roster.change(agent.id, instructions="Count lighthouses")
    await settle(one, other)
    assert (await one.roster.agent(agent.id)).instructions == "Count lighthouses"
    assert await other.roster.revisions(agent.id)
    await nothing_at_the_service(hosted, "pelicans", "lighthouses", "Pilot")
    await one.erasing.erase([Subject("agent", agent.id)])
    await settle(one, other)
    for office in (one, other):
        assert agent.id not in {each.id for each in await office.roster.all()}
        assert await office.database.read(_revisions, agent.id) == 0
        assert traces(office, ("pelicans", "lighthouses")) == []


def _revisions(session: Session, agent_id: str) -> int:
    return session.query(AgentRevisionTable).filter_by(agent_id=agent_id).count()
