"""Prices of models: the owner's overrides, the provider's own list, then the price data; never a guess."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from agents.connections.addresses import is_private
from agents.connections.presets import preset_of, presets
from memory.accounts import Connection

MILLION = 1_000_000
ASSUMED_INPUT = 5_000_000
ASSUMED_OUTPUT = 25_000_000
"""Where nobody has said a model's price, a cap counts its tokens at a dear model's: $5 and $25 per million
tokens. The ledger still says that the cost is unknown; the owner may state the price on the Keys page."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What a request with more than ``above`` input tokens pays for every token; units as in ``Price``."""

    above: int
    input: int
    output: int
    cache_read: int
    cache_write: int


@dataclass(frozen=True, slots=True)
class Price:
    """Millionths of a dollar per million tokens; ``tiers``, ascending, hold for requests with more input."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    tiers: tuple[Tier, ...] = ()

    def at(self, input_tokens: int) -> "Price | Tier":
        """Return what holds for a request with so many input tokens."""
        return next((tier for tier in reversed(self.tiers) if input_tokens > tier.above), self)

    def most(self, *, input_tokens: int, output_tokens: int) -> int:
        """Return what a request costs at most that has no more tokens than these, cached or not, in whichever tier."""
        reached: list[Price | Tier] = [self, *(tier for tier in self.tiers if input_tokens > tier.above)]
        # A token may be written to the provider's cache, which some charge above the plain price.
        return max(
            -(-(input_tokens * max(one.input, one.cache_write) + output_tokens * one.output) // MILLION)
            for one in reached
        )

    def cost(
        self, *, input_tokens: int, output_tokens: int, cache_read: int = 0, cache_write: int = 0
    ) -> int:
        """Return millionths of a dollar, rounded up; ``input_tokens`` includes both kinds of cached tokens."""
        rate = self.at(input_tokens)
        fresh = max(0, input_tokens - cache_read - cache_write)
        total = (
            fresh * rate.input
            + output_tokens * rate.output
            + cache_read * rate.cache_read
            + cache_write * rate.cache_write
        )
        return -(-total // MILLION)


def cost_of(price: Price | None, *, input_tokens: int, output_tokens: int) -> int:
    """Return what so many tokens cost at most, at the assumed price where none is known."""
    if price is not None:
        return price.most(input_tokens=input_tokens, output_tokens=output_tokens)
    return -(-(input_tokens * ASSUMED_INPUT + output_tokens * ASSUMED_OUTPUT) // MILLION)


def price_of(connection: Connection, model: str) -> Price | None:
    """Return the price of a model on a connection, or None where nobody has said one."""
    override = connection.price_overrides.get(model)
    if override:
        return _price(override)
    listed = next((row for row in connection.models if row.get("id") == model), None)
    if listed and listed.get("price"):
        return _price(listed["price"])
    if is_free(connection):
        return Price(0, 0, 0, 0)
    return _from_data(model, preset_of(connection.kind, connection.base_url).prices)


def is_free(connection: Connection) -> bool:
    """Whether its owner runs the models: a known local server, on this machine or in the owner's own network."""
    known = next((one for one in presets() if one.id == connection.preset), None)
    return known is not None and known.local and is_private(connection.base_url)


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
    kinds = (prices.input_mtok, prices.output_mtok, prices.cache_read_mtok, prices.cache_write_mtok)
    steps = sorted({tier.start for kind in kinds for tier in getattr(kind, "tiers", ())})
    rates = [_rate(kinds, above) for above in (0, *steps)]
    if any(rate is None for rate in rates):
        return None
    base, *upper = [rate for rate in rates if rate is not None]
    return Price(*base, tuple(Tier(above, *rate) for above, rate in zip(steps, upper, strict=True)))


def _rate(kinds: tuple[Any, ...], above: int) -> tuple[int, int, int, int] | None:
    """Return the four prices of requests with more than ``above`` input tokens; None where one is not known."""
    given, produced, read, written = (_micros(kind, above) for kind in kinds)
    if given is None or produced is None:
        return None
    return given, produced, given if read is None else read, given if written is None else written


def _micros(value: Any, above: int) -> int | None:
    """A price in dollars, in the tier that holds above so many input tokens, as millionths."""
    if isinstance(value, Decimal):
        return int(value * MILLION)
    base = getattr(value, "base", None)
    if not isinstance(base, Decimal):
        return None
    reached = [tier.price for tier in value.tiers if tier.start <= above]
    return int((reached[-1] if reached and above else base) * MILLION)
