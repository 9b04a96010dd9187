"""``bureau sync`` as its owner types it: two offices, a folder, a recovery key that only the terminal shows."""

import re
from pathlib import Path

from desktop.command_line.sync_commands import CATEGORIES
from tests.terminal.program import PROGRAM, Terminal, in_terminal
from vault.recovery_key import words_of


def test_two_offices_meet_in_a_folder(tmp_path: Path) -> None:
    for name in ("one", "other", "shared"):
        (tmp_path / name).mkdir()
    one, other = Terminal(tmp_path / "one"), Terminal(tmp_path / "other")
    shared = str(tmp_path / "shared")
    assert one.value("sync", "status") == {"sync": "never on"}
    one.here("memory add", text="The key hangs behind the clock", kind="fact")
    code, shown = in_terminal([*PROGRAM, *one.options, "sync", "on", shared], one.environment)
    assert code == 0, shown
    words = " ".join(re.findall(r"^  ((?:[a-z]+ ){5}[a-z]+)\r?$", shown, re.MULTILINE))
    assert len(words.split()) == 24
    joined = other.value("sync", "join", shared, "--stdin", stdin=words)
    assert isinstance(joined, dict) and joined["received"] >= 7
    listed = other.value("memory", "list")
    assert isinstance(listed, list) and [row["text"] for row in listed] == ["The key hangs behind the clock"]
    code, output, _errors = other.run("sync", "devices")
    assert code == 0 and output.count("active") == 2 and output.count("•") == 1
    named = one.value("sync", "name", "Laptop")
    assert isinstance(named, dict) and named["name"] == "Laptop"
    for each in (one, other):
        each.value("sync", "now")
    rows = other.value("sync", "devices")
    assert isinstance(rows, list)
    assert {row["name"] == "Laptop" for row in rows if row["id"] == named["id"]} == {True}
    code, _output, errors = other.run("sync", "name", "x" * 61)
    assert code == 1 and "at most 60 characters" in errors
    assert other.value("sync", "aside") == [] == other.value("sync", "apart")
    code, _output, errors = other.run("sync", "aside", "--take-back", "zz")
    assert code == 1 and "begins with zz" in errors
    assert other.value("sync", "aside", "--let-go", "all") == []
    code, output, _errors = other.run("sync", "status")
    assert code == 0 and re.search(r"^last round +20\d\d-", output, re.MULTILINE) and "fault" not in output
    rows = other.value("sync", "categories", "--off", "notes")
    assert isinstance(rows, list) and [row["name"] for row in rows] == list(CATEGORIES)
    assert {row["name"]: row["syncs"] for row in rows} == {name: name != "notes" for name in CATEGORIES}
    assert other.value("sync", "conflicts") == []
    code, _output, errors = other.run("sync", "categories", "--on", "music")
    assert code == 2 and "music" in errors
    assert other.value("sync", "off") == {"sync": "off"}
    code, _output, errors = other.run("sync", "now")
    assert code == 1 and "bureau sync on" in errors
    (tmp_path / "shared").rename(tmp_path / "away")
    code, _output, errors = one.run("sync", "now")
    assert code == 1 and "cannot be used" in errors
    code, output, _errors = one.run("sync", "status")
    assert code == 0 and "cannot be used" in output and re.search(r"^fault at +20\d\d-", output, re.MULTILINE)
    assert not (tmp_path / "away" / "office.db").exists()
    code, _output, errors = one.run("sync", "folder", str(tmp_path / "one"))
    assert code == 1 and "does not hold this office" in errors
    moved = one.value("sync", "folder", str(tmp_path / "away"))
    assert isinstance(moved, dict) and moved["folder"] == str(tmp_path / "away")
    assert one.value("sync", "folder") == {"folder": str(tmp_path / "away")}
    code, _output, errors = one.run("sync", "folder", str(tmp_path / "nowhere"))
    assert code == 2 and "nowhere" in errors


def test_words_of_another_recovery_key_are_told_to_be_that(tmp_path: Path) -> None:
    for name in ("one", "other", "shared"):
        (tmp_path / name).mkdir()
    one, other, shared = Terminal(tmp_path / "one"), Terminal(tmp_path / "other"), str(tmp_path / "shared")
    words = words_of(bytes(32))
    one.here("sync on", folder=shared, words=words, without=[])
    code, _output, errors = other.run("sync", "join", shared, "--stdin", stdin=words_of(bytes([1] * 32)))
    assert code == 1 and "another recovery key" in errors
    code, _output, errors = other.run("sync", "now")
    assert code == 1 and "sync on FOLDER" in errors


def test_no_recovery_key_is_shown_where_it_could_not_come_into_force(tmp_path: Path) -> None:
    for name in ("one", "other", "shared"):
        (tmp_path / name).mkdir()
    one, other, shared = Terminal(tmp_path / "one"), Terminal(tmp_path / "other"), str(tmp_path / "shared")
    one.here("sync on", folder=shared, words=words_of(bytes(32)), without=[])
    code, shown = in_terminal([*PROGRAM, *other.options, "sync", "on", shared], other.environment)
    assert code == 1 and "uses this folder already" in shown and "shown once" not in shown
    (tmp_path / "shared").rename(tmp_path / "away")
    code, shown = in_terminal([*PROGRAM, *one.options, "sync", "recovery"], one.environment)
    assert code == 1 and "cannot be used" in shown and "shown once" not in shown


def test_words_that_are_none_join_nothing(tmp_path: Path) -> None:
    for name in ("one", "shared"):
        (tmp_path / name).mkdir()
    one = Terminal(tmp_path / "one")
    code, _output, errors = one.run("sync", "join", str(tmp_path / "shared"), "--stdin", stdin="abandon able")
    assert code != 0 and "24" in errors
    code, _output, errors = one.run("sync", "now")
    assert code == 1 and "sync on FOLDER" in errors
    assert list((tmp_path / "shared").iterdir()) == []
