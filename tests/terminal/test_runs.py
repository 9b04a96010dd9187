"""Runs that are not finished, from the terminal alone: listed, resumed, discarded; beside a window too."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.door.protocol import CommandFailed
from tests.peers.aimock import Aimock, start
from tests.terminal.program import ANSWER, SLOW, Terminal
from tests.terminal.test_one_office import window

pytestmark = [pytest.mark.peer, pytest.mark.slow]
RIGHT = "right-key-0123456789-abcdefghij"
REST = {"match": {"userMessage": "cut off"}, "response": {"content": " … and so on."}}


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """An office whose terminal was killed in the middle of an answer, and the row of that run."""
    folder = tmp_path_factory.mktemp("cut off")
    server = start(folder, [REST, SLOW, ANSWER])
    terminal = Terminal(folder)
    terminal.add_key(server)
    with terminal.start("ask", "count slowly") as asking:
        assert asking.stdout is not None
        asking.stdout.read(3)
        while True:
            (row,) = terminal.here("runs list", ended=False)
            if row["written"]:  # committed, so a kill must not lose it
                break
        assert row["state"] == "running"
        asking.kill()
    (left,) = terminal.here("runs list", ended=False)
    assert left["id"] == row["id"] and left["state"] == "interrupted" and left["written"] >= row["written"]
    yield terminal.home, left
    server.stop()


@pytest.fixture
def left(cut_off: tuple[Path, dict[str, Any]], terminal: Terminal) -> dict[str, Any]:
    """The row of a run that was killed in a copy of the office, which is the terminal's."""
    home, row = cut_off
    shutil.copytree(home, terminal.home, ignore=shutil.ignore_patterns("*.sock"))
    return row


def test_a_killed_answer_is_listed_and_resumed(terminal: Terminal, left: dict[str, Any]) -> None:
    assert left["question"] == "count slowly" and left["agent"] == "Lead"
    code, output, errors = terminal.run("runs")
    assert code == 0 and left["id"][:8] in output and "count slowly" in output, errors
    code, output, errors = terminal.run("runs", "resume", left["id"][:8])
    assert code == 0, errors
    assert output.startswith("one two") and output.rstrip().endswith("… and so on.")
    assert len(output.rstrip("\n")) == left["written"] + len(" … and so on.")
    assert terminal.here("runs list", ended=False) == []
    with pytest.raises(CommandFailed, match="Only a run that was interrupted"):
        terminal.here("runs resume", run=left["id"])


def test_a_killed_answer_is_discarded_and_keeps_its_text(terminal: Terminal, left: dict[str, Any]) -> None:
    assert terminal.value("runs", "discard", left["id"]) == {"discarded": left["id"], "state": "stopped"}
    assert terminal.here("runs list", ended=False) == []
    (ended,) = terminal.value("runs", "list", "--ended")
    assert ended["id"] == left["id"] and ended["written"] == left["written"]
    code, _output, errors = terminal.run("runs", "discard", left["id"])
    assert code == 1 and len(errors.splitlines()) == 1 and "Only a run that was interrupted" in errors


@pytest.mark.window
def test_an_interrupted_run_is_resumed_through_the_window(terminal: Terminal, left: dict[str, Any]) -> None:
    with window(terminal):
        joined = ["--home", str(terminal.home)]
        code, output, errors = terminal.run("runs", "resume", left["id"], options=joined)
        assert code == 0 and output.rstrip().endswith("… and so on."), errors


def test_a_failed_answer_names_the_command_that_goes_on(
    terminal: Terminal, aimock: Callable[..., Aimock]
) -> None:
    server = aimock(ANSWER, keys=[RIGHT])
    terminal.add_key(server, label="work")
    code, output, errors = terminal.run("ask", "how deep?")
    assert (code, output) == (1, "") and len(errors.strip().splitlines()) == 1
    assert "Anthropic (key “work”) does not accept the key" in errors
    command = errors.strip().rpartition("bureau ")[2].split()
    assert command[:2] == ["runs", "resume"]
    code, _output, errors = terminal.run("keys", "rotate", "work", "--stdin", stdin=RIGHT)
    assert code == 0, errors
    code, output, errors = terminal.run(*command)
    assert code == 0 and output.strip() == "The quay is 6.4 m deep.", errors


def test_a_run_that_is_not_there_is_one_sentence(terminal: Terminal) -> None:
    code, output, errors = terminal.run("runs", "resume", "abc")
    assert (code, output) == (1, "") and "see “bureau runs”" in errors and len(errors.splitlines()) == 1
    with pytest.raises(CommandFailed, match="see “bureau runs”"):
        terminal.here("runs resume", run="%%%%%%%%")
