"""Trash, retention and erase on the command line, in processes of their own."""

import json

import pytest

from tests.terminal.program import PROGRAM, Terminal, in_terminal


@pytest.mark.req("R112")
def test_a_note_goes_to_the_trash_comes_back_and_is_erased(terminal: Terminal) -> None:
    note = terminal.value("memory", "add", "The ochre pelican eats at noon")
    assert isinstance(note, dict)
    assert terminal.value("erase", "note", note["id"][:8]) == {"trashed": note["id"], "kind": "note"}
    (thrown,) = terminal.value("trash", "list")  # type: ignore[misc]  # a list of one
    assert (thrown["id"], thrown["kind"]) == (note["id"], "note")
    terminal.value("trash", "restore", note["id"][:8])
    assert terminal.value("trash", "list") == []
    report = terminal.value("erase", "note", note["id"], "--now", "--deep")
    assert isinstance(report, dict)
    assert (report["state"], report["level"], report["erased"]) == ("clean", "deep", {"memory": 1})
    assert report["proof"]["traces"] == 0
    assert terminal.value("memory", "list") == []
    code, _output, errors = terminal.run("erase", "note", note["id"], "--now")
    assert (code, errors.count("\n")) == (1, 1)


def _report(terminal: Terminal, *more: str) -> tuple[dict[str, object], str]:
    note = terminal.value("memory", "add", "The ochre pelican eats at noon")
    assert isinstance(note, dict)
    code, output, errors = terminal.run("--json", "erase", "note", note["id"], "--deep", *more)
    assert code == 0, errors
    return json.loads(output), errors


def test_a_deep_erase_offers_another_recovery_key_and_passphrase(terminal: Terminal) -> None:
    terminal.value("memory", "list")
    code, _shown = in_terminal([*PROGRAM, *terminal.options, "recovery", "new"], terminal.environment)
    assert code == 0
    report, errors = _report(terminal, "--yes")
    assert report["openers"] == ["recovery key", "passphrase"] and report["claim"] == ""
    assert "bureau recovery new" in errors and "bureau recovery passphrase" in errors
    note = terminal.value("memory", "add", "The ochre pelican eats at noon")
    assert isinstance(note, dict)
    other = "seven other quiet words"
    code, shown = in_terminal(
        [*PROGRAM, *terminal.options, "erase", "note", note["id"], "--deep"],
        terminal.environment,
        [
            ("destroy the former one?", b"n\n"),
            ("destroy the former one?", b"y\n"),
            ("New passphrase", other.encode() + b"\n"),
            ("Repeat", other.encode() + b"\n"),
        ],
    )
    assert code == 0, shown
    assert "does not claim" in shown
    code, _output, errors = terminal.run("memory", "list")
    assert code == 1 and "passphrase" in errors
    terminal.passphrase.write_text(other)
    assert terminal.value("memory", "list") == []


@pytest.mark.req("R147")
def test_rules_are_set_shown_previewed_and_taken_back(terminal: Terminal) -> None:
    rule = terminal.value("retention", "set", "notes", "90")
    assert isinstance(rule, dict)
    assert (rule["scope"], rule["scope_id"], rule["days"]) == ("category", "notes", 90)
    assert len(terminal.value("retention", "show")) == 1  # type: ignore[arg-type]  # a list
    assert terminal.value("retention", "preview") == []
    assert terminal.value("retention", "run")["retention"] == 0  # type: ignore[index]  # an object
    terminal.value("retention", "set", "notes", "default")
    assert terminal.value("retention", "show") == []
    for days, status, said in (("9" * 23, 1, "36500"), ("²", 2, "number of days")):
        code, _output, errors = terminal.run("retention", "set", "notes", days)
        assert (code, said in errors) == (status, True), errors
    code, _output, errors = terminal.run("retention", "set", "weather", "9")
    assert code == 1
    assert "weather" in errors


@pytest.mark.req("R045")
@pytest.mark.req("R146")
def test_everything_goes_only_after_the_word_and_leaves_foreign_files(terminal: Terminal) -> None:
    terminal.value("memory", "add", "The ochre pelican eats at noon")
    elsewhere = terminal.home.with_name("copy.aofx")
    terminal.value("export", str(elsewhere))
    terminal.value("backup", "now")
    foreign = terminal.home / "holiday.jpg"
    foreign.write_bytes(b"mine")
    code, _output, errors = terminal.run("erase", "everything", stdin="nothing\n")
    assert code == 2
    assert "Nothing was erased" in errors
    assert (terminal.home / "office.db").exists()
    code, output, errors = terminal.run("--json", "erase", "everything", "--yes")
    assert code == 0, errors
    said = json.loads(output)
    assert [copy["path"] for copy in said.pop("copies")] == [str(elsewhere)]
    assert said == {"erased": "everything", "left": [str(foreign)], "openers": ["passphrase"]}
    assert "Whoever knows your passphrase" in errors and "Destroy it too." in errors
    assert list(terminal.home.rglob("*")) == [foreign]
