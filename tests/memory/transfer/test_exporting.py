"""An export as strangers see it: checksums, BagIt, JSON Schema, a browser; and what may not be in it."""

import hashlib
import json
import os
import re
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from memory.errors import BlobDamaged, DiskFull, NotFound
from memory.lifecycle.data_map import Category, exported_tables
from memory.tables import ProvenanceTable
from memory.transfer.errors import TargetRefused, TransferCancelled
from memory.transfer.selection import Filters
from memory.transfer.watching import Watch
from tests.memory.transfer.bundles import unzipped
from tests.memory.transfer.profiles import SIGNER, Opener, Profile


def records(folder: Path, name: str) -> list[dict[str, Any]]:
    lines = (folder / "data" / "records" / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def bag(office: Profile, tmp_path: Path) -> Path:
    return unzipped(office.export(tmp_path / "office.aofx").path)


@pytest.mark.req("R134")
def test_sha512sum_and_bagit_find_the_export_whole(bag: Path) -> None:
    checked = subprocess.run(
        ["sha512sum", "--strict", "--check", "manifest-sha512.txt", "tagmanifest-sha512.txt"],
        cwd=bag, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(": OK") == sum(path.is_file() for path in bag.rglob("*")) - 2
    valid = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bagit", "--validate", str(bag)],
        capture_output=True,
        text=True,
    )
    assert valid.returncode == 0, valid.stderr


def test_a_changed_byte_is_found_by_bagit(bag: Path) -> None:
    victim = next((bag / "data" / "files").rglob("*/*"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"!")
    command = [sys.executable, "-W", "ignore", "-m", "bagit", "--validate", str(bag)]
    assert subprocess.run(command, capture_output=True).returncode != 0


@pytest.mark.req("R043")
@pytest.mark.req("R132")
def test_every_line_follows_its_schema_and_is_counted(bag: Path) -> None:
    summary = json.loads((bag / "data" / "export.json").read_text("utf-8"))
    assert summary["format"] == "aofx" and summary["version"] == 1
    for entry in exported_tables():
        schema = json.loads((bag / "data" / "schema" / f"{entry.record}.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        lines = records(bag, entry.record)
        for line in lines:
            validator.validate(line)
            assert list(line)[: len(entry.exported)] == list(entry.exported)
        assert summary["counts"][entry.record] == len(lines)
    assert summary["counts"]["messages"] == 3 and summary["counts"]["workspace"] == 3
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", records(bag, "messages")[0]["created_at"])


@pytest.mark.req("R045")
@pytest.mark.req("R133")
def test_files_go_out_byte_for_byte_and_each_content_once(bag: Path, office: Profile) -> None:
    rows = {row["id"]: row for row in records(bag, "blobs")}
    files = records(bag, "files")
    assert {file["name"] for file in files} == {"lease.txt", "the same.txt", "empty"}
    contents = set()
    for file in files:
        digest = rows[file["blob_id"]]["sha256"]
        content = (bag / "data" / "files" / digest[:2] / digest).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest and len(content) == file["size"]
        contents.add(digest)
    assert len(contents) == 2
    assert sum(path.is_file() for path in (bag / "data" / "files").rglob("*")) == 2
    odd = {row["path"]: row for row in records(bag, "workspace")}
    assert odd["empty/inner"]["folder"] is True
    for path, row in odd.items():
        if not row["folder"]:
            stored = bag / "data" / "workspace" / row["stored"]
            assert stored.read_bytes() == (office.workspace / path).read_bytes()
    assert (bag / "data" / "workspace" / "plans" / "Übersicht 1.md").is_file()


@pytest.mark.req("R135")
def test_no_key_and_no_password_is_in_it(bag: Path, office: Profile) -> None:
    keys = [blob_key for (blob_key,) in office.database.write_now(_blob_keys)]
    assert len(keys) == 3
    everything = b"".join(path.read_bytes() for path in bag.rglob("*") if path.is_file())
    for secret in (b"hidden-in-here", b"user:word", *keys, *(key.hex().encode() for key in keys)):
        assert secret not in everything
    summary = json.loads((bag / "data" / "export.json").read_text("utf-8"))
    assert len(summary["redactions"]) == 2
    digest = hashlib.sha256((bag / "data" / "datamap.json").read_bytes()).hexdigest()
    assert summary["policy_version"] == f"sha256:{digest}"
    assert {row["key"]: row["value"] for row in records(bag, "settings")} == {
        "network.proxy": "http://proxy.test:3128",
        "runs.effort": "deep",
    }


def test_the_pages_load_nothing_and_show_what_was_said(bag: Path) -> None:
    index = (bag / "data" / "html" / "index.html").read_text("utf-8")
    links = re.findall(r'href="([^"]+)"', index)
    assert len(links) == 1 and "The lease 📜" in index
    page = (bag / "data" / "html" / links[0]).read_text("utf-8")
    assert "What is the **rent**?" in page and "900 &lt;/script&gt; &amp; more" in page
    for text in (index, page):
        assert "Content-Security-Policy\" content=\"default-src 'none'" in text
        assert not re.search(r"<script|src=|url\(|https?://", text)
    linked = [link for link in re.findall(r'href="([^"]+)"', page) if "files/" in link]
    assert linked and (bag / "data" / "html" / linked[0]).resolve().is_file()
    markdown = (bag / "data" / "markdown" / links[0].replace(".html", ".md")).read_text("utf-8")
    assert markdown.startswith("# The lease") and "What is the **rent**?" in markdown


def test_the_signature_is_of_the_tag_manifest(bag: Path) -> None:
    import base64

    said = json.loads((bag / "signature.json").read_text("utf-8"))
    assert base64.b64decode(said["public_key"]) == SIGNER.public_key().public_bytes_raw()
    content = (bag / "tagmanifest-sha512.txt").read_bytes()
    SIGNER.public_key().verify(base64.b64decode(said["signature"]), content)


_MAY_DIFFER = {"bag-info.txt", "manifest-sha512.txt", "tagmanifest-sha512.txt", "signature.json"}


def test_a_second_export_is_the_same_but_for_what_says_when(
    bag: Path, office: Profile, tmp_path: Path
) -> None:
    office.export(tmp_path / "again")
    for path in bag.rglob("*"):
        name = path.relative_to(bag).as_posix()
        if path.is_file() and name not in _MAY_DIFFER | {"data/export.json"}:
            assert (tmp_path / "again" / name).read_bytes() == path.read_bytes(), name
    assert {path.relative_to(bag) for path in bag.rglob("*")} == {
        path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*")
    }


@pytest.mark.req("R120")
def test_filters_narrow_it(office: Profile, profiles: Opener, tmp_path: Path) -> None:
    other = office.database.write_now(_another_chat)
    whole = office.export(tmp_path / "whole").counts
    assert (whole["conversations"], whole["messages"]) == (2, 4)
    alone = office.export(tmp_path / "alone", filters=Filters(conversation_id=other)).counts
    assert (alone["conversations"], alone["messages"], alone["files"], alone["blobs"]) == (1, 1, 0, 0)
    assert "settings" not in alone and "workspace" not in alone
    notes = office.export(tmp_path / "notes", filters=Filters(categories=frozenset({Category.NOTES}))).counts
    assert notes == {"memory": 2}
    ada = records(tmp_path / "whole", "agents")[0]["id"]
    hers = office.export(tmp_path / "hers", filters=Filters(agent_id=ada)).counts
    assert (hers["conversations"], hers["messages"], hers["agents"]) == (1, 3, 1)
    office.database.write_now(_come_from_elsewhere, records(tmp_path / "whole", "messages")[0]["id"], ada)
    later = office.export(tmp_path / "later", filters=Filters(since=9_000_000_000_000)).counts
    assert later["messages"] == 0 and later["conversations"] == 0 and later["agents"] == 1
    assert [row["record_id"] for row in records(tmp_path / "later", "provenance")] == [ada]
    assert office.export(tmp_path / "all", filters=Filters(since=1)).counts["provenance"] == 2
    with pytest.raises(NotFound):
        office.export(tmp_path / "none", filters=Filters(conversation_id="f" * 32))


def test_what_is_there_is_not_overwritten_unasked(office: Profile, tmp_path: Path) -> None:
    place = tmp_path / "office.aofx"
    place.write_text("mine")
    with pytest.raises(TargetRefused, match="another name"):
        office.export(place)
    assert place.read_text() == "mine"
    office.export(place, replace=True)
    assert zipfile.is_zipfile(place)


@pytest.mark.req("R130")
def test_a_cancelled_or_failed_export_leaves_nothing(office: Profile, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    steps: list[int] = []
    watch = Watch(lambda done, total: steps.append(done), lambda: len(steps) > 5)
    for name in ("one.aofx", "folder"):
        steps.clear()
        with pytest.raises(TransferCancelled):
            office.export(out / name, watch=watch)
        assert list(out.iterdir()) == []
    for stored in (office.home / "blobs").iterdir():
        stored.write_bytes(b"")
    with pytest.raises(BlobDamaged):
        office.export(out / "one.aofx")
    assert list(out.iterdir()) == []
    with pytest.raises(TargetRefused, match="check that the place is there"):
        office.export(tmp_path / "gone" / "one.aofx")


def test_a_full_disk_ends_it_with_a_sentence_and_leaves_nothing(office: Profile, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for name, room in (("one.aofx", 9_000), ("one.aofx", 0), ("folder", 9_000)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            with pytest.raises(DiskFull, match="free some space"):
                office.export(out / name)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list(out.iterdir()) == []
    assert office.export(out / "one.aofx").size > 9_000


@pytest.mark.req("R130")
def test_progress_reaches_its_total(office: Profile, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    office.export(tmp_path / "one.aofx", watch=Watch(lambda done, total: steps.append((done, total))))
    assert steps == sorted(steps) and len(steps) > 20
    assert all(0 < done <= total for done, total in steps)


def _blob_keys(session: Any) -> list[tuple[bytes]]:
    return list(session.connection().exec_driver_sql("SELECT key FROM blob").fetchall())


def _come_from_elsewhere(session: Any, message_id: str, agent_id: str) -> None:
    for kind, record_id in (("messages", message_id), ("agents", agent_id)):
        session.add(ProvenanceTable(record_type=kind, record_id=record_id, original_id=f"old {kind}"))


def _another_chat(session: Any) -> str:
    from memory import chats, messages

    chat = chats.create_conversation(session, title="Another")
    messages.add_owner_message(session, chat.id, "Hello?")
    return chat.id
