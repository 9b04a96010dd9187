"""Caps reserve before they spend: whatever runs side by side, no cap is passed."""

import asyncio
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.connections.prices import ASSUMED_INPUT, ASSUMED_OUTPUT, cost_of
from agents.errors import CapReached
from agents.events import Event, Notice, ToolStarted
from agents.office import Office
from agents.runtime.budget import Budget, Caps
from memory import ledger, runs
from memory.run_summary import summaries
from tests.agents.conftest import connect
from tests.memory.readers.sample_files import paragraph, pdf
from tests.peers.aimock import Aimock

DAY = "2026-11-21"
AGENTS = ("lead", "writer")


@given(
    caps=st.tuples(*[st.none() | st.integers(0, 3_000)] * 3),
    requests=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(AGENTS), st.integers(0, 900), st.floats(0, 1)),
        max_size=40,
    ),
    seed=st.integers(),
)
def test_no_cap_is_ever_passed(
    caps: tuple[int | None, int | None, int | None], requests: list[tuple[int, str, int, float]], seed: int
) -> None:
    budget, in_force, chance = Budget(), Caps(*caps), random.Random(seed)
    budget.begin_day(DAY, {})
    spent: dict[tuple[str, str], int] = {}

    async def one(run: int, agent: str, amount: int, share: float) -> None:
        name = f"{agent}-{run}"
        for _pause in range(chance.randrange(3)):
            await asyncio.sleep(0)
        try:
            held = budget.reserve(name, agent, DAY, amount, in_force)
        except CapReached:
            return
        for _pause in range(chance.randrange(3)):
            await asyncio.sleep(0)
        cost = int(amount * share)  # never more than was reserved
        budget.settle(held, cost)
        budget.settle(held, cost)
        for key in (("run", name), ("agent", agent), ("office", "")):
            spent[key] = spent.get(key, 0) + cost

    async def everybody() -> None:
        await asyncio.gather(*(one(*request) for request in requests))

    asyncio.run(everybody())
    limits = {"run": in_force.run, "agent": in_force.agent_day, "office": in_force.office_day}
    for (kind, _name), total in spent.items():
        limit = limits[kind]
        assert limit is None or total <= limit
    for run in range(4):
        for agent in AGENTS:
            assert budget.reserved(f"{agent}-{run}") == 0


def test_a_reservation_keeps_others_out_until_it_is_settled() -> None:
    budget, caps = Budget(), Caps(office_day=100)
    budget.begin_day(DAY, {"lead": 30})
    held = budget.reserve("one", "lead", DAY, 60, caps)
    assert budget.room("two", "writer", DAY, caps) == 10
    with pytest.raises(CapReached, match="raise the cap"):
        budget.reserve("two", "writer", DAY, 11, caps)
    budget.settle(held, 5)
    assert budget.room("two", "writer", DAY, caps) == 65
    budget.reserve("two", "writer", DAY, 65, caps)
    budget.end_run("two")
    assert budget.room("two", "writer", DAY, caps) == 65


def test_what_the_ledger_gains_beside_the_runs_counts_too() -> None:
    budget, caps = Budget(), Caps(office_day=100)
    budget.begin_day(DAY, {"lead": 30})
    budget.settle(budget.reserve("one", "lead", DAY, 20, caps), 20)
    budget.begin_day(DAY, {"lead": 30, "": 40})
    assert budget.room("two", "lead", DAY, caps) == 30
    budget.begin_day(DAY, {"lead": 30})
    assert budget.room("two", "lead", DAY, caps) == 30


def test_each_cap_warns_once_at_four_fifths() -> None:
    budget, caps = Budget(), Caps(run=1_000_000, office_day=10_000_000)
    budget.begin_day(DAY, {})
    assert budget.settle(budget.reserve("r", "lead", DAY, 790_000, caps), 790_000) == []
    (sentence,) = budget.settle(budget.reserve("r", "lead", DAY, 20_000, caps), 20_000)
    assert "$0.81" in sentence
    assert budget.settle(budget.reserve("r", "lead", DAY, 20_000, caps), 20_000) == []


