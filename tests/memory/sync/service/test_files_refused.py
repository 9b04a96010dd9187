"""Files that do not go on: damaged, missing, too large, or without room on either side; nothing else is held up."""

import errno
from typing import Any

import httpx2
import pytest

from memory.blobs import BlobStore
from memory.disk import told_by_system
from memory.sync import transfers
from memory.sync.blob_chunks import CHUNK
from memory.sync.service.faults import Unreachable
from tests.memory.sync.filing import content_of
from tests.memory.sync.service.filing_offices import FilingOffice
from tests.memory.sync.service.offices import settle


def test_a_tampered_piece_is_not_taken_and_said(filers: list[FilingOffice]) -> None:
    one, other = filers
    content = content_of(3)
    file = one.filing.attach(content)
    one.sync()
    (path,) = (each for each in one.hosted_objects() if each.stat().st_size < CHUNK)
    whole = path.read_bytes()
    for wrong in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-1], whole + b"x", b""):
        path.write_bytes(wrong)
        other.sync()
        assert other.filing.transfers() == {file.id: (2, "damaged")}
        assert other.do(transfers.moving).faults == {"damaged": 1}
        assert other.filing.files()[file.id].state == "arriving"
    path.write_bytes(whole)
    settle(one, other)
    assert other.filing.content(file.id) == content
    assert other.do(transfers.moving) == transfers.Moving()


def test_a_missing_piece_holds_up_nothing_else(filers: list[FilingOffice]) -> None:
    one, other = filers
    lost, whole = one.filing.attach(content_of(1)), one.filing.attach(content_of(2))
    one.sync()
    first = one.moved("PUT")[0]
    (path,) = (each for each in one.hosted_objects() if each.name == first)
    away = path.rename(path.with_name("away"))
    other.sync()
    assert other.filing.transfers() == {lost.id: (0, "lost")}
    assert other.filing.content(whole.id) is not None
    away.rename(path)
    settle(one, other)
    assert other.filing.content(lost.id) is not None


def test_a_full_disk_is_said_and_nothing_is_lost(filers: list[FilingOffice], monkeypatch: Any) -> None:
    one, other = filers
    content = content_of(3)
    file = one.filing.attach(content)
    one.sync()
    real = BlobStore.write_piece

    def full(store: BlobStore, blob: Any, index: int, piece: bytes) -> None:
        if index == 1:
            raise told_by_system(OSError(errno.ENOSPC, "full"), store.path(blob.id))
        real(store, blob, index, piece)

    monkeypatch.setattr(BlobStore, "write_piece", full)
    done = other.sync()
    assert done.pulled and other.filing.transfers() == {file.id: (1, "disk_full")}
    monkeypatch.setattr(BlobStore, "write_piece", real)
    settle(one, other)
    assert other.filing.content(file.id) == content


def test_too_large_for_the_service_is_said_before_a_piece_goes(filers: list[FilingOffice]) -> None:
    one, other = filers
    large, small = one.filing.attach(content_of(3)), one.filing.attach(content_of(1))
    one.hosted.become(attachment_bytes=2 * CHUNK)
    settle(one, other)
    assert one.filing.transfers() == {large.id: (0, "too_large")}
    assert other.filing.files().keys() == {small.id}
    assert len(one.moved("PUT")) == 1
    one.hosted.become(attachment_bytes=4 * CHUNK)
    one.reopen()
    settle(one, other)
    assert other.filing.content(large.id) is not None


@pytest.mark.req("R074")
def test_no_room_for_a_file_is_said_and_a_smaller_one_goes(filers: list[FilingOffice]) -> None:
    one, other = filers
    one.hosted.become(account_bytes=2 * CHUNK)
    large, small = one.filing.attach(content_of(3)), one.filing.attach(content_of(1))
    done = one.sync()
    assert one.filing.transfers() == {large.id: (0, "no_room")}
    assert done.quota is not None and done.quota.limit == 2 * CHUNK
    settle(one, other)
    assert other.filing.files().keys() == {small.id}
    one.hosted.become(account_bytes=2**30)
    settle(one, other)
    assert other.filing.content(large.id) is not None


def test_a_store_that_asks_to_wait_is_given_its_time(filers: list[FilingOffice]) -> None:
    one, other = filers
    content = content_of(1)
    file = one.filing.attach(content)
    full = httpx2.Response(503, headers={"Retry-After": "120"})
    one.wire.twist = lambda path, answer: full if path.startswith("/objects/") else answer
    with pytest.raises(Unreachable) as waiting:
        one.sync()
    assert waiting.value.retry_after == 120
    one.wire.twist = None
    settle(one, other)
    assert other.filing.content(file.id) == content
