"""The hosted service over PostgreSQL: 200 devices that push, and a first sync; the service is a process of its own.

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
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgpack

from memory.sync import wire
from memory.sync.envelope import Envelope
from memory.sync.hosted.limits import Limits
from memory.sync.hosted.requests import MSGPACK
from tests.bench.figures import Figure
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Clock, running
from tests.peers.postgres import server

DEVICES = 200
A_SECOND, SECONDS = 150, 10
RECORDS, WHOLE, TOGETHER = 20_000, 100_000, 200
_NEVER = 60.0
_NO_LIMITS = {
    "pushes_per_minute": 10**6,
    "pulls_per_minute": 10**6,
    "requests_per_minute_network": 10**7,
    "magic_per_hour_network": 10**6,
}


class RealClock(Clock):
    """The time of the machine: the service's own process goes by it."""

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000


@contextlib.contextmanager
def serving(folder: Path, port: int, urls: dict[str, str]) -> Iterator[None]:
    """Run the command on what was set up before."""
    given = {"data": folder, "port": port, "public_url": f"http://127.0.0.1:{port}", **_NO_LIMITS, **urls}
    environment = {
        **os.environ,
        **{f"BUREAU_HOSTED_{name.upper()}": str(value) for name, value in given.items()},
    }
    command = [sys.executable, "-m", "memory.sync.hosted.entry", "serve"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in iter(process.stderr.readline, "") if "running on" in line)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()


def body_of(device: Device, *envelopes: Envelope) -> bytes:
    """Return the body of one push."""
    ops = [{"op_id": os.urandom(16), "env": msgpack.unpackb(wire.to_msgpack(each))} for each in envelopes]
    packed: bytes = msgpack.packb({"generation": device.generation, "ops": ops})
    return packed


async def push_at_a_rate(url: str, pushes: list[tuple[Device, bytes]]) -> list[float]:
    """Send the pushes evenly, whatever the answers take; return the seconds of each."""
    limits = httpx2.Limits(max_connections=DEVICES, max_keepalive_connections=DEVICES)
    async with httpx2.AsyncClient(base_url=url, timeout=_NEVER, limits=limits) as http:

        async def push(device: Device, body: bytes) -> float:
            headers = {**device.headers, "Content-Type": MSGPACK}
            begun = time.perf_counter()
            answer = await http.post(device.path("/push"), content=body, headers=headers)
            taken = time.perf_counter() - begun
            if answer.status_code == 503:  # it was too much: as bad as no answer at all
                return _NEVER
            assert answer.status_code == 200 and answer.json()["results"][0]["outcome"] == "ok", answer.text
            return taken

        begun, tasks = time.perf_counter(), []
        for number, (device, body) in enumerate(pushes):
            await asyncio.sleep(max(0.0, begun + number / A_SECOND - time.perf_counter()))
            tasks.append(asyncio.create_task(push(device, body)))
        return list(await asyncio.gather(*tasks))


def first_sync(device: Device) -> float:
    """Return the seconds in which 100,000 records would be pushed and pulled."""
    sealed = [device.sealed(text="x" * 900) for _ in range(RECORDS)]
    bodies = [body_of(device, *sealed[at : at + TOGETHER]) for at in range(0, RECORDS, TOGETHER)]
    headers, begun = {**device.headers, "Content-Type": MSGPACK}, time.perf_counter()
    for body in bodies:
        assert device.http.post(device.path("/push"), content=body, headers=headers).status_code == 200
    count = after = 0
    while True:
        page = device.changes(after, limit=1000)
        count, after = count + len(page["items"]), page["next"]
        if not page["more"]:
            break
    assert count == RECORDS
    return (time.perf_counter() - begun) * WHOLE / RECORDS


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch, server() as postgres:
        folder, urls = Path(scratch) / "hosted", postgres.databases()
        with running(folder, RealClock(), **_NO_LIMITS, **urls) as found:
            devices = []
            for number in range(DEVICES):
                found.service.limits = Limits(found.clock)  # all of them come from one network
                devices.append(Device(found, f"d{number}@example.org").begin_account().make_space())
            port = found.service.settings.port
        with serving(folder, port, urls):
            pushes = [
                (device, body_of(device, device.sealed(text="x" * 900)))
                for device in (devices[n % DEVICES] for n in range(A_SECOND * SECONDS))
            ]
            taken = sorted(asyncio.run(push_at_a_rate(found.url, pushes)))
            p95 = taken[len(taken) * 95 // 100] * 1000
            print(Figure("hosted_push_p95_at_150_a_second", p95, "ms", 250, 150).line())
            devices[0].http.close()
            devices[0].http = found.http()
            print(Figure("hosted_100000_records_without_client", first_sync(devices[0]), "s", 150, 60).line())
        for device in devices:
            device.http.close()


if __name__ == "__main__":
    main()
