"""Chunks and exports in a bucket; the signatures are those that botocore makes."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from memory.sync.blob_chunks import BlobKey
from memory.sync.hosted.bucket import Bucket
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.settings import Settings
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running, bucket_settings, running_for_many
from tests.peers.moto import presigned
from tests.peers.postgres import Postgres


@pytest.fixture
def whole(tmp_path: Path, s3: str, postgres: Postgres) -> Iterator[Running]:
    """A service as it is run for many."""
    with running_for_many(tmp_path, postgres.databases(), s3) as found:
        yield found


@pytest.mark.parametrize(
    ("method", "ours", "key"),
    [("get_object", "GET", "a/blobs/é+ ~x"), ("head_object", "HEAD", "k"), ("delete_object", "DELETE", "k")],
)
def test_addresses_are_signed_as_botocore_signs_them(
    tmp_path: Path, s3: str, method: str, ours: str, key: str
) -> None:
    theirs = presigned(s3, method, Bucket="one", Key=key)
    query = parse_qs(urlsplit(theirs).query)
    at = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    bucket = Bucket(Settings(**bucket_settings(tmp_path, s3, "one")), lambda: int(at.timestamp() * 1000))
    made = parse_qs(urlsplit(bucket.signed(ours, key)).query)
    assert made["X-Amz-Signature"] == query["X-Amz-Signature"]


@pytest.mark.req("R144")
def test_a_whole_life_in_a_bucket(whole: Running) -> None:
    ada = Device(whole, "ada@example.org").begin_account().make_space()
    sealed = BlobKey.new().seal(0, 1, b"a file")
    sha = hashlib.sha256(sealed).hexdigest()
    asked = ada.post("/v1/blobs/plan", chunks=[{"sha256": sha, "len": len(sealed)}]).json()["missing"]
    assert asked[0]["put"].startswith(whole.service.settings.s3_endpoint)
    assert ada.post("/v1/blobs/commit", sha256=[sha]).json() == {"missing": [sha]}
    assert httpx2.put(asked[0]["put"], content=sealed).status_code == 200
    assert ada.post("/v1/blobs/commit", sha256=[sha]).json() == {"missing": []}
    read = ada.get(f"/v1/blobs/{sha}").headers["location"]
    assert httpx2.get(read).content == sealed
    ada.pushed(ada.sealed(blobs=[bytes.fromhex(sha)]))
    link = ada.post("/v1/exports", kind="full").json()["link"]
    whole.do_jobs()
    assert httpx2.post(link, follow_redirects=True).content[:2] == b"PK"
    objects = whole.service.objects
    assert not whole.run(objects.is_empty(f"{ada.account_id}/"))
    ada.post("/v1/account/mail-code")
    whole.do_jobs()
    code = whole.inbox.code(ada.email)
    ada.post("/v1/account/delete", **ada.ask_deletion(ada.account_id, "now", code))
    whole.do_jobs()
    whole.clock.at += 6000
    whole.do_jobs()
    told = ada.session().json()
    counts = ada.http.get(f"/v1/receipts/{told['receipt_id']}").json()["counts"]
    assert (counts["records"], counts["blobs"]) == (1, 1)
    assert whole.run(objects.is_empty(f"{ada.account_id}/"))
    ada.http.close()


def test_a_bucket_that_refuses_is_named(tmp_path: Path, s3: str) -> None:
    import asyncio

    bucket = Bucket(Settings(**bucket_settings(tmp_path, s3, "absent")), lambda: 1_772_366_400_000)

    async def ask() -> None:
        try:
            await bucket.is_empty("x/")
        finally:
            await bucket.close()

    with pytest.raises(ServiceFault, match="absent"):
        asyncio.run(ask())
