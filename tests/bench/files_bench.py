"""A file of 1 GB between two offices at the real service, cut in the middle on both ways: nothing is moved twice.

``python -m tests.bench.files_bench`` prints the figures. Client and service are one process over SQLite and a folder,
with no socket between them, and the limits raised; each office starts again after its cut.
"""

import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from memory.blobs import BlobStore
from memory.sync.blob_chunks import chunk_count
from tests.bench.figures import Figure
from tests.memory.sync.filing import sent_in_a_new_chat
from tests.memory.sync.service.filing_offices import FilingOffice
from tests.memory.sync.service.offices import hosted_at, make_template

SIZE = 2**30
CUT_AT = 100
"""The how manieth piece is cut off."""
_RAISED = {"attachment_bytes": 2 * SIZE, "account_bytes": 4 * SIZE, "pulls_per_minute": 10**6}


def made() -> Iterator[bytes]:
    """Yield as many bytes, which no compression makes less of."""
    for _piece in range(SIZE // 2**20):
        yield os.urandom(2**20)


def moved(office: FilingOffice, method: str) -> tuple[int, float]:
    """Move the file with a cut; return how many pieces were moved again that were through, and the seconds."""
    begun = time.perf_counter()
    office.cut_at = CUT_AT
    with suppress(OSError):
        while office.sync().files_left:
            continue
    ((through, _fault),) = office.filing.transfers().values()
    assert through  # it was cut in the middle
    before = office.moved(method)[:through]
    asked = len(office.moved(method))
    office.reopen()
    office.filing.sweep()
    while office.sync().files_left:
        continue
    seconds = time.perf_counter() - begun
    return len(set(before) & set(office.moved(method)[asked:])), seconds


def measure(folder: Path) -> None:
    """Send the file from one office to the other."""
    template = make_template(folder / "template", 2, met=True)
    with hosted_at(template, folder / "hosted", **_RAISED) as service:
        one, other = (FilingOffice.copied(service, template, n, folder / f"office{n}") for n in range(2))
        try:
            blob = BlobStore(one.filing.store.path("."), limit=SIZE).write(made(), size=SIZE)
            file = one.do(sent_in_a_new_chat, blob, "film.bin")
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for office, method, way in ((one, "PUT", "sent"), (other, "GET", "fetched")):
                again, seconds = moved(office, method)
                said = f"{chunk_count(SIZE)} pieces in {seconds:.3g} s"
                print(Figure(f"file_pieces_{way}_again", again, "pieces", 0, 0, said).line(), flush=True)
            arrived = other.filing.files()[file.id]
            assert arrived.size == SIZE and arrived.blob_id is not None
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            print(Figure("file_memory_grown", grown, "MB", 128, 64, "client and service together").line())
        finally:
            for office in (one, other):
                office.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        measure(Path(scratch))
