"""Rows of the provider accounts; the clients made from them are in ``agents/connections``."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Connection:
    """One provider account; its key is the vault's item of the same id."""

    id: str
    kind: Literal["anthropic", "openai", "openai-compatible"]
    preset: str
    label: str
    base_url: str
    default_model: str
    proxy: str
    mask: str
    fingerprint: str
    position: int
    created_at: int
    rotated_at: int | None
    last_used_at: int | None
    last_checked_at: int | None
    last_check: dict[str, Any] | None
    models: tuple[dict[str, Any], ...]
    price_overrides: dict[str, Any]
