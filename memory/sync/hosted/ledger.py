"""The ledger: what was erased and purged, asked before anything is taken and replayed after a backup came back."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.hosted.dialects import insert_new
from memory.sync.hosted.service import Service
from memory.sync.hosted.tables.ledger import erased


async def erased_among(service: Service, space_id: str, rids: Iterable[str]) -> set[str]:
    """Return those of the records that were erased."""
    tags = {service.keys.erased_tag(space_id, rid): rid for rid in rids}
    async with service.stores.ledger.glance() as connection:
        return {tags[tag] for tag in await _present(connection, space_id, list(tags))}


async def add_erased(service: Service, space_id: str, rids: Iterable[str]) -> None:
    """Remember erased records; it is on disk when this returns."""
    tags = sorted({service.keys.erased_tag(space_id, rid) for rid in rids})
    async with service.stores.ledger.write() as connection:
        await insert_new(connection, erased, [{"space_id": space_id, "tag": tag} for tag in tags])


async def _present(connection: AsyncConnection, space_id: str, tags: list[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for at in range(0, len(tags), 500):
        query = select(erased.c.tag).where(
            erased.c.space_id == space_id, erased.c.tag.in_(tags[at : at + 500])
        )
        rows: Any = await connection.execute(query)
        found |= {bytes(tag) for tag in rows.scalars()}
    return found
