"""Runs and their append-only events."""

from dataclasses import dataclass
from typing import Any, Literal

RunState = Literal["queued", "running", "needs_you", "done", "failed", "stopped", "interrupted"]


@dataclass(frozen=True, slots=True)
class ContextPart:
    """One part of what a run sends. ``cost`` is in millionths of a dollar, None where no price is known."""

    kind: Literal["instructions", "notes", "conversation", "attachment", "tools", "question"]
    label: str
    tokens: int
    cost: int | None
    reason: str = ""
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One agent's work on one message; caps and costs in millionths of a dollar."""

    id: str
    conversation_id: str
    parent_run_id: str | None
    task_id: str | None
    agent_id: str | None
    connection_id: str | None
    model: str
    effort: str
    state: RunState
    reason: str
    context: tuple[ContextPart, ...]
    cap: int | None
    reserved: int
    spent: int
    created_at: int
    started_at: int | None
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One line of the event table.

    Kinds: ``started``, ``text``, ``thinking`` (coalesced deltas in ``body["text"]``), ``tool_started``
    (``call``, ``tool``, ``arguments``, ``effect``), ``tool_finished`` (``call``, ``result``), ``usage``,
    ``memory_used``, ``notice`` (``sentence``), ``finished`` (``state``, ``reason``).
    """

    run_id: str
    seq: int
    agent_id: str | None
    at: int
    kind: str
    body: dict[str, Any]
