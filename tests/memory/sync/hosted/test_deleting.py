"""Accounts and spaces are deleted: time to think it over, keys first, the receipt, and no way back."""

import asyncio
import hashlib
import os
from typing import Any

import httpx2
import pytest

from memory.sync import base64url, receipts
from memory.sync.blob_chunks import BlobKey
from memory.sync.header import Header
from memory.sync.hosted import lifetime, purging
from memory.sync.hosted.audit import hash_of
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.receipts import instant
from memory.sync.hosted.service import DAY, HOUR, make_service
from tests.memory.sync.hosted.conftest import NewOwner
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.places import Place
from tests.memory.sync.hosted.running import Running

PROVED_TABLES = (
    "accounts",
    "devices",
    "log_entries",
    "sessions",
    "spaces",
    "records",
    "markers",
    "op_results",
)


def _published_keys(device: Device) -> dict[str, bytes]:
    published = device.http.get("/.well-known/officesync").json()["receipt_keys"]
    return {key_id: base64url.decode(public) for key_id, public in published.items()}


def _fill(device: Device) -> str:
    sealed = BlobKey.new().seal(0, 1, b"a file")
    sha = hashlib.sha256(sealed).hexdigest()
    plan = device.post("/v1/blobs/plan", chunks=[{"sha256": sha, "len": len(sealed)}]).json()
    assert httpx2.put(plan["missing"][0]["put"], content=sealed).status_code in (200, 204)
    assert device.post("/v1/blobs/commit", sha256=[sha]).json() == {"missing": []}
    device.pushed(device.sealed(), device.sealed(blobs=[bytes.fromhex(sha)]), device.sealed())
    return sha


def _delete(device: Device, mode: str, code: str = "") -> Any:
    return device.post("/v1/account/delete", **device.ask_deletion(device.account_id, mode, code))


def _code(service: Running, device: Device) -> str:
    assert device.post("/v1/account/mail-code").status_code == 202
    service.do_jobs()
    return service.inbox.code(device.email)


@pytest.mark.req("R075", "R142", "R143", "R146")
def test_in_the_grace_only_puts_are_refused_and_every_device_restores(
    service: Running, ada: Device, second: Device
) -> None:
    _fill(ada)
    asked = _delete(ada, "grace")
    assert asked.status_code == 202 and asked.json()["mode"] == "grace"
    service.do_jobs()
    assert "Your data is to be deleted" in service.inbox.subjects(ada.email)
    assert second.get("/v1/account/data-summary").json()["state"] == "deletion_pending"
    refused = second.push(second.sealed())
    assert (refused.status_code, refused.json()["error"]) == (423, "deletion_pending")
    items = second.changes()["items"]
    assert second.pushed(second.erasing(Header.unpack(items[0]["env"]["hdr"]).rid))[0]["outcome"] == "ok"
    assert second.post("/v1/exports", kind="metadata").status_code == 202
    assert second.post("/v1/account/restore").status_code == 200
    assert second.pushed(second.sealed())[0]["outcome"] == "ok"
    service.clock.pass_days(31)
    service.do_jobs()
    assert second.session().status_code == 200
    assert service.inbox.subjects(ada.email).count("Your data stays") == 1
    assert not any("will be deleted on" in each for each in service.inbox.subjects(ada.email))


@pytest.mark.req("R084", "R144", "R145", "R160", "R217")
def test_after_the_grace_everything_goes_and_the_receipt_tells_it_truly(
    service: Running, ada: Device, second: Device
) -> None:
    _fill(ada)
    _delete(ada, "grace")
    for days in (23.1, 6, 1):
        service.clock.pass_days(days)
        service.do_jobs()
    reminders = [each for each in service.inbox.subjects(ada.email) if "will be deleted on" in each]
    assert len(reminders) == 2
    told = second.session()
    assert (told.status_code, told.json()["error"]) == (410, "account_purged")
    signed = second.http.get(f"/v1/receipts/{told.json()['receipt_id']}").json()
    receipt = receipts.verify(signed, _published_keys(second))
    assert dict(receipt.counts)["records"] == 3 and dict(receipt.counts)["blobs"] == 1
    # Three record keys, three wraps (two devices and recovery), one key of the account.
    assert dict(receipt.counts)["key_rows"] == 7 and len(receipt.keys_destroyed) == 3
    assert signed["mode"] == "grace" and signed["grace_until"].endswith("Z")
    kept = {each["category"]: (each["until"], each["basis"]) for each in signed["retained"]}
    later = {days: instant(service.clock() + days * DAY) for days in (30, 365)}
    assert kept == {
        "access_log": (later[30], "security of the service"),
        "audit": (later[365], "security of the service, pseudonymous"),
        "ledger": ("", "proof of deletion, pseudonymous"),
    }
    assert signed["policy_version"] == service.service.settings.policy_version
    for table in PROVED_TABLES:
        assert service.rows("records", f"SELECT * FROM {table}") == []
    for table in ("record_keys", "space_wraps", "account_keys"):
        assert service.rows("keys", f"SELECT * FROM {table}") == []
    assert service.objects() == {}
    trail = service.rows("records", "SELECT * FROM audit ORDER BY n")
    assert {row.subject for row in trail} == {signed["subject"]} and trail[
        -1
    ].action == "account_deletion_asked"
    for row in trail:
        assert row.details.startswith("sha256:") and row.hash == hash_of(dict(row._mapping))
    assert ada.email not in str(service.rows("records", "SELECT * FROM jobs"))


