"""A real PostgreSQL of its own for the tests: one server a session.

    def test_it(postgres):
        urls = postgres.databases()     # records, keys, ledger, all empty, as SQLAlchemy's asyncpg takes them

The server runs as the user "postgres" where the tests run as root, because it refuses to be root.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_PATIENCE_SECONDS = 30.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
}


_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""As an operator runs it, for whoever measures or pulls the plug."""
_LOGIN = "hosted"
_EMPTY = """DO $$ DECLARE found text; BEGIN
FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
EXECUTE 'TRUNCATE ' || quote_ident(found); END LOOP; END $$"""


@dataclass(frozen=True)
class Postgres:
    """A server that listens; its user is "postgres" and needs no password."""

    programs: Path
    port: int

    def run(self, sql: str, database: str = "postgres") -> str:
        """Run SQL as the superuser and return what psql prints."""
        command = [self.programs / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        command += ["-d", database, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", sql]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def databases(self, kind: str = _LOGIN) -> dict[str, str]:
        """Empty three databases, or make them; return their addresses by setting. Another ``kind`` are three others.

        They belong to a login that is no superuser.
        """
        urls = {}
        if _LOGIN not in self.run("SELECT rolname FROM pg_roles").split():
            self.run(f"CREATE ROLE {_LOGIN} LOGIN CREATEROLE")
        there = self.run("SELECT datname FROM pg_database").split()
        for store in ("records", "keys", "ledger"):
            name = f"{kind}_{store}"
            if name not in there:
                self.run(f"CREATE DATABASE {name} OWNER {_LOGIN}")
            self.run(_EMPTY, name)
            urls[f"{store}_url"] = f"postgresql+asyncpg://{_LOGIN}@127.0.0.1:{self.port}/{name}"
        return urls


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise FileNotFoundError("PostgreSQL is not installed; run `make test` again.")
    return Path(on_path).parent


@contextlib.contextmanager
def server(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a server on a free port of loopback; a durable one waits for the disk."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        yield from _running(folder, durable)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(folder: Path, durable: bool) -> Iterator[Postgres]:
    prefix: list[str] = []
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        shutil.chown(folder, "postgres", "postgres")
    data, where = folder / "data", programs()
    made = [*prefix, where / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(made, capture_output=True, check=True, cwd=folder)
    with socket.create_server(("127.0.0.1", 0)) as free:  # last, for others take ports meanwhile
        port: int = free.getsockname()[1]
    settings = {**_SETTINGS, **(_DURABLE if durable else {})}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    running = [*prefix, where / "postgres", "-D", data, "-p", str(port), *options]
    process = subprocess.Popen(running, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        _until_ready(where, port, process)
        yield Postgres(where, port)
    finally:
        process.send_signal(signal.SIGINT)  # the fast one: it waits for no client
        process.wait(30)


def _until_ready(where: Path, port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    ready = [where / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
    while subprocess.run(ready, check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("PostgreSQL does not start.")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with server() as found:
        yield found
