"""After the records came out of a backup: what was erased or purged since goes again, before anybody asks.

Records and ledger carry the same marks, written at every start, every day and with every backup, to the records first.
So records that lack the ledger's last mark are older than it.
"""

from typing import Any

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.identifiers import new_id
from memory.sync.hosted import ledger, purging
from memory.sync.hosted.deleting import ACCOUNT, SPACE
from memory.sync.hosted.dialects import insert_new
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.service import Service
from memory.sync.hosted.sweeping import sweep_keys
from memory.sync.hosted.tables.keys import record_keys, space_wraps
from memory.sync.hosted.tables.ledger import purge_steps
from memory.sync.hosted.tables.ledger import tides as ledger_tides
from memory.sync.hosted.tables.records import (
    accounts,
    blobs,
    devices,
    markers,
    op_results,
    record_blobs,
    records,
    sessions,
    spaces,
    tides,
)
from memory.sync.key_wraps import FOR_RECOVERY
from resources.language import gettext as _

_PAGE = 500


async def came_from_backup(service: Service) -> bool:
    """Whether the records are older than the ledger.

    The ledger is read first: what another replica marks meanwhile can only make the records younger.
    """
    marked = await _last(service.stores.ledger, ledger_tides)
    return await _last(service.stores.records, tides) < marked


async def require_ledger(service: Service) -> None:
    """Refuse to replay a ledger that was never marked, so is lost. Raises ServiceFault."""
    if not await _last(service.stores.ledger, ledger_tides):
        raise ServiceFault(
            _(
                "The ledger is lost: bring its replica back first, or what was erased comes again. Where it is lost "
                "for good, add --without-ledger."
            )
        )


async def mark_tide(service: Service) -> None:
    """Write the next mark to both, to the records first."""
    tide = (
        max(await _last(service.stores.records, tides), await _last(service.stores.ledger, ledger_tides)) + 1
    )
    async with service.stores.records.write() as connection:
        await insert_new(connection, tides, [{"tide": tide}])  # another replica may come to the same
    async with service.stores.ledger.write() as connection:
        await insert_new(connection, ledger_tides, [{"tide": tide, "at": service.now()}])


async def _last(store: Any, table: Table) -> int:
    async with store.read() as connection:
        return (await connection.scalar(select(func.max(table.c.tide)))) or 0


async def replay(service: Service) -> None:
    """Make restored records tell the truth again; every space gets a new generation."""
    async with service.stores.records.write() as connection:
        await connection.execute(delete(sessions))
        await connection.execute(delete(op_results))
        ids: Any = (await connection.execute(select(spaces.c.space_id))).scalars().all()
        for space_id in ids:
            await connection.execute(
                update(spaces).where(spaces.c.space_id == space_id).values(generation=new_id())
            )
    for space_id in ids:
        await _drop_erased(service, space_id)
    await _purge_again(service)
    await _drop_keys(service)
    async with service.stores.records.write() as connection:
        await _recount(connection)


async def _drop_erased(service: Service, space_id: str) -> None:
    """Drop records of a space that were erased since, and those whose key is gone or another revision's."""
    after = ""
    while True:
        async with service.stores.records.read() as connection:
            page = (
                await connection.execute(
                    select(records.c.rid, records.c.rev)
                    .where(records.c.space_id == space_id, records.c.rid > after)
                    .order_by(records.c.rid)
                    .limit(_PAGE)
                )
            ).all()
        if not page:
            return
        after = page[-1].rid
        rids = [row.rid for row in page]
        erased = await ledger.erased_among(service, space_id, rids)
        async with service.stores.keys.read() as connection:
            place = (record_keys.c.space_id == space_id) & record_keys.c.rid.in_(rids)
            rows = await connection.execute(select(record_keys.c.rid, record_keys.c.rev).where(place))
            keys = {(row.rid, row.rev) for row in rows}
        dropped = [row.rid for row in page if row.rid in erased or (row.rid, row.rev) not in keys]
        async with service.stores.records.write() as connection:
            for table in (records, record_blobs):
                await connection.execute(
                    delete(table).where(table.c.space_id == space_id, table.c.rid.in_(dropped))
                )
            await connection.execute(
                delete(markers).where(markers.c.space_id == space_id, markers.c.rid.in_(dropped))
            )
        async with service.stores.keys.write() as connection:
            await connection.execute(
                delete(record_keys).where(
                    record_keys.c.space_id == space_id, record_keys.c.rid.in_(list(erased))
                )
            )


async def _drop_keys(service: Service) -> None:
    """Drop keys without their record and wraps for devices that are not active: a backup of the keys may hold them."""
    await sweep_keys(service)
    async with service.stores.records.read() as connection:
        active = select(devices.c.device_id).where(devices.c.revoked.is_(None))
        ids = set((await connection.execute(active)).scalars()) | {FOR_RECOVERY}
    async with service.stores.keys.write() as keys:
        recipients = set((await keys.execute(select(space_wraps.c.recipient_id).distinct())).scalars())
        for each in sorted(recipients - ids):
            await keys.execute(delete(space_wraps).where(space_wraps.c.recipient_id == each))


async def _purge_again(service: Service) -> None:
    """Purge every account and space whose purge the ledger knows, begun or done."""
    async with service.stores.ledger.read() as connection:
        known = set((await connection.execute(select(purge_steps.c.subject).distinct())).scalars())
    for scope, table in ((SPACE, spaces), (ACCOUNT, accounts)):
        async with service.stores.records.read() as connection:
            ids = (await connection.execute(select(table.c[f"{scope}_id"]))).scalars().all()
        for each in ids:
            if service.keys.subject(scope, each) in known:
                await purging.carry_out(service, scope, each)


async def _recount(connection: AsyncConnection) -> None:
    count = select(func.count()).where(records.c.account_id == accounts.c.account_id)
    size = select(func.coalesce(func.sum(func.length(records.c.ct)), 0)).where(
        records.c.account_id == accounts.c.account_id
    )
    chunks = select(func.coalesce(func.sum(blobs.c.size), 0)).where(
        blobs.c.account_id == accounts.c.account_id, blobs.c.stored == 1
    )
    await connection.execute(
        update(accounts).values(
            records_used=count.scalar_subquery(), bytes_used=size.scalar_subquery() + chunks.scalar_subquery()
        )
    )
