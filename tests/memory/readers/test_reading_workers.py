"""The pool of workers: nothing leaks into them, nothing they do reaches further than their file."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from memory.readers import workers as pool
from memory.readers.confinement import Limits
from memory.readers.errors import (
    FileEmpty,
    FileTooLarge,
    ReadingCrashed,
    ReadingOutOfMemory,
    ReadingTimedOut,
)
from memory.readers.workers import ReadingWorkers
from tests.memory.readers import sample_files

# Put in front of a real worker: the file's content says what its "parser" does once it is confined.
PROBE = textwrap.dedent(
    """
    import sys; sys.path.insert(0, sys.argv[1])
    import ctypes, json, os, socket, subprocess, time
    import memory.readers.reading as reading
    from memory.readers.document import Document, Format

    def outcome(action):
        try:
            return "done " + str(action())
        except OSError as error:
            return type(error).__name__

    def look():
        return {
            "environment": dict(os.environ),
            "internet": outcome(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1)),
            "unix": outcome(lambda: socket.socket(socket.AF_UNIX).connect("/run/dbus/system_bus_socket")),
            "read": outcome(lambda: open("/etc/passwd").read()),
            "list": outcome(lambda: os.listdir("/root")),
            "write": outcome(lambda: open("/dev/shm/probe", "w").write("x")),
            "program": outcome(lambda: subprocess.run(["/bin/true"])),
            "fork": outcome(os.fork),
            "signal": outcome(lambda: os.kill(os.getppid(), 0)),
        }

    def probe(content, name):
        match content:
            case b"look":
                return Document(Format.TEXT, "text/plain", json.dumps(look()), ())
            case b"hang":
                time.sleep(1000)
            case b"spin":
                while True:
                    pass
            case b"crash":
                ctypes.string_at(8)
            case b"grow":
                kept = [bytes(50_000_000) for _ in range(1000)]
            case b"shout":
                print("nonsense on the pipe", flush=True)
                os.write(1, b"more")
        return Document(Format.TEXT, "text/plain", f"{os.getpid()}", ())

    reading.read_document = probe
    from memory.readers.worker import main; main(*sys.argv[2:])
    """
)


@pytest.fixture
async def probes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ReadingWorkers]:
    """A pool of one worker whose files say what happens to it."""
    monkeypatch.setattr(pool, "_START", PROBE)
    limits = Limits(memory_megabytes=700, processor_seconds=1, seconds=3, files_per_worker=4)
    readers = ReadingWorkers(count=1, limits=limits)
    yield readers
    await readers.close()


@pytest.fixture
async def readers() -> AsyncIterator[ReadingWorkers]:
    """A pool as the office makes it."""
    started = ReadingWorkers()
    yield started
    await started.close()


async def test_a_worker_has_no_key_no_network_and_no_files(
    probes: ReadingWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a key of the test")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    seen = json.loads((await probes.read(b"look", "x")).title)
    assert set(seen["environment"]) <= {"LANG", "LC_ALL", "LC_CTYPE"}
    if sys.platform.startswith("linux"):
        assert seen["internet"] in {"PermissionError", "OSError"}
        for refused in ("unix", "read", "list", "write", "program", "fork", "signal"):
            assert seen[refused] == "PermissionError", refused
        assert "cannot enforce" not in probes.isolation
    else:
        assert "cannot enforce" in probes.isolation
    assert "no keys" in probes.isolation


@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        (b"hang", ReadingTimedOut, "x.pdf took longer than 3 seconds to read: split it"),
        (b"spin", ReadingTimedOut, "x.pdf took longer than 3 seconds to read: split it"),
        (b"crash", ReadingCrashed, "x.pdf crashed its reader and was left out"),
        (b"grow", ReadingOutOfMemory, "x.pdf needs more than 700 MB of memory to read: split it"),
    ],
)
async def test_a_fault_costs_its_file_only(
    probes: ReadingWorkers, content: bytes, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as caught:
        await probes.read(content, "x.pdf")
    assert str(caught.value).startswith(sentence)
    assert (await probes.read(b"fine", "y.pdf")).title.isdigit()


async def test_what_a_library_prints_does_no_harm(probes: ReadingWorkers) -> None:
    first = await probes.read(b"shout", "x")
    assert (await probes.read(b"fine", "y")).title == first.title


def _workers() -> list[psutil.Process]:
    """Return the readers among the children of this process; servers of other tests may be there, too."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "memory.readers.worker" in " ".join(child.cmdline())
    ]


