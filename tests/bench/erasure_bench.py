"""How long an erasure holds its owner up, and how long a deep one takes for each gigabyte of database.

``python -m tests.bench.erasure_bench`` makes an office of 100,000 messages, 2,000 files (2 GB) and 20,000 notes with
their vectors, fills and seals its index, and prints two figures; ``BUREAU_BENCH_SHARE=0.1`` takes a tenth of it.
The first erasure meets a settled index, the others the one that is being filled anew because of those before.
"""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.office import Office
from memory.lifecycle.subjects import Subject
from memory.locations import Locations
from memory.tables import MessageTable
from tests.bench.big_office import FILES, MESSAGES, NOTES, TO_A_CHAT
from tests.bench.figures import Figure
from tests.bench.lived_in import lived_in
from tests.bench.processes import PASSPHRASE
from tests.bench.recall_bench import indexed
from vault.secret import Secret

SHARE = float(os.environ.get("BUREAU_BENCH_SHARE", "1"))
ERASED = 5


def _some(session: Session) -> list[str]:
    chosen = select(MessageTable.id).where(MessageTable.ordinal == TO_A_CHAT // 2).limit(ERASED)
    return list(session.scalars(chosen))


async def measure(folder: Path) -> None:
    """Make an office, erase messages one by one, change its key, and print both figures."""
    messages, files, notes = (int(SHARE * size) for size in (MESSAGES, FILES, NOTES))
    begun = time.perf_counter()
    await lived_in(folder / "office", messages=messages, files=files, notes=notes)
    made = time.perf_counter()
    office = await _warm(folder / "office")
    vectors = office.recall.condition.added
    await office.close()
    print(
        f"# {messages} messages, {files} files, {notes} notes made in {made - begun:.0f} s; index of {vectors}"
        f" vectors filled and sealed in {time.perf_counter() - made:.0f} s",
        flush=True,
    )
    office = await _warm(folder / "office")
    if not office.recall.condition.unsealed:
        raise RuntimeError("the index was not sealed")
    try:
        seconds = await _erasures(office)
        size = office.locations.database.stat().st_size / 1e9
        conditions = f"first {seconds[0]:.2f} (index at rest), slowest {max(seconds):.2f}"
        conditions += f", database {1000 * size:.0f} MB, {messages + notes} passages with vectors"
        print(Figure("erase_one_message", statistics.median(seconds), "s", 1.5, 0.3, conditions).line())
        begun = time.perf_counter()
        await office.erasing.deepen()
        spent = time.perf_counter() - begun
        print(Figure("deep_erase_per_gb", spent / size, "s", 30, 12, f"{spent:.1f} s in all").line())
    finally:
        await office.close()


async def _warm(home: Path) -> Office:
    """Open an office whose index holds every vector and is at rest."""
    office = await Office.open(Locations.find(home), passphrase=Secret(PASSPHRASE))
    await office.recall.start()
    await indexed(office.recall)
    return office


async def _erasures(office: Office) -> list[float]:
    """Return the seconds of each erasure with its quick proof; the full search of each is awaited."""
    seconds = []
    for identity in await office.database.read(_some):
        begun = time.perf_counter()
        report = await office.erasing.erase([Subject("message", identity)])
        seconds.append(time.perf_counter() - begun)
        report = await office.erasing.proved(report.id)
        if report.proof["quick"]["traces"] or report.proof["full"]["traces"]:
            raise RuntimeError(f"traces were found: {report.proof}")
    return seconds


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(measure(Path(name)))


if __name__ == "__main__":
    main()
