"""What the service keeps of a person, and in which form: no more columns than are needed, days, routes, pseudonyms."""

import json
import os
from pathlib import Path

import httpx2
import pytest
from fastapi.routing import APIRoute

from memory.sync import base64url
from memory.sync.header import Header
from memory.sync.hosted import operating
from memory.sync.hosted.application import MODULES
from memory.sync.hosted.callers import COOKIE
from memory.sync.hosted.limits import network_of
from memory.sync.hosted.mailing import address_of
from memory.sync.hosted.service import DAY
from memory.sync.hosted.tables import keys, ledger, records
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running, running

_NOT_ASKED = {
    "password",
    "passphrase",
    "name",
    "phone",
    "sex",
    "gender",
    "country",
    "company",
    "card",
    "plan",
}


@pytest.mark.req("R002", "R004", "R073")
def test_no_column_is_for_what_nobody_is_asked() -> None:
    columns = {
        column.name
        for metadata in (records.metadata, keys.metadata, ledger.metadata)
        for table in metadata.sorted_tables
        for column in table.columns
    }
    assert [each for each in columns if _NOT_ASKED & set(each.split("_"))] == []
    assert set(records.accounts.columns.keys()) == {
        *("account_id", "address", "address_lookup", "state", "created_day", "bytes_used", "records_used"),
        *("warned_percent", "legal_hold", "policy_version"),
    }


@pytest.mark.req("R002")
def test_an_address_opens_with_the_key_of_its_account_alone(service: Running, ada: Device) -> None:
    assert service.run(address_of(service.service, ada.account_id)) == ada.email
    (row,) = service.rows("records", "SELECT address, address_lookup FROM accounts")
    assert ada.email.encode() not in bytes(row.address) and len(bytes(row.address_lookup)) == 32

    async def destroy() -> None:
        async with service.service.stores.keys.write() as connection:
            await connection.execute(keys.account_keys.delete())

    service.run(destroy())
    assert service.run(address_of(service.service, ada.account_id)) is None


@pytest.mark.req("R072", "R076")
def test_when_a_device_was_seen_is_known_to_the_day(service: Running, ada: Device) -> None:
    service.clock.at += 5 * 3_600_000
    challenge, versions = ada.challenge(), "bureau 7.1, protocol 1"
    body = {
        "device_id": ada.keys.id,
        "challenge": base64url.encode(challenge),
        "sig": ada.sign(b"aof/v1/auth", challenge, b"session"),
        "versions": versions,
    }
    ada.access = ada.http.post("/v1/auth/session", json=body).json()["access"]
    (device,) = ada.get("/v1/devices").json()["devices"]
    assert (device["last_seen_day"], device["versions"]) == (service.clock() // DAY, versions)
    for table in ("devices", "sessions"):
        days = {row.last_seen_day for row in service.rows("records", f"SELECT last_seen_day FROM {table}")}
        assert days == {service.clock() // DAY}


@pytest.mark.req("R073")
def test_bytes_and_records_are_counted_and_nothing_else_of_use(service: Running, ada: Device) -> None:
    rid = os.urandom(16).hex()
    sealed = [ada.sealed(ada.edit(rid)), ada.sealed()]
    ada.pushed(*sealed)
    held = ada.get("/v1/account/data-summary").json()
    assert held["bytes"]["used"] == sum(len(each.ct) for each in sealed)
    assert held["records"]["used"] == 2
    ada.pushed(ada.erasing(rid))
    held = ada.get("/v1/account/data-summary").json()
    assert (held["bytes"]["used"], held["records"]["used"]) == (len(sealed[1].ct), 1)


@pytest.mark.req("R110")
def test_an_owner_reads_how_much_of_each_kind_is_held(ada: Device, second: Device) -> None:
    ada.pushed(ada.sealed(), ada.sealed())
    second.pushed(second.erasing(Header.unpack(ada.changes()["items"][0]["env"]["hdr"]).rid))
    held = ada.get("/v1/account/data-summary").json()
    counted = {name: held["counts"][name] for name in ("devices", "spaces", "records", "markers", "consents")}
    assert counted == {"devices": 2, "spaces": 1, "records": 1, "markers": 1, "consents": 1}
    assert held["counts"]["sessions"] >= 2 and held["counts"]["audit"] > 2
    assert held["created_day"] == ada.running.clock() // DAY


@pytest.mark.req("R026", "R070", "R174")
def test_the_access_log_names_routes_networks_and_pseudonyms(service: Running, ada: Device) -> None:
    token = "k" * 43
    ada.http.get(f"/x/{token}")
    ada.http.get(f"/m/AAAAA-BBBBB-{token[:5]}")
    ada.changes()
    ada.http.get("/nothing/of/the/kind?email=ada@example.org")
    service.run(service.service.access_log.flush())
    rows = service.rows("records", "SELECT * FROM access_log")
    templates = {
        f"{method} {route.path}"
        for module in MODULES
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    written = {row.route for row in rows}
    assert written <= templates | {"GET unknown"}
    assert {"GET /x/{token}", "GET /v1/spaces/{space_id}/changes", "GET unknown"} <= written
    said = json.dumps([[str(value) for value in row] for row in rows])
    for hidden in (token, ada.email, ada.account_id, ada.space_id, ada.keys.id, "127.0.0.1"):
        assert hidden not in said
    assert {row.network for row in rows} == {"127.0.0.0/24"}


@pytest.mark.req("R070")
def test_of_an_address_its_network_is_kept() -> None:
    assert network_of("203.0.113.77") == "203.0.113.0/24"
    assert network_of("2001:db8:1:2:3::4") == "2001:db8:1::/48"
    assert network_of("::ffff:203.0.113.77") == "203.0.113.0/24"


@pytest.mark.req("R092", "R170", "R183")
def test_over_tls_the_cookie_is_secure_and_browsers_come_back_over_tls(tmp_path: Path) -> None:
    with running(tmp_path / "hosted") as service:
        assert "strict-transport-security" not in httpx2.get(service.url).headers
    with running(tmp_path / "secure", public_url="https://sync.example.org") as service:
        url = f"http://127.0.0.1:{service.service.settings.port}"
        assert httpx2.get(url).headers["strict-transport-security"] == "max-age=31536000"
        asked = httpx2.post(f"{url}/web/sign-in", data={"email": "ada@example.org"})
        cookie = asked.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=") and "Secure" in cookie and "HttpOnly" in cookie


@pytest.mark.req("R173")
def test_what_the_operator_does_stands_in_the_audit_of_its_owner(service: Running, ada: Device) -> None:
    service.run(operating.set_hold(service.service, ada.account_id, "court order 7"))
    service.run(operating.suspend(service.service, ada.account_id, True))
    service.run(operating.suspend(service.service, ada.account_id, False))
    entries = ada.get("/v1/account/audit").json()["entries"]
    assert [entry["action"] for entry in entries][-3:] == [
        *("operator_hold", "operator_suspended", "operator_resumed"),
    ]
