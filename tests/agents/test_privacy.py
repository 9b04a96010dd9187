"""The owner's data by category, its recipients, consents, restrictions, the trail and the diagnostics bundle."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from agents.commands import diagnosis, privacy
from agents.commands.serving import Served
from agents.lifecycle import trail
from agents.lifecycle.recipients import is_here, recipients
from agents.office import Office
from memory import audit, chat_search, consents, messages, runs
from memory.errors import DatabaseDamaged, Refused
from memory.lifecycle import inventory
from memory.lifecycle.data_map import Category, data_map
from memory.lifecycle.subjects import Subject
from memory.tables import AuditTable, Base
from tests.agents.conftest import connect, until
from tests.peers.aimock import Aimock

Offices = Callable[..., Awaitable[Office]]


async def ask(office: Office, words: str) -> str:
    """Ask the default agent something; return its message's id."""
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, words)
    await until(lambda: not office.runs.busy(conversation.id))
    return sent.replies[0].id


@pytest.mark.req("R091", "R100")
async def test_after_a_withdrawal_nothing_is_sent_there(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"content": "Hello."}})
    await connect(office, "anthropic", server.url, "claude-sonnet-5")
    await ask(office, "@Writer hello")
    host = server.url.removeprefix("http://")
    (given,) = await office.database.read(consents.consents)
    assert (given.host, given.withdrawn_at) == (host, None)
    before = len(server.journal())
    await office.database.write(consents.withdraw, host)
    answer = await office.message(await ask(office, "@Writer and now?"))
    assert len(server.journal()) == before
    assert answer.state == "failed"
    await office.database.write(consents.give, host)
    again = await office.message(await ask(office, "@Writer once more"))
    assert again.text == "Hello."
    told = [
        (one.given_at is not None, one.withdrawn_at is not None)
        for one in await office.database.read(consents.consents)
    ]
    assert sorted(told) == [(True, False), (True, True)]
    kinds = [entry.kind for entry in await office.database.read(audit.entries)]
    assert kinds.count("consent given") == 2 and kinds.count("consent withdrawn") == 1


@pytest.mark.req("R192")
async def test_an_agent_is_kept_to_the_providers_that_its_owner_named(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"content": "Hello."}})
    await connect(office, "anthropic", server.url, "claude-sonnet-5")
    host = server.url.removeprefix("http://")
    (writer,) = [one for one in await office.roster.all() if one.name == "Writer"]
    await office.roster.change(writer.id, recipients=("api.example.org",))
    answer = await office.message(await ask(office, "@Writer hello"))
    assert answer.state == "failed"
    (run,) = await office.database.read(runs.runs)
    assert "Writer" in run.reason and host in run.reason and "api.example.org" in run.reason
    assert server.journal() == []
    assert await office.database.read(consents.consents) == ()
    assert (await office.message(await ask(office, "@Analyst hello"))).text == "Hello."
    await office.roster.change(writer.id, recipients=("api.example.org", host))
    assert (await office.message(await ask(office, "@Writer hello"))).text == "Hello."


@pytest.mark.req("R190")
async def test_who_receives_what_is_generated(office: Office, aimock: Callable[..., Aimock]) -> None:
    server = aimock({"match": {}, "response": {"content": "Hello."}})
    await connect(office, "anthropic", server.url, "claude-sonnet-5")
    await connect(office, "openai-compatible", "http://127.0.0.1:9/v1", "none")
    await ask(office, "@Writer hello")
    used, unused = await office.database.read(recipients)
    assert used.host == server.url.removeprefix("http://")
    assert "Writer" in used.agents and "Librarian" not in used.agents
    assert used.requests >= 1 and used.bytes_sent > 0
    assert "conversation" in used.categories
    assert (used.consent, used.here) == ("given", True)
    assert (unused.requests, unused.first_at, unused.consent) == (0, None, "none")
    rows = await privacy.receivers(Served(office), {})
    assert [row["host"] for row in rows] == [used.host, unused.host]


def test_this_computer_is_recognised() -> None:
    assert [
        is_here(host) for host in ("127.0.0.1:80", "[::1]:80", "localhost", "example.org:443", "10.0.0.1")
    ] == [*(True, True, True, False, False)]


@pytest.mark.req("R110")
async def test_my_data_by_category_counts_every_table(office: Office, tmp_path: Path) -> None:
    await office.notes.add("Remember the milk")
    conversation = await office.create_conversation(title="Milk")
    source = tmp_path / "lease.txt"
    source.write_text("x" * 5000)
    await office.attach(conversation.id, source)
    shares = {share.category: share for share in await privacy.shares(Served(office))}
    assert set(shares) == set(Category)
    assert shares[Category.NOTES].count == 1
    assert shares[Category.NOTES].oldest is not None
    assert shares[Category.FILES].size >= 5000
    counted = await office.database.read(_row_counts)
    held = await office.database.read(inventory.held_in_tables)
    assert {one.place.partition(":")[2]: one.count for one in held} == counted
    places = {entry.place for entry in data_map()}
    assert all(one.place in places for share in shares.values() for one in share.places)


