"""Files between offices at a real service: both ways, cut anywhere, erased, lost and found."""

from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from memory import notes
from memory.attachments import Attachment
from memory.lifecycle.subjects import Subject
from memory.sync import categories, fetching_files, sending_files, transfers
from memory.sync.blob_chunks import CHUNK
from memory.sync.hosted import blobs
from memory.sync.hosted.tables.records import accounts
from memory.sync.hosted.tables.records import blobs as stored
from memory.tables import AttachmentTable, BlobTable, ConversationTable, MessageTable, SyncTransferTable
from tests.memory.sync.filing import content_of
from tests.memory.sync.service.filing_offices import FilingOffice
from tests.memory.sync.service.offices import Hosted, settle


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
    one.cut_at = 7
    with pytest.raises(OSError):
        while one.sync().files_left:
            continue
    before = one.moved("PUT")
    assert len(before) == 7 and list(one.filing.transfers().values()) == [(6, "")]
    one.reopen()
    settle(one, other)
    assert one.moved("PUT")[7:] == [before[6], *one.moved("PUT")[8:]]
    assert len(one.moved("PUT")) == 10 and len(set(one.moved("PUT"))) == 9


def test_a_piece_of_which_nobody_heard_that_it_arrived_is_not_put_again(filers: list[FilingOffice]) -> None:
    one, other = filers
    file = one.filing.attach(content_of(3))
    one.wire.unheard = "/v1/blobs/commit"
    with pytest.raises(OSError):
        one.sync()
    assert one.filing.transfers() == {file.id: (0, "")}
    one.reopen()
    settle(one, other)
    assert len(one.moved("PUT")) == 3
    assert other.filing.content(file.id) == one.filing.content(file.id)


def test_a_download_that_was_cut_goes_on_after_a_restart(filers: list[FilingOffice]) -> None:
    one, other = filers
    content = content_of(5)
    file = one.filing.attach(content)
    one.send_all()
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
    for module in (sending_files, fetching_files):
        monkeypatch.setattr(module, "AT_ONCE", 2 * CHUNK)
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
    one.cut_at = 3
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


def test_pieces_that_the_service_let_go_meanwhile_are_put_before_the_record(
    filers: list[FilingOffice],
) -> None:
    one, other = filers
    content = content_of(6)
    file = one.filing.attach(content)
    one.cut_at = 4  # three are confirmed
    with pytest.raises(OSError):
        one.sync()
    one.hosted.clock.pass_days(3)
    one.hosted.run(blobs.sweep(one.hosted.service))
    one.hosted.do_jobs()
    assert one.hosted_objects() == []
    settle(one, other)
    assert other.filing.content(file.id) == content


def test_what_the_service_loses_later_is_put_again_within_a_day(filers: list[FilingOffice]) -> None:
    one, other = filers
    content = content_of(3)
    file = one.filing.attach(content)
    one.sync()
    lost = one.hosted.run(_lose_one(one.hosted))
    other.sync()
    assert other.do(transfers.moving).faults == {"lost": 1}
    before = len(one.moved("PUT"))
    one.hosted.clock.pass_days(1.1)
    settle(one, other)
    assert one.moved("PUT")[before:] == [lost]
    assert other.filing.content(file.id) == content


def test_two_devices_that_have_the_same_file_agree_on_one_content(filers: list[FilingOffice]) -> None:
    """As after each of them has brought in the same archive."""
    one, other = filers
    content = content_of(2)
    chosen = one.filing.attach(content)
    same = other.filing.attach(content)
    other.do(_become, same, chosen)
    for office in (one, other):
        office.seal()
    settle(one, other)
    assert one.state() == other.state()
    for office in (one, other):
        assert office.filing.content(chosen.id) == content
        assert office.filing.transfers() == {} and office.moved("GET") == []
    one.hosted.do_jobs()
    assert len(one.hosted_objects()) == 2


def _keys(session: Session) -> tuple[list[bytes], list[bytes]]:
    transfer = list(session.scalars(select(SyncTransferTable.key)))
    return list(session.scalars(select(BlobTable.key))), transfer


async def _used(hosted: Hosted) -> int:
    async with hosted.service.stores.records.read() as connection:
        return int((await connection.execute(select(accounts.c.bytes_used))).scalar_one())


async def _lose_one(hosted: Hosted) -> str:
    """Lose one piece with what is known of it, as a service does that was restored in part."""
    async with hosted.service.stores.records.write() as connection:
        lost = str((await connection.execute(select(stored.c.sha256).limit(1))).scalar_one())
        await connection.execute(stored.delete().where(stored.c.sha256 == lost))
    for path in (hosted.settings.data / "objects").rglob(lost):
        path.unlink()
    return lost


def _become(session: Session, mine: Attachment, theirs: Attachment) -> None:
    """Give chat, message and file of one office the ids that another one gave them."""
    session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    for table, former, id_ in (
        (ConversationTable, mine.conversation_id, theirs.conversation_id),
        (MessageTable, mine.message_id, theirs.message_id),
        (AttachmentTable, mine.id, theirs.id),
    ):
        session.execute(update(table).where(table.id == former).values(id=id_))
    for column, former, id_ in (
        (MessageTable.conversation_id, mine.conversation_id, theirs.conversation_id),
        (AttachmentTable.conversation_id, mine.conversation_id, theirs.conversation_id),
        (AttachmentTable.message_id, mine.message_id, theirs.message_id),
        (ConversationTable.active_leaf_id, mine.message_id, theirs.message_id),
    ):
        session.execute(update(column.class_).where(column == former).values({column: id_}))
    session.execute(
        update(MessageTable).where(MessageTable.id == theirs.message_id).values(attachment_ids=[theirs.id])
    )
