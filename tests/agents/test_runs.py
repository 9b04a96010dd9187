"""Runs side by side, in a queue, stopped: each with its own model call and nobody else's words."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from agents.errors import NothingToSend, RunNotResumable, UnknownAgent
from agents.events import Event, RunChanged, TextDelta
from agents.office import Office
from memory import branches, runs
from memory.errors import NotFound
from tests.agents.conftest import connect, until
from tests.peers.aimock import Aimock

pytestmark = pytest.mark.peer
SLOW = {"chunkSize": 4, "latency": 40}
LONG = " ".join(f"word{number}" for number in range(200))


def says(role: str, text: str, **pace: object) -> dict[str, object]:
    """A fixture that answers only the agent of that name, known by its instructions."""
    return {"match": {"systemMessage": f"You are {role},"}, "response": {"content": text}, **pace}


@pytest.fixture
async def provider(office: Office, aimock: Callable[..., Aimock]) -> Aimock:
    """An Anthropic connection whose every agent has an answer of its own; the lead's is long and slow."""
    server = aimock(
        says("Researcher", "The survey says 6.4 metres.", **SLOW),
        says("Analyst", "Mean depth: 6.4 m.", **SLOW),
        says("Writer", "A quay, deep and calm.", **SLOW),
        says("Lead", LONG, **SLOW),
    )
    await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    return server


async def test_agents_side_by_side_each_answer_from_their_own_call(
    office: Office, heard: list[Event], provider: Aimock
) -> None:
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "@Researcher how deep? @Analyst put it in a table.")
    assert [reply.agent_name for reply in sent.replies] == ["Researcher", "Analyst"]
    assert len({reply.batch_id for reply in sent.replies}) == 1
    await office.runs.wait([run.id for run in sent.runs])

    texts = {reply.agent_name: (await office.message(reply.id)).text for reply in sent.replies}
    assert texts == {"Researcher": "The survey says 6.4 metres.", "Analyst": "Mean depth: 6.4 m."}
    deltas = [event for event in heard if isinstance(event, TextDelta)]
    for run, reply in zip(sent.runs, sent.replies, strict=True):
        own = [event for event in deltas if event.run_id == run.id]
        assert {event.message_id for event in own} == {reply.id}
        assert "".join(event.text for event in own) == texts[reply.agent_name]
    speakers = [event.run_id for event in deltas]
    first_last, second_first = speakers[::-1].index(sent.runs[0].id), speakers.index(sent.runs[1].id)
    assert second_first < len(speakers) - first_last, "they did not overlap"
    systems = [str(entry["body"]["messages"][0]["content"]) for entry in provider.journal()]
    assert sorted(text[:20] for text in systems) == ["You are Analyst, an ", "You are Researcher, "]
    turn = (await office.database.read(branches.path, conversation.id))[-1]
    assert [message.agent_name for message in turn.messages] == ["Researcher", "Analyst"]


async def test_stopping_one_leaves_the_others_and_a_third_chat(
    office: Office, heard: list[Event], provider: Aimock
) -> None:
    here, there = await office.create_conversation(), await office.create_conversation()
    pair = await office.send(here.id, "@Researcher @Lead tell me")
    third = await office.send(there.id, "@Writer write")
    lead = pair.runs[1].id
    await until(lambda: any(isinstance(event, TextDelta) and event.run_id == lead for event in heard))
    await office.stop(lead)
    stopped = await office.database.read(runs.run, lead)
    message = await office.message(pair.replies[1].id)
    assert (stopped.state, message.state) == ("stopped", "stopped")
    assert message.text
    assert LONG.startswith(message.text)
    await office.runs.wait([pair.runs[0].id, third.runs[0].id])
    assert (await office.message(pair.replies[0].id)).state == "complete"
    assert (await office.message(third.replies[0].id)).text == "A quay, deep and calm."


async def test_a_follow_up_waits_and_is_shown_and_then_sees_the_answer(
    office: Office, provider: Aimock
) -> None:
    conversation = await office.create_conversation()
    first = await office.send(conversation.id, "@Researcher how deep?")
    second = await office.send(conversation.id, "@Writer make it nice")
    assert not first.queued
    assert second.queued
    assert (second.message.state, second.replies[0].state) == ("queued", "queued")
    shown = await office.database.read(branches.path, conversation.id)
    assert [message.text for turn in shown for message in turn.messages][2] == "@Writer make it nice"
    await office.runs.wait([second.runs[0].id])
    assert (await office.message(first.replies[0].id)).state == "complete"
    assert (await office.message(second.message.id)).state == "complete"
    assert (await office.message(second.replies[0].id)).text == "A quay, deep and calm."
    # The writer was told what the researcher said, as data and under the researcher's name.
    told = str(provider.journal()[-1]["body"]["messages"])
    assert 'said_by=\\"Researcher\\"' in told or 'said_by="Researcher"' in told
    assert "The survey says 6.4 metres." in told


async def test_a_queued_follow_up_can_be_taken_back(office: Office, provider: Aimock) -> None:
    conversation = await office.create_conversation()
    first = await office.send(conversation.id, "@Researcher how deep?")
    second = await office.send(conversation.id, "@Writer make it nice")
    await office.discard(second.runs[0].id)
    await office.runs.wait([run.id for run in (*first.runs, *second.runs)])
    assert (await office.database.read(runs.run, second.runs[0].id)).state == "stopped"
    assert (await office.message(second.message.id)).state == "stopped"
    assert len(provider.journal()) == 1


