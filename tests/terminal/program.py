"""``bureau`` as a script would run it: in processes of its own, on an office of its own."""

import asyncio
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from agents.commands.registry import run_command
from agents.commands.serving import serving
from agents.door.client import call
from agents.door.protocol import Caller
from desktop.vault_ahead import passphrase_in
from memory.locations import Locations
from memory.ownership import socket_of_owner
from tests.peers.aimock import Aimock

KEY = "test-key-0123456789-abcdefghij"
ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from desktop.command_line import program; program()"]
SLOW = {
    "match": {"userMessage": "slowly"},
    "response": {"content": "one two three four five six seven eight nine ten " * 8},
    "latency": 60,
    "chunkSize": 8,
}
CLOCK = {"match": {"toolName": "clock"}, "response": {"toolCalls": [{"name": "clock", "arguments": "{}"}]}}
ANSWER = {
    "match": {},
    "response": {"content": "The quay is 6.4 m deep.", "usage": {"input_tokens": 9, "output_tokens": 8}},
}


def in_terminal(
    command: list[str],
    environment: dict[str, str],
    typed: Sequence[tuple[str, bytes | Callable[[], bytes]]] = (),
) -> tuple[int, str]:
    """Run a command on a terminal of its own; returns its exit code and what the terminal showed.

    ``typed`` is what to type once the terminal has shown the words before it, anew each time, or what finds that out.
    """
    waiting, answered = list(typed), 0
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execvpe(command[0], command, environment)
    shown = b""
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
            while waiting and (found := shown.find(waiting[0][0].encode(), answered)) >= 0:
                answered = found + 1
                words = waiting.pop(0)[1]
                os.write(terminal, words if isinstance(words, bytes) else words())
    except OSError:
        pass  # a terminal whose last program has ended reports an error instead of an end
    finally:
        os.close(terminal)
    _pid, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()


class Terminal:
    """Runs ``bureau`` on one office of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "office"
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text("correct horse battery\n")
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.under: list[str] = []
        """A command that runs the program under limits."""
        self.options = ["--home", str(self.home), "--passphrase-file", str(self.passphrase)]

    def start(self, *words: str, options: list[str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.under, *PROGRAM, *(self.options if options is None else options), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=ROOT,
        )

    def here(self, command: str, **arguments: object) -> Any:
        """Run a command in this process and return its value: for what a test prepares, or looks at beside it.

        Where another process has the office open it is asked, as a second terminal asks it.
        """
        return asyncio.run(self._here(command, arguments))

    async def _here(self, command: str, arguments: dict[str, Any]) -> Any:
        locations, caller = Locations.find(self.home), Caller()
        place = socket_of_owner(locations)
        if place is not None:
            with suppress(ConnectionRefusedError, FileNotFoundError):  # its owner was killed
                return [item async for item in call(place, command, arguments, caller)][-1]["value"]
        async with serving(locations, passphrase_in(self.passphrase)) as served:
            return [item async for item in run_command(served, command, arguments, caller)][-1]["value"]

    def add_key(self, server: Aimock, *, label: str = "", key: str = KEY) -> None:
        """Give the office a key for a server that speaks as Anthropic does."""
        self.here(
            "keys add", kind="anthropic", label=label, base_url=server.anthropic_url, model="m", key=key
        )

    def run(self, *words: str, stdin: str = "", options: list[str] | None = None) -> tuple[int, str, str]:
        with self.start(*words, options=options) as process:
            output, errors = process.communicate(stdin, timeout=120)
        return process.returncode, output, errors

    def value(self, *words: str, stdin: str = "") -> object:
        code, output, errors = self.run("--json", *words, stdin=stdin)
        assert code == 0, errors
        return json.loads(output)


@contextmanager
def window(terminal: Terminal) -> Iterator[subprocess.Popen[str]]:
    """Open the real window, without a screen, and wait until it is ready to type in."""
    terminal.environment |= {"QT_QPA_PLATFORM": "offscreen", "BUREAU_TIMING": "1"}
    process = terminal.start()
    try:
        assert process.stdout is not None
        deadline = time.monotonic() + 60
        seen = ""
        while "ready" not in seen:
            waiting, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            assert waiting, f"the window is not ready; it said {seen!r}"
            # Not by readline, which may keep a second line to itself where nothing waits in the pipe any more.
            more = os.read(process.stdout.fileno(), 4096).decode()
            assert more, process.stderr.read() if process.stderr else ""
            seen += more
        while not (terminal.home / "office.sock").exists():
            assert time.monotonic() < deadline, "the door did not open"
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        _output, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in errors, errors
