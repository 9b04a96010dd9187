"""The window's process on a real keyring, on a lying one, and after it was killed in mid-stream."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.keyring import secret_service
from tests.terminal.program import ANSWER, KEY, SLOW, Terminal

pytestmark = [pytest.mark.slow, pytest.mark.window]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@contextmanager
def driven(scene: str, home: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.desktop.drive_window", scene, str(home), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def told(scene: str, home: Path, *arguments: str, **environment: str) -> list[dict]:
    """Run a scene to its end and return what it told."""
    with driven(scene, home, *arguments, **environment) as process:
        output, errors = process.communicate(timeout=90)
    assert process.returncode == 0 and "Traceback" not in errors, errors
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


@pytest.mark.keyring
def test_an_office_on_a_real_keyring_opens_again_and_tells_when_its_keys_are_gone(tmp_path) -> None:
    home = tmp_path / "office"
    with secret_service(tmp_path / "session") as session:
        for _start in range(2):
            assert told("opened", home, **session) == [{"kept_in": "GNOME Keyring", "agents": 5}]
        subprocess.run(
            ["secret-tool", "clear", "service", "Bureau"], env={**os.environ, **session}, check=True
        )
        (card,) = told("gate", home, **session)
    assert "no recovery key" in card["sentence"] and "GNOME Keyring" in card["sentence"]
    assert card["ways"] == ["Try again"], "no way is offered that cannot lead anywhere"


@pytest.mark.keyring
def test_a_keyring_that_keeps_nothing_is_refused_in_its_own_sentence(tmp_path) -> None:
    home = tmp_path / "office"
    (card,) = told("gate", home, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")
    assert "null" in card["sentence"]
    assert card["ways"] == ["Use a passphrase instead", "Try again"]
    assert not (home / "office.db").exists()


@pytest.mark.peer
def test_an_answer_cut_by_a_kill_comes_back_interrupted_and_is_resumed(terminal: Terminal, aimock) -> None:
    server = aimock(SLOW, ANSWER, keys=[KEY])
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    place = (terminal.home, str(terminal.passphrase))
    with driven("stream", *place) as process:
        assert process.stdout is not None
        seen = ""
        while len(seen) < 40:
            line = process.stdout.readline()
            assert line, (process.wait(), process.stderr.read() if process.stderr else "")
            seen = json.loads(line)["text"] if line.startswith("{") else seen
        # What is seen is committed a moment later.
        while not terminal.value("runs", "list")[0]["written"]:
            assert process.poll() is None
        process.kill()
    back, ended = told("resume", *place)
    assert back["state"] == "interrupted" and back["text"] and seen.startswith(back["text"][:20])
    assert ended["state"] == "complete" and not ended["resume"]
    assert ended["text"].startswith(back["text"]) and len(ended["text"]) > len(back["text"])
    assert terminal.value("doctor")["ok"]
