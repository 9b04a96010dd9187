"""Commands that export or erase, on an office whose lock has a passphrase: as a script and as a person runs them."""

from pathlib import Path

import pytest

from tests.peers.keyring import Session
from tests.terminal.program import PROGRAM, Terminal, in_terminal


@pytest.mark.req("R012")
def test_an_export_and_an_erasure_ask_for_the_passphrase_of_the_lock(
    terminal: Terminal, unlocked_keyring: Session, tmp_path: Path
) -> None:
    terminal.environment |= unlocked_keyring
    terminal.options = ["--home", str(terminal.home)]
    bag, given = tmp_path / "all.aofx", tmp_path / "lock"
    assert terminal.run("export", str(bag))[0] == 0, "nothing is asked where nothing guards the office"
    code, _output, errors = terminal.run("lock", "passphrase", "--stdin", stdin="little screen\n")
    assert code == 0, errors
    code, _output, errors = terminal.run("export", str(bag), "--replace")
    assert code == 2 and "--authenticate-with" in errors and errors.count("\n") == 1
    given.write_text("little scream\n")
    code, _output, errors = terminal.run("export", str(bag), "--replace", "--authenticate-with", str(given))
    assert code == 1 and "passphrase" in errors
    given.write_text("little screen\n")
    code, _output, errors = terminal.run("trash", "empty", "--authenticate-with", str(given))
    assert code == 0, errors
    code, shown = in_terminal(
        [*PROGRAM, *terminal.options, "export", str(bag), "--replace"],
        terminal.environment,
        [("Passphrase", b"little screen\n")],
    )
    assert code == 0 and str(bag) in shown