async def test_a_worker_is_replaced_after_some_files(probes: ReadingWorkers) -> None:
    processes = [(await probes.read(b"fine", "x")).title for _ in range(9)]
    assert [len(set(processes[start : start + 4])) for start in (0, 4)] == [1, 1]
    assert len(set(processes)) == 3


async def test_a_worker_killed_in_the_middle_costs_its_file_only(probes: ReadingWorkers) -> None:
    await probes.start()
    (worker,) = _workers()
    reading = asyncio.create_task(probes.read(b"hang", "x.pdf"))
    await asyncio.sleep(0.1)
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(ReadingCrashed):
        await reading
    assert (await probes.read(b"fine", "y.pdf")).title.isdigit()


async def test_a_cancelled_reading_ends_its_worker(probes: ReadingWorkers) -> None:
    await probes.start()
    (worker,) = _workers()
    reading = asyncio.create_task(probes.read(b"hang", "x.pdf"))
    await asyncio.sleep(0.1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    assert (await probes.read(b"fine", "y.pdf")).title.isdigit()


async def test_closing_leaves_no_process(probes: ReadingWorkers) -> None:
    reading = asyncio.create_task(probes.read(b"hang", "x.pdf"))
    await asyncio.sleep(0.3)
    await probes.close()
    with pytest.raises(ReadingCrashed):
        await reading
    assert _workers() == []


async def test_workers_die_with_the_office(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import asyncio, sys, psutil
        from memory.readers.workers import ReadingWorkers

        async def run():
            readers = ReadingWorkers()
            await readers.start()
            print(psutil.Process().children()[0].pid, flush=True)
            await asyncio.sleep(1000)

        asyncio.run(run())
        """
    )
    office = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert office.stdout is not None
    worker = psutil.Process(int(await office.stdout.readline()))
    office.kill()
    await office.wait()
    with contextlib.suppress(psutil.NoSuchProcess):
        await asyncio.to_thread(worker.wait, 10)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


async def test_a_file_of_500_megabytes_is_refused_unread(readers: ReadingWorkers, tmp_path: Path) -> None:
    path = tmp_path / "film.pdf"
    with path.open("wb") as stream:
        stream.truncate(500 * 1024 * 1024)
    with pytest.raises(FileTooLarge) as caught:
        await readers.read(path)
    assert str(caught.value) == "film.pdf is larger than 200 MB: split it and attach the part you need."
    assert readers.isolation == "", "no worker was needed to say so"


async def test_an_empty_file_is_said(readers: ReadingWorkers, tmp_path: Path) -> None:
    path = tmp_path / "👻 no\nthing.txt"
    path.touch()
    with pytest.raises(FileEmpty) as caught:
        await readers.read(path)
    assert str(caught.value) == "👻 no thing.txt is empty: check that it was saved, then attach it again."


async def test_bytes_and_paths_give_the_same_document(readers: ReadingWorkers, tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(sample_files.docx())
    from_path, from_bytes = await asyncio.gather(
        readers.read(path), readers.read(sample_files.docx(), "a.docx")
    )
    assert from_path == from_bytes
    assert len(from_path.sections) == 4


async def test_a_long_document_comes_whole(readers: ReadingWorkers) -> None:
    content = b"".join(b"%d words on a line\n" % number for number in range(200_000))
    document = await readers.read(content, "long.txt")
    assert "\n".join(section.text for section in document.sections) + "\n" == content.decode()


async def test_a_missing_file_is_the_callers_error(readers: ReadingWorkers, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await readers.read(tmp_path / "gone.pdf")
    with pytest.raises(OSError):
        await readers.read(tmp_path)
    assert (await readers.read(b"still here", "a.txt")).sections[0].text == "still here"


async def test_the_office_loads_no_document_library() -> None:
    script = (
        "import sys, memory.readers.workers, memory.readers.passages;"
        "slow = {'pypdfium2', 'lxml', 'docx', 'openpyxl', 'pptx', 'selectolax', 'numpy'};"
        "print(sorted(slow & set(sys.modules)))"
    )
    office = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert (await office.communicate())[0] == b"[]\n"
