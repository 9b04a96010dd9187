"""Prices of models: the owner's overrides, the provider's own list, then the price data; never a guess."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from agents.connections.presets import preset_of
from memory.accounts import Connection

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Millionths of a dollar per million tokens; the upper tier where a price has tiers."""

    input: int
    output: int
    cache_read: int
    cache_write: int

    def cost(
        self, *, input_tokens: int, output_tokens: int, cache_read: int = 0, cache_write: int = 0
    ) -> int:
        """Return millionths of a dollar, rounded up; ``input_tokens`` includes both kinds of cached tokens."""
        fresh = max(0, input_tokens - cache_read - cache_write)
        total = (
            fresh * self.input
            + output_tokens * self.output
            + cache_read * self.cache_read
            + cache_write * self.cache_write
        )
        return -(-total // MILLION)


def price_of(connection: Connection, model: str) -> Price | None:
    """Return the price of a model on a connection, or None where nobody has said one."""
    override = connection.price_overrides.get(model)
    if override:
        return _price(override)
    listed = next((row for row in connection.models if row.get("id") == model), None)
    if listed and listed.get("price"):
        return _price(listed["price"])
    known = preset_of(connection.kind, connection.base_url)
    if known.local:
        return Price(0, 0, 0, 0)
    return _from_data(model, known.prices)


def _price(row: dict[str, Any]) -> Price:
    given = int(row["input"])
    return Price(
        given,
        int(row["output"]),
        int(row.get("cache_read", given)),
        int(row.get("cache_write", given)),
    )


def _from_data(model: str, provider: str) -> Price | None:
    from genai_prices.data_snapshot import get_snapshot

    if not provider:
        return None
    try:
        _provider, found = get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None
    prices = found.get_prices(datetime.now(UTC))
    given, produced = _micros(prices.input_mtok), _micros(prices.output_mtok)
    if given is None or produced is None:
        return None
    read, written = _micros(prices.cache_read_mtok), _micros(prices.cache_write_mtok)
    return Price(given, produced, given if read is None else read, given if written is None else written)


def _micros(value: object) -> int | None:
    """A price in dollars, or the highest of its tiers, as millionths: a budget reserves the worst case."""
    if isinstance(value, Decimal):
        return int(value * MILLION)
    base = getattr(value, "base", None)
    if not isinstance(base, Decimal):
        return None
    return int(max([base, *(tier.price for tier in getattr(value, "tiers", ()))]) * MILLION)
