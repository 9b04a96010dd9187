"""The pool of reading workers: untrusted files become documents in confined child processes.

Importing this module loads no document library. A crash, a bomb or a hang costs the file that caused it and
nothing else: its worker is ended and the next file gets a new one.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import memory
from memory.readers.confinement import Confinement, Limits
from memory.readers.document import Document, sections_from_list
from memory.readers.errors import (
    FileDamaged,
    FileEmpty,
    FileTooLarge,
    ReadingCrashed,
    ReadingError,
    ReadingOutOfMemory,
    ReadingTimedOut,
    error_from_dict,
)
from memory.readers.wire import WireError, receive, send
from resources.language import gettext as _

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from memory.readers.worker import main; main(*sys.argv[2:])"
)
_KEPT_ENVIRONMENT = ("LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "WINDIR")
_CHUNK = 1024 * 1024
_START_SECONDS = 30
_ENDED_BY_PROCESSOR_TIME = -24
Result = TypeVar("Result")


class ReadingWorkers:
    """Reads files in at most ``count`` child processes at once; belongs to one event loop.

    ``isolation`` tells, after the first start, what the system enforces on the workers and what it cannot.
    """

    def __init__(self, *, count: int = 2, limits: Limits | None = None, language: str = "") -> None:
        self.limits = limits or Limits()
        self.isolation = ""
        self._language = language
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._turns = asyncio.Semaphore(count)
        # A worker dies with the thread that started it (Linux), so these threads live as long as the pool.
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="reading")
        self._closed = False

    async def start(self) -> None:
        """Start one worker ahead of the first file; raises ReadingCrashed where none can start."""
        async with self._turns:
            await self._with_worker(_Worker.start)

    async def read(self, source: Path | bytes, name: str = "") -> Document:
        """Return the document in a file or in bytes; raises a ReadingError with the sentence for a person.

        ``name`` is the file's name for sentences and ties; a path's own name stands in for an empty one.
        Raises OSError where a path cannot be opened.
        """
        shown = name or (source.name if isinstance(source, Path) else "")
        size = await asyncio.to_thread(_size, source)
        if size == 0:
            raise FileEmpty(shown)
        if size > self.limits.file_megabytes * 1024 * 1024:
            raise FileTooLarge(shown, str(self.limits.file_megabytes))
        async with self._turns:
            return await self._with_worker(lambda worker: worker.read(source, size, shown))

    async def close(self) -> None:
        """End every worker; readings under way fail as crashed."""
        self._closed = True
        for worker in (*self._idle, *self._busy):
            worker.end()
        self._idle.clear()
        await asyncio.to_thread(self._threads.shutdown)

    async def _with_worker(self, work: "Callable[[_Worker], Result]") -> Result:
        """Do blocking work with an idle or new worker in a thread; a cancelled caller ends the worker."""
        worker = self._next_worker()
        self._busy.add(worker)
        future = asyncio.get_running_loop().run_in_executor(self._threads, work, worker)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            worker.end()
            raise
        finally:
            self._busy.discard(worker)
            self.isolation = worker.isolation or self.isolation
            if worker.usable and not self._closed:
                self._idle.append(worker)
            else:
                worker.end()

    def _next_worker(self) -> "_Worker":
        while self._idle:
            worker = self._idle.pop()
            if worker.usable:
                return worker
            worker.end()
        return _Worker(self.limits, self._language)


class _Worker:
    """One child process. Its methods block and are called from one thread at a time, except :meth:`end`."""

    def __init__(self, limits: Limits, language: str) -> None:
        self.isolation = ""
        self._limits = limits
        self._language = language
        self._process: subprocess.Popen[bytes] | None = None
        self._files = 0
        self._ended = False
        self._late = False
        self._lock = threading.Lock()

    @property
    def usable(self) -> bool:
        """Whether another file may be given to it."""
        running = self._process is not None and self._process.poll() is None
        return running and not self._ended and self._files < self._limits.files_per_worker

    def start(self) -> None:
        """Start the process, if it is not running, and wait until it is confined."""
        with self._lock:
            if self._ended:
                raise ReadingCrashed("")
            if self._process is not None:
                return
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and our own code
                [
                    *(sys.executable, "-I", "-X", "utf8", "-c", _START, str(Path(memory.__path__[0]).parent)),
                    *(self._language, json.dumps(asdict(self._limits)), str(os.getpid())),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
                cwd=Path(sys.prefix).anchor,
                close_fds=True,
            )
        with self._deadline(_START_SECONDS):
            try:
                ready = receive(self._answers)
            except (WireError, OSError):
                ready = None
        if ready is None:
            self.end()
            raise ReadingCrashed("")
        self.isolation = _described(ready.get("ready"))

    def read(self, source: Path | bytes, size: int, name: str) -> Document:
        """Return the document; raises a ReadingError, after which the worker may be unusable."""
        self.start()
        self._files += 1
        try:
            with self._deadline(self._limits.seconds):
                self._hand_over(source, size, name)
                return self._document(name)
        except ReadingError:
            raise
        except (WireError, BrokenPipeError, ConnectionError, ValueError, TypeError) as error:
            raise self._reason(name) from error

    def end(self) -> None:
        """End the process at once; may be called from any thread, any number of times."""
        with self._lock:
            self._ended = True
            process = self._process
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was not sent yet has no reader any more
                    stream.close()

    @property
    def _requests(self) -> BinaryIO:
        assert self._process is not None and self._process.stdin is not None
        return cast(BinaryIO, self._process.stdin)

    @property
    def _answers(self) -> BinaryIO:
        assert self._process is not None and self._process.stdout is not None
        return cast(BinaryIO, self._process.stdout)

    @contextlib.contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        """Kill the process where the block takes longer."""
        timer = threading.Timer(seconds, self._kill_late)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _kill_late(self) -> None:
        self._late = True
        if self._process is not None:
            self._process.kill()

    def _hand_over(self, source: Path | bytes, size: int, name: str) -> None:
        if isinstance(source, bytes):
            send(self._requests, {"name": name, "size": size})
            self._requests.write(source)
        else:
            with source.open("rb") as stream:
                send(self._requests, {"name": name, "size": size})
                left = size
                while left and (chunk := stream.read(min(_CHUNK, left))):
                    self._requests.write(chunk)
                    left -= len(chunk)
            if left:
                self.end()
                raise FileDamaged(name)
        self._requests.flush()

    def _document(self, name: str) -> Document:
        """Put the document together from its messages; they are small: decoding one holds every thread."""
        longest = self._limits.answer_megabytes * 1024 * 1024
        answer = receive(self._answers, longest)
        if answer is None:
            raise self._reason(name)
        failure = answer.get("error")
        if isinstance(failure, dict):
            error = error_from_dict(failure, name)
            if isinstance(error, ReadingOutOfMemory):
                self.end()
            raise error
        document = Document.from_dict(answer)
        sections = list(document.sections)
        while not answer.get("last"):
            answer = receive(self._answers, longest)
            if answer is None:
                raise self._reason(name)
            more = sections_from_list(answer.get("sections"))
            longest -= sum(len(section.text) for section in more)
            sections += more
        return replace(document, sections=tuple(sections))

    def _reason(self, name: str) -> ReadingError:
        """Return why the process is gone, and see to it that it is."""
        late = self._late
        self.end()
        assert self._process is not None
        if late or self._process.returncode == _ENDED_BY_PROCESSOR_TIME:
            return ReadingTimedOut(name, str(self._limits.seconds))
        return ReadingCrashed(name)


def _size(source: Path | bytes) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def _described(ready: object) -> str:
    """Return one sentence on what is enforced and what the system cannot enforce."""
    names = {
        "limits": _("memory and time limits"),
        "no_network": _("no network"),
        "no_new_sockets": _("no new connections or programs"),
        "no_files": _("no access to files"),
        "dies_with_office": _("ends with the office"),
    }
    states = ready if isinstance(ready, dict) else {}
    enforced = [names[field.name] for field in fields(Confinement) if states.get(field.name) is True]
    missing = [names[field.name] for field in fields(Confinement) if states.get(field.name) is not True]
    sentence = _("Enforced on reading workers: {list}.").format(list=", ".join([*enforced, _("no keys")]))
    if missing:
        sentence += " " + _("This system cannot enforce: {list}.").format(list=", ".join(missing))
    return sentence
