"""Signing in by mail and by device, and the log of devices."""

import os

import pytest

from memory.sync import base64url
from memory.sync.enrolment import Answer, Newcomer, check_reveal, comparison, new_nonce
from memory.sync.hosted.service import HOUR
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running


@pytest.mark.req("R004", "R007")
def test_a_code_works_once_for_who_asked_and_only_for_a_quarter_of_an_hour(service: Running) -> None:
    ada = Device(service, "ada@example.org")
    code = ada.magic()
    stranger = {**code, "verifier": base64url.encode(os.urandom(32))}
    assert ada.http.post("/v1/auth/redeem", json=stranger).json()["error"] == "code_refused"
    assert ada.http.post("/v1/auth/redeem", json=code).status_code == 200
    assert ada.http.post("/v1/auth/redeem", json=code).status_code == 401
    late = ada.magic()
    service.clock.at += HOUR // 4
    assert ada.http.post("/v1/auth/redeem", json=late).status_code == 401
    ada.http.close()


@pytest.mark.req("R180")
def test_the_same_answer_for_every_address_and_five_mails_an_hour(service: Running, ada: Device) -> None:
    body = {"verifier_hash": base64url.encode(os.urandom(32))}
    known = ada.http.post("/v1/auth/magic", json={**body, "email": ada.email})
    unknown = ada.http.post("/v1/auth/magic", json={**body, "email": "nobody@example.org"})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    # An address becomes an account when its code is redeemed, not before.
    assert len(service.rows("records", "SELECT * FROM accounts")) == 1
    answers = [ada.http.post("/v1/auth/magic", json={**body, "email": "o@example.org"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.req("R002", "R005", "R070")
def test_no_address_token_or_whole_network_is_stored(service: Running, ada: Device) -> None:
    service.run(service.service.access_log.flush())
    dumped = service.dump()
    for secret in (ada.email, ada.access, ada.refresh):
        assert secret.encode() not in dumped
    assert b"127.0.0.0/24" in dumped and b"127.0.0.1" not in dumped
    assert ada.keys.id not in {row.device for row in service.rows("records", "SELECT device FROM access_log")}


def test_a_wrong_signature_and_a_second_use_of_a_challenge_are_refused(ada: Device) -> None:
    challenge = ada.challenge()
    body = {
        "device_id": ada.keys.id,
        "challenge": base64url.encode(challenge),
        "sig": ada.sign(b"aof/v1/auth", challenge, b"delete"),
    }
    assert ada.http.post("/v1/auth/session", json=body).json()["error"] == "signature_refused"
    right = {**body, "sig": ada.sign(b"aof/v1/auth", challenge, b"session")}
    assert ada.http.post("/v1/auth/session", json=right).status_code == 200
    assert ada.http.post("/v1/auth/session", json=right).json()["error"] == "challenge_refused"


@pytest.mark.req("R175")
def test_a_session_ends_is_renewed_once_and_ends_wholly_on_a_second_use(
    service: Running, ada: Device
) -> None:
    service.clock.at += HOUR
    assert ada.get("/v1/spaces").json()["error"] == "signed_out"
    former = ada.refresh
    renewed = ada.http.post("/v1/auth/session", json={"refresh": former}).json()
    ada.access = renewed["access"]
    assert ada.get("/v1/spaces").status_code == 200
    assert ada.http.post("/v1/auth/session", json={"refresh": former}).status_code == 401
    assert ada.get("/v1/spaces").status_code == 401
    assert ada.http.post("/v1/auth/session", json={"refresh": renewed["refresh"]}).status_code == 401


@pytest.mark.req("R075")
def test_a_second_device_joins_through_the_relay_in_one_order_only(service: Running, ada: Device) -> None:
    new = Device(service, ada.email).redeem()
    newcomer = Newcomer(new_nonce(), new.keys.public.sign, new.keys.public.hpke)
    begun = new.post("/v1/enrolments", commitment=base64url.encode(newcomer.commitment)).json()
    path = f"/v1/enrolments/{begun['enrolment_id']}"
    reveal = {"nonce": base64url.encode(newcomer.nonce), "device_id": new.keys.id}
    assert new.post(path, reveal=reveal).json()["error"] == "enrolment_order"
    assert [each["enrolment_id"] for each in ada.get("/v1/enrolments").json()["enrolments"]] == [
        begun["enrolment_id"]
    ]
    account = ada.account()
    answer = Answer(new_nonce(), account.fingerprint, account.head)
    assert ada.post(path, answer={"nonce": base64url.encode(answer.nonce)}).status_code == 200
    assert ada.post(path, answer={"nonce": "another"}).status_code == 409
    assert new.post(path, reveal=reveal).status_code == 200
    shown = ada.get(path).json()
    assert shown["commitment"] == base64url.encode(newcomer.commitment) and shown["reveal"] == reveal
    check_reveal(base64url.decode(shown["commitment"]), newcomer)
    assert comparison(answer, newcomer)
    ada.admit(new)
    assert {wrapped["recipient_id"] for wrapped in _wraps(new)} >= {ada.keys.id, new.keys.id, "0" * 32}
    service.do_jobs()
    assert "A device joined your account" in service.inbox.subjects(ada.email)
    new.http.close()


def test_an_entry_on_an_old_head_is_told_the_new_one(ada: Device, second: Device) -> None:
    stale = ada.account()
    ada.append(ada.writer.new_recovery(stale, ada.recovery.public, 0))
    refused = second.append(second.writer.new_recovery(stale, ada.recovery.public, 0))
    assert (refused.status_code, refused.json()["error"]) == (409, "log_moved")
    assert refused.json()["head"]["n"] == stale.n + 1
    forged = ada.append(second.writer.new_recovery(ada.account(), ada.recovery.public, 0))
    assert (forged.status_code, forged.json()["error"]) == (403, "not_by_this_device")
    epoch = ada.writer.new_epoch(ada.account(), ada.key, 0)
    assert ada.append(epoch).json()["error"] == "entry_refused"


@pytest.mark.req("R005", "R175")
def test_a_revoked_device_is_out_at_once(service: Running, ada: Device, second: Device) -> None:
    assert second.get("/v1/spaces").status_code == 200
    gone = ada.append(ada.writer.revoke_device(ada.account(), second.keys.id, service.clock()))
    assert gone.status_code == 200
    assert second.get("/v1/spaces").status_code == 401
    assert (second.session().status_code, second.session().json()["error"]) == (403, "device_revoked")
    assert second.http.post("/v1/auth/session", json={"refresh": second.refresh}).status_code == 401
    assert second.keys.id not in {wrapped["recipient_id"] for wrapped in _wraps(ada)}


def test_who_lost_every_device_comes_back_by_recovery(service: Running, ada: Device) -> None:
    saved = Device(service, ada.email, ada.recovery).redeem()
    assert saved.recover().status_code == 200
    assert saved.session().status_code == 200
    saved.space_id = ada.space_id
    assert "0" * 32 in {wrapped["recipient_id"] for wrapped in _wraps(saved)}
    stranger = Device(service, ada.email).redeem()
    assert stranger.recover().json()["error"] == "entry_refused"
    for device in (saved, stranger):
        device.http.close()


@pytest.mark.req("R111")
def test_an_address_is_changed_by_its_own_code_and_the_device(service: Running, ada: Device) -> None:
    code, challenge = ada.magic("new@example.org"), ada.challenge()
    signed = {
        "challenge": base64url.encode(challenge),
        "device_sig": ada.sign(b"aof/v1/auth", challenge, b"address"),
    }
    changed = ada.http.patch("/v1/account", json={**code, **signed}, headers=ada.headers)
    assert changed.status_code == 200, changed.text
    again = Device(service, "new@example.org").redeem()
    assert again.get("/v1/devices").json()["devices"][0]["device_id"] == ada.keys.id
    again.http.close()


def _wraps(device: Device) -> list[dict[str, str]]:
    spaces = device.get("/v1/spaces").json()["spaces"]
    generation = next(each["generation"] for each in spaces if each["space_id"] == device.space_id)
    found: list[dict[str, str]] = device.get(device.path("/wraps"), generation=generation).json()["wraps"]
    return found


def test_a_device_of_another_protocol_is_told_so_and_loses_nothing(
    service: Running, ada: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.pushed(ada.sealed())
    refresh = ada.refresh
    monkeypatch.setattr("memory.sync.hosted.protocols.PROTOCOLS", (2, 3))
    assert ada.http.get("/.well-known/officesync").json()["protocols"] == [2, 3]
    for answer in (ada.session(), ada.http.post("/v1/auth/session", json={"refresh": refresh})):
        assert (answer.status_code, answer.json()["error"]) == (426, "newer_protocol")
        assert answer.json()["protocols"] == [2, 3]
    monkeypatch.setattr("memory.sync.hosted.protocols.PROTOCOLS", (1, 2))
    assert ada.http.post("/v1/auth/session", json={"refresh": refresh}).status_code == 200
    assert ada.session().status_code == 200 and len(ada.changes()["items"]) == 1
