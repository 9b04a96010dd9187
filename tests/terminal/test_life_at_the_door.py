"""The commands of the life of data while a window holds the office: they work in it, through its door."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.peers.keyring import secret_service
from tests.terminal.program import KEY, Terminal, window

pytestmark = [pytest.mark.slow, pytest.mark.window]


class Joined:
    """Commands that have no passphrase of their own, so that only the window can answer them."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._options = ["--home", str(terminal.home)]

    def value(self, *words: str, stdin: str = "") -> Any:
        code, output, errors = self._terminal.run("--json", *words, stdin=stdin, options=self._options)
        assert code == 0, errors
        return json.loads(output)

    def fault(self, *words: str) -> str:
        code, _output, errors = self._terminal.run(*words, options=self._options)
        assert (code, errors.count("\n")) == (1, 1), errors
        return errors


@pytest.mark.req("R112")
@pytest.mark.req("R119")
@pytest.mark.req("R136")
def test_out_checked_in_again_put_away_and_erased(terminal: Terminal, tmp_path: Path) -> None:
    bundle, words = tmp_path / "out.aofx", tmp_path / "words.txt"
    words.write_text("four plain words\n")
    with window(terminal):
        joined = Joined(terminal)
        note = joined.value("memory", "add", "The ochre pelican eats at noon")
        written = joined.value("export", str(bundle))
        assert (written["path"], written["counts"]["memory"]) == (str(bundle), 1)
        assert "already" in joined.fault("export", str(bundle))
        checked = joined.value("verify", str(bundle))
        assert (checked["signed"], checked["sha256"]) == ("here", written["sha256"])
        sealed = str(tmp_path / "out.aofx.age")
        joined.value("export", sealed, "--encrypt-with", str(words), "--include-secrets")
        assert joined.value("import", str(bundle), "--preview")["counts"]["memory"] == {"same": 1}

        assert joined.value("erase", "note", note["id"][:8])["trashed"] == note["id"]
        assert [thrown["id"] for thrown in joined.value("trash", "list")] == [note["id"]]
        joined.value("trash", "restore", note["id"])
        joined.value("erase", "note", note["id"])
        emptied = joined.value("trash", "empty")
        assert emptied["erased"] == 1
        assert joined.value("trash", "list") == joined.value("memory", "list") == []
        assert joined.value("import", str(bundle))["counts"]["memory"] == {"erased": 1}
        back = joined.value("import", sealed, "--decrypt-with", str(words), "--bring-back-erased")
        assert back["counts"]["memory"] == {"new": 1}
        report = joined.value("erase", "note", note["id"], "--deep", "--yes")
        assert (report["level"], report["state"], report["erased"]) == ("deep", "clean", {"memory": 1})
        assert {copy["path"] for copy in report["copies"]} == {str(bundle), sealed}
        joined.fault("erase", "note", note["id"], "--now")
    # The window has let go: the office opens with the key that the deep erase gave it.
    assert terminal.value("memory", "list") == []


@pytest.mark.req("R147")
def test_rules_of_retention(terminal: Terminal) -> None:
    with window(terminal):
        joined = Joined(terminal)
        rule = joined.value("retention", "set", "notes", "90")
        assert (rule["scope"], rule["scope_id"], rule["days"]) == ("category", "notes", 90)
        assert joined.value("retention", "show") == [rule]
        assert joined.value("retention", "preview") == []
        assert joined.value("retention", "run")["retention"] == 0
        joined.value("retention", "set", "notes", "default")
        assert joined.value("retention", "show") == []


@pytest.mark.keyring
@pytest.mark.req("R141")
def test_everything_goes_with_its_keyring_items_and_the_window(terminal: Terminal, tmp_path: Path) -> None:
    with secret_service(tmp_path / "session") as session:
        terminal.environment |= session
        terminal.options = ["--home", str(terminal.home)]
        joined = Joined(terminal)
        with window(terminal) as process:
            joined.value(
                "keys", "add", "anthropic", "--label", "work", "--base-url", "http://127.0.0.1:9",
                "--model", "m", "--stdin", stdin=KEY,
            )  # fmt: skip
            assert _items(terminal) == 2, "the key and the office's own"
            gone = joined.value("erase", "everything", "--yes")
            assert gone == {"erased": "everything", "left": [], "copies": [], "openers": []}
            process.wait(30)
        assert _items(terminal) == 0
    assert not terminal.home.exists()


def _items(terminal: Terminal) -> int:
    found = subprocess.run(
        ["secret-tool", "search", "--all", "--unlock", "service", "Bureau"],
        env=terminal.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return (found.stdout + found.stderr).count("label = ")
