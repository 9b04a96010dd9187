"""What only PostgreSQL adds: rows of one account, roles, replicas that share jobs and hints."""

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from sqlalchemy import Table, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from memory.sync.hosted import backing_up, jobs, lifetime, replaying
from memory.sync.hosted.roles import PURGE
from memory.sync.hosted.service import Service
from memory.sync.hosted.store import Store
from memory.sync.hosted.tables import ledger, records
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running, running
from tests.peers.postgres import Postgres, programs


@pytest.mark.req("R172", "R179")
def test_a_transaction_sees_and_changes_rows_of_its_account_alone(tmp_path: Path, postgres: Postgres) -> None:
    with running(tmp_path / "hosted", **postgres.databases()) as service:
        ada, eve = (
            Device(service, f"{name}@example.org").begin_account().make_space() for name in ("ada", "eve")
        )
        for device in (ada, eve):
            device.pushed(device.sealed())

        async def as_ada() -> None:
            async with service.service.stores.records.write(ada.account_id) as connection:
                for table in (records.spaces, records.records, records.devices, records.accounts):
                    rows = (await connection.execute(select(table))).all()
                    assert {row.account_id for row in rows} == {ada.account_id}, table.name
                other = records.spaces.c.account_id == eve.account_id
                changed = await connection.execute(update(records.spaces).where(other).values(head=0))
                assert changed.rowcount == 0
                audit = (await connection.execute(select(records.audit.c.subject))).scalars()
                assert set(audit) == {ada.account_id}

        service.run(as_ada())

        async def write_as_eve() -> None:
            async with service.service.stores.records.write(ada.account_id) as connection:
                row = {"account_id": eve.account_id, "sha256": "ab" * 32, "size": 1, "stored": 1, "at": 1}
                await connection.execute(insert(records.blobs).values(**row))

        with pytest.raises(ProgrammingError, match="row-level security"):
            service.run(write_as_eve())

        async def forget(role: str) -> None:
            async with service.service.stores.ledger.write(role=role) as connection:
                await connection.execute(ledger.receipts.delete())

        for role in ("bureau_app", PURGE):
            with pytest.raises(ProgrammingError, match="permission denied"):
                service.run(forget(role))
        for device in (ada, eve):
            device.http.close()


@pytest.mark.req("R172")
def test_operators_read_jobs_and_no_accounts(tmp_path: Path, postgres: Postgres) -> None:
    urls = postgres.databases()
    with running(tmp_path / "hosted", **urls) as service:
        database = urls["records_url"].rpartition("/")[2]

        async def as_ops(sql: str) -> None:
            async with service.service.stores.records.write(role="bureau_ops") as connection:
                await connection.execute(text(sql))

        postgres.run("GRANT bureau_ops, bureau_backup TO hosted", database)
        service.run(as_ops("SELECT kind, state FROM jobs"))
        for forbidden in ("SELECT payload FROM jobs", "SELECT * FROM accounts", "DELETE FROM jobs"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                service.run(as_ops(forbidden))


def test_replicas_take_different_jobs_and_tell_each_other_of_heads(
    tmp_path: Path, postgres: Postgres
) -> None:
    urls = postgres.databases()
    folder = tmp_path / "hosted"
    with running(folder, **urls) as one, running(folder, one.clock, one.inbox, **urls) as other:
        assert one.service.keys.key_id == other.service.keys.key_id
        _two_take_two(one, other)
        ada = Device(one, "ada@example.org").begin_account().make_space()
        with (
            other.http() as elsewhere,
            elsewhere.stream("GET", "/v1/events", headers=ada.headers) as stream,
        ):
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            ada.pushed(ada.sealed())
            heard = next(line for line in lines if line.startswith("data:"))
            assert json.loads(heard.removeprefix("data:")) == {"space_id": ada.space_id, "head": 1}
        ada.http.close()


def test_a_replica_hears_the_others_again_after_the_database_was_away(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifetime, "_LISTEN_SECONDS", 0.05)
    urls = postgres.databases()
    folder = tmp_path / "hosted"
    with running(folder, **urls) as one, running(folder, one.clock, one.inbox, **urls) as other:
        ada = Device(one, "ada@example.org").begin_account().make_space()
        with (
            other.http() as elsewhere,
            elsewhere.stream("GET", "/v1/events", headers=ada.headers) as stream,
        ):
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            listening = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            heard = set(postgres.run(f"SELECT pid {listening}").split())
            postgres.run(f"SELECT pg_terminate_backend(pid) {listening}")
            deadline = time.monotonic() + 20
            while len(set(postgres.run(f"SELECT pid {listening}").split()) - heard) < 2:
                assert time.monotonic() < deadline
            ada.pushed(ada.sealed())
            assert '"head": 1' in next(line for line in lines if line.startswith("data:"))
        ada.http.close()


def _two_take_two(one: Running, other: Running) -> None:
    async def ask() -> None:
        async with one.service.stores.records.write() as connection:
            for key in ("a", "b"):
                await jobs.enqueue(connection, "test", key, {}, at=one.clock())

    taken: list[jobs.Job] = []

    async def note(_service: Service, job: jobs.Job) -> None:
        taken.append(job)

    async def while_one_holds() -> int:
        async with one.service.stores.records.write() as connection:
            query = select(records.jobs.c.job_id).where(records.jobs.c.key == "test:a")
            await connection.execute(query.with_for_update())
            elsewhere = jobs.run_due(other.service, {"test": note})
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(elsewhere, other.loop))

    one.run(ask())
    assert one.run(while_one_holds()) == 1 and len(taken) == 1
    assert one.run(jobs.run_due(one.service, {"test": note})) == 1


