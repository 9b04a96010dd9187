"""Exports at the service: a whole and signed archive, behind a link that is counted, ends, and wants a click."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from memory.sync import wire
from memory.sync.envelope import open_sealed
from memory.sync.hosted import exporting
from memory.sync.hosted.service import HOUR
from memory.sync.signed_json import is_signed
from tests.memory.sync.hosted.device import WORDS, Device
from tests.memory.sync.hosted.running import Running


def _ask(device: Device, kind: str = "full", **more: Any) -> dict[str, Any]:
    asked = device.post("/v1/exports", kind=kind, **more)
    assert asked.status_code == 202, asked.text
    found: dict[str, Any] = asked.json()
    return found


def _download(link: str) -> httpx2.Response:
    return httpx2.post(link, follow_redirects=True)


@pytest.mark.req("R110", "R115", "R130", "R132", "R134", "R217")
def test_an_export_is_a_whole_signed_bag_that_its_owner_can_open(
    service: Running, ada: Device, tmp_path: Path
) -> None:
    envelope = ada.sealed()
    ada.pushed(envelope, ada.sealed())
    erased = os.urandom(16).hex()
    ada.pushed(ada.erasing(erased))
    assert ada.post(ada.path("/receipts"), generation=ada.generation, rids=[erased]).status_code == 201
    asked = _ask(ada)
    service.run(service.service.access_log.flush())
    service.do_jobs()
    archive = tmp_path / "export.zip"
    archive.write_bytes(_download(asked["link"]).content)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
        folder = tmp_path / opened.namelist()[0].partition("/")[0]
    command = [sys.executable, "-W", "ignore", "-m", "bagit", "--validate", str(folder)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert "Bureau-Policy-Version: 1\n" in (folder / "bag-info.txt").read_text()
    signed = json.loads((folder / "manifest-signature.json").read_text())
    manifest = hashlib.sha512((folder / "manifest-sha512.txt").read_bytes()).hexdigest()
    assert signed["manifest"] == f"sha512:{manifest}"
    assert is_signed(b"aof/v1/export", signed, service.service.keys.public)
    space = folder / "data" / "spaces" / ada.space_id
    lines = [json.loads(line) for line in (space / "records.jsonl").read_text().splitlines()]
    found = [wire.from_json(json.dumps(line["env"]).encode()) for line in lines]
    assert envelope in found and len(found) == 2
    assert WORDS.encode() in open_sealed(envelope, ada.held, ada.keys.sign.public_key()).plaintext
    assert len((space / "markers.jsonl").read_text().splitlines()) == 1
    assert len((space / "wraps.jsonl").read_text().splitlines()) == 2
    account = json.loads((folder / "data" / "account.jsonl").read_text())
    assert account["email"] == ada.email and "address_lookup" not in account
    for name in ("devices", "log", "sessions", "consents", "audit", "access-log"):
        assert (folder / "data" / f"{name}.jsonl").read_text(), name
    assert "token_hash" not in (folder / "data" / "exports.jsonl").read_text()
    _follow_their_schemas(folder / "data")


def _follow_their_schemas(data: Path) -> None:
    """Every line of every file is as the schema in the archive says, which a stranger's validator reads."""
    checked = set()
    for path in data.rglob("*.jsonl"):
        schema = json.loads((data / "schema" / f"{path.stem}.schema.json").read_text())
        Draft202012Validator.check_schema(schema)
        for line in path.read_text().splitlines():
            Draft202012Validator(schema).validate(json.loads(line))
            checked.add(path.stem)
    assert {"account", "devices", "log", "audit", "records", "markers", "wraps", "receipts"} <= checked


@pytest.mark.req("R075", "R131", "R136")
def test_a_link_wants_a_click_is_counted_and_ends(service: Running, ada: Device) -> None:
    link = _ask(ada, "metadata", hours=2)["link"]
    assert "Not ready yet" in httpx2.get(link).text
    early = httpx2.post(link)
    assert early.status_code == 409 and "Not ready yet" in early.text
    service.do_jobs()
    for _ in range(10):  # what a mail scanner does
        shown = httpx2.get(link).text
        assert "Download" in shown and "2026-03-01 14:00 UTC" in shown
        assert httpx2.head(link).status_code in (200, 405)
    assert [_download(link).status_code for _ in range(6)] == [200] * 5 + [409]
    # Who was handed the link may have no account to look at.
    assert "fetched as often as it may be" in httpx2.post(link).text
    service.do_jobs()
    assert service.inbox.subjects(ada.email).count("Your export was fetched") == 1
    token = link.rpartition("/")[2]
    assert len(token) == 43
    assert token not in str(service.rows("records", "SELECT * FROM exports"))
    assert len(service.objects()) == 1
    service.clock.at += 2 * HOUR
    assert httpx2.get(link).status_code == 404
    service.run(exporting.tidy(service.service))
    assert service.objects() == {}