@pytest.mark.req("R008", "R012")
def test_at_once_takes_the_device_and_the_mailed_code(service: Running, ada: Device, second: Device) -> None:
    code = _code(service, ada)
    challenge = ada.ask_deletion(ada.account_id, "grace")
    forged = ada.post("/v1/account/delete", **{**challenge, "mode": "now", "mail_code": code})
    assert (forged.status_code, forged.json()["error"]) == (401, "signature_refused")
    unused = ada.ask_deletion(ada.account_id, "grace")
    service.clock.at += HOUR // 12
    late = ada.post("/v1/account/delete", **unused)
    assert (late.status_code, late.json()["error"]) == (401, "challenge_refused")
    assert _delete(ada, "now", "00000000").json()["error"] == "mail_code_refused"
    service.forget_limits()
    asked = _delete(ada, "now", code)
    assert asked.status_code == 202
    assert second.get("/v1/spaces").status_code == 401
    assert second.session().json()["error"] == "account_purged"
    service.do_jobs()
    service.clock.at += 6000
    service.do_jobs()
    assert "receipt_id" in second.session().json()
    assert "Your data is being deleted" in service.inbox.subjects(ada.email)
    # The same address begins a new account, which has nothing of the old.
    again = Device(service, ada.email).begin_account()
    assert again.get("/v1/spaces").json() == {"spaces": []}
    again.http.close()


@pytest.mark.req("R008", "R141", "R216")
def test_a_space_is_deleted_alone_and_its_room_is_given_back(
    service: Running, ada: Device, second: Device
) -> None:
    sha = _fill(ada)
    used = ada.get("/v1/account/data-summary").json()["bytes"]["used"]
    assert used > 0
    other = ada.ask_deletion(ada.account_id, "now", _code(service, ada))
    assert ada.delete(ada.path(), **other).json()["error"] == "signature_refused"
    gone = ada.delete(ada.path(), **ada.ask_deletion(ada.space_id, "now", _code(service, ada)))
    assert gone.status_code == 202, gone.text
    service.do_jobs()
    told = second.get(second.path("/changes"), generation=second.generation)
    assert (told.status_code, told.json()["error"]) == (410, "space_purged")
    made = second.post("/v1/spaces", space_id=second.space_id)
    assert (made.status_code, made.json()["receipt_id"]) == (410, told.json()["receipt_id"])
    summary = ada.get("/v1/account/data-summary").json()
    assert (summary["bytes"]["used"], summary["records"]["used"]) == (0, 0)
    assert ada.get(f"/v1/blobs/{sha}").status_code == 404
    assert [service.rows("keys", f"SELECT * FROM {each}") for each in ("record_keys", "space_wraps")] == [
        [],
        [],
    ]
    assert service.rows("records", "SELECT * FROM records") == [] and service.objects() == {}
    listed = ada.get("/v1/account/receipts").json()["receipts"]
    assert [each["scope"] for each in listed] == ["space"]
    receipts.verify(listed[0], _published_keys(ada))


@pytest.mark.req("R134")
def test_receipts_form_a_chain_and_prove_single_records(service: Running, ada: Device) -> None:
    rids = [os.urandom(16).hex() for _ in range(2)]
    ada.pushed(*(ada.sealed(ada.edit(rid)) for rid in rids))
    refused = ada.post(ada.path("/receipts"), generation=ada.generation, rids=rids)
    assert (refused.status_code, refused.json()["error"]) == (409, "not_erased")
    chain = []
    for rid in rids:
        ada.pushed(ada.erasing(rid))
        proved = ada.post(ada.path("/receipts"), generation=ada.generation, rids=[rid])
        assert proved.status_code == 201
        chain.append(receipts.verify(proved.json(), _published_keys(ada)))
        hashed = hashlib.sha256(bytes.fromhex(rid)).hexdigest()
        assert proved.json()["records_hash"] == f"sha256:{hashed}"
    assert chain[0].previous == bytes(32) and chain[1].previous == chain[0].hash


