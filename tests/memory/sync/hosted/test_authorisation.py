"""Nobody reaches what belongs to another: every route, asked by strangers, by others' sessions and by wrong kinds."""

import hashlib
import os
from typing import Any

import pytest
from fastapi.routing import APIRoute

from memory.sync import base64url
from memory.sync.hosted.application import MODULES
from memory.sync.hosted.callers import COOKIE
from tests.memory.sync.hosted.conftest import NewOwner
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running

PUBLIC = {
    "GET /healthz",
    "GET /.well-known/officesync",
    "GET /privacy",
    "GET /subprocessors.json",
    "GET /v1/receipts/{receipt_id}",
    "GET /metrics",
    "POST /v1/auth/magic",
    "POST /v1/auth/redeem",
    "POST /v1/auth/challenge",
    "POST /v1/auth/session",
    "GET /x/{token}",
    "POST /x/{token}",
    "GET /objects/{key:path}",
    "PUT /objects/{key:path}",
    "GET /",
    "GET /style.css",
    "GET /m/{code}",
    "POST /web/sign-in",
    "POST /web/redeem",
}
"""Routes that need no session; each asks for a secret of its own or shows what anybody may see."""

ENROLMENT = {
    "GET /v1/log",
    "POST /v1/log",
    "GET /v1/devices",
    "POST /v1/enrolments",
    "GET /v1/enrolments/{enrolment_id}",
    "POST /v1/enrolments/{enrolment_id}",
    "GET /v1/spaces",
    "POST /v1/account/restore",
}
"""What a session by mail may call."""

ID_BODY = {"generation": "0" * 32, "rids": ["0" * 32], "ops": [], "deks": [], "wraps": [], "epoch": 1}


def _routes() -> list[tuple[str, str]]:
    routes = []
    for module in MODULES:
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            routes += [(method, route.path) for method in route.methods]
    return sorted(routes)


def _call(device: Device, method: str, path: str, **headers: str) -> Any:
    return device.http.request(method, path, params={"generation": "0" * 32}, json=ID_BODY, headers=headers)


def _filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace("{" + name + "}", value)
    return path


@pytest.mark.req("R179")
def test_every_route_but_the_public_ones_needs_a_session(service: Running, ada: Device) -> None:
    ids = {"space_id": ada.space_id, "sha256": "a" * 64, "session_id": "b" * 32}
    ids |= {"export_id": "c" * 32, "consent_id": "d" * 32, "enrolment_id": "e" * 32}
    checked = 0
    for method, template in _routes():
        if f"{method} {template}" in PUBLIC:
            continue
        path = _filled(template, ids)
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {ada.access}"}):
            assert _call(ada, method, path, **headers).status_code == 401, (method, template, headers)
        # The token of the app is none for the page, and the other way about.
        cookie = {"Cookie": f"{COOKIE}=s.{ada.access}"}
        assert _call(ada, method, path, **cookie).status_code == 401, (method, template)
        checked += 1
    assert checked > 40


@pytest.mark.req("R172", "R179")
def test_a_session_by_mail_reaches_only_what_enrolment_needs(service: Running, ada: Device) -> None:
    mailed = Device(service, ada.email).redeem()
    for method, template in _routes():
        name = f"{method} {template}"
        if name in PUBLIC or name in ENROLMENT or template.startswith("/account"):
            continue
        path = _filled(template, {"space_id": ada.space_id, "sha256": "a" * 64})
        path = path.replace("{session_id}", "b" * 32).replace("{export_id}", "c" * 32)
        path = path.replace("{consent_id}", "d" * 32)
        refused = _call(mailed, method, path, **mailed.headers)
        assert (refused.status_code, refused.json()["error"]) == (403, "not_for_this_session"), name
    mailed.http.close()


@pytest.mark.req("R179")
def test_what_belongs_to_another_is_not_there(service: Running, ada: Device, new_owner: NewOwner) -> None:
    eve = new_owner("eve")
    ada.pushed(ada.sealed())
    sealed = os.urandom(64)
    sha = hashlib.sha256(sealed).hexdigest()
    ada.http.put(
        ada.post("/v1/blobs/plan", chunks=[{"sha256": sha, "len": 64}]).json()["missing"][0]["put"],
        content=sealed,
    )
    ada.post("/v1/blobs/commit", sha256=[sha])
    mailed = Device(service, ada.email).redeem()
    commitment = base64url.encode(os.urandom(32))
    ids = {
        "space_id": ada.space_id,
        "sha256": sha,
        "export_id": ada.post("/v1/exports", kind="metadata").json()["export_id"],
        "session_id": ada.get("/v1/account/sessions").json()["sessions"][0]["session_id"],
        "consent_id": ada.get("/v1/account/consents").json()["consents"][0]["consent_id"],
        "enrolment_id": mailed.post("/v1/enrolments", commitment=commitment).json()["enrolment_id"],
    }
    before = (
        service.rows("records", "SELECT * FROM spaces"),
        service.rows("records", "SELECT * FROM sessions"),
    )
    checked = 0
    for method, template in _routes():
        if "{" not in template or f"{method} {template}" in PUBLIC:
            continue
        refused = _ask_as(eve, ada, method, template, ids)
        assert refused.status_code == 404, (method, template, refused.text)
        checked += 1
    assert checked > 20
    assert before == (
        service.rows("records", "SELECT * FROM spaces"),
        service.rows("records", "SELECT * FROM sessions"),
    )
    taken = eve.post("/v1/spaces", space_id=ada.space_id)
    assert (taken.status_code, taken.json()["error"]) == (409, "space_taken")
    for name in ("spaces", "log", "devices", "account/audit", "account/sessions", "account/data-summary"):
        assert (
            ada.account_id not in eve.get(f"/v1/{name}").text
            and ada.space_id not in eve.get(f"/v1/{name}").text
        )
    mailed.http.close()


