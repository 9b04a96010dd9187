"""Devices at several replicas of the real service, over PostgreSQL and a bucket, while the replicas are killed.

    python -m tests.memory.sync.hosted.fuzzing --seconds 600 --seed 7

Each device writes, edits, erases, sends files and reads, asks another replica whenever one does not answer, and then
sends the very same bytes again, as the protocol says. When all is done:

* every operation that was answered with ``ok`` has a number of its own, and the numbers have no gap;
* what was put last by number is there, byte for byte, with its key; what was erased is there as a marker alone;
* each device, which only ever read on from where it was, holds what a first read gives: no number came late;
* what was erased stands in the ledger, so that no backup brings it back;
* after sweeping, keys and records belong to each other one to one, and what the account is said to use is true;
* every chunk that a record names is stored and in the bucket.
"""

import argparse
import asyncio
import contextlib
import hashlib
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import httpx2
import msgpack
from sqlalchemy import select

from memory.sync.envelope import Envelope
from memory.sync.header import ERASE, Header
from memory.sync.hosted.ledger import erased_among
from memory.sync.hosted.objects import blob_key
from memory.sync.hosted.service import Service, make_service
from memory.sync.hosted.settings import Settings, load
from memory.sync.hosted.sweeping import sweep_keys
from memory.sync.hosted.tables import keys as key_tables
from memory.sync.hosted.tables import records as tables
from tests.memory.sync.hosted.device import Device, envelope_of, marker_of
from tests.memory.sync.hosted.replicas import Killer, Replicas
from tests.memory.sync.hosted.running import Clock, running_for_many
from tests.peers import moto
from tests.peers import postgres as peers

REPLICAS, OWNERS = 3, 2
_PATIENCE_SECONDS = 120.0
_MANY = {
    "requests_per_minute_network": 10**7,
    "pushes_per_minute": 10**6,
    "pulls_per_minute": 10**6,
    "magic_per_hour_network": 1000,
}


class RealClock(Clock):
    """The time of the machine, by which the processes go."""

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000


