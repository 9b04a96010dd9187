"""Conversations as trees of messages."""

from dataclasses import dataclass
from typing import Any, Literal

MessageState = Literal["queued", "streaming", "complete", "interrupted", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One chat. ``draft`` and ``scroll`` are as in the table; times are UTC milliseconds."""

    id: str
    title: str
    title_source: str
    active_leaf_id: str | None
    agent_id: str | None
    model: str
    effort: str
    draft: dict[str, Any]
    scroll: dict[str, Any]
    created_at: int
    updated_at: int
    pinned_at: int | None
    archived_at: int | None
    trashed_at: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a tree; ``batch_id`` is shared by answers given side by side."""

    id: str
    conversation_id: str
    parent_id: str | None
    batch_id: str
    position: int
    role: Literal["owner", "agent"]
    agent_id: str | None
    agent_name: str
    model: str
    run_id: str | None
    text: str
    thinking: str
    citations: tuple[dict[str, Any], ...]
    state: MessageState
    created_at: int
    pinned_at: int | None
    restricted: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """What one level of the shown path holds: one message, or the columns of one batch.

    ``alternative`` of ``alternatives`` (from 1) says which branch is shown: ‹ 2/3 ›.
    """

    messages: tuple[Message, ...]
    alternative: int
    alternatives: int
