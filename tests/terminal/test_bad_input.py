"""Bad files, odd names, a damaged or missing database: one sentence on stderr each, and nothing lost."""

import os
import shutil
from pathlib import Path

import pytest

from memory.locations import Locations
from tests.memory.readers.sample_files import docx, repacked
from tests.terminal.program import ANSWER, KEY, Terminal


def one_sentence(terminal: Terminal, *words: str) -> str:
    """Run what must fail, and return the one sentence that it said."""
    code, output, errors = terminal.run("--json", *words)
    assert (code, output) == (1, ""), errors
    assert len(errors.strip().splitlines()) == 1, errors
    return errors


def test_files_that_cannot_be_read_are_told_one_by_one(terminal: Terminal, tmp_path: Path) -> None:
    def file(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    huge = Path(file("huge.pdf", b""))
    os.truncate(huge, 500 * 1024 * 1024)
    bomb = repacked(docx(), {"word/document.xml": b" " * 300_000_000})
    for path, words in (
        (file("empty.pdf", b""), "is empty"),
        (str(huge), "can be attached"),
        (file("torn.pdf", b"%PDF-1.4\n" + b"torn " * 900), "damaged"),
        (file("bomb.docx", bomb), "unpacks to far more"),
        (file("noise.docx", bytes(range(256)) * 40), "can be read"),
    ):
        assert words in one_sentence(terminal, "ask", "--file", path, "What is it?")
    every = one_sentence(terminal, "ask", "--file", str(tmp_path / "empty.pdf"), "")
    assert "empty.pdf" in every
    assert terminal.value("outbox") == []


@pytest.mark.peer
def test_odd_names_and_a_wrong_one_are_read_by_content(terminal: Terminal, aimock, tmp_path: Path) -> None:
    server = aimock(ANSWER)
    terminal.value(
        "keys",
        "add",
        "openai-compatible",
        "--base-url",
        server.openai_url,
        "--model",
        "m",
        "--stdin",
        stdin=KEY,
    )
    odd = tmp_path / 'the "quay"\u202e\'s\n🎉 ملف.txt'
    odd.write_text("The harbour master is called Osanna.\n")
    wrong = tmp_path / "wrongly named.pdf"
    wrong.write_bytes(docx())
    answer = terminal.value("ask", "--file", str(odd), "--file", str(wrong), "Who is it?")
    assert answer["text"] == "The quay is 6.4 m deep."
    sent = str(server.journal()[-1]["body"])
    assert "Osanna" in sent and "wrongly named.pdf" in sent and "could not be given" not in sent


def test_a_damaged_page_is_one_sentence_and_left_alone(terminal: Terminal) -> None:
    terminal.value("memory", "add", "The quay was dredged in spring")
    database = Locations.find(terminal.home).database
    whole = database.read_bytes()
    for first, words in ((4_096, "database is damaged"), (0, "first page is damaged")):
        content = bytearray(whole)
        for place in range(first, len(content), 4_096):
            content[place + 200] ^= 0xFF
        database.write_bytes(content)
        for command in (["memory", "list"], ["doctor"]):
            assert words in one_sentence(terminal, *command)
        assert database.read_bytes() == content
    database.write_bytes(whole)
    assert len(terminal.value("memory", "list")) == 1


@pytest.mark.peer
def test_a_missing_database_is_never_replaced_by_an_empty_one(
    terminal: Terminal, aimock, tmp_path: Path
) -> None:
    server = aimock(ANSWER)
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    report = tmp_path / "report.md"
    report.write_text("The depth is 6.4 m.\n")
    terminal.value("ask", "--file", str(report), "How deep?")
    locations = Locations.find(terminal.home)
    (terminal.home / "chroma.sealed").unlink(missing_ok=True)
    blobs = sorted(path for path in locations.blobs.rglob("*") if path.is_file())
    assert blobs
    kept = shutil.move(locations.database, tmp_path / "kept.db")
    assert "is gone" in one_sentence(terminal, "memory", "list")
    assert sorted(path for path in locations.blobs.rglob("*") if path.is_file()) == blobs
    shutil.move(kept, locations.database)
    assert terminal.value("usage", "--by", "model")[0]["requests"] == 1


def test_a_short_passphrase_is_refused_and_nothing_is_made(terminal: Terminal) -> None:
    terminal.passphrase.write_text("short\n")
    assert "at least 8 characters" in one_sentence(terminal, "agents", "list")
    assert not Locations.find(terminal.home).database.exists()
