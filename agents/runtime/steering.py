"""Follow-ups that go out with the next step of the run they were written to, instead of after its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agents.events import EventBus, MessageChanged, RunChanged
from agents.runtime.recording import RunRecord
from agents.runtime.tokens import OVERHEAD, likely_tokens
from memory import messages, runs
from memory.chats import Message
from memory.database import Database
from memory.runs import ContextPart
from resources.language import gettext as _

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelRequest
    from sqlalchemy.orm import Session

    from agents.connections.prices import Price


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The owner's message, and the run and the empty answer that had been queued for it."""

    question: Message
    run_id: str
    answer_id: str


Waiting = Callable[[], Sequence[FollowUp]]
"""Takes the follow-ups out of the queue that the next step of a run may carry."""


@dataclass(slots=True)
class Steering:
    """Takes follow-ups into one run: recorded with the step that carries them, told once that is on disk."""

    waiting: Waiting
    record: RunRecord
    database: Database
    bus: EventBus
    price: "Price | None"
    _untold: list[FollowUp]

    def carried(self, request: "ModelRequest") -> "ModelRequest":
        """Return the coming request with the follow-ups that wait, each as a part of the owner's."""
        from pydantic_ai.messages import UserPromptPart

        found = self.waiting()
        for follow_up in found:
            self.record.event("steered", {"message": follow_up.question.id, "text": follow_up.question.text})
            self.record.also(self._taken_in(follow_up))
            self._untold.append(follow_up)
        parts = [UserPromptPart(follow_up.question.text) for follow_up in found]
        return replace(request, parts=[*request.parts, *parts]) if parts else request

    async def tell(self) -> None:
        """Tell the office's faces of the follow-ups taken in, once they are on disk. Raises StorageError."""
        while self._untold:
            await self.record.committed()
            follow_up = self._untold.pop(0)
            question = await self.database.read(messages.message, follow_up.question.id)
            answer = await self.database.read(messages.message, follow_up.answer_id)
            run = await self.database.read(runs.run, follow_up.run_id)
            for message in (question, answer):
                self.bus.publish(MessageChanged(message))
            self.bus.publish(RunChanged(run))

    def _taken_in(self, follow_up: FollowUp) -> "Callable[[Session], None]":
        steered, price = self.record.run_id, self.price

        def write(session: "Session") -> None:
            question = follow_up.question
            tokens = likely_tokens(question.text) + OVERHEAD
            context = runs.run(session, steered).context
            before = sum(part.tokens for part in context)
            cost = None if price is None else -(-tokens * price.at(before + tokens).input // 1_000_000)
            part = ContextPart("question", _("Your follow-up"), tokens, cost, source_id=question.id)
            runs.set_context(session, steered, (*context, part))
            messages.set_message_state(session, question.id, "complete")
            messages.finish_message(session, follow_up.answer_id, "complete")
            runs.set_state(session, follow_up.run_id, "running")
            reason = _("The answer above took this in with its next step.")
            runs.append_event(session, follow_up.run_id, "finished", {"state": "done", "reason": reason})
            runs.set_state(session, follow_up.run_id, "done", reason=reason)

        return write
