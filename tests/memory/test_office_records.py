"""Runs, roster, accounts, ledger and settings."""

import pytest

from memory import accounts, audit, chats, ledger, messages, roster, runs, settings
from memory.chats import Conversation
from memory.database import Database
from memory.errors import NotFound, Refused
from memory.runs import ContextPart, RunState


def test_a_run_keeps_its_context_and_its_events(database: Database, conversation: Conversation) -> None:
    parts = (
        ContextPart("instructions", "Ada", 120, None),
        ContextPart("question", "You", 7, 21, "typed", "m"),
    )
    run = database.write_now(
        runs.create_run, conversation_id=conversation.id, agent_id=None, context=parts, cap=500_000
    )
    assert run.context == parts and run.state == "queued"
    running = database.write_now(runs.set_state, run.id, "running")
    assert running.started_at is not None and running.finished_at is None
    database.write_now(runs.append_event, run.id, "started", {})
    database.write_now(runs.append_events, run.id, [("text", {"text": "He"}), ("text", {"text": "y"})])
    database.write_now(runs.set_reserved, run.id, 900)
    assert database.write_now(ledger.reserved) == 900
    done = database.write_now(runs.set_state, run.id, "done")
    assert done.finished_at is not None and done.reserved == 0
    events = database.write_now(runs.run_events, run.id)
    assert [(e.seq, e.kind, e.body.get("text")) for e in events] == [
        (1, "started", None), (2, "text", "He"), (3, "text", "y"),
    ]  # fmt: skip
    assert database.write_now(runs.run_events, run.id, after=2) == events[2:]
    database.write_now(runs.set_history, run.id, {"version": "2.68", "messages": []})
    assert database.write_now(runs.history, run.id) == {"version": "2.68", "messages": []}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("queued", "done"),
        ("queued", "needs_you"),
        ("done", "running"),
        ("done", "stopped"),
        ("stopped", "done"),
    ],
)
def test_states_go_only_where_they_may(
    database: Database, conversation: Conversation, before: RunState, after: RunState
) -> None:
    run = database.write_now(runs.create_run, conversation_id=conversation.id, agent_id=None)
    if before != "queued":
        database.write_now(runs.set_state, run.id, "running")
        database.write_now(runs.set_state, run.id, before)
    with pytest.raises(Refused, match="cannot become"):
        database.write_now(runs.set_state, run.id, after)
    assert database.write_now(runs.run, run.id).state == before


def test_what_a_crash_left_is_interrupted(database: Database, conversation: Conversation) -> None:
    states: list[list[RunState]] = [[], ["running"], ["running", "needs_you"], ["running", "done"]]
    made = []
    for path in states:
        run = database.write_now(runs.create_run, conversation_id=conversation.id, agent_id=None)
        for state in path:
            database.write_now(runs.set_state, run.id, state)
        made.append(run.id)
    question = database.write_now(messages.add_owner_message, conversation.id, "Q")
    speakers = [messages.Speaker(None, f"A{n}", run_id) for n, run_id in enumerate(made)]
    answers = database.write_now(messages.add_agent_messages, question.id, speakers)
    database.write_now(messages.append_text, answers[1].id, "half a sen")
    database.write_now(messages.finish_message, answers[3].id, "complete", text="whole")
    interrupted = database.write_now(runs.interrupt_unfinished)
    assert {run.id for run in interrupted} == set(made[:2])
    found = [database.write_now(messages.message, answer.id) for answer in answers]
    assert [m.state for m in found] == ["interrupted", "interrupted", "queued", "complete"]
    assert found[1].text == "half a sen"
    assert database.write_now(runs.set_state, made[1], "running").state == "running"  # Resume
    assert database.write_now(runs.set_state, made[0], "stopped").state == "stopped"  # Discard
    assert [r.id for r in database.write_now(runs.runs, states=["needs_you"])] == [made[2]]