@pytest.mark.req("R130")
def test_one_at_a_time_and_one_that_hangs_makes_way(service: Running, ada: Device) -> None:
    first = _ask(ada)
    assert ada.post("/v1/exports", kind="full").json()["error"] == "export_running"
    service.clock.at += 2 * HOUR + 1
    ada.session()
    service.run(exporting.tidy(service.service))
    assert ada.get(f"/v1/exports/{first['export_id']}").json()["state"] == "expired"
    second = _ask(ada)
    service.do_jobs()
    assert ada.get(f"/v1/exports/{second['export_id']}").json()["state"] == "ready"
    _ask(ada)
    service.do_jobs()
    _ask(ada)
    service.do_jobs()
    assert ada.post("/v1/exports", kind="full").status_code == 429


def test_a_device_hands_out_a_file_it_encrypted(service: Running, ada: Device) -> None:
    content = os.urandom(10_000)
    sha = hashlib.sha256(content).hexdigest()
    shared = _ask(ada, "shared", sha256=sha, size=len(content), hours=1)
    path = f"/v1/exports/{shared['export_id']}/commit"
    assert ada.post(path).json()["error"] == "not_there"
    assert httpx2.put(shared["put"], content=content).status_code in (200, 204)
    assert ada.post(path).json()["state"] == "ready"
    assert _download(shared["link"]).content == content


def test_a_link_that_ends_takes_nothing_from_another_of_the_same_file(service: Running, ada: Device) -> None:
    content = os.urandom(10_000)
    sha = hashlib.sha256(content).hexdigest()
    links = []
    for hours in (1, 168):
        shared = _ask(ada, "shared", sha256=sha, size=len(content), hours=hours)
        assert httpx2.put(shared["put"], content=content).status_code in (200, 204)
        assert ada.post(f"/v1/exports/{shared['export_id']}/commit").json()["state"] == "ready"
        links.append(shared["link"])
    service.clock.at += 2 * HOUR
    service.run(exporting.tidy(service.service))
    assert httpx2.get(links[0]).status_code == 404
    assert _download(links[1]).content == content


def test_chunks_go_into_a_full_export(service: Running, ada: Device, tmp_path: Path) -> None:
    content = os.urandom(100)
    sha = hashlib.sha256(content).hexdigest()
    plan = ada.post("/v1/blobs/plan", chunks=[{"sha256": sha, "len": 100}]).json()["missing"]
    httpx2.put(plan[0]["put"], content=content)
    ada.post("/v1/blobs/commit", sha256=[sha])
    asked = _ask(ada)
    service.do_jobs()
    (tmp_path / "export.zip").write_bytes(_download(asked["link"]).content)
    with zipfile.ZipFile(tmp_path / "export.zip") as opened:
        name = next(each for each in opened.namelist() if each.endswith(sha))
        assert opened.read(name) == content


@pytest.mark.req("R120")
def test_an_export_may_be_of_the_last_twelve_months(service: Running, ada: Device, tmp_path: Path) -> None:
    ada.pushed(ada.sealed())
    service.run(service.service.access_log.flush())
    service.clock.pass_days(360)
    ada.session()
    recent = ada.sealed()
    ada.pushed(recent)
    later = service.service.today - 300
    refused = ada.post("/v1/exports", kind="full", since_day=service.service.today + 1)
    assert (refused.status_code, refused.json()["error"]) == (400, "malformed")
    asked = _ask(ada, since_day=later)
    service.run(service.service.access_log.flush())
    service.do_jobs()
    (tmp_path / "export.zip").write_bytes(_download(asked["link"]).content)
    with zipfile.ZipFile(tmp_path / "export.zip") as opened:
        files = {name.partition("/data/")[2]: opened.read(name) for name in opened.namelist()}
    lines = {
        name: [json.loads(line) for line in files[name].splitlines()] for name in files if ".jsonl" in name
    }
    (record,) = lines[f"spaces/{ada.space_id}/records.jsonl"]
    assert wire.from_json(json.dumps(record["env"]).encode()) == recent
    for name in ("audit.jsonl", "access-log.jsonl"):
        assert lines[name] and min(line["at"] for line in lines[name]) >= later * 24 * HOUR
    assert len(lines["account.jsonl"]) == len(lines["devices.jsonl"]) == 1
    assert len(lines["log.jsonl"]) == 2, "the chain is whole, or nothing of it could be checked"


@pytest.mark.req("R012")
def test_an_export_needs_a_session_that_was_signed_just_now(service: Running, ada: Device) -> None:
    service.clock.at += HOUR // 12 + 1
    refused = ada.post("/v1/exports", kind="metadata")
    assert (refused.status_code, refused.json()["error"]) == (401, "signed_out")
    assert ada.get("/v1/spaces").status_code == 200
    ada.session()
    assert ada.post("/v1/exports", kind="metadata").status_code == 202
