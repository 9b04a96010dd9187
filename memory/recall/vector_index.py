"""Chroma in the recall process: one collection per embedder, random ids, vectors and nothing else.

Vectors wait in an exactly scanned matrix until Chroma has taken them, so what was added is found at once.

Chroma's engine is called by its own bindings: the package above them, which would do no more here than pass these
calls on, takes longer to import than the embedder takes to load. What it writes is Chroma's own format.
"""

import json
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


_INDEXES_IN_MEMORY = 8
"""Indexes that Chroma keeps loaded; there is one."""
_OWNER = ("default_tenant", "default_database")
"""Where Chroma keeps what belongs to nobody in particular."""


def import_chroma() -> None:
    """Import Chroma's engine before the index is opened."""
    import chromadb_rust_bindings  # noqa: F401 - only to have it loaded


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
        import chromadb_rust_bindings as chroma

        self._engine: Any = chroma.Bindings(
            allow_reset=False,
            sqlite_db_config=chroma.SqliteDBConfig(
                hash_type=chroma.MigrationHash.MD5,
                migration_mode=chroma.MigrationMode.Apply,
                url=None if folder is None else str(folder / "chroma.sqlite3"),
            ),
            persist_path=None if folder is None else str(folder),
            hnsw_cache_size=_INDEXES_IN_MEMORY,
        )
        wanted = {"hnsw": {"space": "ip", "ef_search": _SEARCH_WIDTH, "num_threads": 1}}
        made = self._engine.create_collection(embedder, json.dumps(wanted), None, None, True, *_OWNER)
        self._collection = str(made.id)
        self._blocks: deque[_Block] = deque()
        self._waiting: int = 0
        self._indexed: int = self._count()

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
            self._engine.add(
                block.ids[taken], self._collection, block.vectors[taken], None, None, None, *_OWNER
            )
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
            some = list(ids[start : start + BATCH])
            self._engine.delete(self._collection, some, None, None, None, *_OWNER)
        self._indexed = self._count()

    def query(self, vectors: Vectors, count: int) -> list[tuple[str, float]]:
        """Return up to ``count`` ids, nearest to any row of ``vectors``, with inner products, best first."""
        best: dict[str, float] = {}
        if self._indexed:
            wanted = min(count, self._indexed)
            found = self._engine.query(
                self._collection, None, vectors, wanted, None, None, ["distances"], *_OWNER
            )
            for ids, distances in zip(found.ids, found.distances, strict=True):
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
        del self._engine

    def _count(self) -> int:
        return int(self._engine.count(self._collection, *_OWNER))
