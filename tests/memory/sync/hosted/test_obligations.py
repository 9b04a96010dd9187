"""What the service owes its owners: account data stay as long as the account, what was asked for is done in time."""

from dataclasses import replace
from typing import Any

import pytest

from memory.sync.hosted import jobs, lifetime, operating, purging, rounds
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.service import HOUR
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running
from tests.memory.sync.hosted.test_deleting import _code, _delete, _fill

_NIGHT = 15
"""Hours from the start of the tests' clock to the hour in which the large round is done."""


def do_round(service: Running) -> None:
    """Let the service do what it does by itself in this hour."""
    service.run(rounds.ask_for_daily(service.service))
    service.do_jobs()


def purges(service: Running) -> set[str]:
    """Return the jobs that purge something."""
    return {row.job_id for row in service.rows("records", "SELECT job_id FROM jobs WHERE kind = 'purge'")}


def alarms(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.levelname for record in caplog.records if "deletion" in record.message.lower()]
    caplog.clear()
    return found


@pytest.mark.req("R149")
def test_account_data_stay_as_long_as_the_account(service: Running, ada: Device, second: Device) -> None:
    sha = _fill(ada)
    consent = ada.post("/v1/account/consents", purpose="policy", text_version="1")
    assert consent.status_code in (200, 201)
    before = ada.get("/v1/account/data-summary").json()
    items, log = ada.changes()["items"], ada.get("/v1/log").json()["entries"]
    service.clock.at += _NIGHT * HOUR
    for _time in range(12):
        service.clock.pass_days(180)
        do_round(service)
    assert ada.session().status_code == 200
    after = ada.get("/v1/account/data-summary").json()
    kept = ("devices", "log_entries", "spaces", "records", "blobs", "consents")
    assert [after["counts"][name] for name in kept] == [before["counts"][name] for name in kept]
    for name in ("state", "created_day", "bytes", "records", "policy_version"):
        assert after[name] == before[name], name
    assert ada.changes()["items"] == items and ada.get("/v1/log").json()["entries"] == log
    assert ada.get(f"/v1/blobs/{sha}").status_code == 302
    assert second.redeem().access  # a code still reaches the address


@pytest.mark.req("R157")
def test_work_under_way_ends_before_a_purge(service: Running, ada: Device) -> None:
    _fill(ada)
    code = _code(service, ada)
    asked = ada.post("/v1/exports", kind="full")
    assert asked.status_code == 202
    taken = service.run(jobs._take(service.service))  # by another replica, which is at it
    assert taken is not None and taken.kind == "export"
    _delete(ada, "now", code)
    for _turn in range(3):
        service.do_jobs()
        service.clock.at += 6000
    assert len(service.rows("records", "SELECT * FROM records")) == 3
    assert service.rows("ledger", "SELECT * FROM receipts") == []
    service.run(jobs._run(service.service, taken, lifetime.HANDLERS["export"]))
    assert service.rows("records", "SELECT state FROM exports")[0].state == "ready"
    for _turn in range(3):
        service.do_jobs()
        service.clock.at += 6000
    assert any("export" in each.lower() for each in service.inbox.subjects(ada.email))
    assert service.rows("records", "SELECT * FROM accounts") == [] and service.objects() == {}
    assert len(service.rows("ledger", "SELECT * FROM receipts")) == 1


@pytest.mark.req("R157")
def test_work_that_fails_again_and_again_holds_no_purge_up(service: Running, ada: Device) -> None:
    code = _code(service, ada)
    settings = service.service.settings
    object.__setattr__(service.service, "settings", replace(settings, smtp_port=1))
    _delete(ada, "now", code)
    service.do_jobs()
    assert len(service.rows("records", "SELECT * FROM accounts")) == 1
    for _turn in range(60):
        service.clock.at += 60_000
        service.do_jobs()
    assert service.rows("records", "SELECT * FROM accounts") == []


@pytest.mark.req("R118")
def test_a_deletion_that_fails_is_tried_for_ever_and_wakes_the_operator(
    service: Running, ada: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _fill(ada)

    async def broken(*_given: Any) -> None:
        raise ServiceFault("the bucket is away")

    _delete(ada, "now", _code(service, ada))
    asked = purges(service)
    with monkeypatch.context() as patch:
        patch.setattr(purging, "_delete_rows", broken)
        first = ((6, []), (2, ["ERROR"]), (21, ["ERROR"]), (2, ["CRITICAL"]))
        for days, heard in (*first, *[(10, ["CRITICAL"])] * 6):
            service.clock.pass_days(days)
            service.do_jobs()
            caplog.clear()
            service.run(rounds.raise_alarms(service.service))
            assert alarms(caplog) == heard, days
            do_round(service)
            service.run(rounds.forget(service.service))
    assert len(service.rows("records", "SELECT * FROM records")) == 3
    assert purges(service).isdisjoint(asked)  # given up after eight tries, and asked for anew
    service.clock.pass_days(0.1)
    do_round(service)
    service.do_jobs()
    caplog.clear()
    assert service.rows("records", "SELECT * FROM records") == []
    assert len(service.rows("ledger", "SELECT * FROM receipts")) == 1
    service.run(rounds.raise_alarms(service.service))
    assert alarms(caplog) == []


@pytest.mark.req("R118")
def test_a_deletion_that_waits_by_right_wakes_nobody(
    service: Running, ada: Device, caplog: pytest.LogCaptureFixture
) -> None:
    _delete(ada, "grace")
    service.run(operating.set_hold(service.service, ada.account_id, "court order 7"))
    for days in (20, 60):
        service.clock.pass_days(days)
        do_round(service)
        assert alarms(caplog) == []
    waiting = service.rows("records", "SELECT * FROM jobs WHERE kind = 'purge' AND state = 'waiting'")
    assert len(waiting) == 1
