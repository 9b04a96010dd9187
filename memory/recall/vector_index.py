"""Chroma in the recall process: one collection per embedder, random ids, vectors and nothing else.

Vectors wait in an exactly scanned matrix until Chroma has taken them, so what was added is found at once.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

BATCH = 100
"""Vectors given to Chroma at a time; a query waits no longer than one batch."""
SMALL_BATCH = 20
"""The same while searches come."""
_SEARCH_WIDTH = 160
"""Candidates that the graph follows per query; more finds more of the true neighbours and takes longer."""


def import_chroma() -> None:
    """Import Chroma, which takes some 0.6 s, before the index is opened."""
    import chromadb.config  # noqa: F401 - only to have it loaded


@dataclass(slots=True)
class _Block:
    """Vectors that were added together; the first ``taken`` of them are in Chroma."""

    ids: list[str]
    vectors: Vectors
    taken: int = 0


class VectorIndex:
    """The vectors of one embedder, kept in a folder or in memory, found by inner product."""

    def __init__(self, folder: Path | None, embedder: str) -> None:
        """Open the collection in ``folder``, making it when there is none; in memory when that is None."""
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False, is_persistent=folder is not None)
        self._client: Any = (
            chromadb.EphemeralClient(settings)
            if folder is None
            else chromadb.PersistentClient(str(folder), settings)
        )
        self._collection: Any = self._client.get_or_create_collection(
            embedder,
            embedding_function=None,
            configuration={"hnsw": {"space": "ip", "ef_search": _SEARCH_WIDTH, "num_threads": 1}},
        )
        self._blocks: deque[_Block] = deque()
        self._waiting: int = 0
        self._indexed: int = self._collection.count()

    @property
    def indexed(self) -> int:
        """Vectors that Chroma holds."""
        return self._indexed

    @property
    def waiting(self) -> int:
        """Vectors that Chroma has not taken yet; they are found by exact scan."""
        return self._waiting

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Make the vectors findable; Chroma takes them batch by batch in ``settle``."""
        if ids:
            self._blocks.append(_Block(list(ids), vectors))
            self._waiting += len(ids)

    def settle(self, size: int = BATCH) -> bool:
        """Hand one batch to Chroma; return whether more wait."""
        if self._blocks:
            block = self._blocks[0]
            taken = slice(block.taken, block.taken + size)
            self._collection.add(ids=block.ids[taken], embeddings=block.vectors[taken])
            count = len(block.ids[taken])
            block.taken += count
            self._indexed += count
            self._waiting -= count
            if block.taken == len(block.ids):
                self._blocks.popleft()
        return self._waiting > 0

    def remove(self, ids: Sequence[str]) -> None:
        """Forget the vectors of these ids; unknown ids are passed over."""
        while self.settle():
            pass
        for start in range(0, len(ids), BATCH):
            self._collection.delete(ids=list(ids[start : start + BATCH]))
        self._indexed = self._collection.count()

    def query(self, vectors: Vectors, count: int) -> list[tuple[str, float]]:
        """Return up to ``count`` ids, nearest to any row of ``vectors``, with inner products, best first."""
        best: dict[str, float] = {}
        if self._indexed:
            found = self._collection.query(
                query_embeddings=vectors, n_results=min(count, self._indexed), include=["distances"]
            )
            for ids, distances in zip(found["ids"], found["distances"], strict=True):
                for name, distance in zip(ids, distances, strict=True):
                    best[name] = max(best.get(name, -1.0), 1.0 - distance)
        for block in self._blocks:
            names = block.ids[block.taken :]
            products = (block.vectors[block.taken :] @ vectors.T).max(axis=1)
            for position in np.argpartition(-products, min(count, len(names)) - 1)[:count]:
                best[names[position]] = float(products[position])
        return sorted(best.items(), key=lambda pair: -pair[1])[:count]

    def close(self) -> None:
        """Close Chroma so that its folder may be sealed or removed; what waits is dropped."""
        self._client.close()
