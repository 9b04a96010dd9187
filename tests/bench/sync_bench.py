"""The first sync of 100,000 records of 1 kB, and an edit on its way: two real offices at the real service.

``python -m tests.bench.sync_bench`` prints the figures; ``BUREAU_BENCH_SHARE=0.1`` takes a tenth of the records, and
tells what all of them would take at that pace. The service is a process of its own over SQLite, its limits raised.
"""

import asyncio
import os
import random
import socket
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from agents.events import Event, NotesChanged
from agents.office import Office
from agents.sync_rounds import SyncRounds
from memory import notes
from memory.identifiers import new_id, now
from memory.locations import Locations
from memory.sync import space
from memory.sync.padding import padded_size
from memory.sync.sealing_anew import content
from memory.tables import ConversationTable, MessageTable, OutboxTable, SyncRecordTable
from tests.bench.figures import Figure
from tests.bench.hosted_bench import serving
from tests.bench.offices import ANSWER
from tests.bench.processes import PASSPHRASE
from tests.memory.sync.hosted.running import Inbox
from vault.secret import Secret

RECORDS, TO_A_CHAT = 100_000, 100
SHARE = float(os.environ.get("BUREAU_BENCH_SHARE", "1"))
TEXT = 400
"""Characters of a message, with which its record has 1 kB."""
SAMPLE, EDITS, TOGETHER = 1_000, 10, 200
REST = 3
"""Seconds between two edits, so that none goes along with the one before."""
EMAIL = "bench@example.org"
_RAISED = {
    "account_records": 2 * RECORDS,
    "account_bytes": 2**40,
    "pushes_per_minute": 10**6,
    "pulls_per_minute": 10**6,
    "requests_per_minute_network": 10**7,
}


@dataclass(frozen=True)
class Taken:
    """What some work took: seconds of the clock, and of the processors of this process and of the service."""

    seconds: float
    client: float
    service: float

    def whole(self) -> float:
        """Return the seconds that all records would take."""
        return self.seconds / SHARE

    def said(self) -> str:
        return f"{self.client / SHARE:.3g} s of processor here, {self.service / SHARE:.3g} s at the service"


async def timed(work: Callable[[], Awaitable[object]], service: psutil.Process) -> Taken:
    """Do something and tell what it took."""
    here = psutil.Process()
    before = [each.cpu_times() for each in (here, service)]
    begun = time.perf_counter()
    await work()
    seconds = time.perf_counter() - begun
    after = [each.cpu_times() for each in (here, service)]
    used = [(b.user + b.system) - (a.user + a.system) for a, b in zip(before, after, strict=True)]
    return Taken(seconds, *used)