def test_an_unknown_price_is_counted_as_a_dear_one() -> None:
    assert cost_of(None, input_tokens=1_000_000, output_tokens=0) == ASSUMED_INPUT
    assert cost_of(None, input_tokens=0, output_tokens=1_000_000) == ASSUMED_OUTPUT


@pytest.mark.peer
async def test_agents_side_by_side_reserve_before_any_starts(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock(
        {"match": {}, "response": {"content": "Done.", "usage": {"input_tokens": 100, "output_tokens": 10}}}
    )
    await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    # Room for the least that one of them may need, not for two.
    await office.settings.change("budget.day_cap", 15_000)
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "@Researcher @Analyst @Writer go")
    await office.runs.wait([run.id for run in sent.runs])
    ended = [await office.database.read(runs.run, run.id) for run in sent.runs]
    assert [run.state for run in ended] == ["done", "stopped", "stopped"]
    assert "cap of the office per day of $0.01" in ended[1].reason
    assert len(server.journal()) == 1
    total = await office.database.read(ledger.usage_total)
    assert total.cost is not None
    assert total.cost <= 15_000
    assert all(run.reserved == 0 for run in ended)


@pytest.mark.peer
async def test_at_the_cap_a_run_stops_with_its_work_kept_and_goes_on_when_it_is_raised(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock]
) -> None:
    usage = {"input_tokens": 6_000, "output_tokens": 1_200}
    server = aimock(
        {"match": {"hasToolResult": True}, "response": {"content": "Found it.", "usage": usage}},
        {
            "match": {},
            "response": {
                "content": "Looking. ",
                "toolCalls": [{"name": "recall", "arguments": '{"query": "quay"}'}],
                "usage": usage,
            },
        },
    )
    connection = await office.connections.connection(
        await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    )
    price = office.connections.price(connection, "claude-sonnet-5")
    assert price is not None
    first = price.cost(input_tokens=6_000, output_tokens=1_200)
    cap = first + 500
    await office.settings.change("budget.run_cap", cap)
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "Look for the quay")
    run_id = sent.runs[0].id
    await office.runs.wait([run_id])
    stopped = await office.database.read(runs.run, run_id)
    assert (stopped.state, stopped.cap) == ("stopped", cap)
    assert "raise the cap" in stopped.reason
    assert (await office.database.read(summaries, [run_id]))[run_id].cap_reached == "run"
    assert stopped.spent == first
    assert (await office.message(sent.replies[0].id)).text == "Looking. "
    assert any(isinstance(event, Notice) and "are spent" in event.sentence for event in heard)
    await office.settings.change("budget.run_cap", 5_000_000)
    await office.resume(run_id)
    await office.runs.wait([run_id])
    assert (await office.database.read(runs.run, run_id)).state == "done"
    assert (await office.database.read(summaries, [run_id]))[run_id].cap_reached == ""
    assert (await office.message(sent.replies[0].id)).text == "Looking. \n\nFound it."
    assert len(server.journal()) == 2


