"""Speed and memory of recall: searching 10,000 and 100,000 passages, opening the sealed index, bytes held.

``python -m tests.bench.recall_bench [PASSAGES]`` prints one line per figure.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from memory.database import Database
from memory.locations import Locations
from memory.recall import lexical
from memory.recall.pool import EVERYWHERE
from memory.recall.queries import understand
from memory.recall.search import Recall
from tests.bench.corpus import Corpus, merge_full_text
from tests.memory.recall.conftest import OFFICE, prepare

_GROWN_AT_A_TIME = 5000
_QUESTIONS = 200
_GOALS = {10_000: (50, 25), 100_000: (150, 60)}
_OPENED_VECTORS = 100_000


class Bench:
    """One office that grows from figure to figure."""

    def __init__(self, folder: Path) -> None:
        self._locations = Locations(folder)
        self._locations.create()
        self._database = Database.open(self._locations.database, os.urandom(32))
        self._database.write_now(prepare)
        self._corpus = Corpus()
        self._size = 0

    async def run(self, sizes: tuple[int, ...]) -> None:
        """Measure at each number of passages."""
        for size in sizes:
            await self._grow(size)
            recall = Recall(self._database, self._locations, OFFICE)
            begun = time.perf_counter()
            await recall.start()
            await indexed(recall)
            filled = time.perf_counter() - begun
            print(f"# index of {2 * size} vectors filled from the database in {filled:.1f} s")
            if size in _GOALS:
                await self._searches(recall, size)
            if size == 10_000:
                await self._bytes(recall)
            await recall.close()
            if 2 * size == _OPENED_VECTORS:
                await self._opening(filled)
        self._database.close()

    async def _grow(self, size: int) -> None:
        for first in range(self._size + 1, size + 1, _GROWN_AT_A_TIME):
            count = min(_GROWN_AT_A_TIME, size + 1 - first)
            await self._database.write(self._corpus.grow, first, count)
        await self._database.write(merge_full_text)
        self._size = size

    async def _searches(self, recall: Recall, size: int) -> None:
        questions = [self._corpus.question() for _ in range(_QUESTIONS)]
        process = recall._keeper.process  # Chroma is asked directly for the baseline

        async def with_recall(question: str) -> None:
            result = await recall.search(question)
            if result.legs != ("lexical", "dense") or result.home != "sealed":
                raise RuntimeError(f"the index did not answer: {result.legs} from {result.home}")

        async def with_chroma(question: str) -> None:
            await process.search([question], 10)

        async def with_words(question: str) -> None:
            found = await self._database.read(lexical.find, understand(question, ()), EVERYWHERE)
            found.best(10)

        must, aim = _GOALS[size]
        chroma, words = [await _p95(way, questions) for way in (with_chroma, with_words)]
        middle, slow = await _percentiles(with_recall, questions)
        print(
            f"recall_search_p95_{size} = {slow:.1f} ms (must {must}, aim {aim},"
            f" baseline Chroma alone {chroma:.1f}, BM25 alone {words:.1f}; median {middle:.1f})"
        )

    async def _bytes(self, recall: Recall) -> None:
        process, folder = await recall.memory()
        print(
            f"recall_memory_10000 = {(process + folder) / 1e6:.0f} MB"
            f" (must 300, aim 250, process {process / 1e6:.0f}, tmpfs {folder / 1e6:.0f})"
        )

    async def _opening(self, filled: float) -> None:
        """From the sealed file to the first answer of a process whose model is loaded."""
        recall = Recall(self._database, self._locations, OFFICE)
        await recall.start()
        while recall.condition.state != "warm":
            await asyncio.sleep(0.001)
        begun = time.perf_counter()
        result = await recall.search(self._corpus.question())
        answered = time.perf_counter() - begun
        if not recall.condition.unsealed or recall.condition.added or result.home != "sealed":
            raise RuntimeError("the index was not opened from its snapshot")
        print(
            f"index_open_100000 = {recall.condition.opening_seconds + answered:.2f} s"
            f" (must 2, aim 0.5, baseline filling it from the database {filled:.1f})"
        )
        await recall.close()


async def indexed(recall: Recall) -> None:
    """Wait until Chroma has taken every vector."""
    await recall.settled()
    while (await recall._keeper.process.counts())[1]:
        await asyncio.sleep(0.2)


async def _percentiles(way: Callable[[str], Awaitable[Any]], questions: list[str]) -> tuple[float, float]:
    times = []
    for question in questions:
        begun = time.perf_counter()
        await way(question)
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


async def _p95(way: Callable[[str], Awaitable[Any]], questions: list[str]) -> float:
    return (await _percentiles(way, questions))[1]


def main() -> None:
    """Measure at the sizes of the specification, or only up to the number of passages named."""
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    sizes = tuple(size for size in (10_000, _OPENED_VECTORS // 2, 100_000) if size <= largest)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(Bench(Path(folder)).run(sizes))


if __name__ == "__main__":
    main()