def fill(session: Session, records: int) -> None:
    """Write chats, each of a hundred records with its own."""
    words, chance = ANSWER.split(), random.Random(3)
    begun = now() - records * 60_000
    for first in range(0, records, TO_A_CHAT):
        chat, parent, rows = new_id(), None, []
        for number in range(1, min(TO_A_CHAT, records - first)):
            rows.append(
                {
                    "id": new_id(),
                    "conversation_id": chat,
                    "parent_id": parent,
                    "batch_id": new_id(),
                    "ordinal": number,
                    "role": "owner",
                    "text": " ".join(chance.choices(words, k=TEXT // 3))[:TEXT],
                    "created_at": begun + (first + number) * 60_000,
                }
            )
            parent = rows[-1]["id"]
        made = {"id": chat, "title": f"Sheet {first}", "active_leaf_id": parent}
        session.execute(insert(ConversationTable), {**made, "created_at": begun, "updated_at": begun + first})
        session.execute(insert(MessageTable), rows)


def plaintext(session: Session) -> tuple[float, float]:
    """Return the mean bytes of a record before it is sealed, and those of padding, of some."""
    here = space.of(session)
    assert here is not None  # it syncs
    every = session.scalars(select(SyncRecordTable.rid).where(SyncRecordTable.type == "message")).all()
    sizes = []
    for rid in random.Random(5).sample(every, min(SAMPLE, len(every))):
        said, _base = content(session, here, session.get_one(SyncRecordTable, rid))
        assert said is not None  # its row is there
        sizes.append(len(said))
    padding = statistics.fmean(padded_size(size) - size - 4 for size in sizes)
    return statistics.fmean(sizes), padding


def written_alone(folder: Path, records: int, size: int) -> float:
    """Return the seconds in which SQLite writes as many blobs of that size under random keys, 200 together."""
    with sqlite3.connect(folder / "alone.sqlite") as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE alone (id TEXT PRIMARY KEY, sealed BLOB)")
        begun = time.perf_counter()
        for _start in range(0, records, TOGETHER):
            rows = [(new_id(), os.urandom(size)) for _record in range(TOGETHER)]
            database.executemany("INSERT INTO alone VALUES (?, ?)", rows)
            database.commit()
        return time.perf_counter() - begun


async def code(office: Office, url: str, inbox: Inbox) -> tuple[object, str]:
    """Have a code mailed and read it."""
    had = len(inbox.texts(EMAIL))
    asked = await office.syncing.joining.ask_code(url, EMAIL)
    while len(inbox.texts(EMAIL)) == had:
        await asyncio.sleep(0.1)
    return asked, inbox.code(EMAIL)


def sent(session: Session) -> int:
    """Return the bytes of all bodies that went to and fro, as the office booked them."""
    booked = OutboxTable.bytes_sent + OutboxTable.bytes_received
    return session.scalar(select(func.sum(booked)).where(OutboxTable.purpose == "sync")) or 0


async def edits(one: Office, other: Office) -> tuple[float, float]:
    """Return the middle and the worst seconds until an edit on one is seen on the other, rounds doing by themselves."""
    seen = asyncio.Event()

    def hear(event: Event) -> None:
        if isinstance(event, NotesChanged):
            seen.set()

    forget = other.events.subscribe(hear)
    for office in (one, other):
        office.sync_rounds.start()
    await asyncio.gather(*(settled(office.sync_rounds) for office in (one, other)))
    taken = []
    for number in range(EDITS):
        seen.clear()
        begun = time.perf_counter()
        note = await one.notes.add(f"Edit {number}")
        while note.id not in {each.id for each in await other.database.read(notes.notes)}:
            await seen.wait()
            seen.clear()
        taken.append(time.perf_counter() - begun)
        await asyncio.sleep(REST)
    forget()
    return statistics.median(taken), max(taken)


async def settled(rounds: SyncRounds) -> None:
    """Wait until a device has done its round, and for the moment in which it asks for hints."""
    while rounds.standing.phase != "waiting":
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)


async def measure(folder: Path, url: str, inbox: Inbox, service: psutil.Process) -> None:
    """Sync one office, let another one take it in, edit."""
    records = round(RECORDS * SHARE)
    one, other = [
        await Office.open(Locations.find(folder / name), passphrase=Secret(PASSPHRASE))
        for name in ("one", "other")
    ]
    try:
        await one.database.write(fill, records)
        key = os.urandom(32)
        asked, said = await code(one, url, inbox)
        pushed = await timed(lambda: one.syncing.joining.found(asked, said, key), service)
        wire = await one.database.read(sent) / records
        size, padding = await one.database.read(plaintext)
        alone = written_alone(folder, records, round(wire)) / SHARE
        baseline = f"{alone:.3g} s written alone; {pushed.said()}"
        print(Figure("sync_first_100000", pushed.whole(), "s", 150, 60, baseline).line(), flush=True)
        print(Figure("sync_wire_to_plaintext", wire / size, "x", 1.7, 1.5, f"{size:.0f} B sealed").line())
        cost = wire - size - padding
        print(
            Figure("sync_cost_of_a_record", cost, "B", 420, 330, f"{padding:.0f} B of padding beside").line()
        )
        asked, said = await code(other, url, inbox)
        taken = await timed(lambda: other.syncing.joining.join(asked, said, key), service)
        print(Figure("sync_taking_in_100000", taken.whole(), "s", 150, 60, taken.said()).line(), flush=True)
        middle, worst = await edits(one, other)
        print(Figure("sync_edit_seen", middle, "s", 1.5, 0.5, f"{worst:.3g} s at worst").line(), flush=True)
    finally:
        for office in (one, other):
            await office.close()


def main() -> None:
    """Measure and print."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    inbox = Inbox()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            with serving(folder / "hosted", port, smtp_port=inbox.port, **_RAISED) as service:
                asyncio.run(measure(folder, f"http://127.0.0.1:{port}", inbox, service))
        finally:
            inbox.close()


if __name__ == "__main__":
    main()
