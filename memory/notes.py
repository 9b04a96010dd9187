"""What the office remembers on purpose: core notes, facts, preferences, procedures."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Note:
    """A note with its birth certificate; never overwritten, only superseded."""

    id: str
    kind: Literal["core", "fact", "preference", "procedure"]
    scope: Literal["office", "agent", "conversation"]
    scope_id: str | None
    text: str
    state: Literal["proposed", "accepted", "rejected"]
    source_message_id: str | None
    source_attachment_id: str | None
    agent_id: str | None
    model: str
    created_at: int
    valid_from: int
    valid_to: int | None
    supersedes_id: str | None
    uses: int
    last_used_at: int | None
    pinned_at: int | None
