"""Chunks of files: put at signed addresses, resumed, confirmed, read, and gone with their record."""

import hashlib
import os
from pathlib import Path
from typing import Any

import httpx2
import pytest

from memory.sync.blob_chunks import BlobKey
from memory.sync.hosted import blobs
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running, running


def _chunk(text: bytes = b"a file") -> tuple[bytes, str]:
    sealed = BlobKey.new().seal(0, 1, text)
    return sealed, hashlib.sha256(sealed).hexdigest()


def _plan(device: Device, sha: str, length: int) -> Any:
    return device.post("/v1/blobs/plan", chunks=[{"sha256": sha, "len": length}])


def _store(device: Device, sealed: bytes, sha: str) -> None:
    for missing in _plan(device, sha, len(sealed)).json()["missing"]:
        assert httpx2.put(missing["put"], content=sealed).status_code in (200, 204)
    assert device.post("/v1/blobs/commit", sha256=[sha]).json() == {"missing": []}


@pytest.mark.req("R041", "R045")
def test_a_chunk_is_put_once_and_read_by_the_other_device(ada: Device, second: Device) -> None:
    sealed, sha = _chunk()
    _store(ada, sealed, sha)
    assert _plan(ada, sha, len(sealed)).json() == {"missing": []}
    read = second.get(f"/v1/blobs/{sha}")
    assert read.status_code == 302
    assert httpx2.get(read.headers["location"]).content == sealed


def test_other_bytes_than_announced_and_forged_addresses_are_refused_by_the_folder(tmp_path: Path) -> None:
    """A bucket does it by its own signatures, which the tests of the bucket hold against botocore's."""
    with running(tmp_path / "hosted") as service:
        ada = Device(service, "ada@example.org").begin_account().make_space()
        _refused_by_the_folder(service, ada)
        ada.http.close()


def _refused_by_the_folder(service: Running, ada: Device) -> None:
    sealed, sha = _chunk()
    put = _plan(ada, sha, len(sealed)).json()["missing"][0]["put"]
    assert httpx2.put(put, content=os.urandom(len(sealed))).json()["error"] == "chunk_damaged"
    assert httpx2.put(put, content=sealed + b"x").json()["error"] == "too_large"
    assert httpx2.put(put.replace(sha, "0" * 64), content=sealed).status_code == 403
    assert httpx2.get(put).status_code == 403
    assert ada.post("/v1/blobs/commit", sha256=[sha]).json() == {"missing": [sha]}
    service.clock.at += 901_000
    assert httpx2.put(put, content=sealed).json()["error"] == "address_expired"
    assert list((service.service.settings.data / "objects" / "arriving").iterdir()) == []


def test_the_last_reference_gone_deletes_the_chunk(service: Running, ada: Device) -> None:
    sealed, sha = _chunk()
    _store(ada, sealed, sha)
    rids = [os.urandom(16).hex() for _ in range(2)]
    ada.pushed(*(ada.sealed(ada.edit(rid), blobs=[bytes.fromhex(sha)]) for rid in rids))
    used = service.rows("records", "SELECT bytes_used FROM accounts")[0].bytes_used
    ada.pushed(ada.erasing(rids[0]))
    service.do_jobs()
    assert ada.get(f"/v1/blobs/{sha}").status_code == 302
    ada.pushed(ada.erasing(rids[1]))
    service.do_jobs()
    assert ada.get(f"/v1/blobs/{sha}").status_code == 404
    assert service.objects() == {}
    assert used > len(sealed)
    assert service.rows("records", "SELECT bytes_used, records_used FROM accounts") == [(0, 0)]


def test_what_no_record_names_goes_after_two_days(service: Running, ada: Device) -> None:
    sealed, sha = _chunk()
    _store(ada, sealed, sha)
    assert service.run(blobs.sweep(service.service)) == 0
    service.clock.pass_days(2.1)
    assert service.run(blobs.sweep(service.service)) == 1
    service.do_jobs()
    assert service.objects() == {}


@pytest.mark.req("R074")
def test_no_room_is_said_before_anything_is_put(service: Running, ada: Device) -> None:
    object.__setattr__(service.service.settings, "account_bytes", 1000)
    refused = _plan(ada, "ab" * 32, 1001)
    assert refused.status_code == 413
    assert refused.json()["limit"] == 1000 and refused.json()["used"] == 0
