"""The office's runs: which are at work, which wait for their turn, and the tasks that own them."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from sqlalchemy.orm import Session

from agents.errors import RunNotResumable
from agents.events import MessageChanged, Notice, RunChanged
from agents.runtime.steering import FollowUp
from agents.runtime.work import End, Services, Work
from memory import messages, roster, runs
from memory.chats import Message
from memory.errors import NotFound, StorageError
from memory.roster import Agent
from memory.runs import Run
from resources.language import gettext as _

RETRY_SECONDS = 2.0
"""Pause before the end of a run is written again to a disk that refused it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Side:
    """One agent's part of a turn."""

    run: Run
    agent: Agent
    message: Message


@dataclass(slots=True, eq=False)
class _Turn:
    """One owner's message and the runs that answer it side by side."""

    conversation_id: str
    question: Message
    sides: list[Side]
    answers: set[str]
    """Ids of its answers, and of those that follow-ups would have had which it took in."""


@dataclass(slots=True)
class _Line:
    """The turns of one conversation: one at work, the others behind it in the order they were sent."""

    waiting: deque[_Turn] = field(default_factory=deque)
    turn: _Turn | None = None
    task: asyncio.Task[None] | None = None

    def holds(self, run_ids: frozenset[str]) -> bool:
        """Say whether one of the runs is at work or waits here."""
        turns = [*self.waiting, *([self.turn] if self.turn else [])]
        return any(side.run.id in run_ids for turn in turns for side in turn.sides)


