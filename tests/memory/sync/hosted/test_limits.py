"""How often who may call: evenly refilled, and counted by all replicas together."""

from pathlib import Path

import httpx2
import pytest

from memory.sync.hosted.errors import Refusal
from memory.sync.hosted.limits import Limits, OwnBuckets, SharedBuckets
from memory.sync.hosted.rounds import forget
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import running
from tests.peers.postgres import Postgres


async def _taken(limits: Limits, tries: int, most: int, seconds: int = 60) -> int:
    count = 0
    for _ in range(tries):
        try:
            await limits.take("push", "somebody", most, seconds)
            count += 1
        except Refusal as refused:
            assert refused.status == 429 and refused.retry_after is not None and refused.retry_after >= 1
    return count


@pytest.mark.req("R180")
@pytest.mark.parametrize("most", [1, 3, 120, 3000])
async def test_a_bucket_holds_what_is_allowed_and_refills_evenly(most: int) -> None:
    now = 1_000_000
    limits = Limits(lambda: now, OwnBuckets())
    assert await _taken(limits, most + 5, most) == most
    now += 60_000 // most + 1
    assert await _taken(limits, 5, most) == 1
    now += 30_000
    assert abs(await _taken(limits, most, most) - most // 2) <= 1
    now += 10**9
    assert await _taken(limits, most + 5, most) == most


@pytest.mark.req("R180")
def test_replicas_count_together_and_ask_the_database_seldom(tmp_path: Path, postgres: Postgres) -> None:
    urls = postgres.databases()
    with running(tmp_path / "hosted", **urls) as one:
        store, keys = one.service.stores.records, one.service.keys
        asked = 0

        class Counted(SharedBuckets):
            async def take(self, kind: str, who: str, cost: int, time: int, now: int) -> bool:
                nonlocal asked
                asked += 1
                return await super().take(kind, who, cost, time, now)

        replicas = [Limits(one.clock, Counted(store, keys)) for _ in range(3)]
        counts = [one.run(_taken(each, 50, 120)) for each in replicas]
        assert counts[:2] == [50, 50] and 20 - 12 <= counts[2] <= 20
        assert asked < 40
        one.clock.at += 60_000
        assert 120 - 12 <= sum(one.run(_taken(each, 60, 120)) for each in replicas) <= 120 + 24
        rows = one.rows("records", "SELECT * FROM rate_limits")
        assert b"somebody" not in b"".join(bytes(row.bucket) for row in rows)
        one.clock.at += 121_000
        one.run(forget(one.service))
        assert one.rows("records", "SELECT * FROM rate_limits") == []


@pytest.mark.req("R180")
def test_what_one_replica_counted_another_knows(tmp_path: Path, postgres: Postgres) -> None:
    urls = postgres.databases()
    folder = tmp_path / "hosted"
    with running(folder, **urls) as one, running(folder, one.clock, one.inbox, **urls) as other:
        ada = Device(one, "ada@example.org").begin_account().make_space()
        for replica in (one, other):
            object.__setattr__(replica.service.settings, "deletions_per_day", 3)
        statuses = []
        for replica in (one, other, one, other, one):
            body = ada.ask_deletion(ada.account_id, "grace")
            url = f"{replica.url}/v1/account/delete"
            statuses.append(httpx2.post(url, json=body, headers=ada.headers).status_code)
        assert statuses.count(429) == 2 and statuses[3:] == [429, 429]
        ada.http.close()


def test_health_is_told_while_the_databases_are_away(tmp_path: Path, postgres: Postgres) -> None:
    urls = postgres.databases()
    with running(tmp_path / "hosted", **urls) as service, service.http() as http:
        assert http.get("/healthz").json()["status"] == "well"
        postgres.run("ALTER DATABASE hosted_ledger ALLOW_CONNECTIONS false")
        try:
            postgres.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'hosted_ledger'"
            )
            answer = http.get("/healthz")
            assert answer.status_code == 503
            assert answer.json()["stores"] == {"records": "well", "keys": "well", "ledger": "away"}
        finally:
            postgres.run("ALTER DATABASE hosted_ledger ALLOW_CONNECTIONS true")
        assert http.get("/healthz").json()["status"] == "well"
