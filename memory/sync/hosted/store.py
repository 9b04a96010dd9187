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

from sqlalchemy import MetaData, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from memory.sync.hosted import roles
from memory.sync.hosted.dialects import alone
from memory.sync.hosted.settings import Settings
from memory.sync.hosted.tables import keys, ledger, records

EVERYONE = "*"
"""Whose rows a transaction may touch that is not one account's: signing in, jobs, start-up."""
_READERS = 4
_NARROW = text("SELECT set_config('role', :role, true), set_config('bureau.account', :account, true)")
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
            self._writing = self._reading = create_async_engine(url, pool_size=10, max_overflow=10)

    async def create(self) -> None:
        """Make the tables that are not there."""
        async with self._writing.begin() as connection:
            if not self.is_sqlite:
                if not await roles.may_create(connection):
                    return  # an operator with more rights made them
                await alone(connection, "create")
            await connection.run_sync(self.metadata.create_all)
            if not self.is_sqlite:
                await roles.prepare(connection, self.name, self.metadata.sorted_tables)

    @asynccontextmanager
    async def write(
        self, account_id: str = EVERYONE, role: str = roles.APP
    ) -> AsyncIterator[AsyncConnection]:
        """One transaction that may change rows of an account; it is on disk when this ends."""
        if self.is_sqlite:
            async with self._alone, self._writing.begin() as connection:
                yield connection
            return
        async with self._writing.begin() as connection:
            await _narrow(connection, account_id, role)
            yield connection

    @asynccontextmanager
    async def read(self, account_id: str = EVERYONE) -> AsyncIterator[AsyncConnection]:
        """One transaction that sees one state of the database throughout."""
        async with self._reading.connect() as connection:
            if not self.is_sqlite:
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                await _narrow(connection, account_id, roles.APP)
            yield connection

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


async def _narrow(connection: AsyncConnection, account_id: str, role: str) -> None:
    """Take a role and an account until the transaction ends, as SET LOCAL would, in one statement."""
    await connection.execute(_NARROW, {"role": role, "account": account_id})


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
