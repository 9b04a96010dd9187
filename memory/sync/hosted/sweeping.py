"""Keys without their record: of pushes that were cut, and of revisions that are superseded."""

from sqlalchemy import delete, select

from memory.sync.hosted.service import Service
from memory.sync.hosted.tables import records as tables
from memory.sync.hosted.tables.keys import record_keys

_PAGE = 500


async def sweep_keys(service: Service) -> int:
    """Delete keys without their record: of pushes that were cut, and of revisions that are superseded."""
    async with service.stores.records.read() as connection:
        ids = (await connection.execute(select(tables.spaces.c.space_id))).scalars().all()
    count = 0
    for space_id in ids:
        after = ("", "")
        while True:
            last, swept = await _sweep_page(service, space_id, after)
            count += swept
            if last is None:
                break
            after = last
    return count


async def _sweep_page(
    service: Service, space_id: str, after: tuple[str, str]
) -> tuple[tuple[str, str] | None, int]:
    """Sweep one page under the space's lock, so that no push is between its keys and its records."""
    place = (record_keys.c.space_id == space_id) & (
        (record_keys.c.rid > after[0]) | ((record_keys.c.rid == after[0]) & (record_keys.c.rev > after[1]))
    )
    async with service.stores.records.write() as connection:
        await connection.execute(
            select(tables.spaces.c.space_id).where(tables.spaces.c.space_id == space_id).with_for_update()
        )
        async with service.stores.keys.write() as keys:
            query = select(record_keys.c.rid, record_keys.c.rev).where(place)
            ordered = query.order_by(record_keys.c.rid, record_keys.c.rev).limit(_PAGE)
            page = [(row.rid, row.rev) for row in await keys.execute(ordered)]
            if not page:
                return None, 0
            table = tables.records
            held = await connection.execute(
                select(table.c.rid, table.c.rev).where(
                    table.c.space_id == space_id, table.c.rid.in_([rid for rid, _ in page])
                )
            )
            current = {(row.rid, row.rev) for row in held}
            orphans = [each for each in page if each not in current]
            for rid, rev in orphans:
                await keys.execute(
                    delete(record_keys).where(
                        record_keys.c.space_id == space_id, record_keys.c.rid == rid, record_keys.c.rev == rev
                    )
                )
    return page[-1], len(orphans)