@dataclass
class Space:
    """What the devices of one owner did together."""

    devices: list[Device]
    rids: list[str] = field(default_factory=list)
    done: dict[int, Envelope] = field(default_factory=dict)
    """What was taken, by its number."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, seq: int, envelope: Envelope) -> None:
        """Note what a device was told."""
        with self.lock:
            there = self.done.setdefault(seq, envelope)
            assert there == envelope, f"the number {seq} was given twice"
            if Header.unpack(envelope.hdr).rid not in self.rids:
                self.rids.append(Header.unpack(envelope.hdr).rid)

    def headers(self) -> list[Header]:
        """Return what was taken, by its number."""
        return [Header.unpack(envelope.hdr) for _, envelope in sorted(self.done.items())]


View = dict[str, tuple[int, Any]]
"""What a device holds of a space: by record the number and the envelope, or the marker."""


class Writer(threading.Thread):
    """One device at work."""

    def __init__(self, space: Space, device: Device, urls: list[str], seed: str, until: float) -> None:
        super().__init__()
        self._space = space
        self._device = device
        self._urls = urls
        self._random = random.Random(seed)
        self._until = until
        self._http = httpx2.Client(timeout=30)
        self.view: View = {}
        self.cursor = 0
        self.again = 0
        self.failed: BaseException | None = None

    def run(self) -> None:
        """Work until the end, and read what is left to read."""
        try:
            while time.monotonic() < self._until:
                if self._random.random() < 0.3:
                    self.pull()
                else:
                    self._push()
        except BaseException as wrong:  # noqa: BLE001  # whoever started it tells
            self.failed = wrong

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        """Ask any replica, and another one until one answers."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            url = self._random.choice(self._urls) + path
            try:
                answer = self._http.request(
                    method, url, headers={**self._device.headers, **(headers or {})}, **more
                )
            except httpx2.TransportError:
                self.again += 1
                continue
            if answer.status_code == 503:
                self.again += 1
                continue
            assert answer.status_code == 200, (path, answer.status_code, answer.text)
            return answer
        raise RuntimeError("no replica answers")

    def pull(self) -> None:
        """Read on to the end."""
        while True:
            query = {"generation": self._device.generation, "after": self.cursor, "limit": 40}
            headers = {"Accept": "application/msgpack"}
            answer = self.ask("GET", self._device.path("/changes"), params=query, headers=headers)
            page = msgpack.unpackb(answer.content)
            seqs = [item["seq"] for item in page["items"]]
            assert seqs == sorted(set(seqs)) and all(self.cursor < seq <= page["next"] for seq in seqs)
            for item in page["items"]:
                found = marker_of(item) if "marker" in item else envelope_of(item)
                self.view[Header.unpack(found.hdr).rid] = (item["seq"], found)
            assert page["next"] >= self.cursor and page["head"] >= page["next"]
            self.cursor = page["next"]
            if not page["more"]:
                return

    def _push(self) -> None:
        made = [self._made() for _ in range(self._random.randint(1, 5))]
        ops = [
            {"op_id": os.urandom(16), "env": {**_members(each), "blobs": list(each.blobs)}} for each in made
        ]
        body = msgpack.packb({"generation": self._device.generation, "ops": ops})
        headers = {"Content-Type": "application/msgpack", "Accept": "application/msgpack"}
        answer = self.ask("POST", self._device.path("/push"), content=body, headers=headers)
        results = msgpack.unpackb(answer.content)["results"]
        if self._random.random() < 0.2:
            answer = self.ask("POST", self._device.path("/push"), content=body, headers=headers)
            _check_repeated(made, results, msgpack.unpackb(answer.content)["results"])
        for envelope, op, result in zip(made, ops, results, strict=True):
            assert result["op_id"] == op["op_id"].hex(), result
            if result["outcome"] == "ok":
                self._space.took(result["seq"], envelope)
            else:
                assert result["outcome"] in ("conflict", "erased"), result

    def _made(self) -> Envelope:
        what = self._random.random()
        known = list(self._space.rids)
        if known and what < 0.15:
            return self._device.erasing(self._random.choice(known))
        if known and what < 0.5:
            rid = self._random.choice(known)
            parent = self.view.get(rid, (0, None))[0]
            return self._device.sealed(self._device.edit(rid, parent), text=os.urandom(40).hex())
        blobs = [self._chunk() for _ in range(self._random.randint(1, 2))] if what > 0.92 else []
        return self._device.sealed(text=os.urandom(40).hex(), blobs=sorted(blobs))

    def _chunk(self) -> bytes:
        content = os.urandom(200)
        sha = hashlib.sha256(content)
        asked = {"chunks": [{"sha256": sha.hexdigest(), "len": len(content)}]}
        while True:
            for each in self.ask("POST", "/v1/blobs/plan", json=asked).json()["missing"]:
                assert httpx2.put(each["put"], content=content).status_code == 200
            answer = self.ask("POST", "/v1/blobs/commit", json={"sha256": [sha.hexdigest()]})
            if not answer.json()["missing"]:
                return sha.digest()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


