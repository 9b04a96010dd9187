"""What a request costs: where its price comes from, which tier it falls into, what is set aside for it."""

from collections.abc import Callable

import pytest

from agents.connections.prices import Price, Tier, cost_of, price_of
from agents.office import Office
from memory import accounts, ledger, runs
from tests.agents.conftest import connect
from tests.peers.aimock import Aimock
from vault.secret import Secret

PRICED, TIERED = "claude-sonnet-4-5", "gpt-5.5"
"""Models in the price data; the second costs more per token where a request has much input."""


def connection(**fields: object) -> accounts.Connection:
    row = {
        "id": "a", "kind": "anthropic", "preset": "anthropic", "label": "A", "base_url": "https://api.anthropic.com",
        "default_model": "", "proxy": "", "mask": "", "fingerprint": "", "position": 0, "created_at": 0,
        "rotated_at": None, "last_used_at": None, "last_checked_at": None, "last_check": None, "models": (),
        "price_overrides": {},
    }  # fmt: skip
    return accounts.Connection(**{**row, **fields})  # type: ignore[arg-type]  # a row of mixed types


def test_prices_come_from_overrides_then_lists_then_data() -> None:
    known = price_of(connection(), PRICED)
    assert known is not None and known.input >= 3_000_000 and known.output >= 15_000_000
    assert price_of(connection(), "claude-nobody-knows") is None
    assert price_of(connection(price_overrides={"x": {"input": 1, "output": 2}}), "x") == Price(1, 2, 1, 1)
    listed = connection(models=({"id": "x", "price": {"input": 5, "output": 6}},))
    assert price_of(listed, "x") == Price(5, 6, 5, 5)
    price = Price(3_000_000, 15_000_000, 300_000, 3_750_000)
    assert price.cost(input_tokens=1_000, output_tokens=100, cache_read=500) == 1_500 + 1_500 + 150


def test_a_tier_holds_for_all_tokens_of_a_request_above_it() -> None:
    price = Price(3, 15, 1, 4, (Tier(200_000, 6, 22, 2, 8), Tier(500_000, 5, 20, 2, 7)))
    million = 1_000_000
    assert (
        price.at(200_000) is price
        and price.at(200_001) == price.tiers[0]
        and price.at(million) == price.tiers[1]
    )
    scaled = Price(
        3 * million, 15 * million, million, 4 * million, (Tier(200_000, 6 * million, 22 * million, 2, 8),)
    )
    assert scaled.cost(input_tokens=200_000, output_tokens=10) == 200_000 * 3 + 10 * 15
    assert scaled.cost(input_tokens=200_001, output_tokens=10) == 200_001 * 6 + 10 * 22


def test_what_is_set_aside_covers_every_tier_that_can_be_reached() -> None:
    """A cheaper upper tier must not make the worst case cheaper than a request that stays below it."""
    price = Price(1_000_000, 0, 0, 9_000_000, (Tier(100, 2_000_000, 0, 0, 2_000_000),))
    assert cost_of(price, input_tokens=100, output_tokens=0) == 900
    assert cost_of(price, input_tokens=110, output_tokens=0) == 990
    for given in (1, 100, 101, 150):
        for written in (0, given):
            assert price.cost(input_tokens=given, output_tokens=0, cache_write=written) <= cost_of(
                price, input_tokens=150, output_tokens=0
            )


@pytest.mark.peer
@pytest.mark.parametrize("above", [False, True])
async def test_an_answer_is_booked_at_the_tier_it_had(
    office: Office, aimock: Callable[..., Aimock], above: bool
) -> None:
    price = price_of(connection(kind="openai", base_url="https://api.openai.com/v1"), TIERED)
    assert price is not None and price.tiers and price.tiers[0].input > price.input
    given = price.tiers[0].above + (1 if above else 0)
    usage = {"input_tokens": given, "output_tokens": 100}
    server = aimock({"match": {}, "response": {"content": "Done.", "usage": usage}})
    await connect(office, "openai", server.openai_url, TIERED)
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "Hello")
    await office.runs.wait([sent.runs[0].id])
    rate = price.tiers[0] if above else price
    expected = -(-(given * rate.input + 100 * rate.output) // 1_000_000)
    assert (await office.database.read(ledger.usage_total)).cost == expected
    run = await office.database.read(runs.run, sent.runs[0].id)
    assert run.spent == expected
    tokens = sum(part.tokens for part in run.context)
    assert sum(part.cost or 0 for part in run.context) >= tokens * price.input // 1_000_000


@pytest.mark.parametrize(
    ("address", "chosen", "key", "free"),
    [
        ("http://127.0.0.1:11434/v1", "", False, True),
        ("http://192.168.1.20:11434/v1", "ollama", False, True),
        ("http://studio.local:1234/v1", "lm-studio", True, True),
        ("http://127.0.0.1:8000/v1", "", True, False),
        ("https://models.example.com/v1", "ollama", True, False),
        ("http://127.0.0.1:4000/v1", "", False, False),
    ],
)
async def test_only_a_local_server_in_the_own_network_costs_nothing(
    office: Office, address: str, chosen: str, key: bool, free: bool
) -> None:
    added = await office.connections.add(
        "openai-compatible",
        Secret("loopback-test-value-0123456789") if key else None,
        base_url=address,
        model="m",
        preset_id=chosen,
    )
    price = office.connections.price(added, "m")
    assert price == (Price(0, 0, 0, 0) if free else None)
    moved = await office.connections.change(added.id, base_url="https://models.example.com/v1")
    assert office.connections.price(moved, "m") is None
