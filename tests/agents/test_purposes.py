"""Purposes that are switched off: nothing is recalled, noted or charted from then on, and what was kept can go."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.commands.registry import run_command
from agents.commands.serving import Served
from agents.door.protocol import Caller, CommandFailed
from agents.indexing import index_said
from agents.office import Office
from agents.tools.recollection import MemoryTools
from memory import audit, ledger, messages, notes, purposes
from memory.errors import NotFound, Refused
from memory.lifecycle.subjects import Subject
from memory.purposes import EVERYBODY
from memory.tables import ConsentTable, UsageTable
from memory.tables.records import required
from tests.agents.conftest import connect
from tests.peers.aimock import Aimock


async def said(served: Served, command: str, **arguments: Any) -> Any:
    return [item async for item in run_command(served, command, arguments, Caller())][-1]["value"]


def answer(session: Session, conversation_id: str, agent_id: str, text: str) -> str:
    question = messages.add_owner_message(session, conversation_id, f"Tell me of it: {text}")
    speaker = messages.Speaker(agent_id, "Writer", None, "")
    (reply,) = messages.add_agent_messages(session, question.id, [speaker])
    messages.finish_message(session, reply.id, "complete", text=text)
    for message_id in (question.id, reply.id):
        index_said(session, message_id)
    return reply.id


@pytest.mark.req("R114")
async def test_what_is_not_to_be_remembered_is_recalled_in_its_own_chat_alone(office: Office) -> None:
    team = {agent.name: agent for agent in await office.roster.all()}
    writer, analyst = team["Writer"], team["Analyst"]
    chats = [await office.create_conversation(title=title) for title in ("One", "Two")]
    texts = ("The walrus sleeps at noon.", "Noon is when a walrus goes fishing.")
    for chat, agent, text in zip(chats, (writer, analyst), texts, strict=True):
        await office.database.write(answer, chat.id, agent.id, text)
    everywhere = {hit.conversation_id for hit in (await office.recall.search("walrus noon")).hits}
    assert everywhere == {chats[0].id, chats[1].id}
    switch = office.keeping.switch
    await switch("memory", writer.id, on=False)
    assert {hit.conversation_id for hit in (await office.recall.search("walrus noon")).hits} == {chats[1].id}
    here = await office.recall.search("walrus noon", scopes=[chats[0].id])
    assert {hit.conversation_id for hit in here.hits} == everywhere
    await switch("memory", EVERYBODY, on=False)
    assert (await office.recall.search("walrus noon")).hits == ()
    await switch("memory", EVERYBODY, on=True)
    await switch("memory", writer.id, on=True)
    assert {hit.conversation_id for hit in (await office.recall.search("walrus noon")).hits} == everywhere
    kinds = [entry.kind for entry in await office.database.read(audit.entries)][:4]
    assert kinds == ["consent given", "consent given", "consent withdrawn", "consent withdrawn"]
    with pytest.raises(Refused, match="memory, usage"):
        await switch("weather", EVERYBODY, on=False)
    with pytest.raises(NotFound):
        await switch("memory", "0" * 32, on=False)


@pytest.mark.req("R114")
async def test_an_agent_that_may_not_remember_is_not_given_the_tool_and_loses_it_at_once(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"content": "Hello."}})
    await connect(office, "anthropic", server.url, "claude-sonnet-5")
    await office.keeping.switch("memory", (await writer_of(office)).id, on=False)
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "@Writer hello")
    await office.runs.wait([run.id for run in sent.runs])
    offered = {tool.get("function", tool)["name"] for tool in server.journal()[-1]["body"]["tools"]}
    assert "recall" in offered and "remember" not in offered
    question = await office.database.write(messages.add_owner_message, conversation.id, "hello")
    writer = await writer_of(office)
    tools = MemoryTools(office.database, office.recall, office.events, writer, question, "m")
    assert "nothing remembered" in await tools.remember("The quay is deep.")
    await office.keeping.switch("memory", writer.id, on=True)
    assert "Proposed" in await tools.remember("The quay is deep.")
    (note,) = await office.database.read(notes.notes, state="proposed")
    assert await office.database.read(purposes.notes_by, writer.id) == (note.id,)


async def writer_of(office: Office) -> Any:
    return next(agent for agent in await office.roster.all() if agent.name == "Writer")


@pytest.mark.req("R114")
async def test_usage_is_not_shown_where_its_owner_objected_and_caps_count_it_all_the_same(
    office: Office,
) -> None:
    served, writer = Served(office), await writer_of(office)

    def use(session: Session) -> None:
        for day, agent_id in (
            ("2026-01-02", writer.id),
            (ledger.calendar_day(), writer.id),
            ("2026-01-02", None),
        ):
            row = ledger.add_usage(
                session, run_id=None, agent_id=agent_id, connection_id=None,
                model="m", input_tokens=5, output_tokens=5, cost=7,
            )  # fmt: skip
            required(session, UsageTable, row.id).day = day

    await office.database.write(use)
    assert sum(row["requests"] for row in await said(served, "usage", by="model")) == 3
    await said(served, "privacy switch", purpose="usage", agent="Writer", on=False)
    assert sum(row["requests"] for row in await said(served, "usage", by="model")) == 1
    assert await office.database.read(ledger.spent, agent_id=writer.id) == 14
    listed = await said(served, "privacy purposes")
    (choice,) = [row for row in listed if row["purpose"] == "usage" and row["agent_name"] == "Writer"]
    assert choice["allowed"] is False and choice["kept"] == 1
    assert await office.keeping.forget_usage(writer.id) == 1
    assert await office.database.read(ledger.spent, agent_id=writer.id) == 7
    await said(served, "privacy switch", purpose="usage", agent="", on=False)
    with pytest.raises(CommandFailed, match="switched off"):
        await said(served, "usage", by="model")
    with pytest.raises(CommandFailed, match="agents list"):
        await said(served, "privacy switch", purpose="usage", agent="Nobody", on=False)


@pytest.mark.req("R114")
async def test_a_choice_about_an_agent_goes_with_the_agent(office: Office) -> None:
    writer = await writer_of(office)
    await office.keeping.switch("memory", writer.id, on=False)
    report = await office.erasing.erase([Subject("agent", writer.id)])
    assert (await office.erasing.proved(report.id)).state == "clean"
    assert await office.database.read(_purposes) == []


def _purposes(session: Session) -> list[str]:
    return list(session.scalars(select(ConsentTable.purpose)))
