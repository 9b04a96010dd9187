"""One run from queued to its end: prepare its context, reserve, drive the loop, say how it ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from agents.connections import Connections
from agents.connections.errors import Offline, Overloaded, ProviderError, StreamCut, TimedOut
from agents.errors import AgentsError, CapReached, LoopStopped, NoConnection, StepsSpent
from agents.events import EventBus, MessageChanged, RunChanged
from agents.loading import load_agent_loop
from agents.runtime.budget import Budget, Caps
from agents.runtime.calling import Calls
from agents.runtime.context import Context
from agents.runtime.gate import MAX_TOKENS, RunGate, provider_fault
from agents.runtime.guard import RepetitionGuard
from agents.runtime.history import Content, Kept, going_on, is_complete, opening
from agents.runtime.material import Given
from agents.runtime.recording import Recorder
from agents.runtime.steering import FollowUp, Steering, Waiting
from agents.runtime.streaming import Loop, stream
from agents.runtime.tokens import MOST_PER_IMAGE, MOST_PER_PDF_PAGE, OVERHEAD, most_tokens
from agents.tools.declaration import Tool
from memory import ledger, messages, notes, runs
from memory.accounts import Connection
from memory.chats import Message
from memory.database import Database
from memory.errors import StorageError
from memory.roster import Agent
from memory.runs import Run
from resources.language import gettext as _

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from sqlalchemy.orm import Session

    from agents.connections.prices import Price

log = logging.getLogger(__name__)

End = Literal["done", "failed", "stopped", "interrupted"]
_MESSAGE_STATE: dict[End, Literal["complete", "failed", "stopped", "interrupted"]] = {
    "done": "complete",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run is about to send."""

    context: Context
    tools: Sequence[Tool]
    citations: Callable[[str], Sequence[dict[str, Any]]]
    """Finds the citations in a finished answer."""


class Preparation(Protocol):
    """Builds the context and the tools of a run."""

    async def prepare(
        self,
        run: Run,
        agent: Agent,
        question: Message,
        connection: Connection | None,
        price: "Price | None",
    ) -> Prepared:
        """Return what the run sends. Raises StorageError."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What runs need of the office."""

    database: Database
    bus: EventBus
    recorder: Recorder
    budget: Budget
    connections: Connections
    preparation: Preparation
    content: Content
    caps: Callable[[Agent], Awaitable[Caps]]
    """Returns the caps in force for a run of the agent, with the day's spending in the budget."""
    finished: Callable[[Message], Awaitable[None]]
    """Told of every message that has its final text."""
    librarian: "Callable[[Agent, Message], Model] | None" = None
    """Makes the model with which an agent answers a message by quoting, with no key and no network."""


