"""The hosted service over PostgreSQL that keeps its word on the disk: 200 devices that push, and a first sync.

The service is the command itself, in a process of its own; it, PostgreSQL and the devices share the machine. A push is
one record of 1 kB, every third an edit. Pushes fall due evenly, whatever the answers take, and a push's time runs from
when it fell due. A device has one connection and waits for the last answer, as a real one does. The baseline is the
same pace of what no service could spare: two transactions of one row each, sent to PostgreSQL by who measures.

The first sync sends 20,000 sealed records of 1 kB and reads them back. The figure is what 100,000 would take at that
pace, without the work of a client.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgpack
import psutil
import uvloop

from memory.sync import wire
from memory.sync.envelope import Envelope
from memory.sync.hosted.requests import MSGPACK
from tests.bench.figures import Figure
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Clock, running
from tests.peers.postgres import Postgres, server

DEVICES = 200
MUST, AIM, SECONDS = 150, 300, 15
MUST_MS, AIM_MS = 250, 150
RECORDS, WHOLE, TOGETHER = 20_000, 100_000, 200
_ONE_NETWORK = {
    "requests_per_minute_network": 10**7,
    "magic_per_hour_network": 10**6,
}
"""All devices come from one network here. What a device may do is limited as it is by default."""
_FIRST_SYNC = {"pushes_per_minute": 10**6, "pulls_per_minute": 10**6, **_ONE_NETWORK}


class RealClock(Clock):
    """The time of the machine: the service's own process goes by it."""

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000


@contextlib.contextmanager
def serving(folder: Path, port: int, **more: object) -> Iterator[psutil.Process]:
    """Run the command on what was set up before."""
    given = {"data": folder, "port": port, "public_url": f"http://127.0.0.1:{port}", **more}
    environment = {
        **os.environ,
        **{f"BUREAU_HOSTED_{name.upper()}": str(value) for name, value in given.items()},
    }
    command = [sys.executable, "-m", "memory.sync.hosted.entry", "serve"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in iter(process.stderr.readline, "") if "running on" in line)
        try:
            yield psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()


def body_of(device: Device, *envelopes: Envelope) -> bytes:
    """Return the body of one push."""
    ops = [{"op_id": os.urandom(16), "env": msgpack.unpackb(wire.to_msgpack(each))} for each in envelopes]
    packed: bytes = msgpack.packb({"generation": device.generation, "ops": ops})
    return packed


