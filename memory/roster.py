"""Rows of the agents who work here; their Markdown form is in ``agents/roster.py``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent. Caps in millionths of a dollar; an empty connection or model means the default."""

    id: str
    name: str
    role: str
    avatar: str
    personality: str
    language: str
    time_zone: str
    instructions: str
    connection_id: str | None
    model: str
    temperature: float | None
    max_tokens: int | None
    effort: str
    tools: tuple[str, ...]
    memory_scopes: tuple[str, ...]
    accepts_own_notes: bool
    run_cap: int | None
    day_cap: int | None
    librarian: bool
    position: int
    revision: int
    created_at: int
    updated_at: int
    archived_at: int | None
