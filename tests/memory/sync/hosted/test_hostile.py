"""Whatever is sent, the service answers as the protocol says, keeps nothing by half, and never with a fault."""

import json
import os
import threading
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.sync.hosted.requests import MSGPACK
from tests.memory.sync.hosted.conftest import NewOwner
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running
from tests.memory.sync.hosted.test_authorisation import _filled, _routes

NASTY: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"NaN",
    b"{}",
    b"[" * 5000,
    b'{"generation":1}',
    b'{"entry":{}}',
    b'{"entry":{"type":"add_device","v":1,"n":0,"at":"x","body":{},"by":"recovery"}}',
    b'{"entry":{"v":1,"n":1e400,"body":[],"type":null}}',
    b'{"ops":[{"op_id":"zz","env":{}}],"generation":"x"}',
    b'{"ops":[{"op_id":"' + b"00" * 16 + b'","env":{"hdr":1}}],"generation":"' + b"0" * 32 + b'"}',
    b'{"email":"a\\u0000@b","verifier_hash":"AA"}',
    b'{"email":"\\ud800@b.c","verifier_hash":"' + b"A" * 43 + b'"}',
    b'{"email":"a\\r\\nBcc: x@y.z@b.c","verifier_hash":"' + b"A" * 43 + b'"}',
    b'{"token":"\\u0000","verifier":"' + b"A" * 43 + b'"}',
    b'{"mode":"now","challenge":"x","device_sig":"y"}',
    b'{"chunks":[{"sha256":"' + b"a" * 64 + b'","len":-1}]}',
    b'{"chunks":[{"sha256":"' + b"a" * 64 + b'","len":99999999999999999999}]}',
    b'{"kind":"shared","sha256":"' + b"a" * 64 + b'","size":99999999999999999999}',
    b'{"kind":"full","hours":99999999999999999999}',
    b'{"purpose":"\\u0000","text_version":"1"}',
    b'{"device_id":"' + b"0" * 32 + b'","challenge":"AA","sig":"AA","versions":"\\u0000"}',
    b'{"answer":{"a":"\\u0000"}}',
    b'{"commitment":"' + b"A" * 43 + b'"}',
    b'{"generation":"' + b"0" * 32 + b'","expected_head":1,"entry":{"type":"new_epoch","body":{"epoch":[]}}}',
]


@pytest.mark.req("R179", "R180")
def test_no_body_brings_any_route_down(service: Running, ada: Device) -> None:
    ids = {"space_id": ada.space_id, "sha256": "a" * 64, "session_id": "b" * 32, "export_id": "c" * 32}
    ids |= {"consent_id": "d" * 32, "enrolment_id": "e" * 32, "receipt_id": "f" * 32}
    for method, template in _routes():
        if method == "GET" or template.startswith(("/account", "/web", "/objects", "/x")):
            continue
        service.forget_limits()
        for body in NASTY:
            for kind in ("application/json", MSGPACK):
                headers = {**ada.headers, "Content-Type": kind}
                answer = ada.http.request(method, _filled(template, ids), content=body, headers=headers)
                assert answer.status_code < 500, (method, template, body[:60], answer.text)
                if answer.status_code >= 400:
                    assert set(answer.json()) >= {"error", "detail"}
            if ada.get("/v1/spaces").status_code == 401:  # ended by a route that ends sessions
                assert ada.session().status_code == 200
            ada.post("/v1/account/unfreeze")


@pytest.mark.parametrize(
    "query", ["after=-1", "after=99999999999999999999", "limit=0", "limit=1000000", "begun=x"]
)
def test_no_parameter_brings_a_page_down(ada: Device, query: str) -> None:
    for page in ("changes", "live", "deks"):
        path = ada.path(f"/{page}?generation={ada.generation}&{query}")
        assert ada.http.get(path, headers=ada.headers).status_code in (200, 400)
    strange = ada.get(ada.path("/live"), generation=ada.generation, after_rid="\x00é")
    assert strange.status_code in (200, 400)


scalars: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=100)
)
shapes = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


