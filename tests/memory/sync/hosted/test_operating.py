"""What operators do: backups and the drill, incidents, policies, retention, alarms, and the command itself."""

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.envelope import open_sealed
from memory.sync.hosted import backing_up, incidents, jobs, policies, rounds
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.sealed_file import open_file, seal_file
from memory.sync.hosted.service import HOUR, Service
from memory.sync.hosted.serving import JsonLines
from tests.memory.sync.hosted.device import Device, envelope_of
from tests.memory.sync.hosted.running import Running, running
from tests.peers.postgres import Postgres


@pytest.mark.req("R055", "R158")
def test_the_drill_brings_everything_back(
    service: Running, ada: Device, tmp_path: Path, postgres: Postgres
) -> None:
    """By the command, beside the running service: SQLite into a folder of its own, PostgreSQL into three databases."""
    rid = os.urandom(16).hex()
    ada.pushed(*(ada.sealed() for _ in range(20)), ada.sealed(ada.edit(rid)))
    ada.pushed(ada.erasing(rid))
    settings = service.service.settings
    urls = [] if service.service.stores.records.is_sqlite else ["records_url", "keys_url", "ledger_url"]
    here = {"data": settings.data, **{name: getattr(settings, name) for name in urls}}
    there = {"data": tmp_path / "copy", **(postgres.databases("drill") if urls else {})}
    for name, values in (("here", here), ("there", there)):
        lines = [f"{key} = {json.dumps(str(value))}" for key, value in values.items()]
        (tmp_path / f"{name}.toml").write_text("\n".join(lines))
    command = [
        sys.executable,
        "-m",
        "memory.sync.hosted.entry",
        "--settings",
        str(tmp_path / "here.toml"),
        "drill",
    ]
    command += ["--into", str(tmp_path / "there.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = re.search(r"(\d+) rows came back whole", done.stdout)
    assert told is not None and int(told[1]) > 50, done.stdout
    _open_as_a_copy(service, ada, there, rid)
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (again.returncode, "not empty" in again.stderr) == (2, True), again.stderr


def _open_as_a_copy(service: Running, ada: Device, there: dict[str, Any], rid: str) -> None:
    """What was brought back is a service: it starts, and its owner reads all of it after signing in again."""
    secret = {"secret_file": str(service.service.settings.data / "service.key")}
    given = {name: value for name, value in there.items() if name != "data"}
    with running(there["data"], service.clock, service.inbox, **secret, **given) as copy, copy.http() as http:
        own, ada.http, ada.running = (ada.http, ada.running), http, copy
        assert ada.session().status_code == 200
        before, ada.generation = ada.generation, ada.get("/v1/spaces").json()["spaces"][0]["generation"]
        assert ada.generation != before
        *items, marker = ada.changes(limit=1000)["items"]
        assert (
            "marker" in marker
            and len(items) == 20
            and all(open_sealed(envelope_of(item), ada.held, ada.keys.sign.public_key()) for item in items)
        )
        assert ada.changes(after=1)["items"][-1]["marker"]["hdr"][37:53].hex() == rid
        (ada.http, ada.running), ada.generation = own, before
    assert ada.session().status_code == 200


@pytest.mark.req("R158", "R171")
def test_a_backup_opens_no_more_once_its_day_is_beyond_the_horizon(
    service: Running, ada: Device, tmp_path: Path
) -> None:
    ada.pushed(ada.sealed())
    made = service.run(backing_up.back_up(service.service, tmp_path / "backup"))
    kept = tmp_path / "somebody kept it"
    kept.write_bytes(made.records.read_bytes())
    assert b"SQLite" not in kept.read_bytes() and b"PGDMP" not in kept.read_bytes()
    service.clock.pass_days(31)
    service.run(backing_up.back_up(service.service, tmp_path / "backup"))
    assert not made.records.exists()
    with pytest.raises(ServiceFault, match="destroyed"):
        service.run(backing_up.restore(service.service, kept, None))


def test_a_sealed_file_is_whole_or_refused(tmp_path: Path) -> None:
    for size in (0, 1, 2**20, 2**20 + 1):
        source, sealed, opened = (tmp_path / f"{name}{size}" for name in ("a", "b", "c"))
        source.write_bytes(os.urandom(size))
        key = os.urandom(32)
        seal_file(source, sealed, 20_000, key)
        open_file(sealed, opened, key)
        assert opened.read_bytes() == source.read_bytes()
        damaged = tmp_path / f"d{size}"
        for change in (
            sealed.read_bytes()[:-1],
            sealed.read_bytes()[:-17] or b"",
            sealed.read_bytes() + b"x",
        ):
            damaged.write_bytes(change)
            with pytest.raises(ServiceFault, match="damaged"):
                open_file(damaged, tmp_path / os.urandom(4).hex(), key)


@pytest.mark.req("R178")
def test_an_incident_has_72_hours_and_is_told_to_each_once(
    service: Running, ada: Device, caplog: pytest.LogCaptureFixture
) -> None:
    at = service.clock() - HOUR
    incident_id = service.run(
        incidents.open_incident(service.service, at, "a disk", "mail addresses", "new disk")
    )
    listed = service.run(incidents.listed(service.service))
    assert listed[0]["hours_left"] == 71.0 and listed[0]["mails"] == {}
    service.run(service.service.access_log.flush())
    affected = service.run(incidents.affected(service.service, at))
    assert affected == [ada.account_id]
    service.clock.pass_days(2)
    assert service.run(incidents.affected(service.service, service.clock())) == []
    for _ in range(2):
        assert service.run(incidents.tell(service.service, incident_id, affected)) == 1
    service.do_jobs()
    assert service.inbox.subjects(ada.email).count("Notice of a security incident") == 1
    assert "new disk" in service.inbox.texts(ada.email)[-1]
    assert service.run(incidents.listed(service.service))[0]["mails"] == {"done": 1}
    service.clock.pass_days(0.6)
    service.run(rounds.raise_alarms(service.service))
    assert any("authority" in record.message for record in caplog.records)
    service.run(incidents.authority_told(service.service, incident_id))
    assert service.run(incidents.overdue(service.service)) == []


@pytest.mark.req("R191", "R210")
def test_a_policy_is_announced_thirty_days_ahead(service: Running, ada: Device, tmp_path: Path) -> None:
    text = tmp_path / "policy.html"
    text.write_text("words")
    with pytest.raises(ServiceFault, match="30 days ahead"):
        service.run(policies.announce(service.service, "2", "2026-03-10", text))
    for _ in range(2):
        assert service.run(policies.announce(service.service, "2", "2026-06-01", text)) == 1
    service.do_jobs()
    assert service.inbox.subjects(ada.email).count("The policy of your sync service changes") == 1


@pytest.mark.req("R071", "R150", "R153")
def test_what_is_kept_for_a_time_is_gone_after_it(service: Running, ada: Device) -> None:
    rid = os.urandom(16).hex()
    ada.pushed(ada.sealed(ada.edit(rid)), ada.erasing(rid))
    service.run(service.service.access_log.flush())

    def held(*tables: str) -> list[int]:
        return [service.rows("records", f"SELECT count(*) AS n FROM {table}")[0].n for table in tables]

    def rounds_of(days: float) -> None:
        service.clock.pass_days(days)
        service.run(rounds.forget(service.service))
        service.run(rounds.trim_markers(service.service))

    assert min(held("op_results", "access_log", "sessions", "jobs")) > 0
    rounds_of(29)
    assert min(held("op_results", "access_log", "sessions")) > 0
    assert held("magic_links", "challenges", "mail_codes", "jobs") == [0, 0, 0, 0]
    rounds_of(2.1)
    assert held("op_results", "access_log", "sessions") == [0, 0, 0]
    assert held("markers") == [1]
    rounds_of(150)
    assert held("markers") == [0] and held("audit")[0] > 0
    assert service.rows("records", "SELECT horizon FROM spaces")[0].horizon == 2
    rounds_of(190)
    assert held("audit") == [0] and held("accounts", "spaces", "devices") == [1, 1, 1]


def test_keys_that_a_cut_push_left_are_swept_and_others_not(service: Running, ada: Device) -> None:
    from sqlalchemy import insert

    from memory.sync.hosted.sweeping import sweep_keys
    from memory.sync.hosted.tables.keys import record_keys

    ada.pushed(ada.sealed())

    async def leave() -> None:
        row = {"space_id": ada.space_id, "rid": "ab" * 16, "rev": "cd" * 16, "account_id": ada.account_id}
        async with service.service.stores.keys.write() as keys:
            await keys.execute(insert(record_keys).values(**row, wrap_epoch=1, dek=bytes(64)))

    service.run(leave())
    assert service.run(sweep_keys(service.service)) == 1
    assert service.run(sweep_keys(service.service)) == 0
    assert len(ada.changes()["items"]) == 1


@pytest.mark.req("R075")
def test_quotas_are_told_at_80_95_and_100_percent_once(service: Running, ada: Device) -> None:
    object.__setattr__(service.service.settings, "account_records", 20)
    for count in (15, 1, 1, 2, 1, 1):
        ada.pushed(*(ada.sealed() for _ in range(count)))
        service.run(rounds.warn_of_quota(service.service))
    service.do_jobs()
    told = [each for each in service.inbox.subjects(ada.email) if "space is used" in each]
    assert told == [f"{percent} % of your space is used" for percent in (80, 95, 100)]


def test_a_round_does_everything_and_a_mail_that_fails_is_tried_again(service: Running, ada: Device) -> None:
    service.run(rounds.ask_for_daily(service.service))
    service.run(rounds.ask_for_daily(service.service))
    assert service.do_jobs() == 1
    states = service.rows("records", "SELECT kind, state, error FROM jobs WHERE kind = 'round'")
    assert [(row.state, row.error) for row in states] == [("done", "")]
    settings = service.service.settings
    object.__setattr__(service.service, "settings", replace(settings, smtp_port=1))
    ada.post("/v1/account/mail-code")
    assert service.do_jobs() == 1
    row = service.rows("records", "SELECT state, tries FROM jobs WHERE tries > 0 AND state <> 'done'")[0]
    assert (row.state, row.tries) == (jobs.WAITING, 1)
    object.__setattr__(service.service, "settings", settings)
    service.clock.pass_days(0.01)
    service.do_jobs()
    assert "Code to delete at once" in service.inbox.subjects(ada.email)


@pytest.mark.req("R026", "R174")
def test_logs_are_json_without_addresses_and_secrets() -> None:
    from vault.redaction import RedactingFilter

    key = "sk-ant-" + "api03-" + "a" * 90
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "it was %s", (key,), None)
    record.job_kind = "mail"
    RedactingFilter().filter(record)
    line = json.loads(JsonLines().format(record))
    assert line["level"] == "error" and line["job_kind"] == "mail" and key not in str(line)


@pytest.mark.slow
@pytest.mark.req("R026", "R033", "R174")
def test_the_command_serves_with_nothing_set_up_and_stops_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "memory.sync.hosted.entry", "serve", "--data", str(tmp_path / "d")]
    environment, token = {**os.environ, "BUREAU_HOSTED_PORT": "0"}, "k" * 43
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        said = next(match for line in lines if (match := re.search(r"running on (http://\S+)", line)))
        assert httpx2.get(f"{said[1]}/healthz").json()["status"] == "well"
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
        for place in ("/x/", "/m/", "/nothing/"):
            httpx2.get(f"{said[1]}{place}{token}", headers={"Authorization": f"Bearer {token}"})
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
        rest = process.stderr.read()
    assert all(json.loads(line)["logger"] for line in rest.splitlines())
    assert token not in rest and "127.0.0.1" not in rest
    assert (tmp_path / "d" / "service.key").is_file()


