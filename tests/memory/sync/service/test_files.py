"""Files between offices at a real service: both ways, cut anywhere, erased, and what goes wrong."""

import errno
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import notes
from memory.blobs import BlobStore
from memory.disk import told_by_system
from memory.lifecycle.subjects import Subject
from memory.sync import categories, fetching_files, sending_files, transfers
from memory.sync.blob_chunks import CHUNK
from memory.sync.hosted.tables.records import accounts
from memory.sync.taking import Parts
from memory.tables import BlobTable, SyncTransferTable
from tests.memory.sync.filing import Filing, content_of
from tests.memory.sync.service.offices import Hosted, Office, Template, hosted_at, settle


class FilingOffice(Office):
    """An office that has files, and writes down what it asks of the service."""

    filing: Filing

    def __init__(self, hosted: Hosted, member: Any, home: Path) -> None:
        self.journal: list[tuple[str, str]] = []
        self.cut_at = 0
        super().__init__(hosted, member, home)
        self.filing = Filing.at(self.do, home)

    def reach(self) -> None:
        super().reach()
        onward = self.wire.handle_async_request

        async def noted(request: httpx2.Request) -> httpx2.Response:
            path = request.url.path
            self.journal.append((request.method, path))
            if path.startswith("/objects/") and self.cut_at:
                self.cut_at -= 1
                if self.cut_at == 0:
                    raise httpx2.ConnectError("cut", request=request)
            return await onward(request)

        self.wire.handle_async_request = noted  # type: ignore[method-assign]  # the wire of this office alone

    def parts(self) -> Parts:
        return replace(super().parts(), blobs=self.filing.store)

    def moved(self, method: str) -> list[str]:
        """Return the pieces that were put or got, in order."""
        return [
            path.rpartition("/")[2]
            for asked, path in self.journal
            if asked == method and path.startswith("/objects/")
        ]

    def hosted_objects(self) -> list[Path]:
        """Return the pieces that lie at the service."""
        return [path for path in (self.hosted.settings.data / "objects").rglob("*") if path.is_file()]


@pytest.fixture
def filers(tmp_path: Path, template: Template) -> Iterator[list[FilingOffice]]:
    """Two offices with files that have met."""
    with hosted_at(template, tmp_path / "hosted") as service:
        made = [
            FilingOffice.copied(service, template, number, tmp_path / f"office{number}")
            for number in range(2)
        ]
        try:
            yield made  # type: ignore[misc]  # `copied` makes what it is asked of
        finally:
            for office in made:
                office.close()


@pytest.mark.parametrize("size", [0, 5, CHUNK, CHUNK + 1])
def test_a_file_is_the_same_on_both(filers: list[FilingOffice], size: int) -> None:
    one, other = filers
    content = content_of(2)[:size] if size <= CHUNK + 1 else b""
    file = one.filing.attach(content)
    settle(one, other)
    arrived = other.filing.files()[file.id]
    assert (arrived.name, arrived.size, arrived.state) == ("lease.txt", size, "pending")
    assert other.filing.content(file.id) == content
    assert one.filing.transfers() == other.filing.transfers() == {}
    assert one.state() == other.state()


@pytest.mark.parametrize("cut_at", [1, 2, 3, 5])
def test_an_upload_that_is_cut_again_and_again_sends_nothing_twice(
    filers: list[FilingOffice], cut_at: int
) -> None:
    """Each time the office starts again. What the service has is not put again, whether anybody heard so or not."""
    one, other = filers
    content = content_of(6)
    file = one.filing.attach(content)
    there: set[str] = set()
    for start in range(12):
        before = len(one.moved("PUT"))
        one.cut_at = cut_at if start % 2 == 0 else 0
        with suppress(OSError):
            one.sync()
        put = one.moved("PUT")[before:]
        assert not there.intersection(put)
        there = {path.name for path in one.hosted_objects()}
        one.reopen()
    settle(one, other)
    assert other.filing.content(file.id) == content
    assert len(there) == 6


def test_every_piece_that_was_confirmed_is_put_once_whatever_is_cut(filers: list[FilingOffice]) -> None:
    one, other = filers
    one.filing.attach(content_of(9))
    one.cut_at = 7  # two pieces into the second portion, after four were confirmed
    with pytest.raises(OSError):
        one.sync()
    before = one.moved("PUT")
    assert len(before) == 7 and list(one.filing.transfers().values()) == [(4, "")]
    one.reopen()
    settle(one, other)
    after = one.moved("PUT")[7:]
    # Also the two that were put and not confirmed: the service is asked for them first.
    assert not set(before[:6]) & set(after)
    assert len(after) == 3