def _check_repeated(made: list[Envelope], first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    """What was taken is answered the same when it comes again, unless somebody erased it meanwhile."""
    for envelope, once, twice in zip(made, first, second, strict=True):
        if once["outcome"] == "ok" and twice != once:
            assert twice["outcome"] == "erased" and Header.unpack(envelope.hdr).kind != ERASE, (once, twice)


def _members(envelope: Envelope) -> dict[str, Any]:
    return {name: getattr(envelope, name) for name in ("hdr", "dek", "kc", "ct", "sig")}


@dataclass(frozen=True)
class Found:
    """What a run went through."""

    kills: int
    asked_again: int
    taken: int
    records: int
    swept: int

    def __str__(self) -> str:
        return (
            f"{self.kills} replicas killed, {self.asked_again} requests sent again, {self.taken} operations taken, "
            f"{self.records} records left, {self.swept} keys swept: nothing lost, no number twice, none missing"
        )


def fuzz(folder: Path, urls: dict[str, str], s3: str, seconds: float, seed: int) -> Found:
    """Let the devices work while replicas are killed; check everything; return what the run went through."""
    with running_for_many(folder, urls, s3, clock=RealClock(), **_MANY) as found:
        spaces = []
        for number in range(OWNERS):
            first = Device(found, f"owner{number}@example.org").begin_account().make_space()
            second = Device(found, first.email)
            first.admit(second)
            spaces.append(Space([first, second]))
        found.stop()
        settings = found.service.settings
        given = {each.name: getattr(settings, each.name) for each in fields(Settings)}
        return _fuzz({name: value for name, value in given.items() if value != ""}, spaces, seconds, seed)


def _fuzz(given: dict[str, object], spaces: list[Space], seconds: float, seed: int) -> Found:
    with contextlib.ExitStack() as stack:
        replicas = Replicas(REPLICAS, given)
        stack.callback(replicas.close)
        until = time.monotonic() + seconds
        writers = []
        for number, space in enumerate(spaces):
            for device in space.devices:
                stack.callback(device.http.close)
                writer = Writer(space, device, replicas.urls, f"{seed}:{number}:{len(writers)}", until)
                stack.callback(writer.close)
                writers.append(writer)
        killer = Killer(replicas, seed)
        killer.start()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        killer.stop()
        for writer in writers:
            if writer.failed is not None:
                writer.failed.add_note(
                    "".join(line for line in replicas.said if '"level": "error"' in line)[-8000:]
                )
                raise writer.failed
        for space in spaces:
            _check_space(
                space, [writer for writer in writers if writer._space is space], replicas.urls, until
            )
        again = sum(writer.again for writer in writers)
    records, swept = asyncio.run(_check_stores(load(None, {}, **given), spaces))
    return Found(replicas.kills, again, sum(len(space.done) for space in spaces), records, swept)


def _check_space(space: Space, writers: list[Writer], urls: list[str], until: float) -> None:
    fresh = Writer(space, space.devices[0], urls, "fresh", until)
    fresh.cursor = 0
    fresh.pull()
    fresh.close()
    assert sorted(space.done) == list(range(1, fresh.cursor + 1)), (
        "a number is missing, or nobody was told of it"
    )
    last: dict[str, tuple[int, Envelope]] = {}
    for seq, envelope in sorted(space.done.items()):
        last[Header.unpack(envelope.hdr).rid] = (seq, envelope)
    live = _live(fresh.view)
    for rid, (seq, envelope) in last.items():
        if Header.unpack(envelope.hdr).kind != ERASE:
            assert live[rid] == (seq, envelope), "what was taken is not there"
        else:
            assert rid not in live, "what was erased is there"
    for writer in writers:
        writer.pull()
        assert _live(writer.view) == live, "a device that read on missed something"


def _live(view: View) -> View:
    return {rid: each for rid, each in view.items() if isinstance(each[1], Envelope)}


async def _check_stores(settings: Settings, spaces: list[Space]) -> tuple[int, int]:
    service = make_service(settings)
    try:
        swept = await sweep_keys(service)
        assert await sweep_keys(service) == 0
        async with service.stores.records.read() as connection:
            columns = tables.records.c
            rows: Any = (await connection.execute(select(tables.records))).all()
            held = {(row.space_id, row.rid, row.rev) for row in rows}
            accounts: Any = (await connection.execute(select(tables.accounts))).all()
            named: Any = (await connection.execute(select(tables.record_blobs))).all()
            stored: Any = (await connection.execute(select(tables.blobs))).all()
        async with service.stores.keys.read() as connection:
            columns = key_tables.record_keys.c
            found: Any = await connection.execute(select(columns.space_id, columns.rid, columns.rev))
            assert {tuple(row) for row in found} == held, "keys and records do not belong to each other"
        for account in accounts:
            mine = [row for row in rows if row.account_id == account.account_id]
            chunks = [row.size for row in stored if row.account_id == account.account_id and row.stored]
            assert account.records_used == len(mine)
            assert account.bytes_used == sum(len(row.ct) for row in mine) + sum(chunks)
        await _check_chunks(service, named, stored)
        for space in spaces:
            gone = {header.rid for header in space.headers() if header.kind == ERASE}
            assert gone and await erased_among(service, space.devices[0].space_id, gone) == gone
        return len(held), swept
    finally:
        for store in service.stores:
            await store.close()
        await service.objects.close()


async def _check_chunks(service: Service, named: Any, stored: Any) -> None:
    there = {(row.account_id, row.sha256): row for row in stored}
    for row in named:
        chunk = there[(row.account_id, row.sha256)]
        assert chunk.stored
        assert await service.objects.size(blob_key(row.account_id, row.sha256)) == chunk.size


@contextlib.contextmanager
def _peers() -> Iterator[tuple[dict[str, str], str]]:
    with peers.server() as postgres, moto.store() as s3:
        yield postgres.databases(), s3


def main() -> int:
    """Run for as long as asked and print what was gone through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as scratch, _peers() as (urls, s3):
        print(fuzz(Path(scratch), urls, s3, asked.seconds, asked.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