def _row_counts(session: Session) -> dict[str, int]:
    return {
        table.name: session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


@pytest.mark.req("R113")
async def test_what_is_restricted_is_in_no_snippet(office: Office) -> None:
    conversation = await office.create_conversation(title="Plants")
    said = await office.database.write(messages.add_owner_message, conversation.id, "a quiet orchid")
    assert len(await office.database.read(chat_search.search, "orchid")) == 1
    await office.keeping.restrict(Subject("message", said.id), restricted=True)
    assert await office.database.read(chat_search.search, "orchid") == []
    await office.keeping.restrict(Subject("message", said.id), restricted=False)
    await office.keeping.restrict(Subject("conversation", conversation.id), restricted=True)
    assert await office.database.read(chat_search.search, "orchid") == []
    assert [one.snippet for one in await office.database.read(chat_search.search, "plants")] == [""]
    kinds = [entry.kind for entry in await office.database.read(audit.entries)][:3]
    assert kinds == ["restricted", "restriction lifted", "restricted"]


@pytest.mark.req("R077")
async def test_the_first_use_of_a_key_on_a_day_is_in_the_trail(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"content": "Hello."}})
    identity = await connect(office, "anthropic", server.url, "claude-sonnet-5")
    await ask(office, "@Writer hello")
    await ask(office, "@Writer hello again")
    used = [entry for entry in await office.database.read(audit.entries) if entry.kind == "key used"]
    assert [entry.subject for entry in used] == [identity]


@pytest.mark.req("R077")
async def test_an_end_that_was_cut_off_the_trail_shows(offices: Offices) -> None:
    office = await offices()
    for days in (5, 6, 7):
        await office.settings.change("trash.days", days)
    await office.close()
    office = await offices()
    checks = {check["name"]: check for check in (await diagnosis.doctor(Served(office), {}))["checks"]}
    assert checks["audit"]["ok"]
    await office.database.write(_cut_last)
    with pytest.raises(DatabaseDamaged, match="cut off"):
        await office.database.read(trail.check, office.locations, office.vault.keys)
    checks = {check["name"]: check for check in (await diagnosis.doctor(Served(office), {}))["checks"]}
    assert not checks["audit"]["ok"]
    place = office.locations.home / trail.FILE
    place.write_bytes(place.read_bytes().replace(b'"number": ', b'"number": 1'))
    with pytest.raises(DatabaseDamaged, match="was changed"):
        await office.database.read(trail.check, office.locations, office.vault.keys)


def _cut_last(session: Session) -> None:
    last = audit.end(session).number
    session.execute(delete(AuditTable).where(AuditTable.number == last))


async def test_a_trail_shortened_by_retention_still_reaches_its_end(office: Office) -> None:
    await office.settings.change("trash.days", 5)
    await office.note_trail()
    later = (await office.database.read(audit.entries))[0].at + 1
    assert await office.database.write(audit.shorten, later) > 0
    assert await office.database.read(trail.check, office.locations, office.vault.keys) == 1


CANARY = "sk-ant-" + "canary" * 6


@pytest.mark.req("R078")
async def test_a_bundle_holds_no_content_no_names_and_no_keys(office: Office, tmp_path: Path) -> None:
    planted = "Quetzalcoatlus"
    await office.notes.add(f"{planted} {CANARY}")
    conversation = await office.create_conversation(title=planted)
    await office.send(conversation.id, f"@Librarian {planted}")
    await until(lambda: not office.runs.busy(conversation.id))
    await office.connections.add(
        "openai-compatible", None, label=planted, base_url="http://127.0.0.1:9/v1", model=planted
    )
    (office.locations.logs / "window.log").write_text(
        f"INFO ordinary line\nERROR “{planted}” {CANARY} in {office.locations.home}\nWARNING {planted} failed\n"
    )
    target = tmp_path / "bundle.txt"
    said = await diagnosis.doctor(Served(office), {"bundle": str(target)})
    text = target.read_text()
    assert text == said["preview"]
    assert "ordinary line" in text and "message 2" in text and "ok  database" in text
    for forbidden in (
        planted,
        CANARY,
        "canarycanary",
        str(office.locations.home),
        f"{Path.home()}/",
    ):
        assert forbidden not in text
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused, match="already"):
        await diagnosis.doctor(Served(office), {"bundle": str(target)})
    assert "preview" in await diagnosis.doctor(Served(office), {"preview": True})
    assert "preview" not in await diagnosis.doctor(Served(office), {})
