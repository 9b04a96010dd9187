"""The terminal, as a stranger's script uses it: real processes, a real server, a real vault."""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from desktop.command_line.options import GlobalOptions, UsageFault, split
from desktop.command_line.passphrase import passphrase_of
from desktop.vault_ahead import passphrase_in
from tests.peers.aimock import Aimock
from tests.terminal.program import ANSWER, CLOCK, KEY, ROOT, SLOW, Terminal


@contextmanager
def counting(terminal: Terminal, aimock: Callable[..., Aimock]) -> Iterator[subprocess.Popen[str]]:
    """A terminal in which an answer is on its way; whoever asks the provider after it is answered at once."""
    server = aimock(SLOW, ANSWER)
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    with terminal.start("ask", "count slowly") as first:
        assert first.stdout is not None
        first.stdout.read(3)
        yield first


def address_for(kind: str, server: Aimock) -> str:
    return server.anthropic_url if kind == "anthropic" else server.openai_url


def test_global_options_stand_anywhere() -> None:
    before = split(["--home", "/h", "--json", "ask", "hello"])
    after = split(["ask", "hello", "--json", "--home=/h"])
    assert before == after and before[0].as_json and before[1] == ["ask", "hello"]
    assert split(["ask", "--", "--json"]) == (split([])[0], ["ask", "--", "--json"])
    with pytest.raises(UsageFault):
        split(["ask", "--home"])


def test_help_and_paths_touch_nothing(terminal: Terminal) -> None:
    code, output, _errors = terminal.run("--help")
    assert code == 0 and "ask" in output
    assert terminal.value("paths")["database"] == str(terminal.home / "office.db")
    assert not terminal.home.exists()


