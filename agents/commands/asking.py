"""The command that asks the office a question and follows the answers."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents import events
from agents.commands.readiness import QUESTION_SECONDS, recall_ready
from agents.commands.serving import Served
from agents.door.protocol import Caller, CommandFailed, Item
from agents.loading import load_agent_loop
from memory import chats, ledger, messages, runs
from memory.attachments import Attachment
from memory.chats import Conversation, Message
from memory.runs import Run
from resources.language import gettext as _

SHOWN_OF_ID = 8
"""Characters of a run's id that a terminal shows."""
ENDED = {"done", "failed", "stopped", "interrupted"}


@dataclass(slots=True)
class _Followed:
    """How far a run is that a command follows. ``held_up`` says why its end cannot be written down yet."""

    state: str
    agent: str = ""
    held_up: str = ""

    @property
    def over(self) -> bool:
        return self.state in ENDED or bool(self.held_up)


async def ask(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Send ``prompt`` with ``files`` to ``agent``, in ``conversation`` or a new one, and stream the answer.

    The result is ``{text, citations, agent, conversation, run_id, usage, cost}``; ``answers`` holds one such
    object per agent where several were addressed.
    """
    office = served.office
    agent_ids = [await _agent_id(served, arguments["agent"])] if arguments["agent"] else []
    async with _prepared(served, arguments["conversation"]) as prepared:
        with (
            _Listening(served) as listening,
            _background(recall_ready(served, QUESTION_SECONDS)) as recall,
            _background(asyncio.to_thread(load_agent_loop)),
        ):
            for path in arguments["files"]:
                prepared.files.append(
                    await office.attach(prepared.conversation.id, Path(path), Path(path).name)
                )
            async for item in _until_read(listening, prepared.files):
                yield item
            await recall
            sent = await office.send(
                prepared.conversation.id,
                arguments["prompt"],
                attachment_ids=[file.id for file in prepared.files],
                agent_ids=agent_ids,
            )
            prepared.sent = True
            async for item in _followed(served, listening, [run.id for run in sent.runs], caller):
                yield item


async def follow(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Go on with ``runs`` that were interrupted when the office changed hands, and stream the rest."""
    with _Listening(served) as listening:
        identities = []
        for identity in arguments["runs"]:
            run = await served.office.database.read(runs.run, identity)
            if run.state == "interrupted":
                run = await served.office.resume(identity)
            identities.append(run.id)
        async for item in _followed(served, listening, identities, caller):
            yield item


async def go_on(served: Served, run_id: str, caller: Caller) -> AsyncIterator[Item]:
    """Resume one run and stream its answer, what it had written first. Raises RunNotResumable or NotFound."""
    office = served.office
    with _Listening(served) as listening, _background(asyncio.to_thread(load_agent_loop)):
        written = await office.database.read(messages.messages_of_run, run_id)
        run = await office.resume(run_id)
        for message in written:
            if message.text:
                yield {"kind": "text", "run_id": run.id, "agent": message.agent_name, "text": message.text}
        async for item in _followed(served, listening, [run.id], caller):
            yield item


@dataclass(slots=True)
class _Prepared:
    """What a question needs on disk before it can be sent."""

    conversation: Conversation
    files: list[Attachment] = field(default_factory=list)
    sent: bool = False


@asynccontextmanager
async def _prepared(served: Served, conversation_id: str) -> AsyncIterator[_Prepared]:
    """Hold the named conversation or a new one; what is not sent in the end leaves nothing behind."""
    database = served.office.database
    if conversation_id:
        conversation = await database.read(chats.conversation, conversation_id)
    else:
        conversation = await database.write(chats.create_conversation)
    prepared = _Prepared(conversation)
    try:
        yield prepared
    finally:
        if not prepared.sent:
            for file in prepared.files:
                await served.office.files.remove(file.id)
            if not conversation_id:
                await database.write(chats.remove_unused, conversation.id)


@dataclass(slots=True)
class _Listening:
    """Queues the office's events from before the question is sent, so that none is missed."""

    served: Served
    queue: asyncio.Queue[events.Event] = field(default_factory=asyncio.Queue)
    end: Any = None

    def __enter__(self) -> "_Listening":
        self.end = self.served.office.events.subscribe(self.queue.put_nowait)
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()


@contextmanager
def _background(work: Coroutine[Any, Any, None]) -> Iterator[asyncio.Task[None]]:
    """Let work go on beside the body; it ends with it."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()


async def _until_read(listening: _Listening, files: list[Attachment]) -> AsyncIterator[Item]:
    await listening.served.office.files.settled([file.id for file in files])
    read = {file.id: file for file in files}
    while not listening.queue.empty():
        match listening.queue.get_nowait():
            case events.AttachmentChanged(attachment=file) if file.id in read:
                read[file.id] = file
    failed = [file for file in read.values() if file.state == "failed"]
    if failed and len(failed) == len(files):
        raise CommandFailed(" ".join(file.reason for file in failed))
    for file in failed:
        yield {"kind": "notice", "sentence": file.reason}


async def _followed(
    served: Served, listening: _Listening, identities: list[str], caller: Caller
) -> AsyncIterator[Item]:
    office = served.office
    followed = {
        identity: _Followed((await office.database.read(runs.run, identity)).state) for identity in identities
    }
    stopping = asyncio.ensure_future(caller.stopped.wait())
    leaving = asyncio.ensure_future(served.handover.wait())
    try:
        while not all(each.over for each in followed.values()):
            if stopping.done():
                for identity in identities:
                    await office.stop(identity)
                stopping = asyncio.ensure_future(asyncio.Event().wait())
            if leaving.done():
                # Closing the office interrupts the runs with their text kept; the new owner resumes them.
                yield {"kind": "moved", "command": "follow", "arguments": {"runs": identities}}
                return
            incoming = asyncio.ensure_future(listening.queue.get())
            await asyncio.wait({incoming, stopping, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not incoming.done():
                incoming.cancel()
                continue
            item = _item(incoming.result(), followed)
            if item is not None:
                yield item
    finally:
        stopping.cancel()
        leaving.cancel()
    async for item in _results(served, followed):
        yield item


def _item(event: events.Event, followed: dict[str, _Followed]) -> Item | None:
    match event:
        case events.RunChanged(run=run) if run.id in followed:
            followed[run.id].state = run.state
        case events.MessageAdded(message=message) | events.MessageChanged(message=message):
            if message.run_id in followed:
                followed[message.run_id].agent = message.agent_name
        case events.TextDelta(run_id=run_id, text=text) if run_id in followed:
            return {"kind": "text", "run_id": run_id, "agent": followed[run_id].agent, "text": text}
        case events.ToolStarted(run_id=run_id, tool=tool) if run_id in followed:
            return {"kind": "tool", "run_id": run_id, "agent": followed[run_id].agent, "tool": tool}
        case events.Notice(held_up=run_id, sentence=sentence) if run_id in followed:
            # A window waits for free space; a command ends, or a script would wait for ever.
            followed[run_id].held_up = sentence
        case events.Notice(sentence=sentence):
            return {"kind": "notice", "sentence": sentence}
        case _:
            pass
    return None


async def _results(served: Served, followed: dict[str, _Followed]) -> AsyncIterator[Item]:
    answers: list[dict[str, Any]] = []
    faults: list[str] = []
    for identity, each in followed.items():
        run = await served.office.database.read(runs.run, identity)
        (message, *_rest) = await served.office.database.read(messages.messages_of_run, identity)
        answers.append(await _answer(served, run, message))
        if run.state not in ENDED:
            faults.append(f"{each.held_up} {_way_on(run)}")
        elif run.state != "done":
            faults.append(_why(run))
        elif run.reason:
            yield {"kind": "notice", "sentence": run.reason}
    if len(faults) == len(followed):
        raise CommandFailed(faults[0])
    for sentence in faults:
        yield {"kind": "notice", "sentence": sentence}
    value = dict(answers[0])
    if len(answers) > 1:
        value["answers"] = answers
    yield {"kind": "result", "value": value}


def _why(run: Run) -> str:
    """Say why a run is not done, and how to go on from a terminal."""
    sentence = run.reason or _("The run ended as {state}.").format(state=run.state)
    if run.state not in runs.RESUMABLE:
        return sentence
    return f"{sentence} {_way_on(run)}"


def _way_on(run: Run) -> str:
    return _("To go on: bureau runs resume {run}").format(run=run.id[:SHOWN_OF_ID])


async def _answer(served: Served, run: Run, message: Message) -> dict[str, Any]:
    spent = await served.office.database.read(ledger.run_usage, run.id)
    return {
        "text": message.text,
        "citations": list(message.citations),
        "agent": message.agent_name,
        "conversation": message.conversation_id,
        "run_id": run.id,
        "state": run.state,
        "usage": {"input_tokens": spent.input_tokens, "output_tokens": spent.output_tokens},
        "cost": None if spent.cost is None else spent.cost / 1_000_000,
    }


async def _agent_id(served: Served, name: str) -> str:
    from memory import roster

    found = await served.office.database.read(roster.agent_named, name)
    if found is None:
        raise CommandFailed(_("There is no agent “{name}”: see “bureau agents list”.").format(name=name))
    return found.id
