"""Wrong keys, damaged pages, full and read-only disks, killed writers, and what erasing leaves in the file."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from memory import attachments, blobs, branches, chats, integrity, messages, notes, office_store, runs
from memory.blobs import BlobStore
from memory.database import Database
from memory.errors import DatabaseDamaged, DatabaseKeyWrong, DiskFull, DiskReadOnly, StorageError
from memory.locations import Locations
from memory.migrations import upgrade
from memory.tables import Base, ConversationTable, MessageTable
from tests.memory import writer
from tests.memory.conftest import KEY

PAGE, RESERVED = 4096, 80


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    return Locations.find(tmp_path / "office")


def can_mount() -> bool:
    probe = "d=$(mktemp -d) && mount -t tmpfs -o size=64k none $d && umount $d && rmdir $d"
    return subprocess.run(["sh", "-c", probe], check=False, capture_output=True).returncode == 0


CAN_MOUNT = sys.platform == "linux" and can_mount()


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def run_writer(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "tests.memory.writer", str(home), *options],
        env=os.environ | {"PYTHONPATH": root},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def filled(locations: Locations, count: int = 40) -> str:
    database = office_store.open_database(locations, KEY)
    chat = database.write_now(chats.create_conversation, title="numbers")
    for number in range(count):
        database.write_now(messages.add_owner_message, chat.id, f"{number} {writer.TEXT}")
    database.close()
    return chat.id


def assert_whole(locations: Locations, reported: int) -> None:
    database = office_store.open_database(locations, KEY)
    try:
        assert database.write_now(integrity.check) == ()
        listed = database.write_now(chats.conversations)
        found = writer.numbers(database, listed[0].id) if listed else []
        assert found == list(range(len(found))) and len(found) >= reported
    finally:
        database.close()


def test_the_pragmas_that_durability_and_erasure_rest_on(database: Database) -> None:
    def read(session: Session) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "temp_store")
        return {name: session.execute(text(f"PRAGMA {name}")).scalar_one() for name in names}

    assert database.write_now(read) == {
        "journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "temp_store": 2,
    }  # fmt: skip
    assert stat.S_IMODE(database.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("key", [bytes(32), bytes(reversed(KEY))])
def test_a_wrong_key_changes_nothing(locations: Locations, key: bytes) -> None:
    filled(locations, 3)
    before = locations.database.read_bytes()
    with pytest.raises(DatabaseKeyWrong, match="recovery key"):
        office_store.open_database(locations, key)
    assert locations.database.read_bytes() == before
    assert_whole(locations, 3)


@pytest.mark.req("R171")
def test_nothing_of_a_message_stands_in_plain_in_any_file(locations: Locations) -> None:
    filled(locations, 5)
    database = office_store.open_database(locations, KEY)
    database.write_now(notes.add_note, "MARKER-OF-A-NOTE")
    for path in locations.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert writer.TEXT.encode() not in content and b"MARKER-OF-A-NOTE" not in content
            assert not content.startswith(b"SQLite format 3")
    database.close()


def test_a_damaged_page_is_found_and_named(locations: Locations) -> None:
    chat_id = filled(locations)
    content = bytearray(locations.database.read_bytes())
    plain = [
        decrypted_page(bytes(content[start : start + PAGE])) for start in range(PAGE, len(content), PAGE)
    ]
    holding = [number for number, page in enumerate(plain, 1) if writer.TEXT[:500].encode() in page]
    assert len(holding) > 20
    for page in holding[::7]:
        content[page * PAGE + 1_000] ^= 0x40
    locations.database.write_bytes(content)
    database = Database.open(locations.database, KEY)
    found = database.write_now(integrity.check)
    assert found and all("HMAC" in line for line in found)
    with pytest.raises(DatabaseDamaged, match="bureau doctor"):
        database.write_now(branches.path, chat_id)
    database.close()


def test_one_flipped_bit_anywhere_is_found(locations: Locations) -> None:
    filled(locations, 2)
    whole = locations.database.read_bytes()
    for page in range(0, len(whole) // PAGE, 9):
        damaged = bytearray(whole)
        damaged[page * PAGE + 2_000] ^= 1
        locations.database.write_bytes(damaged)
        with pytest.raises((DatabaseKeyWrong, DatabaseDamaged)):
            database = Database.open(locations.database, KEY)
            try:
                problems = database.write_now(integrity.check)
                assert problems
                raise DatabaseDamaged(problems[0])
            finally:
                database.close()


@pytest.mark.parametrize("how", ["limit", *(["tmpfs"] if CAN_MOUNT else [])])
def test_a_full_disk_loses_nothing_committed(locations: Locations, how: str) -> None:
    if how == "limit":
        filled(locations, 0)
        ended = run_writer(locations.home, "--limit", "900000")
        lines = ended.stdout.split("\n")
        assert ended.returncode == 3 and "check its free space" in lines[-2], ended.stderr
        assert_whole(locations, len(lines) - 2)
        return
    with mounted(locations.home, "3m"):
        ended = run_writer(locations.home)
        lines = ended.stdout.split("\n")
        assert ended.returncode == 3 and lines[-2].startswith("DiskFull: The disk is full"), ended.stderr
        assert len(lines) > 20
        store = BlobStore(locations.blobs)
        with pytest.raises(DiskFull, match="free some space"):
            store.write(bytes(3_000_000))
        assert list(locations.blobs.iterdir()) == []
        with pytest.raises(DiskFull, match="free some space"):
            upgrade.take_snapshot(locations.database, KEY, locations.backups, name="before-0002")
        assert list(locations.backups.iterdir()) == []
        remount(locations.home, "size=30m")
        assert_whole(locations, len(lines) - 2)


@pytest.mark.parametrize("how", ["mode", *(["mount"] if CAN_MOUNT else [])])
def test_a_read_only_folder_is_said_and_left_alone(locations: Locations, how: str) -> None:
    if how == "mode":
        filled(locations, 3)
        for path in [*locations.home.rglob("*"), locations.home]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        for parent in locations.home.parents[:4]:
            if parent.owner() == locations.home.owner() and "pytest" in parent.name:
                parent.chmod(0o755)
        ended = run_writer(locations.home, "--as-nobody")
        assert ended.returncode == 3 and ended.stdout.startswith("DiskReadOnly: "), ended.stderr
        for path in [locations.home, *locations.home.rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)
        assert_whole(locations, 3)
        return
    with mounted(locations.home, "20m"):
        filled(locations, 3)
        remount(locations.home, "ro")
        with pytest.raises(DiskReadOnly, match=r"write access|permissions"):
            office_store.open_database(locations, KEY)
        with pytest.raises(DiskReadOnly, match="write access"):
            BlobStore(locations.blobs).write(b"x")
        remount(locations.home, "rw")
        assert_whole(locations, 3)


@pytest.mark.slow
def test_a_hundred_killed_writers_lose_no_committed_row(locations: Locations) -> None:
    ended = run_writer(locations.home, "--rounds", "110", "--seed", str(os.getpid()))
    assert ended.returncode == 0, ended.stderr
    reported = int(ended.stdout)
    assert reported > 100
    assert_whole(locations, reported)


@pytest.mark.req("R140")
def test_erasing_a_conversation_takes_everything_of_it(database: Database) -> None:
    chat = database.write_now(chats.create_conversation)
    store = BlobStore(database.path.parent)
    blob = store.write(b"content")
    database.write_now(blobs.record_blob, blob)
    given = database.write_now(attachments.add_attachment, chat.id, blob_id=blob.id, name="a", size=7)
    question = database.write_now(messages.add_owner_message, chat.id, "Q", attachment_ids=[given.id])
    run = database.write_now(runs.create_run, conversation_id=chat.id, agent_id=None)
    database.write_now(runs.append_event, run.id, "text", {"text": "answer"})
    database.write_now(messages.add_agent_messages, question.id, [(None, "Ada", run.id, "m")])
    kept = database.write_now(notes.add_note, "learnt there", source_message_id=question.id)

    def erase(session: Session) -> dict[str, int]:
        session.execute(delete(ConversationTable).where(ConversationTable.id == chat.id))
        tables = Base.metadata.sorted_tables
        return {
            t.name: session.execute(text(f'SELECT count(*) FROM "{t.name}"')).scalar_one() for t in tables
        }

    left = {name: count for name, count in database.write_now(erase).items() if count}
    assert left == {"note": 1, "blob": 1}
    assert database.write_now(notes.note, kept.id).source_message_id is None
    assert store.sweep(database.write_now(blobs.drop_unreferenced)) == 1


def test_a_conversation_of_any_depth_can_be_erased(database: Database) -> None:
    chat = database.write_now(chats.create_conversation)

    def fill(session: Session) -> None:
        for number in range(1_500):  # SQLite follows 1,000 levels of a cascade
            messages.add_owner_message(session, chat.id, f"{number}")

    def erase(session: Session) -> int:
        session.execute(delete(ConversationTable).where(ConversationTable.id == chat.id))
        return int(session.execute(text("SELECT count(*) FROM message")).scalar_one())

    database.write_now(fill)
    assert database.write_now(erase) == 0
    assert database.write_now(integrity.check) == ()


def test_no_message_is_erased_from_under_its_answers(database: Database) -> None:
    chat = database.write_now(chats.create_conversation)
    first = database.write_now(messages.add_owner_message, chat.id, "first")
    database.write_now(messages.add_owner_message, chat.id, "second")

    def erase(session: Session) -> None:
        session.execute(delete(MessageTable).where(MessageTable.id == first.id))

    with pytest.raises(StorageError, match="refused the change"):
        database.write_now(erase)
    assert [turn.messages[0].text for turn in database.write_now(branches.path, chat.id)] == [
        "first",
        "second",
    ]


def decrypted(path: Path) -> bytes:
    """Return the plain content of every page, the free ones too, by the key alone and without SQLite."""
    content = path.read_bytes()
    pages = [decrypted_page(content[start : start + PAGE]) for start in range(PAGE, len(content), PAGE)]
    return decrypted_page(content[:PAGE], skipped=16) + b"".join(pages)


def decrypted_page(page: bytes, *, skipped: int = 0) -> bytes:
    """Return the plain content of one page; the first one begins with 16 bytes of salt."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    cipher = Cipher(algorithms.AES256(KEY), modes.CBC(page[PAGE - RESERVED : PAGE - RESERVED + 16]))
    return cipher.decryptor().update(page[skipped : PAGE - RESERVED])


