"""Archives from elsewhere: what is taken, and what hostile or broken ones come to."""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from memory.transfer.archives import Limits, open_archive
from memory.transfer.errors import ArchiveDamaged, ArchiveUnreadable, ArchiveUnsafe


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_zip_folder_and_single_file_are_read_alike(tmp_path: Path) -> None:
    content = {"a.json": b"[1]", "b/c.bin": bytes(range(256)) * 2000}
    zipped = packed(tmp_path / "x.zip", content)
    folder = tmp_path / "x"
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for source in (zipped, folder):
        with open_archive(source) as archive:
            assert {name: member.size for name, member in archive.members.items()} == {
                name: len(data) for name, data in content.items()
            }
            assert archive.size == sum(map(len, content.values()))
            for name, data in content.items():
                with archive.open(name) as stream:
                    assert stream.read() == data
    with open_archive(folder / "a.json") as single:
        assert single.read("a.json", 10) == b"[1]"


def test_a_member_read_whole_has_a_limit(tmp_path: Path) -> None:
    with (
        open_archive(packed(tmp_path / "x.zip", {"manifest.json": b"x" * 100})) as archive,
        pytest.raises(ArchiveUnsafe, match="too large"),
    ):
        archive.read("manifest.json", 99)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/../../evil", "C:/evil", "a//b", "..\\evil", "./a"]
)
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        archive.writestr(info, b"x")
    with pytest.raises(ArchiveUnsafe, match="leads outside"):
        open_archive(path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("conversations.json")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, b"/etc/passwd")
    with pytest.raises(ArchiveUnsafe, match="link or a device"):
        open_archive(path)


if os.name == "posix":  # elsewhere folders hold no pipes, and links need a privilege

    @pytest.mark.parametrize(
        "make", [lambda path: path.symlink_to("/etc/passwd"), lambda path: os.mkfifo(path)]
    )
    def test_links_and_pipes_in_a_folder_are_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
        folder = tmp_path / "export"
        folder.mkdir()
        (folder / "conversations.json").write_bytes(b"[]")
        make(folder / "files.json")
        with pytest.raises(ArchiveUnsafe, match=r"files\.json"):
            open_archive(folder)

    def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "export.zip")
        with pytest.raises(ArchiveUnsafe, match="link or a device"):
            open_archive(tmp_path / "export.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("other", ["é.json", "e\u0301.json"])
def test_a_name_used_twice_is_refused(tmp_path: Path, other: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("é.json", b"[]")
        archive.writestr(other, b"[1]")
    with pytest.raises(ArchiveUnsafe, match="twice"):
        open_archive(tmp_path / "x.zip")


def test_a_locked_zip_says_what_to_do(tmp_path: Path) -> None:
    content = bytearray(packed(tmp_path / "x.zip", {"a": b"x"}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ArchiveUnreadable, match="password"):
        open_archive(tmp_path / "x.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_packing_says_what_to_do(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as archive:
        archive.writestr("a", b"x" * 1000)
    with pytest.raises(ArchiveUnreadable, match="unpack it and choose the folder"):
        open_archive(tmp_path / "x.zip")


def test_bombs_are_refused_before_a_byte_is_unpacked(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "bomb.zip", {"conversations.json": bytes(80 * 1024**2)})
    assert bomb.stat().st_size < 200_000
    with pytest.raises(ArchiveUnsafe, match="unpack to far more"):
        open_archive(bomb)
    plain = packed(tmp_path / "plain.zip", {"a": b"x" * 1000})
    with pytest.raises(ArchiveUnsafe, match="unpack to far more"):
        open_archive(plain, Limits(unpacked=999))
    many = packed(tmp_path / "many.zip", {str(number): b"" for number in range(20)})
    with pytest.raises(ArchiveUnsafe, match="lists far more"):
        open_archive(many, Limits(members=19))
    with pytest.raises(ArchiveUnsafe, match="lists far more"):
        open_archive(many, Limits(directory=100))


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """The bomb whose members overlap: each entry of the list points to the same compressed data."""
    data = zlib.compress(b"x" * 5000)[2:-4]
    crc = zlib.crc32(b"x" * 5000)
    name = b"same"
    fields = (20, 0, 8, 0, 0, crc, len(data), 5000, len(name), 0)
    body = struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + name + data
    entries = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, 0) + entry
        for entry in (b"one1", b"two2")
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(entries), len(body), 0)
    (tmp_path / "x.zip").write_bytes(body + entries + end)
    with pytest.raises(ArchiveUnsafe, match="unpack to far more"):
        open_archive(tmp_path / "x.zip")


def test_a_member_longer_than_it_says_is_damaged(tmp_path: Path) -> None:
    content = bytearray(packed(tmp_path / "x.zip", {"a": b"x" * 100_000}).read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = (10).to_bytes(4, "little")
    (tmp_path / "x.zip").write_bytes(content)
    with (
        open_archive(tmp_path / "x.zip") as archive,
        pytest.raises(ArchiveDamaged),
        archive.open("a") as stream,
    ):
        stream.read()


def test_truncated_anywhere_it_is_damaged_and_never_more(tmp_path: Path) -> None:
    whole = packed(tmp_path / "whole.zip", {"a.json": os.urandom(3000), "b.json": b"[]" * 500}).read_bytes()
    for length in range(5, len(whole), 97):
        path = tmp_path / "cut.zip"
        path.write_bytes(whole[:length])
        with pytest.raises(ArchiveDamaged, match="download or copy it again"):
            open_archive(path)


def test_flipped_bytes_are_told(tmp_path: Path) -> None:
    content = bytearray(packed(tmp_path / "x.zip", {"a": os.urandom(50_000)}).read_bytes())
    content[20_000] ^= 1
    (tmp_path / "x.zip").write_bytes(content)
    with (
        open_archive(tmp_path / "x.zip") as archive,
        pytest.raises(ArchiveDamaged),
        archive.open("a") as stream,
    ):
        stream.read()


def test_nothing_and_nowhere_are_told(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"")
    with pytest.raises(ArchiveUnreadable, match="empty"):
        open_archive(tmp_path / "x.zip")
    with pytest.raises(ArchiveUnreadable, match="cannot be read"):
        open_archive(tmp_path / "nowhere.zip")
