"""The three databases of the service, each SQLite or PostgreSQL, with the same tables.

records   what devices sent, backed up for 30 days
keys      what opens it, together with a device; backed up for a day
ledger    what was erased and purged; never restored from a backup

A transaction may be opened inside another only in this order: records, ledger, keys.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import MetaData, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from memory.sync.hosted import narrowed, roles
from memory.sync.hosted.dialects import alone
from memory.sync.hosted.narrowed import EVERYONE
from memory.sync.hosted.settings import Settings
from memory.sync.hosted.tables import keys, ledger, records

_READERS = 4
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "busy_timeout=15000",
    "temp_store=MEMORY",
)


class Store:
    """One database."""

    def __init__(self, name: str, url: str, metadata: MetaData) -> None:
        self.name = name
        self.url = url
        self.metadata = metadata
        self.is_sqlite = url.startswith("sqlite")
        self._alone = asyncio.Lock()
        if self.is_sqlite:
            self._writing = _sqlite_engine(url, "BEGIN IMMEDIATE", 1)
            self._reading = _sqlite_engine(url, "BEGIN", _READERS)
        else:
            self._writing = self._reading = narrowed.engine_for(url)

    async def create(self) -> None:
        """Make the tables that are not there."""
        if self.is_sqlite:
            async with self._writing.begin() as connection:
                await connection.run_sync(self.metadata.create_all)
            return
        owner = create_async_engine(self.url, poolclass=NullPool)
        async with owner.begin() as connection:
            if not await roles.may_create(connection):
                return  # an operator with more rights made them
            if await roles.is_prepared(connection, self.name, self.metadata):
                return  # or every start of a replica would lock what the others work with
            await alone(connection, "create")
            await connection.run_sync(self.metadata.create_all)
            await roles.prepare(connection, self.name, self.metadata)

    @asynccontextmanager
    async def write(
        self, account_id: str = EVERYONE, role: str = roles.APP
    ) -> AsyncIterator[AsyncConnection]:
        """One transaction that may change rows of an account; it is on disk when this ends."""
        if self.is_sqlite:
            async with self._alone, self._writing.begin() as connection:
                yield connection
            return
        async with narrowed.transaction(self._writing, narrowed.WRITE, account_id, role) as connection:
            yield connection

    @asynccontextmanager
    async def read(self, account_id: str = EVERYONE) -> AsyncIterator[AsyncConnection]:
        """One transaction that sees one state of the database throughout."""
        if self.is_sqlite:
            async with self._reading.connect() as connection:
                yield connection
            return
        async with narrowed.transaction(self._reading, narrowed.READ, account_id, roles.APP) as connection:
            yield connection

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncConnection]:
        """A connection for one statement, which is a transaction of its own, about rows of everyone.

        With SQLite it may only read.
        """
        async with self._reading.connect() as connection:
            yield connection

    @asynccontextmanager
    async def alone(self, what: str) -> AsyncIterator[None]:
        """Keep other replicas from doing the same meanwhile; over SQLite there is only one process."""
        if self.is_sqlite:
            yield
            return
        async with self.write() as connection:
            await alone(connection, what)
            yield

    @property
    def path(self) -> str:
        """The file of a SQLite database."""
        return str(self._writing.url.database)

    @asynccontextmanager
    async def outside(self) -> AsyncIterator[Any]:
        """A connection of its own while nobody writes (SQLite): SQLAlchemy's have always begun a transaction."""
        import aiosqlite

        async with self._alone, aiosqlite.connect(self.path) as connection:
            async with connection.execute("PRAGMA busy_timeout=15000"):
                pass  # an open cursor would forbid VACUUM
            yield connection

    async def checkpoint(self) -> None:
        """Fold the write-ahead log in, so that what was deleted is not in it any more (SQLite)."""
        if self.is_sqlite:
            async with self.outside() as connection:
                await connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Close every connection."""
        await self._writing.dispose()
        await self._reading.dispose()


@dataclass(frozen=True)
class Stores:
    """The three databases."""

    records: Store
    keys: Store
    ledger: Store

    def __iter__(self) -> Any:
        return iter((self.records, self.keys, self.ledger))


def open_stores(settings: Settings) -> Stores:
    """Return the databases that the settings name; nothing is connected yet."""

    def url(name: str, named: str) -> str:
        return named or f"sqlite+aiosqlite:///{(settings.data / name).resolve()}.sqlite"

    return Stores(
        Store("records", url("records", settings.records_url), records.metadata),
        Store("keys", url("keys", settings.keys_url), keys.metadata),
        Store("ledger", url("ledger", settings.ledger_url), ledger.metadata),
    )


def _sqlite_engine(url: str, begin: str, size: int) -> AsyncEngine:
    engine = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=size, max_overflow=0)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, not the driver
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
