"""The real service on loopback: uvicorn in a thread, SQLite files and a folder, mails into a real SMTP server."""

import asyncio
import os
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import uvicorn
from aiosmtpd.controller import Controller

from memory.sync.hosted import jobs, lifetime
from memory.sync.hosted.application import application
from memory.sync.hosted.bucket import Bucket
from memory.sync.hosted.limits import Buckets, Limits, OwnBuckets, SharedBuckets
from memory.sync.hosted.service import DAY, Service, make_service
from memory.sync.hosted.serving import Server
from memory.sync.hosted.settings import Settings, load
from memory.sync.hosted.tables.records import rate_limits
from tests.peers import moto
from tests.peers.postgres import Postgres

Result = TypeVar("Result")
START = 1_772_366_400_000
CODE = re.compile(r"\b(?:[0-9A-Z]{5}-){3}[0-9A-Z]{5}\b|\b\d{8}\b")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at

    def pass_days(self, days: float) -> None:
        self.at += int(days * DAY)


class Inbox:
    """An SMTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=_free_port())
        self._controller.start()
        self.port: int = self._controller.port

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"

    def texts(self, address: str) -> list[str]:
        return [str(mail.get_payload(decode=True), "utf-8") for mail in self.mails if mail["To"] == address]

    def subjects(self, address: str) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails if mail["To"] == address]

    def code(self, address: str) -> str:
        """Return the last code that was mailed to an address; other mails may have come after it."""
        found = [code for text in self.texts(address) if (code := CODE.search(text)) is not None]
        return found[-1][0]

    def close(self) -> None:
        self._controller.stop()


class Running:
    """A service that answers, with its clock and its mails."""

    def __init__(self, service: Service, server: uvicorn.Server, clock: Clock, inbox: Inbox) -> None:
        self.service = service
        self.server = server
        self.clock = clock
        self.inbox = inbox
        self.url = service.settings.public_url
        self.loop: Any = None
        self.thread: threading.Thread | None = None

    def stop(self) -> None:
        """Answer nobody any more; the mails still have where to go."""
        self.server.should_exit = True
        assert self.thread is not None
        self.thread.join(30)
        assert not self.thread.is_alive()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something on the service's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def do_jobs(self) -> int:
        """Do everything that is due by the clock."""
        return self.run(jobs.run_due(self.service, lifetime.HANDLERS))

    def forget_limits(self) -> None:
        """Let everybody call as if nobody had called yet."""
        service = self.service
        buckets: Buckets = OwnBuckets()
        if not service.stores.records.is_sqlite:
            buckets = SharedBuckets(service.stores.records, service.keys)
            self.run(self._empty_buckets())
        service.limits = Limits(service.now, buckets)

    async def _empty_buckets(self) -> None:
        async with self.service.stores.records.write() as connection:
            await connection.execute(rate_limits.delete())

    def rows(self, store: str, sql: str, **values: Any) -> list[Any]:
        """Ask a database of the service."""
        from sqlalchemy import text

        async def ask() -> list[Any]:
            async with getattr(self.service.stores, store).read() as connection:
                return list((await connection.execute(text(sql), values)).all())

        return self.run(ask())

    def objects(self) -> dict[str, bytes]:
        """Return the objects that are stored, by key."""
        found = self.service.objects
        if isinstance(found, Bucket):
            keys = self.run(found._listed(""))
            return {key: httpx2.get(found.get_url(key)).content for key in keys}
        folder = self.service.settings.data / "objects"
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }

    def dump(self) -> bytes:
        """Return everything that lies in the databases, the folder and the bucket, bytes also as hexadecimal digits."""
        from tests.peers.postgres import programs

        dumped = b""
        for store in self.service.stores:
            self.run(store.checkpoint())
            if not store.is_sqlite:
                address = store.url.replace("+asyncpg", "")
                command = [programs() / "pg_dump", address, "--inserts", "--no-owner"]
                dumped += subprocess.run(command, capture_output=True, check=True).stdout
        files = [path for path in self.service.settings.data.rglob("*") if path.is_file()]
        return dumped + b"".join([*(path.read_bytes() for path in files), *self.objects().values()])

    def http(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=30)


def settings_for(folder: Path, port: int, smtp_port: int, **more: Any) -> Settings:
    given = {
        "data": folder,
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "smtp_port": smtp_port,
        "magic_per_hour_network": 1000,
        **more,
    }
    return load(None, {}, **given)


def bucket_settings(folder: Path, endpoint: str, name: str) -> dict[str, str]:
    """Return the settings of a bucket at a store of tests; its secret lies in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s3.key").write_text(moto.SECRET)
    return {
        "s3_endpoint": endpoint,
        "s3_bucket": name,
        "s3_access_key": moto.ACCESS_KEY,
        "s3_secret_file": str(folder / "s3.key"),
    }


@contextmanager
def running_for_many(folder: Path, urls: dict[str, str], endpoint: str, **more: Any) -> Iterator[Running]:
    """Run a service as it is run for many: PostgreSQL and a bucket of its own."""
    given = bucket_settings(folder, endpoint, f"b{os.urandom(4).hex()}")
    with running(folder / "hosted", **given, **urls, **more) as found:
        assert isinstance(found.service.objects, Bucket)
        assert httpx2.put(found.service.objects.signed("PUT", "")).status_code == 200
        yield found


@contextmanager
def running_over(kind: str, folder: Path, postgres: Postgres, endpoint: str) -> Iterator[Running]:
    """Run a service over SQLite files and a folder, or, where ``kind`` says so, over PostgreSQL and a bucket."""
    if kind == "sqlite":
        with running(folder / "hosted") as found:
            yield found
    else:
        with running_for_many(folder, postgres.databases(), endpoint) as found:
            yield found


@contextmanager
def running(
    folder: Path, clock: Clock | None = None, inbox: Inbox | None = None, **more: Any
) -> Iterator[Running]:
    """Run a service on a folder; jobs are done when the test says so."""
    own_inbox = inbox is None
    clock, inbox = clock or Clock(), inbox or Inbox()
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer takes 40 ms longer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", more.pop("port", 0)))
    listening.listen(100)
    settings = settings_for(folder, listening.getsockname()[1], inbox.port, **more)
    service = make_service(settings, clock)
    app = application(service, working=False)
    server = Server(uvicorn.Config(app, log_config=None, access_log=False), service.hints)
    found = Running(service, server, clock, inbox)
    started = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, listening, found, started.set))
    found.thread = thread
    thread.start()
    try:
        assert started.wait(30)
        _until_started(server, thread)
        yield found
    finally:
        found.stop()
        listening.close()
        if own_inbox:
            inbox.close()


def _serve(
    server: uvicorn.Server, listening: socket.socket, found: Running, started: Callable[[], None]
) -> None:
    async def main() -> None:
        found.loop = asyncio.get_running_loop()
        started()
        await server.serve(sockets=[listening])
        # The server closes what it had when it began to stop; who called meanwhile would be left to the collector.
        for each in server.server_state.connections:
            each.transport.close()
        await asyncio.sleep(0)

    asyncio.run(main())


def _until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        thread.join(0.01)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
