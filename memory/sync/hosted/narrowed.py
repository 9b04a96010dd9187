"""PostgreSQL only: transactions that take a role and an account, in one round trip to begin and one to end.

SQLAlchemy would begin in one and narrow in another, which is a third of what a small push costs. So its connections are
in autocommit mode, and what begins and ends a transaction goes to the driver itself.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from memory.sync.hosted import roles
from memory.sync.hosted.errors import StoreAway

EVERYONE = "*"
"""Whose rows a transaction may touch that is not one account's: signing in, jobs, start-up."""
WRITE, READ = "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_ACCOUNT = re.compile(r"[0-9a-f]{32}|\*")
_ROLE = re.compile(r"[a-z_]+")
_TRIES = 3
_POOL = 10


def engine_for(url: str) -> AsyncEngine:
    """Return an engine whose connections have the role of the application and no transaction of their own."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", pool_size=_POOL, max_overflow=_POOL)

    @event.listens_for(engine.sync_engine, "connect")
    def narrow(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(
            f"SELECT set_config('role', '{roles.APP}', false), set_config('bureau.account', '{EVERYONE}', false)"
        )
        cursor.close()

    return engine


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, begin: str, account_id: str, role: str
) -> AsyncIterator[AsyncConnection]:
    """One transaction; it is committed when this ends, undone when it raises. Raises StoreAway."""
    connection = await _begun(engine, f"{begin}; {_narrowing(account_id, role)}")
    try:
        try:
            yield connection
        except BaseException:
            with suppress(StoreAway):  # what went wrong before is what is told
                await _say(connection, "ROLLBACK")
            raise
        await _say(connection, "COMMIT")
    finally:
        await connection.close()


async def fetch(connection: AsyncConnection, statement: str, *arguments: Any) -> list[Any]:
    """Let the driver run one statement with its arguments; return the rows. Raises StoreAway."""
    async with _driver(connection, keep=True) as driver:
        rows: list[Any] = await driver.fetch(statement, *arguments)
    return rows


async def _begun(engine: AsyncEngine, said: str) -> AsyncConnection:
    """Return a connection that has begun; one that died while nobody used it is replaced."""
    for left in reversed(range(_TRIES)):
        connection = await engine.connect()
        try:
            await _say(connection, said)
        except StoreAway:
            await connection.close()
            await engine.dispose()  # those that wait are most likely as old
            if not left:
                raise
        except BaseException:
            await connection.close()
            raise
        else:
            return connection
    raise AssertionError


async def _say(connection: AsyncConnection, said: str) -> None:
    """Let the driver begin or end a transaction; where that fails the connection is done for. Raises StoreAway."""
    async with _driver(connection) as driver:
        await driver.execute(said)


@asynccontextmanager
async def _driver(connection: AsyncConnection, *, keep: bool = False) -> AsyncIterator[Any]:
    """The driver's connection. Where something fails that the database did not refuse, or unless it is to be kept, the
    connection is not used again. Raises StoreAway.
    """
    from asyncpg import exceptions

    if connection.invalidated or connection.sync_connection is None:
        raise StoreAway("The connection died in a statement before; nothing of its transaction is left.")
    away = (
        exceptions.PostgresConnectionError,
        exceptions.OperatorInterventionError,
        exceptions.InsufficientResourcesError,
        exceptions.InterfaceError,
        OSError,
    )
    try:
        yield connection.sync_connection.connection.driver_connection
    except BaseException as wrong:
        is_away = isinstance(wrong, away) and not isinstance(wrong, exceptions.DataError)
        if is_away or not keep or not isinstance(wrong, exceptions.PostgresError):
            await connection.invalidate()
        if is_away:
            raise StoreAway(str(wrong)) from wrong
        raise


def _narrowing(account_id: str, role: str) -> str:
    """Return what SET LOCAL would do; a query without parameters, for only such ones may follow another."""
    if not _ACCOUNT.fullmatch(account_id) or not _ROLE.fullmatch(role):
        raise ValueError("an account or a role that is none")
    return f"SELECT set_config('role', '{role}', true), set_config('bureau.account', '{account_id}', true)"
