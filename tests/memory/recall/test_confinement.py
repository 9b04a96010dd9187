"""What the recall process leaves behind: nothing on a disk, no key anywhere, no socket."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from memory.database import Database
from memory.locations import Locations
from memory.recall.confinement import environment
from memory.recall.home import is_tmpfs
from memory.recall.search import Recall
from tests.memory.recall.conftest import OFFICE, warm
from tests.memory.recall.test_search import fill
from tests.memory.recall.writing import Writer

KEYS = 16
_OPENED = re.compile(r'open(?:at|at2)?\((?:[^,"]*, )?"([^"]*)", (?:\{flags=)?([A-Z_|0-9]+)')


def handle_keys(planted: str, stop: threading.Event) -> None:
    """Build headers with a planted key again and again, as a worker that calls a provider does."""
    while not stop.is_set():
        headers = [f"Authorization: Bearer {planted}-{number}".encode() for number in range(200)]
        assert b"".join(headers).count(planted.encode()) == 200
        stop.wait(0.002)


async def test_planted_keys_reach_no_file(database: Database, locations: Locations, writer: Writer) -> None:
    stop = threading.Event()
    marker = os.urandom(12).hex()
    workers = [
        threading.Thread(target=handle_keys, args=(f"planted-{marker}-{number}", stop))
        for number in range(KEYS)
    ]
    for worker in workers:
        worker.start()
    os.environ["PLANTED_TOKEN"] = f"planted-{marker}-environment"
    try:
        fill(writer)
        recall = Recall(database, locations, OFFICE)
        await warm(recall)
        for number in range(40):
            writer.say("Ann", f"Sentence {number} about gardens and bridges.")
        await recall.settled()
        await recall.search("gardens")
        pid = recall.condition.pid
        assert pid is not None
        assert recall._keeper._scratch is not None
        scratch = recall._keeper._scratch.folder
        assert is_tmpfs(scratch)
        assert any(path.name.endswith(".sqlite3") for path in scratch.rglob("*")), "Chroma lives elsewhere"
        searched = [path for root in (scratch, locations.home) for path in root.rglob("*") if path.is_file()]
        assert len(searched) > 5
        assert not [path for path in searched if marker.encode() in path.read_bytes()]
        assert marker not in " ".join(environment(scratch).values())
        assert marker not in " ".join(psutil.Process(pid).cmdline())
        await recall.close()
        assert marker.encode() not in locations.snapshot.read_bytes()
        assert not scratch.exists()
    finally:
        del os.environ["PLANTED_TOKEN"]
        stop.set()
        for worker in workers:
            worker.join()


@pytest.mark.req("R057")
@pytest.mark.req("R048")
async def test_nothing_is_written_outside_memory_and_no_socket_is_opened(
    database: Database,
    locations: Locations,
    writer: Writer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strace = shutil.which("strace")
    assert strace, "this test needs strace: apt-get install strace"
    trace = tmp_path / "trace"
    started = subprocess.Popen

    def traced(command: list[str], **options: object) -> "subprocess.Popen[bytes]":
        # -D: the watcher is not the parent, whose number the process checks.
        calls = "trace=open,openat,openat2,creat,socket,connect"
        watch = [strace, "-D", "-f", "-y", "-s", "300", "-o", str(trace), "-e", calls]
        return started([*watch, *command], **options)  # type: ignore[call-overload, no-any-return]  # as it came

    monkeypatch.setattr("memory.recall.client.subprocess.Popen", traced)
    fill(writer)
    recall = Recall(database, locations, OFFICE)
    await recall.start()
    await asyncio.wait_for(recall.settled(), 60)
    writer.say("Ann", "One more sentence, embedded while it is watched.")
    await recall.settled()
    assert (await recall.search("Which food is dangerous for him?")).home == "sealed"
    await recall.close()
    lines = await _finished(trace)
    written = {
        match[1]
        for line in lines
        if (match := _OPENED.search(line))
        and re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_APPEND", match[2])
        and " = -1 " not in line
    }
    assert any("chroma.sqlite3" in name for name in written), "the watch did not see Chroma write"
    outside = {name for name in written if not _in_memory(name)}
    assert outside <= {"/dev/null"}
    sockets = [line for line in lines if re.search(r"\b(socket|connect)\(", line)]
    assert sockets == []


async def _finished(trace: Path) -> list[str]:
    """The lines of a watch whose watcher has seen the process end."""
    while "+++ exited with" not in (lines := trace.read_text().splitlines())[-1]:
        await asyncio.sleep(0.05)
    return lines


def _in_memory(name: str) -> bool:
    """Whether the path lies on tmpfs; the folder is gone by now, so ask for what is left of the way to it."""
    path = Path(name)
    return path.is_absolute() and is_tmpfs(next(parent for parent in path.parents if parent.exists()))


async def test_the_process_dies_with_the_office(tmp_path: Path) -> None:
    script = """
import asyncio, os, sys
from pathlib import Path
from memory.recall.client import RecallProcess
async def main():
    process = RecallProcess()
    await process.start(Path(sys.argv[1]))
    print(process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    office = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert office.stdout is not None
    child = psutil.Process(int(await office.stdout.readline()))
    os.kill(office.pid, signal.SIGKILL)
    await office.wait()
    await asyncio.to_thread(psutil.wait_procs, [child], 10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_the_environment_is_an_allow_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "planted")
    monkeypatch.setenv("HTTPS_PROXY", "http://name:planted@proxy.example")
    passed = environment(tmp_path)
    assert "planted" not in " ".join(passed.values())
    assert passed["SQLITE_TMPDIR"] == str(tmp_path)


def test_the_office_loads_nothing_of_the_recall_process() -> None:
    heavy = ("numpy", "chromadb", "chromadb_rust_bindings", "onnxruntime", "tokenizers")
    script = f"import sys, memory.recall.search; print([m for m in {heavy} if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    told = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    assert told.stdout.decode().strip() == "[]"