@dataclass(slots=True)
class Work:
    """One run at work. ``prepare``, ``reserve``, ``drive`` follow each other; ``end`` comes last in any case."""

    services: Services
    run: Run
    agent: Agent
    question: Message
    message: Message
    waiting: Waiting = tuple
    stopping: End | None = None
    """Why the run is being cancelled, once somebody asked for it."""
    begun: bool = False
    ending: bool = False
    """Whether what it made is complete and is being written down: too late to stop it."""
    prepared: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when ``prepare`` is over, well or not."""
    _refusal: CapReached | None = None
    _told_end: bool = False
    _written_end: bool = False
    _connection: Connection | None = None
    _model: str = ""
    _sending: Prepared | None = None
    _gate: RunGate | None = field(default=None, repr=False)
    _loading: "asyncio.Future[None] | None" = field(default=None, repr=False)
    """The import of the agent loop, begun while the files of the question are still being read."""
    _steering: Steering | None = field(default=None, repr=False)

    async def prepare(self) -> None:
        """Settle on account and model, build and store the context. Raises ProviderError or AgentsError."""
        services = self.services
        # The first import takes most of a second, so it must not run on the window's thread, nor come last.
        self._loading = asyncio.get_running_loop().run_in_executor(None, load_agent_loop)
        if not self.agent.librarian:
            found = await services.connections.resolve(self.run.connection_id, self.run.model)
            if found is None:
                raise NoConnection(
                    _(
                        "{agent} needs a provider: add a key on the Keys page or with “bureau keys add”, "
                        "or ask @Librarian."
                    ).format(agent=self.agent.name)
                )
            self._connection, self._model = found
        elif services.librarian is None:
            raise NoConnection(_("The librarian is not here: add a key to ask somebody else."))
        price = services.connections.price(self._connection, self._model) if self._connection else None
        self._sending = await services.preparation.prepare(
            self.run, self.agent, self.question, self._connection, price
        )
        context = self._sending.context
        caps = await services.caps(self.agent) if self._connection else Caps()
        self.run, self.message = await services.database.write(self._begin, context, caps)
        services.bus.publish(MessageChanged(self.message))
        services.bus.publish(RunChanged(self.run))
        services.budget.begin_run(self.run.id, await services.database.read(ledger.counted_of, self.run.id))
        self._gate = RunGate(
            record=services.recorder.record(self.run.id, self.agent.id, self.message.id),
            bus=services.bus,
            budget=services.budget,
            caps=caps,
            connections=services.connections,
            connection=self._connection,
            model=self._model,
            effort=self.run.effort,
            max_tokens=self.agent.max_tokens or MAX_TOKENS.get(self.run.effort, MAX_TOKENS["normal"]),
            price=price,
            begin_day=partial(services.caps, self.agent),
            files=_most_of_files(context),
            free=self._connection is None,
        )

    def reserve(self) -> None:
        """Set the first request's worst case aside, before any run beside it starts.

        What does not fit is refused when ``drive`` begins; a run that could not be prepared reserves nothing.
        """
        if self._gate is None or self._sending is None or self._gate.free:
            return
        try:
            self._gate.hold(_most_opening(self._sending.context))
        except CapReached as refusal:
            self._refusal = refusal

    async def drive(self) -> None:
        """Run the loop to its end. Raises CapReached, or what the loop raises."""
        services, gate, prepared = self.services, self._gate, self._sending
        assert gate is not None and prepared is not None
        if self._refusal is not None:
            raise self._refusal
        record = gate.record
        record.event("started", {"model": self._model, "agent": self.agent.name})
        if prepared.context.recalled:
            used = [
                {"kind": one.kind, "id": one.source_id, "reason": one.reason}
                for one in prepared.context.recalled
            ]
            record.event("memory_used", {"used": used})
            record.also(
                lambda session: notes.mark_used(session, [one["id"] for one in used if one["kind"] == "note"])
            )
        provider = f"{self._connection.id if self._connection else 'librarian'}/{self._model}"
        kept = Kept.from_json(await services.database.read(runs.history, self.run.id))
        if is_complete(kept, self.message.text):
            return
        events = await services.database.read(runs.run_events, self.run.id)
        calls = Calls(
            record, services.bus, RepetitionGuard(), {tool.name: tool.effect for tool in prepared.tools}
        )
        calls.close_open(events)
        self._steering = Steering(self._follow_ups, record, services.database, services.bus, gate.price, [])
        loop = Loop(
            model=await self._library_model(prepared.context),
            gate=gate,
            instructions=prepared.context.instructions,
            opening=await opening(prepared.context, services.content),
            steps=going_on(kept, provider, self.message.text, events),
            settings=self._settings(),
            tools=prepared.tools,
            calls=calls,
            record=record,
            provider=provider,
            text_before=len(self.message.text),
            on_step=lambda step: record.also(lambda session: self._keep(session, step)),
            steering=self._steering,
        )
        await stream(loop)

    async def end(self, error: BaseException | None) -> None:
        """Write down how the run ended. Raises StorageError; then it may be called again."""
        state, reason = self._outcome(error)
        services, record = self.services, self._gate.record if self._gate else None
        if record is None:
            record = services.recorder.record(self.run.id, self.agent.id, self.message.id)
        if not self._told_end:
            self._told_end = True
            cap = {"cap": error.purse} if isinstance(error, CapReached) else {}
            record.event("finished", {"state": state, "reason": reason, **cap})
            services.budget.end_run(self.run.id)
        await record.committed()
        if self._steering is not None:
            await self._steering.tell()
        if not self._written_end:
            self.run, self.message = await services.database.write(self._finish, state, reason)
            self._written_end = True
            services.bus.publish(MessageChanged(self.message))
            services.bus.publish(RunChanged(self.run))
        await services.finished(self.message)

    def _follow_ups(self) -> "Sequence[FollowUp]":
        """Take what waits for this run; the librarian answers one question only, and a closing answer is the last."""
        if self._connection is None or self._gate is None or self._gate.nearly_spent:
            return ()
        return self.waiting()

    async def _library_model(self, context: Context) -> "Model":
        assert self._loading is not None
        await self._loading
        if self._connection is None:
            assert self.services.librarian is not None
            return self.services.librarian(self.agent, self.question)
        return await self.services.connections.model_for(
            self._connection,
            self._model,
            run_id=self.run.id,
            agent_id=self.agent.id,
            categories=context.categories,
        )

    def _settings(self) -> Any:
        settings: dict[str, Any] = {}
        if self.agent.temperature is not None:
            settings["temperature"] = self.agent.temperature
        if self.run.effort == "deep":
            settings["thinking"] = "high"
        if self._connection is not None and self._connection.kind == "openai":
            # Left out, OpenAI keeps every reply for a month.
            settings["openai_store"] = False
        return settings

    def _outcome(self, error: BaseException | None) -> tuple[End, str]:
        if self.stopping is not None:
            return self.stopping, _("You stopped it.") if self.stopping == "stopped" else _(
                "Bureau was closed while this was under way: resume it or discard it."
            )
        if error is None:
            return "done", ""
        if isinstance(error, CapReached | StepsSpent | LoopStopped):
            return "stopped", str(error)
        if isinstance(error, AgentsError | StorageError):
            return "failed", str(error)
        fault = self._fault(error)
        if fault is None:
            log.error("A run failed on %s", type(error).__name__, exc_info=error)
            return "failed", _("Something in Bureau broke ({kind}): resume the run to try again.").format(
                kind=type(error).__name__
            )
        spoken = self._gate is not None and self._gate.record.length > 0
        if spoken and isinstance(fault, StreamCut | TimedOut | Offline | Overloaded):
            return "interrupted", str(fault)
        return "failed", str(fault)

    def _fault(self, error: BaseException) -> ProviderError | None:
        if isinstance(error, ProviderError):
            return error
        if self._connection is None:
            return None
        return provider_fault(self.services.connections, self._connection, self._model, error)

    def _begin(self, session: "Session", context: Context, caps: Caps) -> tuple[Run, Message]:
        connection_id = self._connection.id if self._connection else None
        runs.set_terms(session, self.run.id, connection_id=connection_id, model=self._model, cap=caps.run)
        runs.set_context(session, self.run.id, context.parts)
        message = messages.set_message_state(session, self.message.id, "streaming")
        return runs.set_state(session, self.run.id, "running"), message

    def _keep(self, session: "Session", kept: Kept) -> None:
        runs.set_history(session, self.run.id, kept.to_json())
        runs.set_reserved(session, self.run.id, self.services.budget.reserved(self.run.id))

    def _finish(self, session: "Session", state: End, reason: str) -> tuple[Run, Message]:
        text = messages.message(session, self.message.id).text
        citations = self._sending.citations(text) if self._sending and state == "done" else None
        message = messages.finish_message(
            session, self.message.id, _MESSAGE_STATE[state], citations=citations, model=self._model or None
        )
        return runs.set_state(session, self.run.id, state, reason=reason), message


def _most_opening(context: Context) -> int:
    """Return a number that the input tokens of the first request do not exceed in practice."""
    tokens = most_tokens(context.instructions) + sum(
        2 * part.tokens for part in context.parts if part.kind == "tools"
    )
    for pieces in _given(context):
        tokens += OVERHEAD + sum(most_tokens(piece.text) for piece in pieces)
    return tokens + _most_of_files(context)


def _most_of_files(context: Context) -> int:
    """Return a number that the tokens of the files that go along as they are do not exceed in practice."""
    files = [piece.file for pieces in _given(context) for piece in pieces if piece.file is not None]
    return sum(
        (file.pages or 1) * MOST_PER_PDF_PAGE if file.media_type == "application/pdf" else MOST_PER_IMAGE
        for file in files
    )


def _given(context: Context) -> "list[Sequence[Given]]":
    return [context.question, *(said.given for said in context.said)]
