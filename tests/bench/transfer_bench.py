"""Export, verification and import of a large office, against ``cp`` and ``sha512sum`` of the same bytes.

``python -m tests.bench.transfer_bench`` prints the figures; ``BUREAU_BENCH_SHARE=0.1`` takes a tenth of the office.
"""

import asyncio
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil

from agents.office import Office
from memory.locations import Locations
from memory.transfer.comparing import Choice
from tests.bench.big_office import FILES, MESSAGES, NOTES, big_office
from tests.bench.figures import Figure
from tests.bench.processes import MEGABYTE, PASSPHRASE
from vault.secret import Secret

SHARE = float(os.environ.get("BUREAU_BENCH_SHARE", "1"))


class Peak:
    """The most resident memory of this process while it runs, above what it had at the beginning."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._idle = self._most = self._process.memory_info().rss
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.01):
            self._most = max(self._most, self._process.memory_info().rss)

    @property
    def megabytes(self) -> float:
        return (self._most - self._idle) / MEGABYTE


def baseline(folder: Path, bundle: Path) -> tuple[float, float]:
    """Return the seconds of ``cp`` and of ``sha512sum`` on the bytes of an export."""
    begun = time.perf_counter()
    subprocess.run(["cp", str(bundle), str(folder / "copy")], check=True)
    subprocess.run(["sync", str(folder / "copy")], check=True)
    copied = time.perf_counter()
    subprocess.run(["sha512sum", str(folder / "copy")], check=True, stdout=subprocess.DEVNULL)
    hashed = time.perf_counter()
    (folder / "copy").unlink()
    return copied - begun, hashed - copied


async def measure(folder: Path) -> list[Figure]:
    """Make the office and measure every figure."""
    sizes = (int(MESSAGES * SHARE), int(FILES * SHARE), int(NOTES * SHARE))
    await big_office(folder / "one", messages=sizes[0], files=sizes[1], notes=sizes[2])
    one = await Office.open(Locations.find(folder / "one"), passphrase=Secret(PASSPHRASE))
    await one.transfers.export(folder / "warm.aofx")
    (folder / "warm.aofx").unlink()
    with Peak() as peak:
        begun = time.perf_counter()
        written = await one.transfers.export(folder / "out.aofx")
        exported = time.perf_counter() - begun
    copied, hashed = baseline(folder, written.path)
    begun = time.perf_counter()
    await one.transfers.verify(written.path)
    verified = time.perf_counter() - begun
    await one.close()
    other = await Office.open(Locations.find(folder / "other"), passphrase=Secret(PASSPHRASE))
    begun = time.perf_counter()
    await other.transfers.bring_in(written.path, Choice())
    imported = time.perf_counter() - begun
    await other.close()
    same = f"{written.size / MEGABYTE:.0f} MB: cp {copied:.2f} s, sha512sum {hashed:.2f} s"
    return [
        Figure("export_ratio", exported / (copied + hashed), "×", 4, 2, f"{exported:.2f} s; {same}"),
        Figure("export_memory", max(0.0, peak.megabytes), "MB", 250, 150),
        Figure("verify_ratio", verified / hashed, "×", 1.5, 1.2, f"{verified:.2f} s; {same}"),
        Figure("import_ratio", imported / exported, "×", 4, 2, f"{imported:.2f} s; export {exported:.2f} s"),
    ]


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        for figure in asyncio.run(measure(Path(folder))):
            print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