def request_of(device: Device, body: bytes) -> bytes:
    """Return a push as it goes over the wire, so that sending it costs next to nothing."""
    head = (
        f"POST {device.path('/push')} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {device.access}\r\n"
        f"Content-Type: {MSGPACK}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def pushes_of(device: Device, count: int, first: int) -> list[bytes]:
    """Return pushes of one record each, every third an edit of the one before.

    Nobody else writes to the space, so the numbers are known.
    """
    found: list[bytes] = []
    edit = device.edit()
    for number in range(first, first + count):
        edit = device.edit(edit.rid, number - 1) if number % 3 == 0 and found else device.edit()
        found.append(request_of(device, body_of(device, device.sealed(edit, text="x" * 900))))
    return found


class Sender:
    """One device's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, request: bytes) -> None:
        """Send a push and wait for its answer, which must be that it was taken."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        body = await self._reader.readexactly(int(length))
        if not head.startswith(b"HTTP/1.1 200 ") or body.count(b'"outcome":"ok"') != 1:
            raise RuntimeError(f"a push was not taken: {head!r} {body!r}")

    def close(self) -> None:
        """End the connection."""
        self._writer.close()


async def at_a_rate(rate: int, works: list[list[Callable[[], Awaitable[None]]]]) -> list[float]:
    """Do the works of each of many devices, evenly spread; return the seconds from when each fell due, sorted."""
    begun = time.perf_counter() + 0.5
    taken: list[float] = []

    async def go(first: int, mine: list[Callable[[], Awaitable[None]]]) -> None:
        for number, work in enumerate(mine):
            due = begun + (first + number * len(works)) / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await work()
            taken.append(time.perf_counter() - due)

    await asyncio.gather(*(go(first, mine) for first, mine in enumerate(works)))
    return sorted(taken)


def p95(taken: list[float]) -> float:
    """Return the milliseconds within which 95 of 100 were done."""
    return taken[len(taken) * 95 // 100] * 1000


async def push(url: str, rate: int, requests: list[list[bytes]]) -> float:
    """Push at a rate, one connection a device; return the milliseconds at p95."""
    address = urlsplit(url)
    senders = [Sender(*await asyncio.open_connection(address.hostname, address.port)) for _ in requests]
    works = [
        [lambda sender=sender, request=request: sender.send(request) for request in mine]  # type: ignore[misc]  # defaults bind the loop
        for sender, mine in zip(senders, requests, strict=True)
    ]
    try:
        return p95(await at_a_rate(rate, works))
    finally:
        for sender in senders:
            sender.close()


async def commit_bare(postgres: Postgres, rate: int, count: int) -> float:
    """Do what a push cannot do without, at a rate; return the milliseconds at p95."""
    pool = await asyncpg.create_pool(
        f"postgresql://postgres@127.0.0.1:{postgres.port}/postgres", min_size=20, max_size=20
    )
    await pool.execute("CREATE TABLE IF NOT EXISTS bare (id bytea PRIMARY KEY, content bytea)")
    content = os.urandom(1300)

    async def work() -> None:
        for size in (64, 1300):
            await pool.execute("INSERT INTO bare VALUES ($1, $2)", os.urandom(16), content[:size])

    try:
        return p95(await at_a_rate(rate, [[work] * (count // DEVICES)] * DEVICES))
    finally:
        await pool.close()


@dataclass
class Used:
    """Processor seconds that a process, and perhaps all below it, used so far."""

    process: psutil.Process
    below: bool = True

    def __call__(self) -> float:
        """Return them."""
        family = [self.process, *(self.process.children(recursive=True) if self.below else ())]
        times = [each.cpu_times() for each in family]
        return sum(each.user + each.system for each in times)


def load(url: str, postgres: Postgres, devices: list[Device], service: psutil.Process) -> None:
    """Measure the pushes of all devices at both rates and print what they took."""
    database = psutil.Process(next(iter(_owners(postgres.port))))
    for rate, goal in ((MUST, MUST_MS), (AIM, AIM_MS)):
        each = rate * SECONDS // DEVICES
        requests = [
            pushes_of(device, each, 1 if rate == MUST else 1 + MUST * SECONDS // DEVICES)
            for device in devices
        ]
        counters = (Used(service), Used(database), Used(psutil.Process(), below=False))
        before = [counter() for counter in counters]
        found = uvloop.run(push(url, rate, requests))
        spent = [
            (counter() - was) / (each * DEVICES) * 1000 for counter, was in zip(counters, before, strict=True)
        ]
        bare = uvloop.run(commit_bare(postgres, rate, each * DEVICES))
        costs = "a push costs {:.1f} ms of a core in the service, {:.1f} in the database, {:.1f} here".format(
            *spent
        )
        baseline = f"{bare:.3g} ms for the bare transactions; {costs}"
        if rate == MUST:
            print(
                Figure(f"hosted_push_p95_at_{rate}_a_second", found, "ms", MUST_MS, AIM_MS, baseline).line()
            )
        else:
            print(f"hosted_push_p95_at_{rate}_a_second: {found:.3g} ms (aim {goal}, baseline {baseline})")


def _owners(port: int) -> Iterator[int]:
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if line[:1] and line[0].endswith("postgres") and str(port) in line:
            yield process.pid


def first_sync(device: Device) -> float:
    """Return the seconds in which 100,000 records would be pushed and pulled."""
    stood = len(device.changes(limit=1000)["items"])
    sealed = [device.sealed(text="x" * 900) for _ in range(RECORDS)]
    bodies = [body_of(device, *sealed[at : at + TOGETHER]) for at in range(0, RECORDS, TOGETHER)]
    headers, begun = {**device.headers, "Content-Type": MSGPACK}, time.perf_counter()
    for body in bodies:
        assert device.http.post(device.path("/push"), content=body, headers=headers).status_code == 200
    count, after = -stood, 0
    while True:
        page = device.changes(after, limit=1000)
        count, after = count + len(page["items"]), page["next"]
        if not page["more"]:
            break
    assert count == RECORDS, count
    return (time.perf_counter() - begun) * WHOLE / RECORDS


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch, server(durable=True) as postgres:
        folder, urls = Path(scratch) / "hosted", postgres.databases()
        with running(folder, RealClock(), **_ONE_NETWORK, **urls) as found:
            devices = []
            for number in range(DEVICES):
                found.forget_limits()  # of signing in
                devices.append(Device(found, f"d{number}@example.org").begin_account().make_space())
            port = found.service.settings.port
        with serving(folder, port, **_ONE_NETWORK, **urls) as process:
            load(found.url, postgres, devices, process)
        with serving(folder, port, **_FIRST_SYNC, **urls):
            devices[0].http.close()
            devices[0].http = found.http()
            devices[0].session()
            print(Figure("hosted_100000_records_without_client", first_sync(devices[0]), "s", 150, 60).line())
        for device in devices:
            device.http.close()


if __name__ == "__main__":
    main()
