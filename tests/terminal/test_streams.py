"""What surrounds a command: its pipes, its character set, its signals, and faults that nobody expected."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal.program import ANSWER, KEY, PROGRAM, ROOT, SLOW, Terminal, in_terminal


def test_a_reader_that_goes_away_gets_no_traceback(terminal: Terminal) -> None:
    for words in (["paths"], ["agents", "list"], ["doctor"], ["--json", "agents", "list"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [*PROGRAM, *terminal.options, *words],
            env=terminal.environment, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        os.close(writing)
        assert done.returncode == 1 and done.stderr == "", (words, done.stderr)


def test_an_output_that_is_full_is_told_in_one_sentence(terminal: Terminal) -> None:
    for words in (["paths"], ["--json", "agents", "list"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*PROGRAM, *terminal.options, *words],
                env=terminal.environment, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 1 and "make room" in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


def test_streams_that_are_closed_are_empty_ones(terminal: Terminal) -> None:
    for words in ("paths", "ask -", "agents list"):
        command = [*PROGRAM, *terminal.options, *words.split()]
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" <&- >&-', "sh", *command],
            env=terminal.environment, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if words == "ask -":
            assert done.returncode == 1 and done.stderr.startswith("There is nothing to send"), done.stderr
        else:
            assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.mark.parametrize(
    ("home", "sentence"),
    [
        ("~nobody-of-that-name/office", "write the whole path after --home"),
        ("/etc/passwd", "choose another place"),
        ("/etc/passwd/office", "choose another place"),
        (f"/tmp/{'x' * 300}", "File name too long"),
    ],
)
def test_a_place_that_can_be_no_office_is_one_sentence(terminal: Terminal, home: str, sentence: str) -> None:
    done = subprocess.run(
        [*PROGRAM, "--home", home, "--passphrase-file", str(terminal.passphrase), "memory", "list"],
        env=terminal.environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_a_terminal_without_unicode_shows_what_it_can(terminal: Terminal) -> None:
    terminal.environment |= {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    code, output, errors = terminal.run("doctor")
    assert code == 0 and "disk" in output and "Traceback" not in errors
    note = terminal.value("memory", "add", "Žofie měří 6,4 m")
    assert note["text"] == "Žofie měří 6,4 m"
    assert terminal.value("memory", "list")[0]["text"] == "Žofie měří 6,4 m"


def test_a_prompt_that_is_no_utf8_is_asked_all_the_same(terminal: Terminal) -> None:
    done = subprocess.run(
        [*PROGRAM, *terminal.options, "memory", "add", b"caf\xe9 \xf0\x9f\x8e\x89 \"quoted\"\nline"],
        env=terminal.environment, cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (note,) = terminal.value("memory", "list")
    assert note["text"].startswith("caf") and note["text"].endswith('🎉 "quoted"\nline')


def test_nothing_that_is_quoted_steers_the_terminal(terminal: Terminal, tmp_path: Path) -> None:
    survey = tmp_path / "\x1b[2Jsurvey.txt"
    survey.write_text("The quay is 6.4 m deep.", "utf-8")
    terminal.value("memory", "add", "The harbour master is \x1b]0;owned\x07called \x9b31mAda.\r Ask her.")
    _code, output, errors = terminal.run("ask", "--file", str(survey), "How deep is the quay?")
    assert "6.4 m" in output and "survey.txt" in errors
    for words in (
        ["ask", "What is the harbour master called?"],
        ["memory", "list"],
        ["memory", "search", "harbour master"],
        ["memory", "why", "harbour master"],
    ):
        code, shown, said = terminal.run(*words)
        assert code == 0 and "Ada" in shown
        output, errors = output + shown, errors + said
    assert not set(output + errors) & {"\x1b", "\x07", "\x9b", "\r"}
    assert "\x1b" in terminal.value("memory", "list")[0]["text"]


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_asked_to_end_closes_the_office_in_order(
    number: signal.Signals, terminal: Terminal, aimock
) -> None:
    server = aimock(SLOW)
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    with terminal.start("--json", "ask", "count slowly") as asking:
        while not server.journal():
            assert asking.poll() is None
        asking.send_signal(number)
        output, errors = asking.communicate(timeout=60)
    assert (asking.returncode, output) == (1, "") and errors.strip().splitlines()[-1] == "Stopped."
    assert "Traceback" not in errors
    assert not (terminal.home / "office.sock").exists() and not (terminal.home / "office.db-wal").exists()


def test_a_fault_that_nobody_expected_is_one_sentence_and_a_log_without_secrets(terminal: Terminal) -> None:
    terminal.value("agents", "list")
    program = (
        "import sys\n"
        "from agents.commands import registry\n"
        "from vault.secret import Secret\n"
        "async def broken(served, arguments):\n"
        f"    kept = Secret({KEY!r})\n"
        "    raise ZeroDivisionError('with ' + kept.reveal())\n"
        "registry.ANSWERING['agents list'] = broken\n"
        "from desktop.command_line import main\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *terminal.options, "--json", "agents", "list"],
        env=terminal.environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "ZeroDivisionError" in done.stderr
    log = (terminal.home / "logs" / "terminal.log").read_text()
    assert "ZeroDivisionError" in log and KEY not in log + done.stderr


@pytest.mark.peer
@pytest.mark.slow
def test_a_conversation_on_a_terminal_shows_the_office_alone_and_ends_with_ctrl_c(
    terminal: Terminal, aimock
) -> None:
    server = aimock(ANSWER)
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    # Libraries that advertise themselves on a terminal keep quiet where they see a test or a build server.
    environment = {
        name: value for name, value in terminal.environment.items() if name != "CI" and "PYTEST" not in name
    }
    typed = [("› ", b"how deep?\n"), ("conversation", b""), ("› ", b"\x03")]
    code, shown = in_terminal([*PROGRAM, *terminal.options, "chat"], environment, typed)
    said = [line for line in shown.replace("› ", "\n").splitlines() if line.strip()]
    assert code == 1 and said[-1] == "Stopped."
    assert [line for line in said if "^C" not in line and "how deep?" not in line][1:3] == [
        "Lead:",
        "The quay is 6.4 m deep.",
    ], shown


def test_a_conversation_fed_by_a_pipe_ends_in_order(terminal: Terminal) -> None:
    with terminal.start("chat") as talking:
        assert talking.stderr is not None
        assert "Ctrl+D" in talking.stderr.readline()
        talking.send_signal(signal.SIGTERM)
        assert talking.wait(60) == 1
        assert "Fatal" not in talking.stderr.read()
    code, output, errors = terminal.run("chat", stdin="\n  \n")
    assert (code, output) == (0, "") and len(errors.splitlines()) == 1


@pytest.mark.parametrize("words", [["ask", ""], ["ask", "--conversation", "nowhere", "hello"]])
def test_a_failed_command_prints_no_object(terminal: Terminal, words: list[str]) -> None:
    code, output, errors = terminal.run("--json", *words)
    assert code == 1 and output == "" and len(errors.strip().splitlines()) == 1


def test_a_successful_command_prints_one_object(terminal: Terminal) -> None:
    for words in (["agents", "list"], ["keys", "list"], ["usage"], ["outbox"], ["memory", "list"], ["paths"]):
        _code, output, errors = terminal.run("--json", *words)
        assert output.count("\n") == 1 and errors == ""
        json.loads(output)