def test_a_download_that_was_cut_goes_on_after_a_restart(filers: list[FilingOffice]) -> None:
    one, other = filers
    content = content_of(5)
    file = one.filing.attach(content)
    one.sync()
    other.cut_at = 4
    with pytest.raises(OSError):
        other.sync()
    shown = other.filing.files()[file.id]
    assert (shown.state, shown.blob_id, other.filing.content(file.id)) == ("arriving", None, None)
    assert other.filing.transfers() == {file.id: (3, "")}
    other.reopen()
    other.filing.sweep()
    settle(one, other)
    assert other.filing.content(file.id) == content
    got = other.moved("GET")
    assert len(got) == 6 and len(set(got)) == 5  # the one of which the answer was cut off
    assert other.filing.on_disk() == [other.filing.files()[file.id].blob_id]


def test_edits_do_not_wait_for_a_large_file(filers: list[FilingOffice], monkeypatch: Any) -> None:
    one, other = filers
    monkeypatch.setattr(sending_files, "PIECES", 2)
    monkeypatch.setattr(fetching_files, "PIECES", 2)
    content = content_of(5)
    file = one.filing.attach(content)
    done = one.sync()
    assert done.files_left and not done.files_sent and done.pushed == 2
    note = one.do(notes.add_note, "written meanwhile")
    assert one.sync().pushed == 1
    done = one.sync()
    assert (done.files_left, done.files_sent) == (False, 1)
    done = other.sync()
    assert done.files_left and other.filing.content(file.id) is None
    assert note.id in other.state()["note"]
    assert other.sync().files_left
    done = other.sync()
    assert (done.files_left, done.files_arrived) == (False, 1)
    assert other.filing.content(file.id) == content


@pytest.mark.req("R041", "R045")
@pytest.mark.parametrize("kind", ["file", "message", "conversation"])
def test_erasing_takes_record_and_pieces_everywhere(filers: list[FilingOffice], kind: Any) -> None:
    one, other = filers
    file = one.filing.attach(content_of(2))
    settle(one, other)
    assert len(one.hosted_objects()) == 2
    assert file.message_id is not None
    subject = {"file": file.id, "message": file.message_id, "conversation": file.conversation_id}[kind]
    other.erase(Subject(kind, subject))
    settle(one, other)
    one.hosted.do_jobs()
    assert one.filing.files() == other.filing.files() == {}
    assert one.hosted_objects() == []
    assert one.do(_keys) == other.do(_keys) == ([], [])
    used = one.hosted.run(_used(one.hosted))
    assert used < CHUNK


def test_erasing_before_it_has_left_or_arrived_leaves_nothing(filers: list[FilingOffice]) -> None:
    one, other = filers
    file = one.filing.attach(content_of(6))
    one.cut_at = 6
    with pytest.raises(OSError):
        one.sync()
    one.erase(Subject("file", file.id))
    settle(one, other)
    assert one.filing.transfers() == {} and one.do(_keys) == ([], [])
    assert other.filing.files() == {}
    late = one.filing.attach(content_of(3))
    one.sync()
    other.cut_at = 2
    with pytest.raises(OSError):
        other.sync()
    one.erase(Subject("file", late.id))
    settle(one, other)
    assert other.filing.files() == {} and other.filing.transfers() == {}
    assert other.do(_keys) == ([], [])


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


def test_without_files_chosen_none_goes_and_none_is_fetched(filers: list[FilingOffice]) -> None:
    one, other = filers
    other.do(categories.choose, ["agents", "chats", "notes", "settings"])
    file = one.filing.attach(content_of(2))
    settle(one, other)
    assert other.filing.files() == {} and other.moved("GET") == []
    mine = other.filing.attach(b"stays here")
    settle(one, other)
    assert one.filing.files().keys() == {file.id} and other.moved("PUT") == []
    other.do(categories.choose, ["agents", "chats", "files", "notes", "settings"])
    settle(one, other)
    assert other.filing.content(file.id) == one.filing.content(file.id)
    assert one.filing.content(mine.id) == b"stays here"


def test_what_the_service_lost_is_put_again_before_its_record(filers: list[FilingOffice]) -> None:
    one, other = filers
    file = one.filing.attach(content_of(2))
    backup = one.hosted.settings.data.parent / "backup.sqlite"
    one.hosted.back_up(backup)
    settle(one, other)
    for path in one.hosted_objects():
        path.unlink()
    one.hosted.restore(backup)
    for office in (one, other):
        office.reopen()
    generation = other.sync().generation
    other.sync(generation=generation)
    one.sync(generation=one.sync().generation)
    settle(one, other)
    assert len(one.hosted_objects()) == 2
    assert one.do(transfers.moving) == other.do(transfers.moving) == transfers.Moving()
    assert other.filing.content(file.id) == one.filing.content(file.id)


def _keys(session: Session) -> tuple[list[bytes], list[bytes]]:
    transfer = list(session.scalars(select(SyncTransferTable.key)))
    return list(session.scalars(select(BlobTable.key))), transfer


async def _used(hosted: Hosted) -> int:
    async with hosted.service.stores.records.read() as connection:
        return int((await connection.execute(select(accounts.c.bytes_used))).scalar_one())
