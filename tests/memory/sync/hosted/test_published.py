"""What the service can see is what it publishes, and a dump of it holds nothing that a device wrote."""

import base64
import os
from html import escape

import httpx2
import pytest

from memory.sync import base64url
from memory.sync.hosted import published
from memory.sync.hosted.tables import keys, ledger, records
from tests.memory.sync.hosted.device import WORDS, Device
from tests.memory.sync.hosted.running import Running

COLUMNS = {
    f"{store}.{table.name}.{column.name}"
    for store, metadata in (
        ("records", records.metadata),
        ("keys", keys.metadata),
        ("ledger", ledger.metadata),
    )
    for table in metadata.sorted_tables
    for column in table.columns
}


@pytest.mark.req("R054", "R090", "R153")
def test_every_column_is_published_with_purpose_ground_and_time_and_nothing_else_is() -> None:
    assert {column for column in COLUMNS if published.category_of(column) is None} == set()
    for category in published.categories():
        assert category.purpose and category.basis and category.kept
        for pattern in category.columns:
            prefix = pattern.removesuffix("*")
            assert any(column.startswith(prefix) for column in COLUMNS), pattern


@pytest.mark.req("R151", "R184", "R190")
def test_the_page_tells_every_category(service: Running) -> None:
    page = httpx2.get(f"{service.url}/privacy").text
    for category in published.categories():
        assert escape(category.name) in page and escape(category.kept) in page
    settings = service.service.settings
    assert settings.region in page
    assert f"restored for {settings.grace_days} days and is gone after {settings.promised_days} days" in page
    assert f"leave the backups after {settings.records_backup_horizon_days} days" in page
    listed = httpx2.get(f"{service.url}/subprocessors.json").json()
    assert listed["subprocessors"] == [] and listed["version"] == settings.policy_version


@pytest.mark.req("R004", "R025", "R054", "R057", "R171", "R186")
def test_a_dump_holds_nothing_planted(service: Running, ada: Device, second: Device) -> None:
    rid = os.urandom(16).hex()
    ada.pushed(ada.sealed(ada.edit(rid)), ada.sealed())
    second.pushed(second.erasing(rid))
    ada.post("/v1/exports", kind="full")
    service.do_jobs()
    service.run(service.service.access_log.flush())
    dumped = service.dump()
    planted: list[bytes] = [
        WORDS.encode(),
        b"note",
        ada.email.encode(),
        ada.recovery.sign.private_bytes_raw(),
    ]
    planted += [key.key for key in ada.space_keys.values()]
    planted += [ada.keys.sign.private_bytes_raw(), ada.keys.receive.private, second.keys.receive.private]
    planted += [ada.access.encode(), ada.refresh.encode()]
    for secret in planted:
        if secret == b"note":  # the type of a record stands only in its ciphertext
            assert b'"type":"note"' not in dumped
            continue
        for form in (
            secret,
            secret.hex().encode(),
            base64.b64encode(secret),
            base64url.encode(secret).encode(),
        ):
            assert form not in dumped
    # What is sealed with an erased record's key is not there either.
    assert [row.rid for row in service.rows("records", "SELECT rid FROM records")] != [rid]
    assert bytes.fromhex(rid).hex() not in str(service.rows("ledger", "SELECT * FROM erased"))


@pytest.mark.req("R083")
def test_health_and_promises_are_public(service: Running) -> None:
    with service.http() as http:
        assert http.get("/healthz").json() == {
            "status": "well",
            "stores": {"records": "well", "keys": "well", "ledger": "well"},
        }
        told = http.get("/.well-known/officesync").json()
        assert told["protocols"] == [1] and told["limits"]["push_ops"] == 200
        promise = told["deletion"]
        assert (
            promise["grace_days"] + promise["purge_sla_days"] + promise["key_backup_horizon_days"]
            <= (promise["promised_days"])
        )
        assert http.get("/metrics").status_code == 404
        object.__setattr__(service.service.settings, "metrics", True)
        page = http.get("/metrics").text
        assert 'bureau_requests_total{route="/healthz",status="200"} 1.0' in page
        assert http.get("/openapi.json").status_code == 200
        assert http.get("/nothing").json()["error"] == "not_found"
