"""What was done to an account, for its owner to read: a chain of hashes, one for each account."""

import hashlib
import json
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.hosted.dialects import alone
from memory.sync.hosted.tables.records import audit
from memory.sync.signed_json import canonical, hash_text

FIRST = hash_text(bytes(32))
HASHED = FIRST.partition(":")[0] + ":"
"""How details begin of which only the hash is left; others are JSON."""


async def note(
    connection: AsyncConnection, account_id: str, at: int, action: str, **details: str | int | None
) -> None:
    """Add an entry, in the transaction of what it tells of."""
    await alone(connection, f"audit:{account_id}")
    last = (
        await connection.execute(
            select(audit.c.n, audit.c.hash)
            .where(audit.c.subject == account_id)
            .order_by(audit.c.n.desc())
            .limit(1)
        )
    ).first()
    n, prev = (last.n + 1, last.hash) if last else (0, FIRST)
    row = {"n": n, "at": at, "action": action, "details": json.dumps(details, sort_keys=True), "prev": prev}
    await connection.execute(insert(audit).values(subject=account_id, **row, hash=hash_of(row)))


def hash_of(row: dict[str, Any]) -> str:
    """Return the hash of an entry: over everything but whose it is, so that it holds for the pseudonym too.

    Of the details their hash counts, which stands in their place once the account is gone.
    """
    members = {name: row[name] for name in ("n", "at", "action", "prev")}
    return hash_text(
        hashlib.sha256(canonical({**members, "details": _hash_of_details(row["details"])})).digest()
    )


async def pseudonymise(connection: AsyncConnection, account_id: str, pseudonym: str) -> None:
    """Leave of an account's entries when what was done, under a pseudonym, and hashes of whatever names something."""
    mine = audit.c.subject == account_id
    rows = (await connection.execute(select(audit.c.n, audit.c.details).where(mine))).all()
    for row in rows:
        details = _hash_of_details(row.details)
        place = mine & (audit.c.n == row.n)
        await connection.execute(update(audit).where(place).values(subject=pseudonym, details=details))


def _hash_of_details(details: str) -> str:
    return details if details.startswith(HASHED) else hash_text(hashlib.sha256(details.encode()).digest())


async def entries(
    connection: AsyncConnection, subject: str, after: int = -1, limit: int = 1000
) -> list[dict[str, Any]]:
    """Return entries of an account, oldest first."""
    query = (
        select(audit).where(audit.c.subject == subject, audit.c.n > after).order_by(audit.c.n).limit(limit)
    )
    return [
        {
            **{name: row[name] for name in ("n", "at", "action", "prev", "hash")},
            "details": json.loads(row["details"]),
        }
        for row in (await connection.execute(query)).mappings()
    ]


async def count_since(connection: AsyncConnection, account_id: str, action: str, at: int) -> int:
    """Return how often something was done since an instant."""
    query = select(func.count()).where(
        audit.c.subject == account_id, audit.c.action == action, audit.c.at > at
    )
    return int((await connection.execute(query)).scalar_one())