def test_the_roster(database: Database) -> None:
    ada = database.write_now(roster.create_agent, name=" Ada ", tools=("recall",), instructions="Be brief.")
    ben = database.write_now(roster.create_agent, name="Bén")
    with pytest.raises(Refused, match="BÉN"):
        database.write_now(roster.create_agent, name="BÉN")
    changed = database.write_now(
        roster.update_agent, ada.id, markdown="# Ada 1", name="ADA", effort="deep", run_cap=5
    )
    assert (changed.name, changed.revision, changed.tools, changed.run_cap) == ("ADA", 2, ("recall",), 5)
    (revision,) = database.write_now(roster.agent_revisions, ada.id)
    assert (revision.revision, revision.markdown) == (1, "# Ada 1")
    database.write_now(roster.reorder_agents, [ben.id])
    assert [a.id for a in database.write_now(roster.agents)] == [ben.id, ada.id]
    named = database.write_now(roster.agent_named, "ada")
    assert named is not None and named.id == ada.id
    database.write_now(roster.archive_agent, ada.id)
    assert [a.id for a in database.write_now(roster.agents)] == [ben.id]
    assert [a.id for a in database.write_now(roster.agents, archived=True)] == [ada.id]
    chat = database.write_now(chats.create_conversation, agent_id=ada.id)
    database.write_now(roster.remove_agent, ada.id)
    assert database.write_now(chats.conversation, chat.id).agent_id is None
    with pytest.raises(NotFound):
        database.write_now(roster.agent, ada.id)
    with pytest.raises(TypeError, match="salary"):
        database.write_now(roster.update_agent, ben.id, markdown="", salary=1)


def test_connections(database: Database) -> None:
    assert database.write_now(accounts.default_connection) is None
    work = database.write_now(
        accounts.add_connection, kind="anthropic", label="Work", base_url="https://a.invalid", mask="sk-…1234"
    )
    home = database.write_now(
        accounts.add_connection, kind="openai", label="Home", base_url="https://o.invalid"
    )
    agent = database.write_now(roster.create_agent, name="Ada", connection_id=work.id)
    assert database.write_now(accounts.default_connection) == work
    database.write_now(accounts.reorder_connections, [home.id])
    assert [c.label for c in database.write_now(accounts.connections)] == ["Home", "Work"]
    checked = database.write_now(
        accounts.record_check, work.id, {"steps": [{"name": "reachable", "ok": True}]}
    )
    assert checked.last_check is not None and checked.last_checked_at is not None
    listed = database.write_now(accounts.set_models, work.id, [{"id": "m1"}])
    assert listed.models == ({"id": "m1"},)
    rotated = database.write_now(accounts.record_rotation, work.id, mask="sk-…9", fingerprint="f2")
    assert (rotated.fingerprint, rotated.last_check) == ("f2", None) and rotated.rotated_at is not None
    prices = {"m1": {"input": 3}}
    assert (
        database.write_now(accounts.update_connection, work.id, price_overrides=prices).price_overrides
        == prices
    )
    with pytest.raises(Refused, match="label"):
        database.write_now(accounts.update_connection, work.id, label="  ")
    database.write_now(accounts.remove_connection, work.id)
    assert database.write_now(roster.agent, agent.id).connection_id is None


def test_usage_is_summed_and_unknown_prices_stay_unknown(
    database: Database, conversation: Conversation
) -> None:
    ada = database.write_now(roster.create_agent, name="Ada")
    key = database.write_now(
        accounts.add_connection, kind="openai", label="Home", base_url="https://o.invalid"
    )
    run = database.write_now(runs.create_run, conversation_id=conversation.id, agent_id=ada.id)
    noon = 1_700_000_000_000
    for days, model, cost in ((0, "big", 100), (0, "odd", None), (1, "big", 50)):
        database.write_now(
            ledger.add_usage,
            run_id=run.id,
            agent_id=ada.id,
            connection_id=key.id,
            model=model,
            input_tokens=10,
            output_tokens=1,
            cost=cost,
            at=noon + days * 86_400_000,
        )
    days = database.write_now(ledger.usage_by, "day")
    assert [(d.label, d.requests, d.cost, d.unpriced) for d in days] == [
        (ledger.calendar_day(noon), 2, 100, 1),
        (ledger.calendar_day(noon + 86_400_000), 1, 50, 0),
    ]
    models = {m.label: m for m in database.write_now(ledger.usage_by, "model")}
    assert models["odd"].cost is None and models["big"].cost == 150
    assert [a.label for a in database.write_now(ledger.usage_by, "agent")] == ["Ada"]
    (by_key,) = database.write_now(ledger.usage_by, "key", since=days[1].label)
    assert (by_key.key, by_key.label, by_key.input_tokens) == (key.id, "Home", 10)
    assert database.write_now(ledger.usage_total, until=days[0].label).cost == 100
    assert database.write_now(ledger.usage_total, since="2999-01-01").requests == 0
    assert database.write_now(ledger.spent, day=days[0].label, agent_id=ada.id) == 100
    assert database.write_now(ledger.spent, conversation_id=conversation.id) == 150
    assert database.write_now(ledger.conversation_usage, conversation.id).output_tokens == 3
    assert database.write_now(runs.run, run.id).spent == 150