def test_fast_commands_import_nothing_slow(terminal: Terminal) -> None:
    script = (
        "import sys; from desktop.command_line import main; code = main(sys.argv[1:]); "
        "slow = {'PySide6', 'sqlalchemy', 'pydantic_ai', 'asyncio', 'numpy', 'chromadb'} & set(sys.modules); "
        "sys.exit(f'imported {slow}' if slow else code)"
    )
    for words in (["--help"], ["keys", "--help"], ["paths"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *words],
            env=terminal.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["dance"],
        ["ask"],
        ["ask", "--home"],
        ["keys", "add", "telepathy"],
        ["usage", "--by", "mood"],
        ["memory", "search", " "],
        ["memory", "why", ""],
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_two(terminal: Terminal, words: list[str]) -> None:
    code, output, errors = terminal.run(*words)
    assert code == 2 and output == "" and len(errors.strip().splitlines()) == 1


def test_a_wrong_passphrase_is_told_and_leaves_no_recall_process(terminal: Terminal, tmp_path: Path) -> None:
    terminal.value("memory", "list")
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase altogether\n")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as own:
        terminal.environment["XDG_RUNTIME_DIR"] = own
        code, output, errors = terminal.run(
            "ask",
            "@Librarian how deep?",
            options=["--home", str(terminal.home), "--passphrase-file", str(wrong)],
        )
        assert (code, output) == (1, "")
        assert "passphrase" in errors and "Traceback" not in errors
        assert list(Path(own).iterdir()) == []


def test_an_unreadable_passphrase_file_is_told(terminal: Terminal, tmp_path: Path) -> None:
    missing = ["--home", str(terminal.home), "--passphrase-file", str(tmp_path / "nowhere")]
    code, _output, errors = terminal.run("keys", "list", options=missing)
    assert code == 2 and "cannot be read" in errors and "Traceback" not in errors


@pytest.mark.parametrize("written", ["two words\r\n", "\ufefftwo words\n", "two words\n\n"])
def test_window_and_commands_read_the_same_passphrase(tmp_path: Path, written: str) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(written.encode())
    command = passphrase_of(GlobalOptions(passphrase_file=file))
    assert command is not None and command.reveal() == passphrase_in(file).reveal() == "two words"
    file.write_bytes(b"first\nsecond\n")
    assert passphrase_of(GlobalOptions(passphrase_file=file)) == passphrase_in(file)


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.req("R020")
@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai-compatible"])
def test_a_key_is_added_checked_and_used_and_is_nowhere(
    kind: str, terminal: Terminal, aimock: Callable[..., Aimock], tmp_path: Path
) -> None:
    server = aimock(CLOCK, ANSWER, keys=[KEY])
    added = terminal.value(
        "keys",
        "add",
        kind,
        "--base-url",
        address_for(kind, server),
        "--model",
        "m",
        "--stdin",
        stdin=KEY + "\n",
    )
    assert added["mask"].endswith(KEY[-4:]) and KEY not in json.dumps(added)
    code, output, errors = terminal.run("keys", "check")
    assert code == 0 and output.count("✓") == 5, errors
    report = tmp_path / "report.md"
    report.write_text("# Survey\n\nAlong the eastern quay the depth is 6.4 m at low water.\n")
    with terminal.start("ask", "--json", "--file", str(report), "How deep is the quay?") as asking:
        listing = (
            Path(f"/proc/{asking.pid}/environ").read_bytes()
            + Path(f"/proc/{asking.pid}/cmdline").read_bytes()
        )
        output, errors = asking.communicate(timeout=120)
    assert asking.returncode == 0, errors
    answer = json.loads(output)
    assert set(answer) >= {"text", "citations", "agent", "conversation", "run_id", "usage", "cost"}
    assert answer["text"] == "The quay is 6.4 m deep." and answer["usage"] == {
        "input_tokens": 9,
        "output_tokens": 8,
    }
    sent = json.dumps(server.journal()[-1]["body"])
    assert "eastern quay" in sent
    agent = server.journal()[-1]["headers"]["user-agent"]
    assert re.match(r"(Anthropic|AsyncAnthropic|OpenAI|AsyncOpenAI|pydantic)", agent), agent
    assert KEY.encode() not in listing
    for path in terminal.home.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
    outbox = terminal.value("outbox")
    asked = next(row for row in outbox if "attachment" in row["categories"])
    assert (asked["input_tokens"], asked["output_tokens"], asked["cost"]) == (9, 8, None)
    used = {row["key"]: row for row in terminal.value("usage", "--by", "agent")}
    assert used.pop(None)["requests"] == 3, "a key check asks the model three times"
    (by_agent,) = used.values()
    assert by_agent["requests"] == 1
    (by_key,) = terminal.value("usage", "--by", "key")
    assert by_key["requests"] == 4 and by_key["unpriced"] == 4 and by_key["cost"] is None


@pytest.mark.slow
def test_notes_are_found_in_other_words_and_why_says_how(terminal: Terminal) -> None:
    terminal.value("memory", "add", "The harbour quay was dredged to 6.4 metres in spring")
    terminal.value("memory", "add", "Grandmother's bread needs two hundred grams of rye")
    (first, *_rest) = terminal.value("memory", "search", "how deep is the port wall")
    assert set(first) == {"id", "text", "score", "source"} and "dredged" in first["text"]
    why = terminal.value("memory", "why", "how deep is the port wall")
    assert "dense" in why["legs"] and why["home"] in {"sealed", "memory"}
    assert why["hits"][0]["source"]["source_message_id"] is None, "its owner wrote it"
    assert why["from_snapshot"] and why["added_since_start"] == 0, (
        "the snapshot answers, nothing was added again"
    )


def test_what_has_no_content_is_not_shown(terminal: Terminal) -> None:
    code, output, _errors = terminal.run("agents", "add", "Clerk")
    assert code == 0 and "Clerk" in output and "()" not in output and "[]" not in output


def test_agents_round_trip_as_markdown(terminal: Terminal, tmp_path: Path) -> None:
    exported = tmp_path / "writer.md"
    terminal.value("agents", "export", "Writer", str(exported))
    renamed = tmp_path / "poet.md"
    renamed.write_text(exported.read_text().replace("name: Writer", "name: Poet"))
    terminal.value("agents", "import", str(renamed))
    names = [row["name"] for row in terminal.value("agents", "list")]
    assert names == ["Lead", "Researcher", "Analyst", "Writer", "Librarian", "Poet"]
    terminal.value("agents", "remove", "Poet")
    code, _output, errors = terminal.run("agents", "show", "Poet")
    assert code == 1 and "no agent" in errors


@pytest.mark.peer
@pytest.mark.slow
def test_ctrl_c_stops_the_answer_and_keeps_its_text(terminal: Terminal, aimock) -> None:
    server = aimock(SLOW, ANSWER)
    terminal.value(
        "keys", "add", "anthropic", "--base-url", server.anthropic_url, "--model", "m", "--stdin", stdin=KEY
    )
    with terminal.start("ask", "count slowly") as asking:
        assert asking.stdout is not None
        assert asking.stdout.read(3) == "one"
        asking.send_signal(signal.SIGINT)
        _output, errors = asking.communicate(timeout=60)
    assert asking.returncode == 1 and "Traceback" not in errors
    again = terminal.value("ask", "and now?")
    assert again["text"] == "The quay is 6.4 m deep."


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.req("R082")
def test_a_crash_of_a_command_is_told_in_a_file_of_the_office(terminal: Terminal, aimock) -> None:
    server = aimock(SLOW, ANSWER)
    terminal.add_key(server)
    with terminal.start("ask", "count slowly") as asking:
        assert asking.stdout is not None
        assert asking.stdout.read(3) == "one"
        asking.send_signal(signal.SIGABRT)
        _output, errors = asking.communicate(timeout=60)
    assert asking.returncode == -signal.SIGABRT and "Fatal" not in errors
    assert "Fatal Python error: Aborted" in (terminal.home / "logs" / "crash.log").read_text()


@pytest.mark.peer
@pytest.mark.slow
def test_a_second_command_joins_the_open_office(terminal: Terminal, aimock) -> None:
    with counting(terminal, aimock) as first:
        # The office is open there, so neither a passphrase nor a key is needed here.
        code, output, errors = terminal.run("ask", "--json", "hello", options=["--home", str(terminal.home)])
        assert code == 0, errors
        assert json.loads(output)["text"] == "The quay is 6.4 m deep."
        assert first.poll() is None, "the first answer goes on meanwhile"
        rest, _errors = first.communicate(timeout=60)
    assert first.returncode == 0 and "ten" in rest


@pytest.mark.peer
@pytest.mark.slow
def test_an_office_whose_owner_was_killed_opens_at_once(terminal: Terminal, aimock) -> None:
    with counting(terminal, aimock) as first:
        time.sleep(0.6)
        first.kill()
    assert (terminal.home / "office.sock").exists() or (terminal.home / "office.lock").read_bytes()
    assert terminal.value("ask", "hello")["text"] == "The quay is 6.4 m deep."


@pytest.mark.req("R083")
@pytest.mark.req("R076")
def test_doctor_is_green_on_a_new_office_and_hints_at_what_is_still_to_do(terminal: Terminal) -> None:
    terminal.here(
        "keys add", kind="anthropic", label="Mine", base_url="http://127.0.0.1:9", model="m", key=KEY
    )
    found = terminal.value("doctor")
    states = {row["name"]: row["state"] for row in found["checks"] if row["name"] != "swap"}
    assert found["ok"] and all(row["ok"] for row in found["checks"])
    assert states == {
        **dict.fromkeys(("database", "audit", "recall", "disk"), "ok"),
        **dict.fromkeys(("vault", "backups", "Mine"), "hint"),
    }
    code, output, errors = terminal.run("doctor")
    assert code == 0, errors
    lines = output.splitlines()
    assert next(line for line in lines if "never checked" in line).startswith("• ")
    assert next(line for line in lines if "no backup yet" in line).startswith("• ")
    assert any(line.startswith("✓ ") for line in lines)


def test_no_screen_is_said_with_the_way_on(terminal: Terminal) -> None:
    terminal.environment.pop("DISPLAY", None)
    terminal.environment.pop("WAYLAND_DISPLAY", None)
    terminal.environment.pop("QT_QPA_PLATFORM", None)
    code, _output, errors = terminal.run(options=["--home", str(terminal.home)])
    assert code == 1 and "bureau chat" in errors


@pytest.mark.peer
@pytest.mark.req("R116")
def test_a_fact_of_one_conversation_is_recalled_in_another(terminal: Terminal, aimock) -> None:
    server = aimock(ANSWER)
    terminal.value(
        "keys", "add", "openai", "--base-url", server.openai_url, "--model", "m", "--stdin", stdin=KEY
    )
    told = terminal.value("ask", "My sister Olena moved to Lisbon and keeps bees on the roof of her house.")
    why = terminal.value("memory", "why", "Who in the family looks after insects in Portugal?")
    assert why["home"] == "sealed" and {"lexical", "dense"} <= set(why["legs"])
    best = why["hits"][0]
    assert best["source"]["kind"] == "message" and best["source"]["conversation"] == told["conversation"]
    assert "Olena" in best["text"] and best["legs"]["dense_text"] > 0.25
    again = terminal.value("memory", "why", "Who in the family looks after insects in Portugal?")
    assert again["from_snapshot"] and again["added_since_start"] == 0, (
        "the snapshot answers, nothing is added again"
    )
    assert again["home"] == "sealed" and again["hits"][0]["source"] == best["source"]
    terminal.value("ask", "Who in the family looks after insects in Portugal?")
    assert "Olena" in json.dumps(server.journal()[-1]["body"])
