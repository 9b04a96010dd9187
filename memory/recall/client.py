"""The office's side of the recall process: starting it, asking it, and starting it again when it dies."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from memory.recall.confinement import environment
from memory.recall.errors import ModelDamaged, RecallDown
from memory.recall.frames import FrameBroken, read_frame, write_frame
from resources.language import chosen_language
from resources.language import gettext as _

_log = logging.getLogger(__name__)

_ANSWER_SECONDS = {"search": 10.0, "score": 10.0, "hello": 30.0}
_LONG_ANSWER_SECONDS = 120.0
"""A process that is silent for longer hangs, and is killed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the process answered to a search.

    ``queries`` holds one float32 vector per text; ``nearest`` pairs random ids with inner
    products, best first; ``indexed`` vectors were in Chroma and ``waiting`` ones were scanned.
    """

    queries: bytes
    nearest: tuple[tuple[str, float], ...]
    indexed: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Closeness:
    """How closely texts speak of what is asked, from -1 to 1.

    ``texts`` holds a number for each text; ``pieces`` are the pieces of the question as slices of it, and
    ``nearest`` holds one row per text with the best match of each piece.
    """

    texts: Sequence[float]
    pieces: Sequence[tuple[int, int]]
    nearest: Sequence[Sequence[float]]


class RecallProcess:
    """One recall process at a time. Calls are answered in order; each may raise RecallDown.

    A thread of its own talks to the child: it is the one that the child dies with.
    """

    def __init__(self, threads: int = 2) -> None:
        self._threads = threads
        self._lane = ThreadPoolExecutor(1, thread_name_prefix="recall")
        self._child: subprocess.Popen[bytes] | None = None
        self._waits_in: Path | None = None
        self.embedder = ""
        self.dimensions = 0

    @property
    def pid(self) -> int | None:
        """The process id while the child lives and answers; None of a child that was only launched."""
        child = self._child
        return child.pid if child is not None and self._waits_in is None and child.poll() is None else None

    def launch(self, scratch: Path) -> None:
        """Have the child started in its folder and return at once; ``start`` waits for it later."""
        self._waits_in = scratch
        self._lane.submit(self._launch, scratch)

    def waits_in(self, scratch: Path) -> bool:
        """Tell whether a child was launched in this folder and was not asked anything yet."""
        return self._waits_in == scratch

    def abandon(self) -> None:
        """Kill a child that was launched and is not wanted, and end its thread; blocks for a moment."""
        self._lane.submit(self._discard).result()
        self._lane.shutdown()

    async def start(self, scratch: Path) -> None:
        """Start the child, if it does not wait there, and wait until the embedder is loaded (some 0.4 s).

        Raises ModelDamaged.
        """
        await self._run(self._start, scratch)

    async def embed(self, texts: Sequence[str]) -> bytes:
        """Return the normalised float32 vectors of the texts, one after the other."""
        _header, body = await self._run(self._ask, {"do": "embed", "texts": list(texts)})
        return cast(bytes, body)

    async def open(self, folder: Path | None) -> int:
        """Open the index in the folder, or in memory; return the number of vectors in it."""
        header, _body = await self._run(self._ask, {"do": "open", "folder": str(folder or "")})
        return int(header["indexed"])

    async def close_index(self) -> None:
        """Let Chroma take what waits and close it, so that its folder may be sealed."""
        await self._run(self._ask, {"do": "close"})

    async def add(self, ids: Sequence[str], vectors: bytes) -> int:
        """Add vectors under random ids; they are found from now on. Return how many wait for Chroma."""
        header, _body = await self._run(self._ask, {"do": "add", "ids": list(ids)}, vectors)
        return int(header["waiting"])

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget the vectors of these ids."""
        await self._run(self._ask, {"do": "remove", "ids": list(ids)})

    async def counts(self) -> tuple[int, int]:
        """Return how many vectors Chroma holds and how many wait for it."""
        header, _body = await self._run(self._ask, {"do": "counts"})
        return int(header["indexed"]), int(header["waiting"])

    async def memory(self) -> int:
        """Return the bytes of memory that the child holds."""
        header, _body = await self._run(self._ask, {"do": "memory"})
        return int(header["bytes"])

    async def search(self, texts: Sequence[str], count: int) -> Found:
        """Embed the texts and find the ``count`` nearest ids to any of them; 0 only embeds."""
        header, body = await self._run(self._ask, {"do": "search", "texts": list(texts), "count": count})
        size = len(texts) * self.dimensions * 4
        products = cast("Sequence[float]", memoryview(body)[size:].cast("f"))
        nearest = tuple(zip(header["ids"], products, strict=True))
        return Found(body[:size], nearest, int(header["indexed"]), int(header["waiting"]))

    async def score(self, queries: bytes, vectors: Sequence[bytes]) -> list[list[float]]:
        """Return, per query, the inner product with each of the vectors."""
        count = len(queries) // (self.dimensions * 4)
        body = b"".join((queries, *vectors))
        _header, answer = await self._run(self._ask, {"do": "score", "queries": count}, body)
        products = cast("list[float]", memoryview(answer).cast("f").tolist())
        width = len(vectors)
        return [products[row * width : (row + 1) * width] for row in range(count)]

    async def closeness(self, question: str, texts: Sequence[str], matches: int) -> Closeness:
        """Return how closely each text speaks of what is asked; see ``Embedder.closeness``."""
        header = {"do": "closeness", "question": question, "texts": list(texts), "matches": matches}
        about, answer = await self._run(self._ask, header)
        numbers = cast("list[float]", memoryview(answer).cast("f").tolist())
        pieces = [(start, end) for start, end in about["pieces"]]
        rows, width = numbers[len(texts) :], len(pieces)
        nearest = [rows[number * width : (number + 1) * width] for number in range(len(texts))]
        return Closeness(numbers[: len(texts)], pieces, nearest)

    async def stop(self) -> None:
        """End the child, asking it first; it can be started again."""
        await self._run(self._stop)

    async def kill(self) -> None:
        """End the child at once, where nothing that it holds is wanted; it can be started again."""
        child = self._child
        if child is not None:
            child.kill()  # whatever it is busy with, so that the thread that talks to it is free
        await self._run(self._discard)

    async def close(self) -> None:
        """End the child and the thread that talks to it."""
        await self._run(self._stop)
        self._lane.shutdown()

    async def _run(self, call: Any, *arguments: Any) -> Any:
        future = self._lane.submit(call, *arguments)
        # A cancelled caller must not leave an answer in the pipe for the next one.
        return await asyncio.shield(asyncio.wrap_future(future))

    def _start(self, scratch: Path) -> None:
        if not self.waits_in(scratch):
            self._stop()
            self._launch(scratch)
        self._waits_in = None
        header, _body = self._ask({"do": "hello"})
        self.embedder, self.dimensions = header["embedder"], header["dimensions"]

    def _launch(self, scratch: Path) -> None:
        command = [sys.executable, "-P", "-m", "memory.recall.process", str(os.getpid())]
        command += [str(self._threads), chosen_language()]
        # Popen closes this process's copies of the child's ends, so a dead child is an end of file.
        self._child = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(scratch),
            cwd=scratch,
            bufsize=1 << 16,
            pipesize=1 << 20,
        )

    def _ask(self, header: dict[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
        child = self._child
        if child is None:
            raise RecallDown(_("The recall process is not running; full text still answers."))
        watchdog = threading.Timer(_ANSWER_SECONDS.get(header["do"], _LONG_ANSWER_SECONDS), child.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            write_frame(cast(BinaryIO, child.stdin), header, body)
            answer = read_frame(cast(BinaryIO, child.stdout))
        except (OSError, FrameBroken) as error:
            self._discard()
            raise RecallDown(_("The recall process stopped; it is started again.")) from error
        finally:
            watchdog.cancel()
        if answer is None:
            self._discard()
            raise RecallDown(_("The recall process stopped; it is started again."))
        if "damaged" in answer[0]:
            self._discard()
            raise ModelDamaged(answer[0]["damaged"])
        if "error" in answer[0]:
            _log.error("recall process: %s of %s", answer[0]["error"], header["do"])
            self._discard()
            raise RecallDown(_("The recall process failed; it is started again."))
        return answer

    def _stop(self) -> None:
        child = self._child
        if child is None:
            return
        if self._waits_in is None:  # else it holds nothing that has to be closed
            cast(BinaryIO, child.stdin).close()
            try:
                child.wait(5.0)
            except subprocess.TimeoutExpired:
                _log.warning("the recall process did not end when asked and is killed")
        self._discard()

    def _discard(self) -> None:
        child, self._child, self._waits_in = self._child, None, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            try:
                cast(BinaryIO, pipe).close()
            except OSError:
                _log.debug("the pipe to the dead recall process held an unsent frame")
