"""The few statements that SQLite and PostgreSQL do not share."""

import hashlib
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_new(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, passing over those whose key is there already."""
    if rows:
        module = postgresql if connection.dialect.name == "postgresql" else sqlite
        await connection.execute(module.insert(table).on_conflict_do_nothing(), rows)


async def alone(connection: AsyncConnection, what: str) -> None:
    """Wait until no other transaction does the same; SQLite writes one after another anyway."""
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
        await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