class Runs:
    """Starts, queues, stops and resumes runs. Every run is a task with an owner; none is left behind.

    Turns of one conversation follow each other; conversations, and the agents of one turn, work side by side.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lines: dict[str, _Line] = {}
        self._works: dict[str, tuple[Work, asyncio.Task[None]]] = {}
        self._closing = False

    @property
    def active(self) -> frozenset[str]:
        """The ids of the runs that are at work now."""
        return frozenset(self._works)

    def busy(self, conversation_id: str) -> bool:
        """Say whether a turn of the conversation is at work or waits, so that another one is queued."""
        line = self._lines.get(conversation_id)
        return line is not None and (line.task is not None or bool(line.waiting))

    def add(self, question: Message, sides: Sequence[Side]) -> None:
        """Queue a turn; it starts at once where nothing of its conversation is at work."""
        line = self._lines.setdefault(question.conversation_id, _Line())
        answers = {side.message.id for side in sides}
        line.waiting.append(_Turn(question.conversation_id, question, list(sides), answers))
        self._advance(question.conversation_id)

    async def stop(self, run_id: str) -> None:
        """Stop a run and keep what it wrote; a run that waits is taken out of the queue. Others go on."""
        if run_id in self._works:
            work, task = self._works[run_id]
            _cancel(work, task, "stopped")
            await asyncio.wait([task])
            return
        for line in self._lines.values():
            for turn in line.waiting:
                for side in turn.sides:
                    if side.run.id == run_id:
                        turn.sides.remove(side)
                        await self._close_without_work(
                            side, "stopped", _("You took it back before it was sent.")
                        )
                        if not turn.sides:
                            await self._mark(turn.question, "stopped")
                        return
        run = await self._services.database.read(runs.run, run_id)
        if run.state in runs.UNFINISHED:
            side = await self._side(run)
            await self._close_without_work(side, "stopped", _("You stopped it."))

    async def resume(self, run_id: str) -> Run:
        """Go on with a run that was interrupted, stopped or failed. Raises RunNotResumable or NotFound."""
        run = await self._services.database.read(runs.run, run_id)
        if run.state not in runs.RESUMABLE:
            raise RunNotResumable(_("Only a run that was interrupted, stopped or failed can be resumed."))
        side = await self._side(run)
        if side.message.parent_id is None:
            raise RunNotResumable(_("The message this run answered is gone: ask again."))
        question = await self._services.database.read(messages.message, side.message.parent_id)
        run, message = await self._services.database.write(_requeue, run_id, side.message.id)
        self._tell(run, message)
        self.add(question, [Side(run, side.agent, message)])
        return run

    async def discard(self, run_id: str) -> Run:
        """Give up an interrupted or waiting run; its text so far stays, marked as stopped."""
        run = await self._services.database.read(runs.run, run_id)
        if run.state == "interrupted":
            side = await self._side(run)
            await self._close_without_work(side, "stopped", _("You discarded the rest."))
        else:
            await self.stop(run_id)
        return await self._services.database.read(runs.run, run_id)

    async def wait(self, run_ids: Sequence[str]) -> None:
        """Return when none of the runs is at work or waits any more."""
        wanted = frozenset(run_ids)
        while tasks := [line.task for line in self._lines.values() if line.task and line.holds(wanted)]:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)  # the next turn of the line starts in a callback

    async def close(self) -> None:
        """Interrupt everything, with what was written kept; queued turns stay to be resumed."""
        self._closing = True
        for work, task in list(self._works.values()):
            _cancel(work, task, "interrupted")
        tasks = [line.task for line in self._lines.values() if line.task is not None]
        if tasks:
            await asyncio.wait(tasks)
        reason = _("Bureau was closed before this was sent: resume it or discard it.")
        for line in self._lines.values():
            for turn in line.waiting:
                for side in turn.sides:
                    await self._close_without_work(side, "interrupted", reason)
        self._lines.clear()

    def _advance(self, conversation_id: str) -> None:
        line = self._lines[conversation_id]
        if line.task is not None or self._closing:
            return
        while line.waiting and not line.waiting[0].sides:
            line.waiting.popleft()
        if not line.waiting:
            del self._lines[conversation_id]
            return
        turn = line.waiting.popleft()
        go = asyncio.Event()
        works = [
            Work(
                self._services,
                side.run,
                side.agent,
                turn.question,
                side.message,
                partial(self._take, line, side),
            )
            for side in turn.sides
        ]
        # Started here and not in the turn's task: from now on each of them can be found and stopped.
        tasks = [asyncio.create_task(self._work(work, go), name=f"run {work.run.id}") for work in works]
        self._works.update({work.run.id: (work, task) for work, task in zip(works, tasks, strict=True)})
        line.task = asyncio.create_task(
            self._work_turn(turn, works, tasks, go), name=f"turn {turn.question.id}"
        )
        line.turn = turn
        line.task.add_done_callback(lambda task: self._turn_over(conversation_id, task))

    def _take(self, line: _Line, side: Side) -> list[FollowUp]:
        """Take the follow-ups out of the line that may go along with the next step of a run, in their order.

        They must be words alone, to the same agent on the same terms, written to the shown answer; whatever is
        behind one that may not is kept back too, so that nothing overtakes.
        """
        found: list[FollowUp] = []
        while line.turn is not None and line.waiting:
            turn = line.waiting[0]
            mine = [one for one in turn.sides if _same_terms(one.run, side.run)]
            written_here = turn.question.parent_id in line.turn.answers
            if len(mine) != len(turn.sides) or turn.question.attachment_ids or not written_here:
                break
            line.waiting.popleft()
            line.turn.answers |= turn.answers
            found += [FollowUp(turn.question, one.run.id, one.message.id) for one in mine]
        return found

    def _turn_over(self, conversation_id: str, task: "asyncio.Task[None]") -> None:
        line = self._lines.get(conversation_id)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A turn ended in a fault", exc_info=error)
        if line is not None:
            line.task = line.turn = None
            self._advance(conversation_id)

    async def _work_turn(
        self, turn: _Turn, works: Sequence[Work], tasks: "Sequence[asyncio.Task[None]]", go: asyncio.Event
    ) -> None:
        try:
            if turn.question.state != "complete":
                await self._mark(turn.question, "complete")
            for work in works:
                await work.prepared.wait()
            for work in works:
                # Every run of the turn reserves before any of them starts: together they cannot pass a cap.
                work.reserve()
        finally:
            go.set()
            await asyncio.wait(tasks)

    async def _work(self, work: Work, go: asyncio.Event) -> None:
        error: BaseException | None = None
        work.begun = True
        try:
            try:
                if work.stopping is not None:
                    raise asyncio.CancelledError
                await work.prepare()
            finally:
                work.prepared.set()
            await go.wait()
            await work.drive()
        except asyncio.CancelledError as cancelled:
            error = cancelled
            work.stopping = work.stopping or "interrupted"
        except Exception as fault:  # noqa: BLE001 - whatever ended the run is written down as its reason
            error = fault
        work.ending = True
        try:
            await self._end(work, error)
        finally:
            self._works.pop(work.run.id, None)

    async def _end(self, work: Work, error: BaseException | None) -> None:
        """Write down how a run ended; while the disk refuses, what it wrote is kept and tried again."""
        told = False
        while True:
            try:
                return await work.end(error)
            except NotFound:
                log.info("A run ended whose conversation was erased meanwhile")
                return
            except StorageError as fault:
                log.error("The end of a run could not be written yet: %s", fault)
                if not told:
                    told = True
                    self._services.bus.publish(Notice(str(fault), held_up=work.run.id))
            if self._closing:
                return  # it stays "running" on disk, so the next start offers to resume it
            await asyncio.sleep(RETRY_SECONDS)

    async def _mark(self, question: Message, state: Literal["complete", "stopped"]) -> None:
        """Change the state of an owner's message that was queued. A fault of the disk shows in its runs."""
        marked = await self._services.database.write(messages.set_message_state, question.id, state)
        self._services.bus.publish(MessageChanged(marked))

    async def _side(self, run: Run) -> Side:
        """Return the run with its message and its agent as they are now. Raises RunNotResumable."""
        found = await self._services.database.read(messages.messages_of_run, run.id)
        if not found or run.agent_id is None:
            raise RunNotResumable(_("The message or the agent of this run is gone: ask again."))
        agent = await self._services.database.read(roster.agent, run.agent_id)
        return Side(run, agent, found[-1])

    async def _close_without_work(self, side: Side, state: End, reason: str) -> None:
        run, message = await self._services.database.write(
            _close, side.run.id, side.message.id, state, reason
        )
        self._tell(run, message)

    def _tell(self, run: Run, message: Message) -> None:
        self._services.bus.publish(MessageChanged(message))
        self._services.bus.publish(RunChanged(run))


def _cancel(work: Work, task: "asyncio.Task[None]", why: End) -> None:
    """Cancel a run once. One whose task has not begun notices by itself: cancelled now, it would write nothing.

    Nor would one that is ending: what was done stays done.
    """
    if work.stopping is None and not work.ending:
        work.stopping = why
        if work.begun:
            task.cancel()


def _same_terms(run: Run, other: Run) -> bool:
    """Say whether both ask the same agent by the same account, model and effort."""
    return (run.agent_id, run.connection_id, run.model, run.effort) == (
        other.agent_id,
        other.connection_id,
        other.model,
        other.effort,
    )


def _requeue(session: Session, run_id: str, message_id: str) -> tuple[Run, Message]:
    return runs.set_state(session, run_id, "queued"), messages.set_message_state(
        session, message_id, "queued"
    )


def _close(session: Session, run_id: str, message_id: str, state: End, reason: str) -> tuple[Run, Message]:
    assert state in ("stopped", "interrupted")
    runs.append_event(session, run_id, "finished", {"state": state, "reason": reason})
    message = messages.finish_message(session, message_id, state)
    return runs.set_state(session, run_id, state, reason=reason), message
