"""The agent loop of one run: every piece of the stream goes to the run's own record, every step is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents.runtime.calling import Calls, watched
from agents.runtime.gating import Gate, gated
from agents.runtime.history import Kept, keep
from agents.runtime.recording import RunRecord
from agents.runtime.steering import Steering
from agents.tools.declaration import Tool

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings


@dataclass(frozen=True, slots=True)
class Loop:
    """What the agent loop needs. ``opening`` messages come first and are not kept; ``steps`` go on from them."""

    model: "Model"
    gate: Gate
    instructions: str
    opening: "Sequence[ModelMessage]"
    steps: "Sequence[ModelMessage]"
    settings: "ModelSettings"
    tools: Sequence[Tool]
    calls: Calls
    record: RunRecord
    provider: str
    text_before: int
    """Characters the message already has."""
    on_step: Callable[[Kept], None]
    steering: Steering


async def stream(loop: Loop) -> str:
    """Run the loop to its end and return the last answer; raises what the model, the gate or a tool raises."""
    from pydantic_ai import Agent
    from pydantic_ai.tools import Tool as LibraryTool
    from pydantic_ai.toolsets import FunctionToolset
    from pydantic_ai.usage import UsageLimits

    functions = [LibraryTool(tool.function, takes_ctx=False, name=tool.name) for tool in loop.tools]
    toolset: FunctionToolset[Any] = FunctionToolset(functions, max_retries=2)
    agent = Agent(
        gated(loop.model, loop.gate),
        instructions=loop.instructions,
        toolsets=[watched(toolset, loop.calls)] if functions else [],
        model_settings=loop.settings,
    )
    history = [*loop.opening, *loop.steps]
    kept_from = len(loop.opening)
    writer = _Writer(loop.record, spoken=loop.text_before > 0, mid_sentence=_cut_off(loop))
    async with agent.iter(
        None, message_history=history, usage_limits=UsageLimits(request_limit=None), infer_name=False
    ) as run:
        async for node in run:
            if Agent.is_model_request_node(node):
                messages = run.all_messages()
                if len(messages) >= len(history) and messages[-1] is not node.request:
                    # The results of the tools are in the coming request, not yet in the history.
                    node.request = loop.steering.carried(node.request)
                    _step(loop, [*messages, node.request][kept_from:])
                    await loop.steering.tell()
                writer.new_answer()
                async with node.stream(run.ctx) as pieces:
                    async for piece in pieces:
                        writer.take(piece)
                _step(loop, run.all_messages()[kept_from:])
    assert run.result is not None
    return str(run.result.output)


def _step(loop: Loop, steps: "Sequence[ModelMessage]") -> None:
    loop.on_step(keep(loop.provider, loop.text_before + loop.record.length, steps))


def _cut_off(loop: Loop) -> bool:
    """Whether the stream to come goes on in the middle of a text that broke off."""
    from pydantic_ai.messages import ModelResponse

    return len(loop.steps) > 1 and isinstance(loop.steps[-2], ModelResponse) and not loop.steps[-2].tool_calls


class _Writer:
    """Writes the pieces of one run's stream; answers after the first begin a new paragraph."""

    def __init__(self, record: RunRecord, *, spoken: bool, mid_sentence: bool) -> None:
        from pydantic_ai.messages import (
            PartDeltaEvent,
            PartStartEvent,
            TextPart,
            TextPartDelta,
            ThinkingPart,
            ThinkingPartDelta,
        )

        self._record = record
        self._spoken = spoken
        self._break_due = False
        self._mid_sentence = mid_sentence
        self._start, self._delta = PartStartEvent, PartDeltaEvent
        self._text, self._text_delta = TextPart, TextPartDelta
        self._thinking, self._thinking_delta = ThinkingPart, ThinkingPartDelta

    def new_answer(self) -> None:
        self._break_due = self._spoken and not self._mid_sentence
        self._mid_sentence = False

    def take(self, event: object) -> None:
        if type(event) is self._delta:
            delta = event.delta
            if type(delta) is self._text_delta:
                self._write(delta.content_delta)
            elif type(delta) is self._thinking_delta and delta.content_delta:
                self._record.thinking(delta.content_delta)
        elif type(event) is self._start:
            part = event.part
            if type(part) is self._text:
                self._write(part.content)
            elif type(part) is self._thinking and part.content:
                self._record.thinking(part.content)

    def _write(self, text: str) -> None:
        if not text:
            return
        if self._break_due:
            self._record.text("\n\n")
            self._break_due = False
        self._spoken = True
        self._record.text(text)
