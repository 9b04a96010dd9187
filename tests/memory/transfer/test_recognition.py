"""What an archive is, is said by its content: every variant of the zips, folders and bare files."""

import json
from pathlib import Path
from typing import Any

import pytest

from memory.transfer.archives import open_archive
from memory.transfer.errors import ArchiveUnknown
from memory.transfer.recognition import recognise
from tests.memory.transfer import foreign_archives as made

GPT = made.branched()
CLAUDE = made.claude("k-1", [made.claude_message("m-1", "human", "Hello")])
PROJECT = {"uuid": "p-1", "name": "Harbour", "docs": []}

VARIANTS: dict[str, tuple[dict[str, Any], str, int]] = {
    "one file": ({"conversations.json": [GPT], "user.json": {}, "chat.html": "<html>"}, "chatgpt", 1),
    "split": ({"conversations-000.json": [GPT], "conversations-001.json": []}, "chatgpt", 2),
    "under a key": ({"conversations.json": {"version": 2, "conversations": [GPT]}}, "chatgpt", 1),
    "in a folder": (
        {"export/conversations.json": [GPT], "__MACOSX/conversations.json": b"\0\1"},
        "chatgpt",
        1,
    ),
    "nobody spoke": ({"conversations.json": [], "user.json": {}, "chat.html": ""}, "chatgpt", 1),
    "user folders": ({"conversations.json": [GPT], "user-abc/file_1.png": made.PICTURE}, "chatgpt", 1),
    "batch": ({"conversations.json": [CLAUDE], "users.json": [], "projects.json": [PROJECT]}, "claude", 1),
    "project files": ({"conversations.json": [CLAUDE], "projects/p-1.json": PROJECT}, "claude", 1),
    "memories alone": ({"memories.json": [{"conversations_memory": "x"}]}, "claude", 0),
    "numbered batch": ({"conversations-000.json": [{}, CLAUDE]}, "claude", 1),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_recognised_packed_and_unpacked(tmp_path: Path, variant: str) -> None:
    members, kind, parts = VARIANTS[variant]
    folder = tmp_path / "unpacked"
    for name, content in members.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        raw = (
            content
            if isinstance(content, bytes)
            else (content if isinstance(content, str) else json.dumps(content)).encode()
        )
        file.write_bytes(raw)
    for path in (made.zipped(tmp_path / "x.zip", members), folder):
        with open_archive(path) as archive:
            recognised = recognise(archive)
        assert (recognised.kind, len(recognised.conversations)) == (kind, parts)


@pytest.mark.parametrize(("record", "kind"), [(GPT, "chatgpt"), (CLAUDE, "claude")])
def test_a_bare_file_of_any_name_is_recognised(tmp_path: Path, record: Any, kind: str) -> None:
    (tmp_path / "my chats.txt").write_text(json.dumps([record]))
    with open_archive(tmp_path / "my chats.txt") as archive:
        assert recognise(archive).kind == kind


def test_bureaus_own_export_is_told_apart(tmp_path: Path) -> None:
    archive = made.zipped(
        tmp_path / "x.aofx", {"bagit.txt": "BagIt-Version: 1.0\n", "data/records/messages.jsonl": ""}
    )
    with open_archive(archive) as opened:
        assert recognise(opened).kind == "bureau"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"notes.txt": "hello"}, "no export"),
        ({}, "no export"),
        ({"users.json": [{"uuid": "acc", "full_name": "A"}]}, "no export"),
        ({"conversations.json": [{"something": 1}]}, "no export"),
        ({"conversations-000.zip": b"PK", "conversations-001.zip": b"PK"}, "bring in each"),
        (
            {
                "conversations.json": {
                    "export_id": "e",
                    "files": [{"url": "https://downloads.example/conversations-000.zip?sig=1"}],
                }
            },
            "only lists where",
        ),
    ],
)
def test_what_is_no_export_says_what_to_do(tmp_path: Path, members: dict[str, Any], words: str) -> None:
    with (
        open_archive(made.zipped(tmp_path / "x.zip", members)) as archive,
        pytest.raises(ArchiveUnknown, match=words),
    ):
        recognise(archive)


def test_a_manifest_of_links_is_explained(tmp_path: Path) -> None:
    manifest = {
        "version": 1,
        "files": [{"name": "conversations-000.zip", "url": "https://claude.invalid/conversations-000.zip"}],
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with (
        open_archive(tmp_path / "manifest.json") as archive,
        pytest.raises(ArchiveUnknown, match="only lists where"),
    ):
        recognise(archive)