class Clock:
    """The clock of the ledger, in milliseconds, which a test sets forward and back by days."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._days, self._real = 0, ledger.now
        monkeypatch.setattr(ledger, "now", self)

    def __call__(self) -> int:
        return self._real() + self._days * 86_400_000

    def set(self, days: int) -> None:
        self._days = days


@pytest.mark.peer
async def test_a_clock_set_back_and_forward_gives_no_days_budget_twice(
    office: Office, aimock: Callable[..., Aimock], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = {"input_tokens": 100_000, "output_tokens": 10}
    server = aimock({"match": {}, "response": {"content": "Done.", "usage": usage}})
    await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    await office.settings.change("budget.day_cap", 200_000)
    clock, ends = Clock(monkeypatch), []
    for days in (0, 0, -1, -1, 0, 1, 1, -1, 0):
        clock.set(days)
        conversation = await office.create_conversation()
        sent = await office.send(conversation.id, "@Writer go")
        await office.runs.wait([sent.runs[0].id])
        ends.append((days, (await office.database.read(runs.run, sent.runs[0].id)).state))
    assert ends == [
        *((0, "done"), (0, "stopped"), (-1, "done"), (-1, "stopped"), (0, "stopped")),
        *((1, "done"), (1, "stopped"), (-1, "stopped"), (0, "stopped")),
    ]
    assert len(server.journal()) == 3


@pytest.mark.peer
async def test_a_clock_set_back_in_mid_run_meets_what_that_day_has_spent(
    office: Office, aimock: Callable[..., Aimock], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = aimock(
        {"match": {"hasToolResult": True}, "response": {"content": "Found it."}},
        {"match": {}, "response": {"toolCalls": [{"name": "recall", "arguments": '{"query": "quay"}'}]}},
    )
    await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    await office.settings.change("budget.day_cap", 1_000_000)
    clock = Clock(monkeypatch)
    clock.set(-1)
    await office.database.write(
        ledger.add_usage,
        run_id=None, agent_id=None, connection_id=None, model="m", input_tokens=1, output_tokens=1,
        cost=1_000_000,
    )  # fmt: skip
    clock.set(0)
    office.events.subscribe(lambda event: clock.set(-1) if isinstance(event, ToolStarted) else None)
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "@Writer look for the quay")
    await office.runs.wait([sent.runs[0].id])
    ended = await office.database.read(runs.run, sent.runs[0].id)
    assert ended.state == "stopped" and "cap of the office per day" in ended.reason
    assert len(server.journal()) == 1


@pytest.mark.peer
async def test_an_unknown_price_says_so_and_costs_nothing_known(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"content": "Done."}})
    await connect(office, "openai-compatible", server.openai_url, "a-model-nobody-priced")
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "Hello")
    await office.runs.wait([sent.runs[0].id])
    events = await office.database.read(runs.run_events, sent.runs[0].id)
    assert any("No price is known" in event.body["sentence"] for event in events if event.kind == "notice")
    assert [event.body["cost"] for event in events if event.kind == "usage"] == [None]
    assert (await office.database.read(ledger.usage_total)).cost is None
    assert all(part.cost is None for part in sent.runs[0].context)


@pytest.mark.peer
async def test_every_request_sets_aside_all_pages_of_a_file_whose_bytes_do_not_show_them(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    calls = [{"name": "recall", "arguments": '{"query": "quay"}'}]
    usage = {"input_tokens": 120_000, "output_tokens": 100}
    server = aimock(
        {"match": {"hasToolResult": True}, "response": {"content": "Found it."}},
        {"match": {}, "response": {"content": "Looking. ", "toolCalls": calls, "usage": usage}},
    )
    connection_id = await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    # Per million tokens $3 and $15: the file may cost $0.72 each time, and $0.36 were spent for the first.
    price = {"input": 3_000_000, "output": 15_000_000}
    await office.connections.change(connection_id, price_overrides={"claude-sonnet-5": price})
    await office.settings.change("budget.run_cap", 1_000_000)
    # Writers that compress their objects show no page in the bytes; here a line break hides them.
    file = pdf([paragraph(f"The quay, page {number}") for number in range(40)])
    file = file.replace(b"/Type /Page", b"/Type\n/Page")
    conversation = await office.create_conversation()
    attached = await office.attach(conversation.id, file, "survey.pdf")
    sent = await office.send(conversation.id, "Look for the quay", attachment_ids=[attached.id])
    await office.runs.wait([sent.runs[0].id])
    run = await office.database.read(runs.run, sent.runs[0].id)
    assert len(server.journal()) == 1, run.reason
    assert run.state == "stopped" and "raise the cap" in run.reason
