"""Stands between the agent loop and the model: every request passes the gate, waits out a busy provider, is counted."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from agents.connections.errors import ProviderError

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.usage import RequestUsage

ATTEMPTS = 4
"""How often one request is sent at most while the provider is busy."""
LONGEST_WAIT = 60.0
"""Seconds; who asks for a longer pause gets it as a failed run that says so."""
FIRST_WAIT = 0.5


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be sent, as the gate changed it; ``ticket`` is what the gate knows it by."""

    messages: list["ModelMessage"]
    settings: "ModelSettings | None"
    ticket: object


class Gate(Protocol):
    """What a run does around each of its model requests."""

    async def admit(
        self,
        messages: list["ModelMessage"],
        settings: "ModelSettings | None",
        parameters: "ModelRequestParameters",
    ) -> Admitted:
        """Reserve for the request. Raises CapReached or StepsSpent."""
        ...

    def explain(self, error: Exception) -> ProviderError | None:
        """Return the fault between office and provider that an exception stands for; None for any other."""
        ...

    async def waiting(self, seconds: float, fault: ProviderError) -> None:
        """Tell the owner that the request waits."""
        ...

    def settle(self, ticket: object, usage: "RequestUsage | None", *, opened: bool) -> None:
        """Book what the request used; ``opened`` is False where the provider never began to answer."""
        ...


def gated(model: "Model", gate: Gate) -> "Model":
    """Return a model that asks the gate before each request and tells it the usage afterwards.

    A provider that is busy is asked again, at most four times and not after its reply has begun.
    """
    wrapper: Model = _gated_model()(model, gate)
    return wrapper


def pause_after(fault: ProviderError, attempt: int) -> float | None:
    """Return the seconds to wait before the next attempt (``attempt`` counts from 1); None to give up."""
    if not fault.passing or attempt >= ATTEMPTS:
        return None
    if fault.retry_after is not None:
        return fault.retry_after if fault.retry_after <= LONGEST_WAIT else None
    # Spread, so that agents side by side do not come back in step.
    return float(FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.8, 1.3))  # noqa: S311 - no secret


@cache
def _gated_model() -> Any:
    from pydantic_ai.models.wrapper import WrapperModel

    class GatedModel(WrapperModel):
        def __init__(self, wrapped: "Model", gate: Gate) -> None:
            super().__init__(wrapped)
            self.gate = gate

        @asynccontextmanager
        async def request_stream(
            self,
            messages: list["ModelMessage"],
            model_settings: "ModelSettings | None",
            model_request_parameters: "ModelRequestParameters",
            run_context: Any = None,
        ) -> AsyncIterator["StreamedResponse"]:
            admitted = await self.gate.admit(messages, model_settings, model_request_parameters)
            usage: RequestUsage | None = None
            opened = False
            try:
                async with AsyncExitStack() as stack:
                    response = await _open(
                        stack, self.wrapped, admitted, model_request_parameters, run_context, self.gate
                    )
                    opened = True
                    try:
                        yield response
                    finally:
                        usage = response.usage
            finally:
                self.gate.settle(admitted.ticket, usage, opened=opened)

    return GatedModel


async def _open(
    stack: AsyncExitStack,
    model: "Model",
    admitted: Admitted,
    parameters: "ModelRequestParameters",
    run_context: Any,
    gate: Gate,
) -> "StreamedResponse":
    attempt = 1
    while True:
        try:
            return await stack.enter_async_context(
                model.request_stream(admitted.messages, admitted.settings, parameters, run_context)
            )
        except Exception as error:
            fault = gate.explain(error)
            pause = pause_after(fault, attempt) if fault is not None else None
            if fault is None or pause is None:
                raise
            await gate.waiting(pause, fault)
        await asyncio.sleep(pause)
        attempt += 1
