"""What a person may ask of the office about their own data: correct it, restrict it, know where it is from."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.indexing import index_said
from agents.lifecycle.bringing_in import bring_in
from agents.office import Office
from memory import audit, messages, notes
from memory.lifecycle.subjects import Subject
from memory.tables import AgentRevisionTable, ImportTable, MessageTable, ProvenanceTable
from memory.transfer.comparing import Choice
from tests.agents.conftest import until
from tests.agents.test_erasing import _say, traces
from tests.memory.transfer import foreign_archives

Offices = Callable[..., Awaitable[Office]]


def _origin(session: Session, record_id: str) -> tuple[str, str]:
    """From which app an imported record is, and the id it had there."""
    row = session.scalars(select(ProvenanceTable).where(ProvenanceTable.record_id == record_id)).one()
    return session.get_one(ImportTable, row.import_id).source, row.original_id


@pytest.mark.req("R011")
async def test_every_item_says_where_it_is_from(office: Office, tmp_path: Path) -> None:
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "@Librarian How deep is the quay?")
    await until(lambda: not office.runs.busy(conversation.id))
    typed, answered = sent.message, await office.message(sent.replies[0].id)
    assert (typed.role, typed.run_id, typed.agent_id) == ("owner", None, None)
    assert (answered.role, answered.run_id, answered.agent_name) == ("agent", sent.runs[0].id, "Librarian")
    said = await office.database.write(
        notes.add_note, "The quay is deep", source_message_id=answered.id, agent_id=answered.agent_id
    )
    mine = await office.notes.add("The crane is red")
    assert (said.source_message_id, mine.source_message_id, mine.agent_id) == (answered.id, None, None)
    await bring_in(
        office,
        foreign_archives.zipped(tmp_path / "x.zip", {"conversations.json": [foreign_archives.branched()]}),
    )
    brought = await office.database.read(_imported)
    assert [await office.database.read(_origin, one) for one in brought][:1] == [("chatgpt", "q1")]


def _imported(session: Session) -> list[str]:
    chosen = select(MessageTable.id).where(
        MessageTable.run_id.is_(None), MessageTable.text == "When is high water?"
    )
    return list(session.scalars(chosen))


@pytest.mark.req("R042")
@pytest.mark.req("R111")
@pytest.mark.req("R113")
async def test_a_note_is_corrected_and_restricted_and_recall_follows(office: Office) -> None:
    note = await office.notes.add("The crane by the mill is red")
    changed = await office.notes.change(note.id, "The crane by the mill is ochre")
    assert [hit.text for hit in (await office.recall.search("crane mill red ochre")).hits] == [
        "The crane by the mill is ochre"
    ]
    assert (await office.recall.search("red")).hits == ()
    await office.keeping.restrict(Subject("note", changed.id), restricted=True)
    assert (await office.recall.search("crane mill")).hits == ()
    assert [one.id for one in await office.database.read(notes.notes)] == [changed.id]
    await office.keeping.restrict(Subject("note", changed.id), restricted=False)
    assert len((await office.recall.search("crane mill")).hits) == 1


@pytest.mark.req("R111")
async def test_what_was_said_and_a_title_are_corrected_and_search_follows(office: Office) -> None:
    conversation = await office.create_conversation(title="The key")
    (said,) = await office.database.write(_say, conversation.id, "The quay is 6.4 m deap")
    corrected = await office.database.write(messages.edit_owner_message, said.id, "The quay is 6.4 m deep")
    await office.database.write(index_said, corrected.id)
    await office.erasing.proved((await office.erasing.erase([Subject("message", said.id)])).id)
    assert {hit.source_id for hit in (await office.recall.search("quay deep")).hits} == {corrected.id}
    assert traces(office, ("deap",)) == []


@pytest.mark.req("R049")
async def test_an_agent_goes_out_with_its_history_comes_in_and_is_erased_with_it(
    offices: Offices, tmp_path: Path
) -> None:
    one, other = await offices("one"), await offices("other")
    agent = await one.roster.add("Pilot", instructions="Count pelicans")
    await one.roster.change(agent.id, instructions="Count lighthouses")
    await other.transfers.bring_in((await one.transfers.export(tmp_path / "one.aofx")).path, Choice())
    assert (await other.roster.agent(agent.id)).instructions == "Count lighthouses"
    kept = [(row.agent_id, row.markdown) for row in await one.roster.revisions(agent.id)]
    assert kept and [(row.agent_id, row.markdown) for row in await other.roster.revisions(agent.id)] == kept
    report = await other.erasing.erase([Subject("agent", agent.id)])
    assert (await other.erasing.proved(report.id)).state == "clean"
    assert await other.database.read(_revisions, agent.id) == 0
    assert traces(other, ("pelicans", "lighthouses")) == []


def _revisions(session: Session, agent_id: str) -> int:
    return session.query(AgentRevisionTable).filter_by(agent_id=agent_id).count()


@pytest.mark.req("R084")
@pytest.mark.req("R173")
async def test_the_trail_tells_what_was_done_and_holds_nothing_of_what_is_gone(
    office: Office, tmp_path: Path
) -> None:
    conversation = await office.create_conversation(title="The ochre pelican")
    (said,) = await office.database.write(_say, conversation.id, "It counts lighthouses")
    note = await office.notes.add("The ochre pelican is fed at noon")
    await office.settings.change("trash.days", 5)
    await office.transfers.export(tmp_path / "out.aofx")
    await office.backups.make()
    report = await office.erasing.erase([Subject("conversation", conversation.id), Subject("note", note.id)])
    await office.erasing.proved(report.id)
    trail = await office.database.read(audit.entries)
    assert {"setting changed", "exported", "backup made", "erased"} <= {entry.kind for entry in trail}
    assert report.id in {entry.subject for entry in trail if entry.kind == "erased"}
    written = json.dumps([[entry.kind, entry.subject, entry.detail] for entry in trail])
    for gone in ("pelican", "lighthouses", conversation.id, said.id, note.id):
        assert gone not in written
    assert await office.database.read(audit.verify) == len(trail)
