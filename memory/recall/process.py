"""The recall process: ``python -m memory.recall.process PARENT``. It embeds texts and holds the vector index.

It is given texts and vectors on its standard input, never a key, opens no socket, and writes to no folder but
the one it is given, which lies in memory. Frames are answered in the order in which they come; between them
waiting vectors are handed to Chroma.
"""

import os
import select
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from memory.recall.confinement import confine, own_memory
from memory.recall.embedder import Embedder, Vectors
from memory.recall.embedder_identity import DIMENSIONS, EMBEDDER
from memory.recall.errors import ModelDamaged
from memory.recall.frames import Stream, read_frame, write_frame
from memory.recall.vector_index import BATCH, SMALL_BATCH, VectorIndex, import_chroma
from resources.language import choose_language

_BETWEEN_FRAMES = 0.03
_SEARCHING_SECONDS = 2.0

Answer = tuple[dict[str, Any], bytes]


class Service:
    """Answers the frames of one office."""

    def __init__(self, threads: int) -> None:
        """Load the embedder. Raises ModelDamaged."""
        self._embedder = Embedder(threads)
        self.index: VectorIndex | None = None

    def answer(self, header: dict[str, Any], body: bytes) -> Answer:
        """Do what the header's ``do`` says and return the answer's header and body."""
        action = getattr(self, f"_do_{header['do']}")
        answer: Answer = action(header, _vectors(body))
        return answer

    def _do_hello(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        return {"embedder": EMBEDDER, "dimensions": DIMENSIONS}, b""

    def _do_embed(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        return {}, self._embedder.embed(header["texts"]).tobytes()

    def _do_open(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        folder = Path(header["folder"]) if header["folder"] else None
        self.index = VectorIndex(folder, EMBEDDER)
        return self._counts(), b""

    def _do_close(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        if self.index is not None:
            while self.index.settle():
                pass
            self.index.close()
            self.index = None
        return {}, b""

    def _do_add(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        self._opened().add(header["ids"], vectors)
        return self._counts(), b""

    def _do_remove(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        self._opened().remove(header["ids"])
        return self._counts(), b""

    def _do_counts(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        return self._counts(), b""

    def _do_search(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        """Embed the texts and find the nearest ids; without an index only the vectors come back."""
        queries = self._embedder.embed(header["texts"])
        found = self.index.query(queries, header["count"]) if self.index and header["count"] else []
        ids = [name for name, product in found]
        products = np.array([product for name, product in found], np.float32)
        return {"ids": ids, **self._counts()}, queries.tobytes() + products.tobytes()

    def _do_score(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        """The first ``queries`` rows against all others: one row of inner products per query."""
        queries = header["queries"]
        return {}, np.ascontiguousarray(vectors[:queries] @ vectors[queries:].T).tobytes()

    def _do_closeness(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        close = self._embedder.closeness(header["question"], header["texts"], header["matches"])
        return {"pieces": close.pieces}, close.texts.tobytes() + close.nearest.tobytes()

    def _do_memory(self, header: dict[str, Any], vectors: Vectors) -> Answer:
        return {"bytes": own_memory()}, b""

    def _counts(self) -> dict[str, Any]:
        if self.index is None:
            return {"indexed": 0, "waiting": 0}
        return {"indexed": self.index.indexed, "waiting": self.index.waiting}

    def _opened(self) -> VectorIndex:
        if self.index is None:
            raise RuntimeError("the index is not open")
        return self.index


def serve(service: Service, requests: Stream, answers: BinaryIO) -> None:
    """Answer frames until the office closes the pipe; use the time between them to settle the index.

    A search is several frames in quick succession: nothing is settled between them, and while searches come
    the batches are small, so that a frame seldom waits and never long.
    """
    answered = 0.0
    while True:
        while service.index is not None and service.index.waiting:
            quiet = time.monotonic() - answered
            if _ready(requests, _BETWEEN_FRAMES if quiet < _BETWEEN_FRAMES else 0.0):
                break
            service.index.settle(SMALL_BATCH if quiet < _SEARCHING_SECONDS else BATCH)
        frame = read_frame(requests)
        if frame is None:
            return
        try:
            header, body = service.answer(*frame)
        except Exception as error:  # noqa: BLE001 - told to the office, which restarts this process if it must
            header, body = {"error": f"{type(error).__name__}: {error}"}, b""
        write_frame(answers, header, body)
        if frame[0]["do"] == "hello":
            import_chroma()  # while the office unseals
        if frame[0]["do"] in ("search", "score"):
            answered = time.monotonic()


def _ready(stream: Stream, seconds: float) -> bool:
    if sys.platform == "win32":
        return False  # its pipes cannot be asked; everything is settled before the next frame is read
    return bool(select.select([stream], [], [], seconds)[0])


def _vectors(body: bytes) -> Vectors:
    return np.frombuffer(body, np.float32).reshape(-1, DIMENSIONS)


def main() -> None:
    """Take over the pipes, so that nothing a library prints reaches the office, and serve."""
    choose_language(sys.argv[3])
    confine(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    requests = os.fdopen(0, "rb", buffering=0, closefd=False)  # unbuffered, so that it can be asked
    try:
        service = Service(threads=int(sys.argv[2]))
    except ModelDamaged as error:
        read_frame(requests)
        write_frame(answers, {"damaged": str(error)})
        return
    serve(service, requests, answers)
    # Nothing is left to be put in order, and the libraries take their time to come down.
    os._exit(0)


if __name__ == "__main__":
    main()