def test_the_outbox_pages(database: Database) -> None:
    for n in range(5):
        request = database.write_now(
            ledger.begin_request, host=f"h{n}", purpose="chat", categories=("conversation",), bytes_sent=5
        )
        assert request.status is None and request.finished_at is None
        database.write_now(ledger.finish_request, request.id, status=200, bytes_received=7)
    pages: list[ledger.Request] = []
    last = None
    while page := database.write_now(ledger.outbox, limit=2, before=last):
        pages.extend(page)
        last = page[-1]
    assert sorted(r.host for r in pages) == [f"h{n}" for n in range(5)]
    assert {(r.status, r.bytes_sent, r.bytes_received, r.cost, r.categories) for r in pages} == {
        (200, 5, 7, None, ("conversation",))
    }


def test_what_a_request_used_stands_on_its_own_line_of_the_outbox(
    database: Database, conversation: Conversation
) -> None:
    ada = database.write_now(roster.create_agent, name="Ada")
    key = database.write_now(
        accounts.add_connection, kind="openai", label="Home", base_url="https://o.invalid"
    )
    run = database.write_now(runs.create_run, conversation_id=conversation.id, agent_id=ada.id)
    other = database.write_now(runs.create_run, conversation_id=conversation.id, agent_id=ada.id)

    def sent(host: str, run_id: str | None, purpose: ledger.Purpose = "chat") -> None:
        request = database.write_now(
            ledger.begin_request, host=host, purpose=purpose, run_id=run_id, connection_id=key.id
        )
        database.write_now(ledger.finish_request, request.id, status=200)

    def used(run_id: str | None, tokens: int, cost: int | None, purpose: ledger.Purpose = "chat") -> None:
        database.write_now(
            ledger.add_usage, run_id=run_id, agent_id=None, connection_id=key.id, model="m",
            input_tokens=tokens, output_tokens=1, cost=cost, purpose=purpose,
        )  # fmt: skip

    sent("first", run.id)
    sent("beside", other.id)
    sent("check", None, "check")
    used(run.id, 10, 100)
    sent("second", run.id)
    used(run.id, 20, None)
    used(None, 30, 5, "check")
    lines = {line.host: (line.input_tokens, line.cost) for line in database.write_now(ledger.outbox)}
    assert lines == {"first": (10, 100), "beside": (None, None), "second": (20, None), "check": (30, 5)}


def test_a_changed_setting_is_in_the_audit_trail_but_no_look_and_no_text(database: Database) -> None:
    database.write_now(settings.change, "appearance.theme", "dark")
    database.write_now(settings.change, "budget.day_cap", 7)
    database.write_now(settings.change, "budget.day_cap", 7)
    database.write_now(settings.change, "network.proxy", "http://name:secret@proxy.invalid:3128")
    database.write_now(settings.reset, "budget.day_cap")
    told = [(entry.subject, entry.detail) for entry in database.write_now(audit.entries)]
    assert told == [
        ("budget.day_cap", {"to": 5_000_000}),
        ("network.proxy", {}),
        ("budget.day_cap", {"to": 7}),
    ]
    assert database.write_now(audit.verify) == 3


def test_settings_are_declared_once_and_checked(database: Database) -> None:
    keys = [setting.key for setting in settings.declared()]
    assert len(keys) == len(set(keys))
    for setting in settings.declared():
        assert setting.kind == "state" or (setting.title and setting.sentence.endswith("."))
        assert database.write_now(settings.change, setting.key, setting.default) == setting.default
    assert database.write_now(settings.values) == {s.key: s.default for s in settings.declared()}
    database.write_now(settings.change, "appearance.theme", "dark")
    assert database.write_now(settings.value, "appearance.theme") == "dark"
    assert database.write_now(settings.reset, "appearance.theme") == "system"
    assert database.write_now(settings.value, "appearance.theme") == "system"
    database.write_now(settings.change, "budget.day_cap", None)
    assert database.write_now(settings.value, "budget.day_cap") is None


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("appearance.theme", "pink", "system, light, dark"),
        ("appearance.text_zoom", 500, "200 or less"),
        ("appearance.text_zoom", True, "whole number"),
        ("budget.run_cap", -1, "0 or more"),
        ("recall.enabled", "yes", "cannot be"),
        ("no.such", 1, "There is no setting"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    database: Database, key: str, value: object, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        database.write_now(settings.change, key, value)
    assert database.write_now(settings.values) == {s.key: s.default for s in settings.declared()}