def test_what_was_erased_stands_in_no_page_under_the_live_key(locations: Locations) -> None:
    chat_id = filled(locations, 30)
    marker = b"MARKERxqx"

    def find(session: Session) -> list[str]:
        return list(session.scalars(text("SELECT source_id FROM passage WHERE text LIKE '%MARKER%'")))

    database = office_store.open_database(locations, KEY)
    question = database.write_now(
        messages.add_owner_message, chat_id, f"{marker.decode()} " * 2_000, attachment_ids=[]
    )

    def index(session: Session) -> None:
        session.execute(
            text(
                "INSERT INTO passage(message_id, source_kind, source_id, conversation_id, ordinal, place,"
                " heading, speaker, at, text, context) VALUES (:m, 'message', :m, :c, 0, '{}', '', '', 0, :t, :t)"
            ),
            {"m": question.id, "c": chat_id, "t": f"say {marker.decode()} again"},
        )

    database.write_now(index)
    assert database.write_now(find) == [question.id]
    database.close()
    before = decrypted(locations.database)
    assert marker in before and marker.lower() in before  # as text, and as a term of the full-text index
    database = office_store.open_database(locations, KEY)

    def erase(session: Session) -> None:
        session.execute(delete(ConversationTable).where(ConversationTable.id == chat_id))

    database.write_now(erase)
    database.close()
    assert {path.name for path in locations.home.iterdir() if path.name.startswith("office.db")} == {
        "office.db"
    }
    assert marker.lower() not in decrypted(locations.database).lower()
