"""The file of a backup: what goes in comes out, and nothing that was changed does."""

import os
import random
import secrets
from pathlib import Path

import pytest

from memory.errors import BackupDamaged
from memory.lifecycle.backup_file import (
    CHUNK,
    HEAD,
    BackupHead,
    BackupReader,
    BackupWriter,
    publish,
    read_head,
    rewrap,
    shred,
)

KEY = bytes(range(32))
SLOTS = ({"kind": "office", "nonce": "bm9uY2U=", "wrapped": "d3JhcHBlZA=="},)
FILES = {
    "office.db": [os.urandom(CHUNK), os.urandom(CHUNK // 2)],
    "blobs/none": [],
    "workspace/Пример/a\\b.txt": [b"plain"],
    "workspace/large": [os.urandom(CHUNK) for _piece in range(3)],
}


def head() -> BackupHead:
    return BackupHead(secrets.token_hex(16), "0" * 32, 1_700_000_000_000, "owner", SLOTS)


def write(path: Path, files: dict[str, list[bytes]] = FILES) -> str:
    writer = BackupWriter(path, head(), KEY)
    for name, pieces in files.items():
        writer.add(name, pieces)
    sha256 = writer.finish({"files": len(files)})
    publish(path)
    return sha256


def read(path: Path, key: bytes = KEY) -> dict[str, bytes]:
    reader = BackupReader(path, key)
    found = {file.name: b"".join(file.pieces) for file in reader.files()}
    assert reader.contents is not None
    return found


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "one"
    sha256 = write(path)
    reader = BackupReader(path, KEY)
    found = {file.name: b"".join(file.pieces) for file in reader.files()}
    assert found == {name: b"".join(pieces) for name, pieces in FILES.items()}
    assert reader.sha256 == sha256
    assert reader.contents is not None
    assert (reader.contents.files, reader.contents.facts) == (4, {"files": 4})
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["one"]


def test_files_need_not_be_read_through(tmp_path: Path) -> None:
    write(tmp_path / "one")
    assert [file.name for file in BackupReader(tmp_path / "one", KEY).files()] == list(FILES)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 7, CHUNK - 6, CHUNK - 5, CHUNK, 2 * CHUNK])
def test_any_size_around_a_chunk_comes_out(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    write(tmp_path / "one", {"f": [content[:CHUNK], content[CHUNK:]]})
    assert read(tmp_path / "one") == {"f": content}


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    write(tmp_path / "one")
    with pytest.raises(BackupDamaged):
        read(tmp_path / "one", bytes(32))


def test_nothing_that_was_changed_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "one"
    write(path)
    whole, chance = path.read_bytes(), random.Random(7)
    sealed = CHUNK + 16
    changed = [
        *(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in
          (chance.randrange(2 * HEAD, len(whole)) for _time in range(20))),
        *(whole[:end] for end in (2 * HEAD, 2 * HEAD + 5, 2 * HEAD + sealed, 2 * HEAD + 2 * sealed, len(whole) - 1)),
        whole + b"\0",
        whole[: 2 * HEAD] + whole[2 * HEAD + sealed :],
        whole[: 2 * HEAD] + whole[2 * HEAD + sealed : 2 * HEAD + 2 * sealed] * 2 + whole[2 * HEAD + 2 * sealed :],
    ]  # fmt: skip
    for content in changed:
        path.write_bytes(content)
        with pytest.raises(BackupDamaged):
            read(path)
    path.write_bytes(whole)
    assert len(read(path)) == 4


def test_a_name_that_leads_out_is_refused(tmp_path: Path) -> None:
    for name in ("../evil", "/etc/passwd", "blobs/../../evil", ""):
        writer = BackupWriter(tmp_path / "one", head(), KEY)
        writer.add(name, [b"x"])
        writer.finish({})
        publish(tmp_path / "one")
        with pytest.raises(BackupDamaged):
            read(tmp_path / "one")


def test_the_head_is_written_anew_in_place(tmp_path: Path) -> None:
    path = tmp_path / "one"
    write(path)
    other = ({"kind": "recovery", "public_key": "", "wrapped": "bmV3"},)
    rewrap(path, other)
    assert read_head(path).slots == other
    assert b"d3JhcHBlZA" not in path.read_bytes()
    assert len(read(path)) == 4
    whole = path.read_bytes()
    for start in (0, HEAD):
        path.write_bytes(whole[:start] + bytes(HEAD) + whole[start + HEAD :])
        assert read_head(path).slots == other
    path.write_bytes(bytes(2 * HEAD) + whole[2 * HEAD :])
    with pytest.raises(BackupDamaged):
        read_head(path)


def test_a_removed_backup_leaves_no_wrapped_key(tmp_path: Path) -> None:
    path, other_name = tmp_path / "one", tmp_path / "still there"
    write(path)
    other_name.hardlink_to(path)
    shred(path)
    assert not path.exists()
    assert other_name.read_bytes()[: 2 * HEAD] == bytes(2 * HEAD)
    shred(path)
