"""Broken and hostile archives, brought into a real office: one sentence, and the office is as it was."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.lifecycle.bringing_in import bring_in, look_into
from agents.office import Office
from memory import branches, chats
from memory.transfer.errors import TransferError
from tests.agents.test_bringing_in import rows
from tests.memory.transfer import foreign_archives as made


def _raw(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def _member(name: str, content: bytes, mode: int = 0o100644) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("conversations.json", json.dumps([made.branched()]))
            info = zipfile.ZipInfo("placeholder")
            info.filename, info.external_attr, info.compress_type = name, mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, content)

    return write


def _whole(path: Path) -> bytes:
    made.zipped(path, {"conversations.json": [made.branched(number) for number in range(30)]})
    return path.read_bytes()


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (_raw(b""), "empty"),
    "noise": (_raw(os.urandom(5_000)), "no export"),
    "page": (_raw(b"<!doctype html><title>Sign in</title>"), "no export"),
    "cut zip": (lambda path: path.write_bytes(_whole(path)[:-40]), "cut short"),
    "cut json": (
        _raw(json.dumps([made.branched(1), made.branched(2)]).encode()[:-700]),
        "ends in the middle",
    ),
    "traversal": (_member("../../evil.json", b"x"), "leads outside"),
    "link": (_member("files", b"/etc/passwd", 0o120777), "link or a device"),
    "bomb": (_member("chat.html", bytes(90 * 1024**2)), "unpack to far more"),
    "deep": (_raw(b"[" * 300_000), "ends in the middle"),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_archive_changes_nothing(office: Office, tmp_path: Path, kind: str) -> None:
    make, words = HOSTILE[kind]
    path = tmp_path / "export.zip"
    make(path)
    before = await office.database.read(rows)
    for act in (look_into, bring_in):
        with pytest.raises(TransferError, match=words) as refused:
            await act(office, path)
        assert str(refused.value).count("\n") == 0 and str(refused.value)[-1] == "."
    assert await office.database.read(rows) == before
    assert list(office.locations.blobs.iterdir()) == []
    assert not (tmp_path.parent / "evil.json").exists()


async def test_the_good_ones_go_in_and_the_bad_ones_are_listed(office: Office, tmp_path: Path) -> None:
    deep = b'{"id": "deep", "mapping": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    large = b'{"id": "large", "title": "' + b"x" * 34 * 1024**2 + b'", "mapping": {}}'
    records = [
        json.dumps(made.branched(1)).encode(),
        deep,
        b'{"id": "nan", "mapping": {"a": NaN}}',
        b"[]",
        large,
        b'{"id": "c-8", "title": "Bad \xff bytes", "create_time": 5, "mapping": {}}',
        b'{"title": "No id", "mapping": {}}',
        json.dumps(made.branched(2)).encode(),
    ]
    (tmp_path / "conversations.json").write_bytes(b"[" + b",".join(records) + b"]")
    brought = await bring_in(office, tmp_path / "conversations.json")
    reasons = {one.subject.partition(" of ")[0]: one.reason for one in brought.problems}
    assert list(reasons) == ["entry 2", "conversations.json", "entry 4", "entry 5", "“No id”"]
    assert ("deeply" in reasons["entry 2"], "over 32 MB" in reasons["entry 5"]) == (True, True)
    listed = await office.database.read(chats.conversations)
    assert sorted(one.title for one in listed) == ["Bad \ufffd bytes", "Tides", "Tides"]
    assert brought.summary.problems == 5


async def test_lone_surrogates_and_odd_names_are_borne(office: Office, tmp_path: Path) -> None:
    nodes = [made.node("q\ud83d", None, "user", "Half \ud83d of it\x00", 5.0)]
    record = made.chatgpt(nodes, "q\ud83d", title="T\ud83d\n\x07itle")
    (tmp_path / "x.json").write_text(json.dumps([record]))
    await bring_in(office, tmp_path / "x.json")
    (listed,) = await office.database.read(chats.conversations)
    (turn,) = await office.database.read(branches.path, listed.id)
    assert turn.messages[0].text.startswith("Half \ufffd of it")
    assert listed.title == "T itle"