def test_the_service_needs_only_what_its_own_lock_names() -> None:
    """The desktop's libraries are hidden; the service must be importable all the same."""
    lock = Path(__file__).parents[4] / "packaging" / "lock"
    own = set(re.findall(r"^([\w.-]+)==", (lock / "hosted.txt").read_text(), re.MULTILINE))
    run = set(re.findall(r"^([\w.-]+)==", (lock / "run.txt").read_text(), re.MULTILINE))
    script = f"""
import sys
from importlib.metadata import packages_distributions
hidden = {sorted(run - own)!r}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        owners = names.get(name.partition('.')[0], ())
        if owners and all(owner.lower().replace('_', '-') in hidden for owner in owners):
            raise ModuleNotFoundError(name)
names = packages_distributions()
sys.meta_path.insert(0, Refuse())
import memory.sync.hosted.command_line, memory.sync.hosted.serving, memory.sync.hosted.bucket, memory.sync.hosted.entry
assert 'PySide6' not in sys.modules and 'keyring' not in sys.modules
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


async def _cut(service: Service) -> bool:
    """Begin a job and cancel the work on it; tell whether the cancellation came through."""
    begun = asyncio.Event()

    async def wait(_service: Service, _job: jobs.Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with service.stores.records.write() as connection:
        await jobs.enqueue(connection, "test", "a", {}, at=service.now())
    working = asyncio.create_task(jobs.run_due(service, {"test": wait}))
    await begun.wait()
    working.cancel()
    await asyncio.wait([working])
    return working.cancelled()


def test_a_job_that_a_stop_cuts_off_goes_on_at_the_next_start(service: Running) -> None:
    done: list[jobs.Job] = []

    async def note(_service: Service, job: jobs.Job) -> None:
        done.append(job)

    assert service.run(_cut(service.service))
    assert service.run(jobs.run_due(service.service, {"test": note})) == 1 and len(done) == 1


def test_a_database_that_is_away_swallows_no_stop(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_arguments: Any) -> None:
        raise ServiceFault("away")

    monkeypatch.setattr(jobs, "_end", away)
    assert service.run(_cut(service.service))


def test_lines_whose_commit_was_cut_off_are_written_once(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, store = service.service.access_log, service.service.stores.records
    real = store.write

    @asynccontextmanager
    async def cut() -> AsyncIterator[AsyncConnection]:
        async with real() as connection:
            yield connection
        raise asyncio.CancelledError

    log.add(at=service.clock(), network="192.0.2.0/24", route="/once", status=200, device="", subject="")
    monkeypatch.setattr(store, "write", cut)
    with pytest.raises(CancelledError):
        service.run(log.flush())
    monkeypatch.undo()
    service.run(log.flush())
    assert len(service.rows("records", "SELECT * FROM access_log WHERE route = '/once'")) == 1
