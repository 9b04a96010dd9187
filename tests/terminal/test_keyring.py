"""The office on a real keyring: kept there, refused where it would lie, recovered when its item is gone."""

import subprocess
from pathlib import Path

import pytest

from tests.peers.keyring import secret_service
from tests.terminal.program import ANSWER, KEY, PROGRAM, ROOT, Terminal, in_terminal

pytestmark = [pytest.mark.keyring, pytest.mark.slow]


@pytest.fixture
def home(tmp_path: Path) -> list[str]:
    return ["--home", str(tmp_path / "office")]


@pytest.mark.peer
@pytest.mark.req("R020")
def test_a_key_lives_in_the_keyring_and_nowhere_else(terminal: Terminal, home, tmp_path, aimock) -> None:
    server = aimock(ANSWER, keys=[KEY])
    with secret_service(tmp_path / "session") as session:
        terminal.environment |= session
        terminal.options = home
        added = terminal.value(
            "keys", "add", "anthropic", "--label", "work", "--base-url", server.anthropic_url, "--model", "m",
            "--stdin", stdin=KEY,
        )  # fmt: skip
        assert added["kept_in"] == "GNOME Keyring"
        assert terminal.value("ask", "how deep?")["text"] == "The quay is 6.4 m deep."
        labels = subprocess.run(
            ["secret-tool", "search", "--all", "service", "Bureau"],
            env=terminal.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Bureau – work" in labels.stdout + labels.stderr
    for path in (tmp_path / "office").rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


@pytest.mark.req("R029")
def test_the_null_backend_is_refused_and_nothing_is_made(terminal: Terminal, home, tmp_path) -> None:
    terminal.environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    code, output, errors = terminal.run("keys", "list", options=home)
    assert code == 1 and output == "" and "null" in errors and len(errors.splitlines()) == 1
    assert not (tmp_path / "office" / "office.db").exists()


@pytest.mark.req("R186")
def test_the_recovery_key_opens_the_office_when_the_keyring_item_is_gone(
    terminal: Terminal, home, tmp_path
) -> None:
    with secret_service(tmp_path / "session") as session:
        terminal.environment |= session
        terminal.options = home
        terminal.value("memory", "add", "The quay was dredged in spring")
        code, shown = in_terminal([*PROGRAM, *home, "recovery", "new"], terminal.environment)
        assert code == 0
        words = " ".join(line.strip() for line in shown.splitlines() if line.startswith("  "))
        assert len(words.split()) == 24
        subprocess.run(["secret-tool", "clear", "service", "Bureau"], env=terminal.environment, check=True)
        code, _output, errors = terminal.run("memory", "list")
        assert code == 1 and "recovery key" in errors
        code, _output, errors = terminal.run("recovery", "unlock", "--stdin", stdin="wrong " * 24)
        assert code == 1
        code, _output, errors = terminal.run("recovery", "unlock", "--stdin", stdin=words)
        assert code == 0, errors
        (note,) = terminal.value("memory", "list")
        assert note["text"] == "The quay was dredged in spring"


def test_the_recovery_key_is_never_on_a_redirected_stdout(terminal: Terminal) -> None:
    terminal.value("keys", "list")
    done = subprocess.run(
        [*PROGRAM, *terminal.options, "recovery", "new"],
        env=terminal.environment, cwd=ROOT, capture_output=True, text=True, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == "" and "terminal" in done.stderr
    code, shown = in_terminal(
        [
            "sh",
            "-c",
            f"{' '.join(map(_quoted, [*PROGRAM, *terminal.options]))} recovery new > {terminal.home}/out",
        ],
        terminal.environment,
    )
    assert code == 0 and len(shown.split()) > 24
    assert (terminal.home / "out").read_text() == ""


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
