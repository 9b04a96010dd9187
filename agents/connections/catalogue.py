"""The models a provider lists for a key, and which of them an agent without a choice uses."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from agents.connections.clients import anthropic_client, openai_client
from agents.connections.presets import preset_of
from memory.accounts import Connection

if TYPE_CHECKING:
    import httpx2

MOST_MODELS = 2_000
NOT_FOR_CHAT = (
    "embed",
    "whisper",
    "tts",
    "dall-e",
    "moderation",
    "realtime",
    "transcribe",
    "image",
    "audio",
    "sora",
)


async def listed_models(connection: Connection, http: "httpx2.AsyncClient") -> list[dict[str, Any]]:
    """Ask the provider for its models: ``{"id", "name", "price"?, "context"?}``. Raises what the SDK raises."""
    rows: list[dict[str, Any]] = []
    if connection.kind == "anthropic":
        async for model in anthropic_client(connection, http).models.list(limit=1000):
            rows.append({"id": model.id, "name": getattr(model, "display_name", "") or model.id})
            if len(rows) >= MOST_MODELS:
                break
        return rows
    async for listed in openai_client(connection, http).models.list():
        extra = listed.model_extra or {}
        row: dict[str, Any] = {"id": listed.id, "name": str(extra.get("name") or listed.id)}
        if price := _listed_price(extra.get("pricing")):
            row["price"] = price
        if isinstance(extra.get("context_length"), int):
            row["context"] = extra["context_length"]
        rows.append(row)
        if len(rows) >= MOST_MODELS:
            break
    return rows


def default_model(connection: Connection, models: list[dict[str, Any]]) -> str:
    """Return the listed model to use where nobody chose one; "" for an empty list."""
    names = [str(row["id"]) for row in models]
    chat = [name for name in names if not any(mark in name.lower() for mark in NOT_FOR_CHAT)] or names
    for beginning in preset_of(connection.kind, connection.base_url).preferred:
        found = [name for name in chat if name.startswith(beginning)]
        if found:
            # Among siblings the shortest name is the plain one: not the mini, the preview or the dated copy.
            shortest = min(len(name) for name in found)
            return max(name for name in found if len(name) == shortest)
    return chat[0] if chat else ""


def _listed_price(pricing: object) -> dict[str, int] | None:
    """Dollars per token, as OpenRouter lists them, to millionths of a dollar per million tokens."""
    if not isinstance(pricing, dict):
        return None
    try:
        price = {
            "input": int(Decimal(str(pricing["prompt"])) * 10**12),
            "output": int(Decimal(str(pricing["completion"])) * 10**12),
        }
    except (KeyError, InvalidOperation, ValueError, OverflowError):
        return None
    # A router that chooses the model for each request lists −1: nobody knows what it will cost.
    return None if min(price.values()) < 0 else price
