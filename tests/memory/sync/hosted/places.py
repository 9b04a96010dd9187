"""Where a service lies that is stopped and started again, and how its records alone are kept and brought back.

That is done as an operator does it without the service's own command: a copy of the file, or PostgreSQL's programs.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from memory.sync.hosted.bucket import Bucket
from tests.memory.sync.hosted.running import Running, bucket_settings, running
from tests.peers.postgres import Postgres

_SQLITE = "records.sqlite"


@dataclass(frozen=True)
class Place:
    """A folder and, for many, the databases and the bucket that ``settings`` name."""

    folder: Path
    settings: dict[str, str]
    postgres: Postgres | None = None

    @classmethod
    def alone(cls, folder: Path) -> "Place":
        """Over SQLite and a folder."""
        return cls(folder, {})

    @classmethod
    def for_many(cls, folder: Path, postgres: Postgres, endpoint: str) -> "Place":
        """Over PostgreSQL and a bucket of its own."""
        bucket = bucket_settings(folder, endpoint, f"b{os.urandom(4).hex()}")
        return cls(folder, {**bucket, **postgres.databases()}, postgres)

    @contextmanager
    def start(self, former: Running | None = None) -> Iterator[Running]:
        """Run the service; as the ``former`` one was, by its clock and at its address."""
        again = {} if former is None else {"port": former.service.settings.port}
        clock = former.clock if former is not None else None
        with running(self.folder / "hosted", clock, **again, **self.settings) as found:
            if former is None and isinstance(found.service.objects, Bucket):
                assert httpx2.put(found.service.objects.signed("PUT", "")).status_code == 200
            yield found

    def keep_records(self) -> None:
        """Keep the records of a stopped service as they are now."""
        if self.postgres is None:
            shutil.copy(self.folder / "hosted" / _SQLITE, self._kept)
        else:
            self._run("pg_dump", "--format=custom", "--no-owner", "--file", str(self._kept), self._address)

    def put_records_back(self) -> None:
        """Replace the records of a stopped service by those that were kept; ledger and keys stay."""
        if self.postgres is not None:
            how = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
            self._run("pg_restore", *how, "-d", self._address, str(self._kept))
            return
        for rest in ("", "-wal", "-shm"):
            (self.folder / "hosted" / f"{_SQLITE}{rest}").unlink(missing_ok=True)
        shutil.copy(self._kept, self.folder / "hosted" / _SQLITE)

    @property
    def _kept(self) -> Path:
        return self.folder / "records.kept"

    @property
    def _address(self) -> str:
        return self.settings["records_url"].replace("+asyncpg", "")

    def _run(self, program: str, *arguments: str) -> None:
        assert self.postgres is not None
        subprocess.run([self.postgres.programs / program, *arguments], check=True, capture_output=True)