def test_random_operations_are_invalid_and_change_nothing(service: Running, ada: Device) -> None:
    before = ada.head()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.fixed_dictionaries({"op_id": st.binary(min_size=16, max_size=16), "env": shapes}), max_size=4
        )
    )
    def send(ops: list[dict[str, Any]]) -> None:
        service.forget_limits()
        try:
            body = msgpack.packb({"generation": ada.generation, "ops": ops})
        except (OverflowError, ValueError):
            return  # MessagePack has no such number
        headers = {**ada.headers, "Content-Type": MSGPACK}
        answer = ada.http.post(ada.path("/push"), content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert {each["outcome"] for each in answer.json()["results"]} <= {"invalid"}

    send()
    assert ada.head() == before


@pytest.mark.req("R179")
def test_envelopes_that_were_tampered_with_or_replayed_elsewhere_are_invalid(
    service: Running, ada: Device, new_owner: NewOwner
) -> None:
    from dataclasses import replace

    eve = new_owner("eve")
    good = ada.sealed()
    wrong = {
        "sig": replace(good, sig=bytes(64)),
        "ct": replace(good, ct=good.ct[:-1] + bytes([good.ct[-1] ^ 1])),
        "kc": replace(good, kc=bytes(32)),
        "hdr": replace(good, hdr=good.hdr[:40] + bytes([good.hdr[40] ^ 1]) + good.hdr[41:]),
        "wrap_epoch": replace(good, dek=(7).to_bytes(4, "big") + good.dek[4:]),
        "blobs": replace(good, blobs=(b"b" * 32, b"a" * 32)),
    }
    results = ada.pushed(*wrong.values())
    assert {each["outcome"] for each in results} == {"invalid"}
    assert eve.pushed(good)[0]["outcome"] == "invalid"
    assert ada.pushed(good)[0]["outcome"] == "ok"
    # Unsigned: another list of chunks changes nothing but what the service clears up.
    assert service.rows("records", "SELECT count(*) AS n FROM records")[0].n == 1


def test_devices_that_push_at_once_get_every_number_once(
    service: Running, ada: Device, second: Device
) -> None:
    seqs: list[int] = []
    failed: list[Any] = []

    def work(device: Device) -> None:
        for _ in range(8):
            answer = device.push(*(device.sealed() for _ in range(3)))
            if answer.status_code != 200:
                failed.append(answer.text)
                return
            seqs.extend(each["seq"] for each in msgpack.unpackb(answer.content)["results"])

    threads = [threading.Thread(target=work, args=(device,)) for device in (ada, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(seqs) == list(range(1, 49)) and ada.head() == 48
    assert [item["seq"] for item in ada.changes()["items"]] == sorted(seqs)
    used = service.rows("records", "SELECT records_used FROM accounts")[0].records_used
    assert used == 48


def test_a_rotation_beside_pushes_ends_without_a_fault(service: Running, ada: Device, second: Device) -> None:
    """Push locks the account before the space, as opening an epoch does: neither waits for the other for ever."""
    for name in ("pushes_per_minute", "requests_per_minute_network"):
        object.__setattr__(service.service.settings, name, 10**6)
    failed: list[str] = []
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            answer = second.push(second.sealed())
            if answer.status_code != 200:
                failed.append(answer.text)
                return

    thread = threading.Thread(target=work)
    thread.start()
    opened = 0
    for _ in range(40):
        if ada.open_epoch().status_code == 200:
            opened += 1
    done.set()
    thread.join()
    assert failed == []
    while opened == 0 and ada.open_epoch().status_code != 200:
        pass
    assert ada.get("/v1/spaces").json()["spaces"][0]["epoch"] >= 2


def test_a_full_disk_is_said_and_nothing_is_taken_by_half(service: Running, ada: Device) -> None:
    if not service.service.stores.records.is_sqlite:
        _no_connections_left(service, ada)
        return

    async def pages(most: str) -> None:
        from sqlalchemy import text

        async with service.service.stores.records.write() as connection:
            count = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count = {most or count + 2}"))

    service.run(pages(""))
    sealed = [ada.sealed(text=os.urandom(20_000).hex()) for _ in range(3)]
    refused = ada.push(*sealed)
    assert (refused.status_code, refused.json()["error"]) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    service.run(pages("1073741823"))
    assert ada.changes()["items"] == []
    assert [each["outcome"] for each in ada.pushed(*sealed)] == ["ok"] * 3


def _no_connections_left(service: Running, ada: Device) -> None:
    """The counterpart with PostgreSQL: the server ends every connection, and devices come back later."""
    from tests.peers.postgres import Postgres, programs

    port = int(service.service.settings.records_url.rpartition(":")[2].partition("/")[0])
    postgres = Postgres(programs(), port)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hosted'"
    postgres.run(end)
    sealed = ada.sealed()
    answers = [ada.push(sealed) for _ in range(30)]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert answers[-1].status_code == 200
    assert len(ada.changes()["items"]) == 1
    assert json.loads(ada.get("/v1/spaces").content)["spaces"][0]["head"] == 1