@pytest.mark.req("R144")
def test_a_purge_that_died_is_done_again_with_the_same_receipt(
    service: Running, ada: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(ada)

    async def broken(*_given: Any) -> None:
        raise ServiceFault("the power went")

    _delete(ada, "now", _code(service, ada))
    with monkeypatch.context() as patch:
        patch.setattr(purging, "_delete_rows", broken)
        service.do_jobs()
    # Its keys are destroyed, its rows still there: nothing of it opens.
    assert service.rows("keys", "SELECT * FROM record_keys") == []
    assert len(service.rows("records", "SELECT * FROM records")) == 3
    service.clock.pass_days(0.1)
    service.do_jobs()
    assert service.rows("records", "SELECT * FROM records") == []
    receipt = service.rows("ledger", "SELECT receipt FROM receipts")[0].receipt
    import json

    assert json.loads(receipt)["counts"]["records"] == 3 and json.loads(receipt)["counts"]["key_rows"] == 6


@pytest.mark.req("R219")
def test_a_legal_hold_defers_a_purge_and_is_told(service: Running, ada: Device) -> None:
    from memory.sync.hosted import operating

    service.run(operating.set_hold(service.service, ada.account_id, "court order 7"))
    _delete(ada, "grace")
    service.clock.pass_days(30.1)
    service.do_jobs()
    assert ada.session().status_code == 200
    assert ada.get("/v1/account/data-summary").json()["legal_hold"] == "court order 7"
    service.run(operating.set_hold(service.service, ada.account_id, ""))
    service.clock.pass_days(1.1)
    service.do_jobs()
    assert ada.session().status_code == 410


@pytest.mark.req("R158")
def test_a_restored_backup_replays_the_ledger_before_anybody_is_answered(place: Place) -> None:
    with place.start() as before:
        ada, eve = (
            Device(before, f"{name}@example.org").begin_account().make_space() for name in ("ada", "eve")
        )
        kept, erased = os.urandom(16).hex(), os.urandom(16).hex()
        ada.pushed(ada.sealed(ada.edit(kept)), ada.sealed(ada.edit(erased)))
        _fill(eve)
        _hang_up(ada, eve)
    place.keep_records()
    with place.start(before) as between:
        _call_again(between, ada, eve)
        ada.pushed(ada.erasing(erased))
        _delete(eve, "now", _code(between, eve))
        between.do_jobs()
        between.clock.at += 6000
        between.do_jobs()
        _hang_up(ada, eve)
    place.put_records_back()
    with place.start(before) as after:
        ada.running, ada.http = after, after.http()
        eve.running, eve.http = after, after.http()
        assert ada.session().status_code == 200
        refused = ada.get(ada.path("/changes"), generation=ada.generation)
        assert refused.json()["error"] == "generation_changed"
        ada.generation = refused.json()["generation"]
        page = ada.changes()
        assert [Header.unpack(item["env"]["hdr"]).rid for item in page["items"]] == [kept]
        assert ada.pushed(ada.sealed(ada.edit(erased)))[0]["outcome"] == "erased"
        assert eve.session().status_code == 410
        assert [row.account_id for row in after.rows("records", "SELECT account_id FROM accounts")] == [
            ada.account_id
        ]
        assert after.objects() == {}
        used = after.rows("records", "SELECT records_used FROM accounts")
        assert used == [(1,)]
        assert len(after.rows("keys", "SELECT * FROM record_keys")) == 1
        _hang_up(ada, eve)


@pytest.mark.req("R158")
def test_of_replicas_that_start_on_a_restored_backup_one_replays(
    place_for_many: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """A second replay would change the generation again, while the first replica answers already."""
    with place_for_many.start() as before:
        ada = Device(before, "ada@example.org").begin_account().make_space()
        ada.pushed(ada.sealed())
        _hang_up(ada)
    place_for_many.keep_records()
    with place_for_many.start(before):
        pass
    place_for_many.put_records_back()
    settings = before.service.settings

    async def start_together() -> None:
        replicas = [make_service(settings, before.clock) for _ in range(3)]
        await asyncio.gather(*(lifetime.open_service(each) for each in replicas))
        for each in replicas:
            await lifetime.close_service(each)

    asyncio.run(start_together())
    replayed = [record for record in caplog.records if "came out of a backup" in record.message]
    assert len(replayed) == 1
    with place_for_many.start(before) as after:
        _call_again(after, ada)
        assert ada.get(ada.path("/changes"), generation=ada.generation).status_code == 409
        _hang_up(ada)


def _call_again(running: Running, *devices: Device) -> None:
    for device in devices:
        device.running, device.http = running, running.http()
        assert device.session().status_code == 200


def _hang_up(*devices: Device) -> None:
    for device in devices:
        device.http.close()


@pytest.mark.req("R140", "R147")
def test_an_expired_record_becomes_a_marker_that_the_service_signed(
    service: Running, ada: Device, new_owner: NewOwner
) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from memory.sync.hosted import rounds
    from memory.sync.markers import verify_expiry
    from tests.memory.sync.hosted.device import marker_of

    day = service.service.today + 3
    ada.pushed(ada.sealed(ada.edit(exp_day=day)), ada.sealed())
    rev = Header.unpack(ada.changes()["items"][0]["env"]["hdr"]).rev
    for days, left in ((2, 2), (1, 1)):
        service.clock.pass_days(days)
        service.run(rounds.ask_for_daily(service.service))
        service.do_jobs()
        assert len(service.rows("records", "SELECT * FROM records")) == left
    ada.session()
    marker = marker_of(ada.changes(after=2)["items"][0])
    public = Ed25519PublicKey.from_public_bytes(next(iter(_published_keys(ada).values())))
    verify_expiry(marker, ada.keys.sign.public_key(), public, today=service.service.today, held_rev=rev)
    assert len(service.rows("keys", "SELECT * FROM record_keys")) == 1
