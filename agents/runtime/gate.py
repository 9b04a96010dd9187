"""Drives one run: sends its context through the agent loop and writes down what comes back."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agents.connections import Connections
from agents.connections.errors import ProviderError
from agents.connections.prices import Price, cost_of
from agents.errors import AgentsError, StepsSpent
from agents.events import EventBus, Notice, OutboxChanged
from agents.money import dollars
from agents.runtime import wording
from agents.runtime.budget import Budget, Caps, Reservation
from agents.runtime.gating import Admitted
from agents.runtime.recording import RunRecord
from agents.runtime.tokens import OVERHEAD, most_tokens
from memory import accounts, ledger, roster, runs
from memory.accounts import Connection
from memory.errors import NotFound, StorageError
from resources.language import gettext as _
from resources.language import ngettext

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.usage import RequestUsage
    from sqlalchemy.orm import Session

REQUESTS = {"quick": 6, "normal": 20, "deep": 60}
"""Model requests a run may make, by effort."""
HELD_BACK = 2
"""The last requests of a run are for its closing answer."""
MAX_TOKENS = {"quick": 4_096, "normal": 8_192, "deep": 16_384}
CLOSING_TOKENS = 1_024
"""What a closing answer takes: while it can still be paid for, the agent goes on."""
LEAST_TOKENS = 512
"""An answer shorter than this is not worth asking for."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the gate keeps of one request under way."""

    reservation: Reservation
    input_tokens: int


