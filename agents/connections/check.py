"""The check of a key, in five steps that each teach something."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from agents.connections import catalogue
from agents.connections.errors import (
    AddressWrong,
    KeyRejected,
    ModelUnknown,
    NoCredit,
    ProviderError,
    RateLimited,
)
from agents.connections.failures import explain
from agents.connections.models import build
from agents.connections.naming import spoken
from agents.loading import load_provider
from memory.accounts import Connection
from resources.language import gettext as _

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.usage import RequestUsage

StepName = Literal["reachable", "key", "model", "images", "tools"]
STEPS: tuple[StepName, ...] = ("reachable", "key", "model", "images", "tools")
ANSWER_TOKENS = 64
"""Enough for one word and a little thinking."""
RED_SQUARE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mN4oKBAEmIY1TCqYfhqAADc5yAQocSb7AAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step's outcome; ``no`` means the model lacks it and all is well, ``skipped`` that an earlier one failed."""

    name: StepName
    state: Literal["passed", "failed", "no", "skipped"]
    sentence: str

    def as_row(self) -> dict[str, str]:
        """Return it as it is stored: no body of a request or reply."""
        return asdict(self)


class KeyCheck:
    """Runs the five steps on one connection; after the run ``models`` and ``model`` hold what was learnt.

    ``book`` is given the model and usage of each request that was answered.
    """

    def __init__(
        self,
        connection: Connection,
        http: "Callable[[Literal['check', 'models']], httpx2.AsyncClient]",
        book: Callable[[str, "RequestUsage"], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._http = http
        self._book = book
        self.models: list[dict[str, Any]] = list(connection.models)
        self.model = connection.default_model

    async def steps(self) -> AsyncIterator[Step]:
        """Yield each step as it is known; five in all, in the order of STEPS."""
        await asyncio.to_thread(load_provider, self._connection.kind)
        stopped = False
        async for step in self._reach():
            stopped = stopped or step.state == "failed"
            yield step
        rest: tuple[tuple[StepName, Callable[[], Awaitable[Step]]], ...] = (
            ("model", self._answer),
            ("images", self._see),
            ("tools", self._call),
        )
        for name, attempt in rest:
            if stopped:
                yield Step(name, "skipped", _("Not tried, because an earlier step failed."))
                continue
            step = await attempt()
            stopped = step.state == "failed"
            yield step

    async def _reach(self) -> AsyncIterator[Step]:
        label = spoken(self._connection)
        try:
            self.models = await catalogue.listed_models(self._connection, self._http("models"))
        except Exception as error:  # noqa: BLE001  whatever an SDK raises becomes the sentence of this step
            fault = explain(error, self._connection, self.model)
            if isinstance(fault, KeyRejected | NoCredit | RateLimited):
                yield Step("reachable", "passed", _("{label} answers.").format(label=label))
                yield Step("key", "failed", str(fault))
                return
            if not (isinstance(fault, AddressWrong | ModelUnknown) and self.model):
                yield Step("reachable", "failed", str(fault))
                yield Step("key", "skipped", _("Not tried, because an earlier step failed."))
                return
            # Some compatible servers list no models; the model's own answer then decides about the address.
        if not self.model:
            self.model = catalogue.default_model(self._connection, self.models)
        yield Step("reachable", "passed", _("{label} answers.").format(label=label))
        if self.models:
            found = _("The key is accepted; {count} models are open to it.").format(count=len(self.models))
            yield Step("key", "passed", found)
        else:
            yield Step("key", "passed", _("The server lists no models; the next step tries one."))

    async def _answer(self) -> Step:
        if not self.model:
            return Step("model", "failed", _("The provider lists no model: name one for this connection."))
        listed = {row["id"] for row in self.models}
        fault = await self._ask("Reply with the word: ready", None)
        if fault is None:
            return Step("model", "passed", _("{model} answers.").format(model=self.model))
        if listed and self.model not in listed and isinstance(fault, AddressWrong):
            fault = ModelUnknown(
                _("{label} has no model “{model}” for this key: choose another model.").format(
                    label=spoken(self._connection), model=self.model
                )
            )
        return Step("model", "failed", str(fault))

    async def _see(self) -> Step:
        from pydantic_ai.messages import BinaryContent

        picture = BinaryContent(data=RED_SQUARE, media_type="image/png")
        fault = await self._ask(["Which colour is this square? One word.", picture], None)
        if fault is None:
            return Step("images", "passed", _("{model} takes images.").format(model=self.model))
        return Step(
            "images", "no", _("{model} takes no images; pages are sent as text.").format(model=self.model)
        )

    async def _call(self) -> Step:
        from pydantic_ai.tools import ToolDefinition

        tool = ToolDefinition(
            name="clock",
            description="Tells the time.",
            parameters_json_schema={"type": "object", "properties": {}, "additionalProperties": False},
        )
        called: list[str] = []
        fault = await self._ask("What time is it? Use the clock tool.", tool, called.append)
        if fault is None and called:
            return Step("tools", "passed", _("{model} calls tools.").format(model=self.model))
        return Step("tools", "no", _("{model} called no tool; it can still answer.").format(model=self.model))

    async def _ask(
        self, content: Any, tool: Any, called: Callable[[str], None] | None = None
    ) -> ProviderError | None:
        """Send one small request; returns why it failed, None where it did not. An empty reply is an answer."""
        from pydantic_ai import UnexpectedModelBehavior
        from pydantic_ai.direct import model_request
        from pydantic_ai.messages import ModelRequest, ToolCallPart, UserPromptPart
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.settings import ModelSettings

        request: Callable[..., Awaitable[Any]] = model_request
        try:
            reply = await request(
                build(self._connection, self.model, self._http("check")),
                [ModelRequest(parts=[UserPromptPart(content)])],
                model_settings=ModelSettings(max_tokens=ANSWER_TOKENS),
                model_request_parameters=ModelRequestParameters(function_tools=[tool] if tool else []),
            )
        except UnexpectedModelBehavior as error:
            # A reasoning model may spend all its tokens on thinking and say nothing: the key works.
            if "empty" in str(error).lower():
                return None
            return explain(error, self._connection, self.model)
        except Exception as error:  # noqa: BLE001  whatever an SDK raises becomes the sentence of this step
            return explain(error, self._connection, self.model)
        await self._book(self.model, reply.usage)
        if called is not None:
            for part in reply.parts:
                if isinstance(part, ToolCallPart):
                    called(part.tool_name)
        return None
