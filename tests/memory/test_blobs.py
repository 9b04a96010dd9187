"""Encrypted files: whole or not at all, nothing plain, nothing swapped, nothing left behind."""

import os
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from memory import attachments, blobs, chats
from memory.blobs import CHUNK, BlobStore
from memory.chats import Conversation
from memory.database import Database
from memory.errors import BlobDamaged, NotFound, Refused

MARKER = b"a sentence that must not be found on the disk "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "blobs"
    made.mkdir()
    return made


@pytest.fixture
def store(folder: Path) -> BlobStore:
    return BlobStore(folder)


@pytest.mark.req("R171")
@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7])
def test_bytes_files_and_pieces_come_back(store: BlobStore, folder: Path, tmp_path: Path, size: int) -> None:
    content = (MARKER * (size // len(MARKER) + 1))[:size]
    source = tmp_path / "a file"
    source.write_bytes(content)
    pieces = (content[start : start + 999_983] for start in range(0, size, 999_983))
    for blob in (store.write(content), store.write(source), store.write(pieces, size=size)):
        assert store.read(blob) == content and blob.size == size
        store.verify(blob)
        written = (folder / blob.id).read_bytes()
        assert size < len(MARKER) or MARKER not in written
        assert len(written) == size + 16 * blob.chunks
        assert stat.S_IMODE((folder / blob.id).stat().st_mode) == 0o600
        assert "key" not in repr(blob)
    assert len(list(folder.iterdir())) == 3


def test_damage_cuts_and_swaps_are_found(store: BlobStore, folder: Path) -> None:
    blob = store.write(os.urandom(2 * CHUNK))
    path = folder / blob.id
    whole = path.read_bytes()
    part = CHUNK + 16
    for damaged in (
        whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        whole[:-1],
        whole[:part],
        whole + whole[-part:],
        whole[part:] + whole[:part],
        b"",
    ):
        path.write_bytes(damaged)
        with pytest.raises(BlobDamaged, match="attach it again"):
            store.verify(blob)
    other = store.write(os.urandom(2 * CHUNK))
    path.write_bytes((folder / other.id).read_bytes())
    with pytest.raises(BlobDamaged):
        store.read(blob)
    path.unlink()
    with pytest.raises(BlobDamaged):
        store.read(blob)


def test_what_is_too_large_or_changes_is_refused(folder: Path, tmp_path: Path) -> None:
    store = BlobStore(folder, limit=1_000_000)
    huge = tmp_path / "huge.iso"
    with huge.open("wb") as file:
        file.truncate(500_000_000)
    with pytest.raises(Refused, match=r"huge.iso has 500 MB; up to 1 MB"):
        store.write(huge)
    for size in (9, 11):
        with pytest.raises(Refused, match="attach it again"):
            store.write(iter([b"0123456789"]), size=size)
    with pytest.raises(Refused, match=r"absent.*cannot be read"):
        store.write(tmp_path / "absent")
    assert list(folder.iterdir()) == []


def test_what_is_no_file_is_refused_at_once(folder: Path, tmp_path: Path) -> None:
    sources = [tmp_path]
    if hasattr(os, "mkfifo"):
        sources += [tmp_path / "pipe.txt", Path("/dev/zero")]
        os.mkfifo(sources[1])
    for source in sources:
        with pytest.raises(Refused, match="choose a file"):
            BlobStore(folder).write(source)
    assert list(folder.iterdir()) == []


def test_a_large_file_is_never_whole_in_memory(store: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.truncate(15 * CHUNK)
    tracemalloc.start()
    try:
        blob = store.write(source)
        for _chunk in store.stream(blob):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * CHUNK


def test_a_source_that_fails_leaves_nothing(store: BlobStore, folder: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"x" * CHUNK
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(failing(), size=2 * CHUNK)
    assert list(folder.iterdir()) == []


def test_the_sweep_keeps_what_has_a_row(
    store: BlobStore, folder: Path, database: Database, conversation: Conversation
) -> None:
    kept, lost, dropped = (store.write(name) for name in (b"kept", b"lost", b"dropped"))
    for blob in (kept, dropped):
        database.write_now(blobs.record_blob, blob)
    database.write_now(attachments.add_attachment, conversation.id, blob_id=kept.id, name="k", size=4)
    (folder / ("0" * 32 + ".part")).write_bytes(b"half")
    (folder / "README").write_text("not ours")
    assert store.sweep(database.write_now(blobs.drop_unreferenced)) == 3
    assert {path.name for path in folder.iterdir()} == {kept.id, "README"}
    assert store.read(database.write_now(blobs.blob, kept.id)) == b"kept"
    for gone in (lost, dropped):
        with pytest.raises(NotFound):
            database.write_now(blobs.blob, gone.id)
    assert database.write_now(chats.conversation, conversation.id).id == conversation.id