@dataclass(slots=True)
class RunGate:
    """The gate of one run: its steps, its caps, its waits and its usage."""

    record: RunRecord
    bus: EventBus
    budget: Budget
    caps: Caps
    connections: Connections | None
    connection: Connection | None
    model: str
    effort: str
    max_tokens: int
    price: Price | None
    begin_day: Callable[[], Awaitable[object]]
    """Takes today's spending over into the budget."""
    files: int = 0
    """The most tokens of the files that go along as they are with every request of the run."""
    free: bool = False
    """The librarian's own requests reach nobody and cost nothing: they are neither reserved nor booked."""
    first: Reservation | None = None
    """What the send reserved for the first request, so that agents side by side are sure of it."""
    requests: int = 0
    closing: bool = False
    _told_unpriced: bool = field(default=False, repr=False)

    async def admit(
        self,
        messages: "list[ModelMessage]",
        settings: "ModelSettings | None",
        parameters: "ModelRequestParameters",
    ) -> Admitted:
        """Count the request, reserve its worst case, close the run while it can still be paid for.

        Raises CapReached, StepsSpent or StorageError.
        """
        limit = REQUESTS.get(self.effort, REQUESTS["normal"])
        if self.requests >= limit:
            raise StepsSpent(
                ngettext(
                    "The run used its {limit} step: resume it to go on, or choose more effort.",
                    "The run used its {limit} steps: resume it to go on, or choose more effort.",
                    limit,
                ).format(limit=limit)
            )
        self.requests += 1
        if self.free:
            return Admitted(messages, settings, None)
        if not self.budget.has_begun(day()):
            # Midnight, or a clock set back or forward: what that day has cost before must count.
            await self.begin_day()
        given = most_input(messages, parameters) + self.files
        reservation, max_tokens = self._reserve(given)
        tight = not self._affordable(given + max_tokens, CLOSING_TOKENS)
        changed: dict[str, Any] = {**(settings or {}), "max_tokens": max_tokens}
        if (self.requests > limit - HELD_BACK or tight) and self.requests > 1:
            self._begin_closing(tight)
            messages = with_notice(messages, wording.CLOSING)
            if parameters.function_tools:
                changed["tool_choice"] = "none"
        await self.record.committed()
        return Admitted(messages, changed, Ticket(reservation, given))  # type: ignore[arg-type]  # a TypedDict

    @property
    def nearly_spent(self) -> bool:
        """Whether the next request is one of those held back for the closing answer."""
        limit = REQUESTS.get(self.effort, REQUESTS["normal"])
        return self.closing or self.requests >= limit - HELD_BACK

    def explain(self, error: Exception) -> ProviderError | None:
        """Return the provider's fault that the exception stands for; the office's own faults are none."""
        if (
            isinstance(error, AgentsError | StorageError)
            or self.connection is None
            or self.connections is None
        ):
            return error if isinstance(error, ProviderError) else None
        return provider_fault(self.connections, self.connection, self.model, error)

    async def waiting(self, seconds: float, fault: ProviderError) -> None:
        """Show that the provider asked for patience."""
        sentence = _("{fault} Trying again in {seconds} s.").format(fault=fault, seconds=f"{seconds:.0f}")
        self.record.event("notice", {"sentence": sentence, "wait": round(seconds, 3)})
        self.bus.publish(Notice(sentence))

    def settle(self, ticket: object, usage: "RequestUsage | None", *, opened: bool) -> None:
        """Book what the request used, in the ledger and in the budget; called once for each admitted request."""
        if not isinstance(ticket, Ticket):
            return
        self.bus.publish(OutboxChanged())
        if not opened or usage is None:
            self.budget.settle(ticket.reservation, 0)
            return
        given, produced = usage.input_tokens, usage.output_tokens
        cost = self._cost(usage) if given or produced else None
        # A reply that broke off often brings no count: the cap then keeps what was set aside for the input.
        counted = cost
        if counted is None:
            given_at_most = given or ticket.input_tokens
            counted = cost_of(self.price, input_tokens=given_at_most, output_tokens=produced)
        for sentence in self.budget.settle(ticket.reservation, counted):
            self.record.event("notice", {"sentence": sentence})
            self.bus.publish(Notice(sentence))
        self.record.event(
            "usage",
            {"input_tokens": given, "output_tokens": produced, "cost": cost},
        )
        self.record.also(self._ledger_row(usage, cost, counted))

    def hold(self, given: int) -> None:
        """Reserve the first request's worst case ahead. Raises CapReached."""
        self.first, _max_tokens = self._reserve(given)

    def _reserve(self, given: int) -> tuple[Reservation, int]:
        """Reserve for so much input and as long an answer as there is room for."""
        max_tokens = self.max_tokens
        held, self.first = self.first, None
        if held is not None:
            self.budget.settle(held, 0)  # taken over just below, with no await between
        if self.price is None and self.caps.any:
            self._tell_unpriced()
        room = self.budget.room(self.record.run_id, self.record.agent_id or "", day(), self.caps)
        if room is not None:
            while max_tokens > LEAST_TOKENS and self._worst(given, max_tokens) > room:
                max_tokens = max(LEAST_TOKENS, max_tokens * 3 // 4)
        amount = self._worst(given, max_tokens)
        reservation = self.budget.reserve(
            self.record.run_id, self.record.agent_id or "", day(), amount, self.caps
        )
        return reservation, max_tokens

    def _affordable(self, given: int, max_tokens: int) -> bool:
        room = self.budget.room(self.record.run_id, self.record.agent_id or "", day(), self.caps)
        return room is None or self._worst(given, max_tokens) <= room

    def _worst(self, given: int, max_tokens: int) -> int:
        return cost_of(self.price, input_tokens=given, output_tokens=max_tokens)

    def _begin_closing(self, tight: bool) -> None:
        if self.closing:
            return
        self.closing = True
        sentence = (
            _("The cap is near: the agent was asked for its closing answer.")
            if tight
            else _("The steps are nearly used up: the agent was asked for its closing answer.")
        )
        self.record.event("notice", {"sentence": sentence})

    def _tell_unpriced(self) -> None:
        if self._told_unpriced:
            return
        self._told_unpriced = True
        sentence = _(
            "No price is known for {model}: the cap counts it as {input} and {output} per million tokens; "
            "state its price under Keys."
        ).format(
            model=self.model,
            input=dollars(cost_of(None, input_tokens=1_000_000, output_tokens=0)),
            output=dollars(cost_of(None, input_tokens=0, output_tokens=1_000_000)),
        )
        self.record.event("notice", {"sentence": sentence})

    def _cost(self, usage: "RequestUsage") -> int | None:
        if self.price is None:
            return None
        return self.price.cost(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read=usage.cache_read_tokens,
            cache_write=usage.cache_write_tokens,
        )

    def _ledger_row(self, usage: "RequestUsage", cost: int | None, counted: int) -> Any:
        def write(session: "Session") -> None:
            connection_id = self.connection.id if self.connection else None
            # What was used counts for the day even if run, agent or account are gone by now.
            ledger.add_usage(
                session,
                run_id=_still(session, runs.run, self.record.run_id),
                agent_id=_still(session, roster.agent, self.record.agent_id),
                connection_id=_still(session, accounts.connection, connection_id),
                model=self.model,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cache_read_tokens,
                cache_write_tokens=usage.cache_write_tokens,
                cost=cost,
                counted=counted,
            )

        return write


def _still(session: "Session", find: "Callable[[Session, str], object]", identity: str | None) -> str | None:
    """Return the id if its row is still there."""
    if identity is None:
        return None
    try:
        find(session, identity)
    except NotFound:
        return None
    return identity


def provider_fault(
    connections: Connections, connection: Connection, model: str, error: BaseException
) -> ProviderError | None:
    """Return the provider's fault that an exception stands for; None where the fault is the office's own."""
    try:
        return connections.explain(error, connection, model)
    except Exception as own:
        if own is not error:
            raise
        return None


def day() -> str:
    """Return the owner's calendar day."""
    return ledger.calendar_day()


def most_input(messages: "list[ModelMessage]", parameters: "ModelRequestParameters") -> int:
    """Return a number that the input tokens of a request do not exceed in practice, files that go along apart.

    How many pages a file has cannot be seen in its bytes, where its objects are compressed.
    """
    from pydantic_ai.messages import BinaryContent

    tokens = sum(most_tokens(part.content) for part in parameters.instruction_parts or ())
    tokens += sum(
        most_tokens(f"{tool.name}{tool.description}{tool.parameters_json_schema}")
        for tool in parameters.function_tools
    )
    for message in messages:
        tokens += OVERHEAD
        for part in message.parts:
            content = getattr(part, "content", None)
            pieces = content if isinstance(content, list | tuple) else (content,)
            for piece in pieces:
                if piece is not None and not isinstance(piece, BinaryContent):
                    tokens += most_tokens(piece if isinstance(piece, str) else str(piece))
            tokens += most_tokens(str(getattr(part, "args", None) or ""))
    return tokens


def with_notice(messages: "list[ModelMessage]", notice: str) -> "list[ModelMessage]":
    """Return the messages with a line from the office at their end; what the history keeps is not changed."""
    from dataclasses import replace

    from pydantic_ai.messages import ModelRequest, UserPromptPart

    last = messages[-1]
    if isinstance(last, ModelRequest):
        return [*messages[:-1], replace(last, parts=[*last.parts, UserPromptPart(notice)])]
    return [*messages, ModelRequest(parts=[UserPromptPart(notice)])]
