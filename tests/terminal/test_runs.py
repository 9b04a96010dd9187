"""Runs that are not finished, from the terminal alone: listed, resumed, discarded; beside a window too."""

from collections.abc import Callable

import pytest

from tests.peers.aimock import Aimock
from tests.terminal.program import ANSWER, KEY, SLOW, Terminal
from tests.terminal.test_one_office import window

pytestmark = [pytest.mark.peer, pytest.mark.slow]
RIGHT = "right-key-0123456789-abcdefghij"
REST = {"match": {"userMessage": "cut off"}, "response": {"content": " … and so on."}}


def interrupted(terminal: Terminal, server: Aimock) -> dict[str, object]:
    """Kill a terminal in the middle of its answer; returns the row of the run as the next command lists it."""
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    with terminal.start("ask", "count slowly") as asking:
        assert asking.stdout is not None
        asking.stdout.read(3)
        while True:
            (row,) = terminal.value("runs")
            if row["written"]:  # committed, so a kill must not lose it
                break
        assert row["state"] == "running"
        asking.kill()
    (left,) = terminal.value("runs")
    assert left["id"] == row["id"] and left["state"] == "interrupted" and left["written"] >= row["written"]
    return left


def test_a_killed_answer_is_listed_and_resumed(terminal: Terminal, aimock: Callable[..., Aimock]) -> None:
    left = interrupted(terminal, aimock(REST, SLOW, ANSWER))
    assert left["question"] == "count slowly" and left["agent"] == "Lead"
    code, output, errors = terminal.run("runs")
    assert code == 0 and str(left["id"])[:8] in output and "count slowly" in output, errors
    code, output, errors = terminal.run("runs", "resume", str(left["id"])[:8])
    assert code == 0, errors
    assert output.startswith("one two") and output.rstrip().endswith("… and so on.")
    assert len(output.rstrip("\n")) == int(str(left["written"])) + len(" … and so on.")
    assert terminal.value("runs") == []
    code, _output, errors = terminal.run("runs", "resume", str(left["id"]))
    assert code == 1 and "Only a run that was interrupted" in errors


def test_a_killed_answer_is_discarded_and_keeps_its_text(
    terminal: Terminal, aimock: Callable[..., Aimock]
) -> None:
    left = interrupted(terminal, aimock(REST, SLOW, ANSWER))
    assert terminal.value("runs", "discard", str(left["id"])) == {"discarded": left["id"], "state": "stopped"}
    assert terminal.value("runs") == []
    (ended,) = terminal.value("runs", "list", "--ended")
    assert ended["id"] == left["id"] and ended["written"] == left["written"]
    code, _output, errors = terminal.run("runs", "discard", str(left["id"]))
    assert code == 1 and len(errors.splitlines()) == 1 and "Only a run that was interrupted" in errors


@pytest.mark.window
def test_an_interrupted_run_is_resumed_through_the_window(
    terminal: Terminal, aimock: Callable[..., Aimock]
) -> None:
    left = interrupted(terminal, aimock(REST, SLOW, ANSWER))
    with window(terminal):
        joined = ["--home", str(terminal.home)]
        code, output, errors = terminal.run("runs", "resume", str(left["id"]), options=joined)
        assert code == 0 and output.rstrip().endswith("… and so on."), errors


def test_a_failed_answer_names_the_command_that_goes_on(
    terminal: Terminal, aimock: Callable[..., Aimock]
) -> None:
    server = aimock(ANSWER, keys=[RIGHT])
    terminal.value(
        "keys", "add", "anthropic", "--label", "work", "--base-url", server.anthropic_url, "--model", "m",
        "--stdin", stdin=KEY,
    )  # fmt: skip
    code, output, errors = terminal.run("ask", "how deep?")
    assert (code, output) == (1, "") and len(errors.strip().splitlines()) == 1
    assert "Anthropic (key “work”) does not accept the key" in errors
    command = errors.strip().rpartition("bureau ")[2].split()
    assert command[:2] == ["runs", "resume"]
    code, _output, errors = terminal.run("keys", "rotate", "work", "--stdin", stdin=RIGHT)
    assert code == 0, errors
    code, output, errors = terminal.run(*command)
    assert code == 0 and output.strip() == "The quay is 6.4 m deep.", errors


@pytest.mark.parametrize("name", ["abc", "%%%%%%%%"])
def test_a_run_that_is_not_there_is_one_sentence(terminal: Terminal, name: str) -> None:
    code, output, errors = terminal.run("runs", "resume", name)
    assert (code, output) == (1, "") and "see “bureau runs”" in errors and len(errors.splitlines()) == 1
