"""Chroma in the recall process: one collection per embedder, random ids, vectors and nothing else.

Vectors wait in an exactly scanned matrix until Chroma has taken them, so what was added is found at once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

BATCH = 100
"""Vectors given to Chroma at a time; a query waits no longer than one batch."""
_SEARCH_WIDTH = 160
"""Candidates that the graph follows per query; more finds more of the true neighbours and takes longer."""


class VectorIndex:
    """The vectors of one embedder, kept in a folder or in memory, found by inner product."""

    def __init__(self, folder: Path | None, embedder: str, dimensions: int) -> None:
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
        self._waiting: dict[str, int] = {}
        self._rows: Vectors = np.empty((0, dimensions), np.float32)
        self._indexed: int = self._collection.count()

    @property
    def indexed(self) -> int:
        """Vectors that Chroma holds."""
        return self._indexed

    @property
    def waiting(self) -> int:
        """Vectors that Chroma has not taken yet; they are found by exact scan."""
        return len(self._waiting)

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Make the vectors findable; Chroma takes them batch by batch in ``settle``."""
        live = self._rows[list(self._waiting.values())] if self._waiting else self._rows[:0]
        names = [*self._waiting, *ids]
        self._rows = np.concatenate((live, vectors))
        self._waiting = {name: row for row, name in enumerate(names)}

    def settle(self) -> bool:
        """Hand one batch to Chroma; return whether more wait."""
        names = list(self._waiting)[:BATCH]
        if names:
            rows = self._rows[[self._waiting[name] for name in names]]
            self._collection.add(ids=names, embeddings=rows)
            self._indexed += len(names)
            for name in names:
                del self._waiting[name]
        if not self._waiting:
            self._rows = self._rows[:0].copy()
        return bool(self._waiting)

    def remove(self, ids: Sequence[str]) -> None:
        """Forget the vectors of these ids; unknown ids are passed over."""
        for name in ids:
            self._waiting.pop(name, None)
        for start in range(0, len(ids), BATCH):
            self._collection.delete(ids=list(ids[start : start + BATCH]))
        self._indexed = self._collection.count()

    def query(self, vectors: Vectors, count: int) -> list[tuple[str, float]]:
        """Return up to ``count`` ids per row of ``vectors`` with their inner products, best first."""
        best: dict[str, float] = {}
        if self._indexed:
            found = self._collection.query(
                query_embeddings=vectors, n_results=min(count, self._indexed), include=["distances"]
            )
            for ids, distances in zip(found["ids"], found["distances"], strict=True):
                for name, distance in zip(ids, distances, strict=True):
                    best[name] = max(best.get(name, -1.0), 1.0 - distance)
        if self._waiting:
            names = list(self._waiting)
            products = (self._rows[list(self._waiting.values())] @ vectors.T).max(axis=1)
            for position in np.argsort(-products)[:count]:
                best[names[position]] = float(products[position])
        return sorted(best.items(), key=lambda pair: -pair[1])[:count]

    def close(self) -> None:
        """Close Chroma so that its folder may be sealed or removed; what waits is dropped."""
        self._client.close()
