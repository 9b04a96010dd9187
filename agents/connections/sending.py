"""What a request is sent for, and with which key."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from vault.secret import Secret

Purpose = Literal["chat", "check", "models", "discovery", "sync"]
PLACEHOLDER = "kept-in-the-vault"
"""What the SDKs hold instead of a key; the transport replaces it on the way out."""


@dataclass(frozen=True, slots=True)
class Sending:
    """On whose behalf a request goes out, and which kinds of data are inside."""

    purpose: Purpose
    connection_id: str | None = None
    run_id: str | None = None
    agent_id: str | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """How to get the key at the last moment, and the only origin (a URL) that may see it."""

    read: Callable[[], Awaitable[Secret | None]]
    origin: str
    header: Literal["x-api-key", "authorization"]