async def test_a_stopped_run_goes_on_when_resumed(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock]
) -> None:
    server = aimock(
        {"match": {"userMessage": "cut off"}, "response": {"content": " and the end."}},
        {"match": {}, "response": {"content": LONG}, **SLOW},
    )
    await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "Tell me everything")
    run_id = sent.runs[0].id
    await until(lambda: sum(isinstance(event, TextDelta) for event in heard) > 3)
    await office.stop(run_id)
    before = (await office.message(sent.replies[0].id)).text
    await office.resume(run_id)
    await office.runs.wait([run_id])
    after = await office.message(sent.replies[0].id)
    assert after.text == before + " and the end."
    assert after.state == "complete"
    body = server.journal()[-1]["body"]["messages"]
    assert body[-2]["role"] == "assistant"
    assert body[-2]["content"] == before
    with pytest.raises(RunNotResumable):
        await office.resume(run_id)


async def test_a_run_can_be_stopped_before_it_begins(office: Office, provider: Aimock) -> None:
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "@Researcher @Analyst how deep?")
    await office.stop(sent.runs[0].id)
    await office.runs.wait([run.id for run in sent.runs])
    states = [(await office.message(reply.id)).state for reply in sent.replies]
    assert states == ["stopped", "complete"]
    assert len(provider.journal()) == 1
    assert not office.runs.active


async def test_a_stop_that_comes_too_late_does_not_keep_a_run_from_ending(
    office: Office, heard: list[Event]
) -> None:
    disk = threading.Event()
    busy: list[asyncio.Task[bool]] = []

    def hold_up(event: Event) -> None:
        """Let every commit after the first words wait."""
        if isinstance(event, TextDelta) and not busy:
            busy.append(asyncio.create_task(office.database.write(lambda _session: disk.wait())))

    office.events.subscribe(hold_up)
    conversation = await office.create_conversation()
    run_id = (await office.send(conversation.id, "@Librarian how deep?")).runs[0].id
    work, _task = office.runs._works[run_id]
    await until(lambda: work._told_end)
    stop = asyncio.create_task(office.stop(run_id))
    await asyncio.sleep(0)
    disk.set()
    await stop
    await asyncio.gather(*busy)
    assert (await office.database.read(runs.run, run_id)).state == "done"
    assert [event.run.state for event in heard if isinstance(event, RunChanged)][-1] == "done"
    assert not office.runs.busy(conversation.id)


async def test_regenerating_and_editing_keep_the_old_branch(office: Office, provider: Aimock) -> None:
    conversation = await office.create_conversation()
    first = await office.send(conversation.id, "@Researcher how deep?")
    await office.runs.wait([first.runs[0].id])
    again = await office.regenerate(first.replies[0].id)
    await office.runs.wait([again.runs[0].id])
    turn = (await office.database.read(branches.path, conversation.id))[-1]
    assert (turn.alternative, turn.alternatives) == (2, 2)
    assert turn.messages[0].agent_name == "Researcher"
    edited = await office.edit(first.message.id, "How deep is it really?")
    await office.runs.wait([edited.runs[0].id])
    assert edited.agents[0].name == "Researcher"
    turn = (await office.database.read(branches.path, conversation.id))[0]
    assert (turn.messages[0].text, turn.alternatives) == ("How deep is it really?", 2)
    assert (await office.message(first.message.id)).text == "@Researcher how deep?"


async def test_closing_interrupts_and_keeps_what_was_written(
    office: Office, heard: list[Event], provider: Aimock, offices: Callable[..., object]
) -> None:
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "Tell me")
    waiting = await office.send(conversation.id, "And more")
    await until(lambda: sum(isinstance(event, TextDelta) for event in heard) > 3)
    streamed = "".join(event.text for event in heard if isinstance(event, TextDelta))
    await office.close()
    again = await offices()
    found = await again.message(sent.replies[0].id)
    assert found.state == "interrupted"
    assert found.text.startswith(streamed)
    assert {run.id for run in await again.interrupted()} == {sent.runs[0].id, waiting.runs[0].id}
    discarded = await again.discard(sent.runs[0].id)
    assert discarded.state == "stopped"
    assert (await again.message(sent.replies[0].id)).text == found.text


async def test_what_cannot_be_sent_is_refused_and_nothing_is_written(office: Office) -> None:
    conversation = await office.create_conversation()
    with pytest.raises(NothingToSend):
        await office.send(conversation.id, "  \n")
    with pytest.raises(UnknownAgent, match="@Researcher"):
        await office.send(conversation.id, "@Reseacher how deep?")
    with pytest.raises(UnknownAgent):
        await office.send(conversation.id, "hi", agent_ids=["0" * 32])
    with pytest.raises(NotFound):
        await office.send("0" * 32, "hi")
    assert await office.database.read(branches.path, conversation.id) == ()
    assert await office.database.read(runs.runs) == ()


async def test_an_agent_without_a_connection_says_what_is_missing(office: Office) -> None:
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "@Writer a poem")
    await office.runs.wait([sent.runs[0].id])
    run = await office.database.read(runs.run, sent.runs[0].id)
    assert run.state == "failed"
    assert "add a key" in run.reason
    await asyncio.sleep(0)


async def test_with_no_connection_the_librarian_is_asked(office: Office) -> None:
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "What do we know?")
    assert [agent.name for agent in sent.agents] == ["Librarian"]
    await office.runs.wait([sent.runs[0].id])