def _ask_as(eve: Device, ada: Device, method: str, template: str, ids: dict[str, str]) -> Any:
    """Ask for what is ada's with eve's session and a body that fits the route."""
    path, body = _filled(template, ids), dict[str, Any](ID_BODY)
    body["generation"] = ada.generation
    if template == "/v1/spaces/{space_id}" or template.endswith("/restore"):
        body = dict(eve.ask_deletion(ada.space_id, "grace"))
    elif template.endswith("/epoch"):
        body |= {
            "expected_head": 0,
            "entry": {"type": "new_epoch", "body": {"space_id": ada.space_id, "epoch": 2}},
        }
    elif template.startswith("/v1/enrolments"):
        body = {"answer": {"nonce": "x"}}
    answer = eve.http.request(
        method, path, params={"generation": ada.generation}, json=body, headers=eve.headers
    )
    if template.endswith("/restore"):  # says the same for a space that is not there at all
        assert answer.json()["error"] == "nothing_pending"
        answer.status_code = 404
    return answer


@pytest.mark.req("R180")
def test_limits_apply_before_anything_is_parsed(service: Running, ada: Device) -> None:
    object.__setattr__(service.service.settings, "pushes_per_minute", 3)
    answers = [
        ada.http.post(ada.path("/push"), content=b"not a body", headers=ada.headers).status_code
        for _ in range(5)
    ]
    assert answers == [400, 400, 400, 429, 429]
    assert ada.get(ada.path("/changes"), generation=ada.generation).status_code == 200


@pytest.mark.req("R173", "R181")
def test_a_suspended_owner_still_pulls_exports_and_deletes(service: Running, ada: Device) -> None:
    from memory.sync.hosted import operating

    ada.pushed(ada.sealed())
    service.run(operating.suspend(service.service, ada.account_id, True))
    assert ada.push(ada.sealed()).json()["error"] == "suspended"
    assert len(ada.changes()["items"]) == 1
    assert ada.post("/v1/exports", kind="full").status_code == 202
    asked = ada.post("/v1/account/delete", **ada.ask_deletion(ada.account_id, "grace"))
    assert asked.status_code == 202
    actions = [entry["action"] for entry in ada.get("/v1/account/audit").json()["entries"]]
    assert "operator_suspended" in actions


@pytest.mark.req("R077", "R091", "R098", "R113", "R173")
def test_the_audit_is_a_chain_and_consents_and_freezing_stand_in_it(service: Running, ada: Device) -> None:
    from memory.sync.hosted.audit import FIRST, hash_of

    consent_id = ada.post("/v1/account/consents", purpose="sync", text_version="3").json()["consent_id"]
    assert ada.delete(f"/v1/account/consents/{consent_id}").status_code == 200
    assert ada.delete(f"/v1/account/consents/{consent_id}").status_code == 404
    listed = ada.get("/v1/account/consents").json()["consents"]
    assert [each["purpose"] for each in listed] == ["policy", "sync"] and listed[1]["withdrawn_at"]
    accepted = (service.service.settings.policy_version, service.clock())
    assert (listed[0]["text_version"], listed[0]["given_at"]) == accepted
    assert ada.post("/v1/account/freeze").json() == {"state": "frozen"}
    assert ada.push(ada.sealed()).json()["error"] == "frozen"
    assert ada.post("/v1/account/unfreeze").json() == {"state": "active"}
    assert ada.pushed(ada.sealed())[0]["outcome"] == "ok"
    rows = service.rows("records", "SELECT * FROM audit WHERE subject = :id ORDER BY n", id=ada.account_id)
    previous = FIRST
    for row in rows:
        assert row.prev == previous and row.hash == hash_of(dict(row._mapping))
        previous = row.hash
    assert {"account_made", "consent_given", "consent_withdrawn", "frozen", "unfrozen"} <= {
        row.action for row in rows
    }
