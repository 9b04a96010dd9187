"""The owner's hand on what is kept: trash, holds, restrictions and rules, each told to whoever shows it."""

from collections.abc import Callable, Sequence
from typing import Any

from agents.events import (
    ConversationChanged,
    EventBus,
    MessageChanged,
    NotesChanged,
    PurposesChanged,
    RosterChanged,
    TrashChanged,
)
from agents.indexing import index_said
from agents.runtime.runs import Runs
from memory import messages, purposes
from memory.database import Database
from memory.lifecycle import holds, retention, trash
from memory.lifecycle.retention import Leaving, Rule, Scope
from memory.lifecycle.subjects import Subject
from memory.lifecycle.trash import Trashed
from memory.recall.search import Recall


class Keeping:
    """Puts things into the trash and back, holds and restricts them, and keeps the rules of retention."""

    def __init__(self, database: Database, runs: Runs, recall: Recall, bus: EventBus) -> None:
        self._database = database
        self._runs = runs
        self._recall = recall
        self._bus = bus

    async def put_away(
        self, subjects: Sequence[Subject], *, confirmed: int | None = None
    ) -> tuple[Subject, ...]:
        """Move things to the trash; what is returned goes to ``bring_back`` for undo.

        Raises NotFound, Refused, or ManyAtOnce unless their number is ``confirmed``.
        """
        moved = await self._database.write(trash.put, list(subjects), confirmed=confirmed)
        self._tell(moved)
        return moved

    async def bring_back(self, subjects: Sequence[Subject]) -> None:
        """Take things out of the trash, with everything that belongs to them. Raises NotFound."""
        await self._database.write(trash.restore, list(subjects))
        self._tell(subjects)

    async def trash(self) -> tuple[Trashed, ...]:
        """Return what is in the trash, the latest first."""
        return await self._database.read(trash.listed)

    async def hold(self, subject: Subject, *, held: bool) -> None:
        """Keep something from every deletion, or no longer. Raises NotFound or Refused."""
        await self._change(holds.hold, subject, held=held)

    async def restrict(self, subject: Subject, *, restricted: bool) -> None:
        """Keep something out of prompts and recall, or no longer. Raises NotFound or Refused.

        Runs that were given it are stopped.
        """
        await self._change(holds.restrict, subject, restricted=restricted, reindex=index_said)
        self._recall.wake()
        if restricted:
            for run_id in await self._database.read(holds.at_work_on, subject):
                await self._runs.stop(run_id)

    async def switch(self, purpose: str, agent_id: str, *, on: bool) -> None:
        """Follow a purpose for an agent, or EVERYBODY, from now on or no longer. Raises Refused or NotFound."""
        await self._database.write(purposes.switch, purpose, agent_id, on=on)
        self._bus.publish(PurposesChanged())

    async def forget_usage(self, agent_id: str) -> int:
        """Take an agent's name off what it used before today; return how many lines."""
        count = await self._database.write(purposes.forget_usage, agent_id)
        self._bus.publish(PurposesChanged())
        return count

    async def rules(self) -> tuple[Rule, ...]:
        """Return the rules of retention, the narrowest first."""
        return await self._database.read(retention.rules)

    async def set_rule(self, scope: Scope, scope_id: str, days: int | None) -> Rule:
        """Make or change a rule; None keeps for ever. Raises Refused."""
        return await self._database.write(retention.set_rule, scope, scope_id, days)

    async def drop_rule(self, scope: Scope, scope_id: str) -> None:
        """Take a rule back. Raises Refused where there is none."""
        await self._database.write(retention.drop_rule, scope, scope_id)

    async def leaving(self, until: int) -> tuple[Leaving, ...]:
        """Return what the rules let go up to an instant, the first to leave first."""
        return await self._database.read(retention.leaving, until)

    async def _change(self, operation: Callable[..., None], subject: Subject, **flags: Any) -> None:
        await self._database.write(operation, subject, **flags)
        if subject.kind == "message":
            self._bus.publish(MessageChanged(await self._database.read(messages.message, subject.id)))
        self._tell([subject])

    def _tell(self, subjects: Sequence[Subject]) -> None:
        kinds = {subject.kind for subject in subjects}
        for subject in subjects:
            if subject.kind == "conversation":
                self._bus.publish(ConversationChanged(subject.id))
        if "note" in kinds:
            self._bus.publish(NotesChanged())
        if "agent" in kinds:
            self._bus.publish(RosterChanged())
        if kinds:
            self._bus.publish(TrashChanged())
