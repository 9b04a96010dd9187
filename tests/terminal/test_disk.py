"""A disk that is full or read-only, from the terminal: one sentence with the fix, and nothing lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memory.locations import Locations
from memory.pages import log_of
from tests.memory.test_faults import CAN_MOUNT, mounted, remount
from tests.peers.aimock import Aimock
from tests.terminal.program import Terminal

LONG = {
    "match": {"userMessage": "slowly"},
    "response": {"content": "The tide is out. " * (1_200 if CAN_MOUNT else 4_000)},
    "latency": 5,
}
LIMITS = {"limit": 8, "growth": 900}
"""Blocks of 512 bytes that a file may have: less than an office has, or enough to begin an answer in."""
REST = {"match": {"userMessage": "cut off"}, "response": {"content": " … and so on."}}
COMMANDS = [["ask", "how deep is the quay?"], ["chat"], ["memory", "add", "The crane lifts two tons"]]


@contextmanager
def room(terminal: Terminal, how: str) -> Iterator[Callable[[bool], None]]:
    """Put the office on a disk of its own, or under a limit; yields what makes it full, or free again."""
    if how in LIMITS:

        def limit(full: bool) -> None:
            terminal.under = ["sh", "-c", f'ulimit -f {LIMITS[how]}; exec "$@"', "sh"] if full else []

        yield limit
        return
    with mounted(terminal.home, "40m"):
        filler = terminal.home / "filler"

        def fill(full: bool) -> None:
            filler.unlink(missing_ok=True)
            if full:
                with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
                    while True:  # the office may be writing too, so nobody can say how much is left
                        file.write(bytes(4096))

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
        terminal.here("memory add", text="The quay is 6.4 m deep", kind="fact")
        full(True)
        for words in COMMANDS:
            assert "disk" in (told := refused(terminal, words)) and "free" in told, told
        full(False)
        assert [row["text"] for row in terminal.here("memory list", proposed=False)] == [
            "The quay is 6.4 m deep"
        ]
        assert "6.4 m" in str(terminal.value("ask", "how deep is the quay?"))


def test_a_read_only_office_is_one_sentence_and_is_left_alone(terminal: Terminal) -> None:
    with readable(terminal.home) as writable:
        terminal.here("memory add", text="The quay is 6.4 m deep", kind="fact")
        writable(False)
        for words in (*COMMANDS, ["memory", "list"]):
            assert "write access" in refused(terminal, words)
        writable(True)
        assert [row["text"] for row in terminal.here("memory list", proposed=False)] == [
            "The quay is 6.4 m deep"
        ]


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
def test_a_disk_that_fills_in_mid_answer_ends_it_with_the_fix_and_keeps_what_came(
    terminal: Terminal, aimock: Callable[..., Aimock]
) -> None:
    server = aimock(REST, LONG)
    with room(terminal, "tmpfs" if CAN_MOUNT else "growth") as full:
        terminal.add_key(server)
        command = cut_off(terminal, full, ["ask", "count slowly"])
        resumed = terminal.value(*command)
        assert resumed["text"].startswith("The tide is out. ") and resumed["text"].endswith(" … and so on.")
        command = cut_off(terminal, full, ["chat"], typed="count slowly\n")
        (left,) = terminal.here("runs list", ended=False)
        assert left["id"].startswith(command[-1]) and left["state"] == "interrupted" and left["written"]


def cut_off(terminal: Terminal, full: Callable[[bool], None], words: list[str], typed: str = "") -> list[str]:
    """Fill the disk once an answer has begun to be committed; returns the command to go on with."""
    if not CAN_MOUNT:
        full(True)  # before it starts: a limit on the size of files, which the answer then reaches
    log = log_of(Locations.find(terminal.home).database)
    with terminal.start(*words) as asking:
        assert asking.stdin is not None and asking.stdout is not None
        asking.stdin.write(typed)
        asking.stdin.flush()
        asking.stdout.read(100)
        if CAN_MOUNT:
            for _commit in range(2):
                grown = log.stat().st_size
                while log.stat().st_size == grown:
                    assert asking.poll() is None, "it ended before the disk was full"
            full(True)
        _output, errors = asking.communicate(timeout=120)
    lines = [line for line in errors.splitlines() if "Ctrl+D" not in line and line != "Lead:"]
    assert asking.returncode == 1 and len(lines) == 1, errors
    assert "disk" in lines[0] and "free" in lines[0]
    full(False)
    return lines[0].rpartition("bureau ")[2].split()
