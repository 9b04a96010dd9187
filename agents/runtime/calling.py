"""Around each tool call: the repetition guard, the record of what was started and finished, the events."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from agents.errors import LoopStopped
from agents.events import EventBus, ToolFinished, ToolStarted
from agents.runtime import wording
from agents.runtime.guard import RepetitionGuard, Verdict
from agents.runtime.recording import RunRecord
from agents.tools.declaration import Effect
from memory.errors import StorageError
from memory.runs import RunEvent
from resources.language import gettext as _

if TYPE_CHECKING:
    from pydantic_ai.toolsets import AbstractToolset

STORED = 20_000
"""Characters of a tool's result that its event keeps; the model gets all of it."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Calls:
    """The tool calls of one run."""

    record: RunRecord
    bus: EventBus
    guard: RepetitionGuard
    effects: dict[str, Effect]

    def judge(self, tool: str, arguments: dict[str, Any]) -> str | None:
        """Return None if the call may pass, else what the model is told. Raises LoopStopped."""
        verdict = self.guard.judge(self.record.agent_id or "", tool, arguments)
        if verdict is Verdict.STOP:
            raise LoopStopped(
                _(
                    "Stopped: “{tool}” was called five times with the same arguments. Ask in other words."
                ).format(tool=tool)
            )
        if verdict is Verdict.EXPLAIN:
            return (
                f"You have called {tool} with exactly these arguments before; the result is above and will not "
                "change. Use it, try other arguments, or give your answer now. After two more such calls the "
                "run is stopped."
            )
        return None

    async def started(self, call_id: str, tool: str, arguments: dict[str, Any]) -> None:
        """Record a call; one that writes is on disk as started before it runs."""
        effect = self.effects.get(tool, "external")
        self.record.event(
            "tool_started", {"call": call_id, "tool": tool, "arguments": arguments, "effect": effect}
        )
        self.bus.publish(ToolStarted(self.record.message_id, self.record.run_id, call_id, tool, arguments))
        if effect != "read":
            await self.record.committed()

    def close_open(self, events: Sequence[RunEvent]) -> None:
        """Record that nobody knows how calls ended which an earlier life of the run left open; none is repeated."""
        answered = {event.body["call"] for event in events if event.kind == "tool_finished"}
        for event in events:
            if event.kind == "tool_started" and event.body["call"] not in answered:
                self.finished(event.body["call"], wording.UNKNOWN_OUTCOME, failed=True)

    def finished(self, call_id: str, result: str, *, failed: bool) -> None:
        """Record what a call gave."""
        self.record.event("tool_finished", {"call": call_id, "result": result[:STORED], "failed": failed})
        self.bus.publish(
            ToolFinished(self.record.message_id, self.record.run_id, call_id, result[:STORED], failed)
        )


def watched(toolset: "AbstractToolset[Any]", calls: Calls) -> "AbstractToolset[Any]":
    """Return a toolset whose every call goes through ``calls``."""
    wrapper: AbstractToolset[Any] = _watched_toolset()(toolset, calls)
    return wrapper


@cache
def _watched_toolset() -> Any:
    from dataclasses import dataclass as library_dataclass

    from pydantic_ai.exceptions import ModelRetry, ToolFailed
    from pydantic_ai.toolsets import WrapperToolset

    @library_dataclass
    class WatchedToolset(WrapperToolset[Any]):
        calls: Calls

        async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
            call_id = ctx.tool_call_id or ""
            refusal = self.calls.judge(name, tool_args)
            await self.calls.started(call_id, name, tool_args)
            if refusal is not None:
                self.calls.finished(call_id, refusal, failed=True)
                return refusal
            try:
                result = await super().call_tool(name, tool_args, ctx, tool)
            except asyncio.CancelledError:
                self.calls.finished(call_id, wording.UNKNOWN_OUTCOME, failed=True)
                raise
            except (ModelRetry, ToolFailed) as error:
                self.calls.finished(call_id, str(error), failed=True)
                raise
            except StorageError as error:
                self.calls.finished(call_id, str(error), failed=True)
                raise ToolFailed(str(error)) from error
            except Exception as error:
                # A broken tool costs its own answer, not the run; the log says where it broke.
                log.exception("The tool %s failed", name)
                reason = _("The tool failed ({kind}): go on without it.").format(kind=type(error).__name__)
                self.calls.finished(call_id, reason, failed=True)
                raise ToolFailed(reason) from error
            self.calls.finished(call_id, str(result), failed=False)
            return result

    return WatchedToolset