def test_a_replica_that_starts_beside_another_takes_no_whole_records_for_restored_ones(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "hosted", **postgres.databases()) as one:
        ada = Device(one, "ada@example.org").begin_account().make_space()
        asked = replaying._last
        marked = False

        async def while_another_marks(store: Store, table: Table) -> int:
            nonlocal marked
            found = await asked(store, table)
            if not marked:
                marked = True
                await replaying.mark_tide(one.service)
            return found

        monkeypatch.setattr(replaying, "_last", while_another_marks)
        assert one.run(replaying.came_from_backup(one.service)) is False and marked
        monkeypatch.undo()

        async def mark_together() -> None:
            await asyncio.gather(*(replaying.mark_tide(one.service) for _ in range(5)))

        one.run(mark_together())
        assert one.run(replaying.came_from_backup(one.service)) is False
        assert ada.pushed(ada.sealed())[0]["outcome"] == "ok"
        ada.http.close()


def test_a_start_locks_nothing_that_another_replica_works_with(tmp_path: Path, postgres: Postgres) -> None:
    with running(tmp_path / "hosted", **postgres.databases()) as one:

        async def start_another_while_rows_are_read() -> int:
            begun = 0
            async with one.service.stores.records.read() as connection:
                await connection.execute(select(records.sessions))
                for store in one.service.stores:
                    await asyncio.wait_for(store.create(), 20)
                    begun += 1
            return begun

        assert one.run(start_another_while_rows_are_read()) == 3


@pytest.mark.req("R172", "R179")
def test_no_connection_has_more_rights_than_the_application_and_no_words_slip_into_a_narrowing(
    tmp_path: Path, postgres: Postgres
) -> None:
    with running(tmp_path / "hosted", **postgres.databases()) as one:
        stores = one.service.stores

        async def glance() -> None:
            for _ in range(3):  # also after a transaction that took another role
                async with stores.ledger.glance() as connection:
                    assert await connection.scalar(text("SELECT current_user")) == "bureau_app"
                    assert await connection.scalar(text("SELECT current_setting('bureau.account')")) == "*"
                async with stores.ledger.write("ab" * 16, PURGE) as connection:
                    assert await connection.scalar(text("SELECT current_user")) == PURGE
            async with stores.ledger.glance() as connection:
                await connection.execute(ledger.receipts.delete())

        with pytest.raises(ProgrammingError, match="permission denied"):
            one.run(glance())

        async def narrow(account_id: str, role: str) -> None:
            async with stores.records.write(account_id, role):
                raise AssertionError("it began")

        for account_id, role in (("*', true); DROP TABLE spaces; --", "bureau_app"), ("*", "bureau_app' --")):
            with pytest.raises(ValueError, match="none"):
                one.run(narrow(account_id, role))


def test_the_password_of_a_database_stands_in_no_list_of_processes(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = {name: url.replace("@", ":qu%3Aokka@") for name, url in postgres.databases().items()}
    seen = tmp_path / "seen"
    for program in ("pg_dump", "pg_restore"):
        watched = tmp_path / program
        real = programs() / program
        watched.write_text(f'#!/bin/sh\necho "{program} $* WITH $PGPASSWORD" >> {seen}\nexec {real} "$@"\n')
        watched.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with running(tmp_path / "hosted", **urls) as found:
        made = found.run(backing_up.back_up(found.service, tmp_path / "backup"))
        found.run(backing_up.restore(found.service, made.records, made.keys))
    dumped, *rest = seen.read_text().splitlines()
    assert dumped.startswith("pg_dump") and sum("--clean" in each for each in rest) == 2
    for told in (dumped, *rest):
        command, _, word = told.partition(" WITH ")
        assert "okka" not in command and word == ("qu:okka" if "--dbname" in command else "")
