"""A disk that is full or read-only, from the terminal: one sentence with the fix, and nothing lost."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.memory.test_faults import CAN_MOUNT, mounted, remount
from tests.peers.aimock import Aimock
from tests.terminal.program import KEY, Terminal

LONG = {
    "match": {"userMessage": "slowly"},
    "response": {"content": "The tide is out. " * 4_000},
    "latency": 5,
}
REST = {"match": {"userMessage": "cut off"}, "response": {"content": " … and so on."}}
COMMANDS = [["ask", "how deep is the quay?"], ["chat"], ["memory", "add", "The crane lifts two tons"]]


@contextmanager
def room(terminal: Terminal, how: str) -> Iterator[Callable[[bool], None]]:
    """Put the office on a disk of its own, or under a limit; yields what makes it full, or free again."""
    if how == "limit":

        def limit(full: bool) -> None:
            terminal.under = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh"] if full else []

        yield limit
        return
    with mounted(terminal.home, "40m"):
        filler = terminal.home / "filler"

        def fill(full: bool) -> None:
            filler.unlink(missing_ok=True)
            if full:
                left = os.statvfs(terminal.home)
                filler.write_bytes(bytes(left.f_bavail * left.f_bsize))

        yield fill


def refused(terminal: Terminal, words: list[str]) -> str:
    """Run a command that the disk refuses; returns its one sentence."""
    code, output, errors = terminal.run(*words, stdin="how deep is the quay?\n" if words == ["chat"] else "")
    lines = [line for line in errors.splitlines() if "Ctrl+D" not in line]
    assert (code, output, len(lines)) == (1, "", 1), errors
    return lines[0]


@pytest.mark.parametrize("how", ["limit", *(["tmpfs"] if CAN_MOUNT else [])])
def test_a_full_disk_is_one_sentence_and_costs_nothing(terminal: Terminal, how: str) -> None:
    with room(terminal, how) as full:
        terminal.value("memory", "add", "The quay is 6.4 m deep")
        full(True)
        for words in COMMANDS:
            assert "disk" in (told := refused(terminal, words)) and "free" in told, told
        full(False)
        assert [row["text"] for row in terminal.value("memory", "list")] == ["The quay is 6.4 m deep"]
        assert "6.4 m" in str(terminal.value("ask", "how deep is the quay?"))


def test_a_read_only_office_is_one_sentence_and_is_left_alone(terminal: Terminal) -> None:
    with readable(terminal.home) as writable:
        terminal.value("memory", "add", "The quay is 6.4 m deep")
        writable(False)
        for words in (*COMMANDS, ["memory", "list"]):
            assert "write access" in refused(terminal, words)
        writable(True)
        assert [row["text"] for row in terminal.value("memory", "list")] == ["The quay is 6.4 m deep"]


@contextmanager
def readable(home: Path) -> Iterator[Callable[[bool], None]]:
    """Yields what makes the office read-only, by its mount where this user may mount, else by its modes."""
    if CAN_MOUNT:
        with mounted(home, "40m"):
            yield lambda writable: remount(home, "rw" if writable else "ro")
        return

    def change(writable: bool) -> None:
        for path in [home, *home.rglob("*")]:
            path.chmod((0o700 if path.is_dir() else 0o600) if writable else 0o500)

    yield change


@pytest.mark.peer
@pytest.mark.slow
def test_a_disk_that_fills_in_mid_answer_keeps_what_came(
    terminal: Terminal, aimock: Callable[..., Aimock]
) -> None:
    server = aimock(REST, LONG)
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    terminal.under = ["sh", "-c", 'ulimit -f 900; exec "$@"', "sh"]
    with terminal.start("ask", "count slowly") as asking:
        assert asking.stdout is not None and asking.stderr is not None
        asking.stdout.read(100)
        told = ""
        while "disk" not in told:
            told = asking.stderr.readline()
            assert told, "it ended without a word"
        assert "free" in told
        # The first asks the answer to stop, the second does not wait until that could be written down.
        asking.send_signal(signal.SIGINT)
        asking.send_signal(signal.SIGINT)
        _output, errors = asking.communicate(timeout=120)
    assert asking.returncode == 1 and "Traceback" not in errors
    terminal.under = []
    (left,) = terminal.value("runs", "list", "--ended")
    assert left["written"] and left["state"] in {"interrupted", "stopped"}
    resumed = terminal.value("runs", "resume", left["id"])
    assert resumed["text"].startswith("The tide is out. ") and resumed["text"].endswith(" … and so on.")
