"""One office, several processes: commands join the window, the window takes over from a command."""

import json
import os
import signal
import time

import pytest

from tests.terminal.program import ANSWER, KEY, SLOW, Terminal, window

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.window]


def test_a_command_joins_the_open_window(terminal: Terminal, aimock) -> None:
    server = aimock(ANSWER, keys=[KEY])
    with window(terminal):
        joined = ["--home", str(terminal.home)]
        code, _output, errors = terminal.run(
            "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin",
            stdin=KEY, options=joined,
        )  # fmt: skip
        assert code == 0, errors
        code, output, errors = terminal.run("ask", "--json", "how deep?", options=joined)
        assert code == 0, errors
        assert json.loads(output)["text"] == "The quay is 6.4 m deep."
        # The key is held by the window alone; its environment and arguments never saw it.
    assert not (terminal.home / "office.sock").exists()


def test_a_second_window_raises_the_first(terminal: Terminal, aimock) -> None:
    with window(terminal) as first:
        code, _output, errors = terminal.run()
        assert code == 0, errors
        assert first.poll() is None


def test_a_window_takes_over_and_the_command_goes_on_as_its_client(terminal: Terminal, aimock) -> None:
    server = aimock(SLOW, ANSWER)
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    with terminal.start("ask", "--json", "count slowly") as asking:
        while not server.journal():
            time.sleep(0.05)
        with window(terminal):
            output, errors = asking.communicate(timeout=90)
    assert asking.returncode == 0, errors
    assert json.loads(output)["state"] == "done"
    assert len(server.journal()) >= 2, "the interrupted answer was resumed by the window"


def test_nothing_is_lost_when_the_window_is_killed(terminal: Terminal, aimock) -> None:
    server = aimock(SLOW, ANSWER)
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    terminal.environment |= {"QT_QPA_PLATFORM": "offscreen"}
    killed = terminal.start()
    try:
        deadline = time.monotonic() + 60
        while not (terminal.home / "office.sock").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with terminal.start("ask", "count slowly") as asking:
            assert asking.stdout is not None
            asking.stdout.read(3)
            time.sleep(0.8)
            os.kill(killed.pid, signal.SIGKILL)
            asking.communicate(timeout=60)
    finally:
        killed.kill()
        killed.communicate()
    found = terminal.value("memory", "search", "count slowly")
    assert any("count slowly" in row["text"] for row in found)
    assert terminal.value("doctor")["ok"]
