"""A space's key is replaced: the next epoch is opened with the log, record keys are wrapped anew, the old one goes."""

from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.errors import EnvelopeMalformed
from memory.sync.hosted import audit, chain
from memory.sync.hosted.callers import PENDING, Caller
from memory.sync.hosted.errors import Refusal, malformed
from memory.sync.hosted.service import Service
from memory.sync.hosted.spaces import find
from memory.sync.hosted.tables.keys import record_keys, space_wraps
from memory.sync.hosted.tables.records import devices, records, spaces
from memory.sync.key_wraps import FOR_RECOVERY
from memory.sync.signed_json import hash_text
from memory.sync.space_keys import wrap_epoch


async def open_epoch(
    service: Service,
    caller: Caller,
    space_id: str,
    generation: str,
    expected_head: int,
    entry: dict[str, Any],
) -> dict[str, Any]:
    """Append the ``new_epoch`` entry and move the space to it, in one transaction. Raises Refusal."""
    async with service.stores.records.write(caller.account_id) as connection:
        await chain.lock_account(connection, caller.account_id)
        space = await find(service, connection, caller, space_id, generation, lock=True)
        if caller.state == PENDING or space.state == PENDING:
            raise Refusal(423, PENDING, "No epoch is opened while a deletion is pending.")
        body = entry.get("body")
        if entry.get("type") != "new_epoch" or not isinstance(body, dict) or body.get("space_id") != space_id:
            raise malformed("entry: not a new_epoch of this space")
        if space.head != expected_head:
            raise Refusal(409, "head_moved", "The space has moved on; pull first.", head=space.head)
        epoch = space.epoch + 1
        if body.get("epoch") != epoch:
            raise Refusal(409, "epoch_stale", "Another epoch is the next.", epoch=space.epoch)
        await _require_wraps(service, connection, caller.account_id, space_id, epoch)
        account = await chain.append(service, connection, caller, entry)
        await connection.execute(
            update(spaces).where(spaces.c.space_id == space_id).values(epoch=epoch, rotating=int(epoch > 1))
        )
        await _finish_if_done(service, connection, caller.account_id, space_id, epoch)
        return {"epoch": epoch, "n": account.n, "hash": hash_text(account.head)}


async def _require_wraps(
    service: Service, connection: AsyncConnection, account_id: str, space_id: str, epoch: int
) -> None:
    needed = set(
        (
            await connection.execute(
                select(devices.c.device_id).where(
                    devices.c.account_id == account_id, devices.c.revoked.is_(None)
                )
            )
        ).scalars()
    ) | {FOR_RECOVERY}
    async with service.stores.keys.read(account_id) as keys:
        there = set(
            (
                await keys.execute(
                    select(space_wraps.c.recipient_id).where(
                        space_wraps.c.space_id == space_id, space_wraps.c.epoch == epoch
                    )
                )
            ).scalars()
        )
    if missing := sorted(needed - there):
        raise Refusal(
            409, "wraps_missing", "Every active device and recovery need a wrap first.", missing=missing
        )


async def page_of_keys(
    service: Service,
    caller: Caller,
    space_id: str,
    generation: str,
    after_rid: str,
    limit: int,
    *,
    every: bool = False,
) -> dict[str, Any]:
    """Return wrapped record keys by record id: those that are not yet of the current epoch, or ``every`` one."""
    async with service.stores.records.read(caller.account_id) as connection:
        space = await find(service, connection, caller, space_id, generation)
        async with service.stores.keys.read(caller.account_id) as keys:
            rows = (
                await keys.execute(
                    select(record_keys.c.rid, record_keys.c.rev, record_keys.c.dek)
                    .where(
                        record_keys.c.space_id == space_id,
                        record_keys.c.rid > after_rid,
                        record_keys.c.wrap_epoch < space.epoch + int(every),
                    )
                    .order_by(record_keys.c.rid)
                    .limit(limit)
                )
            ).all()
    items = [{"rid": row.rid, "rev": row.rev, "dek": row.dek} for row in rows]
    return {"epoch": space.epoch, "items": items, "more": len(items) == limit}


async def put_keys(
    service: Service, caller: Caller, space_id: str, generation: str, items: list[tuple[str, str, bytes]]
) -> list[str]:
    """Replace wrapped record keys by ones of the current epoch; say for each "ok" or "stale". Raises Refusal."""
    async with service.stores.records.write(caller.account_id) as connection:
        space = await find(service, connection, caller, space_id, generation, lock=True)
        for _rid, _rev, dek in items:
            try:
                epoch = wrap_epoch(dek)
            except EnvelopeMalformed as wrong:
                raise malformed(wrong.reason) from None
            if epoch != space.epoch:
                raise Refusal(
                    409, "epoch_stale", "Keys are wrapped under the current epoch.", epoch=space.epoch
                )
        held = await connection.execute(
            select(records.c.rid, records.c.rev).where(
                records.c.space_id == space_id, records.c.rid.in_([rid for rid, _, _ in items])
            )
        )
        current = {row.rid: row.rev for row in held}
        outcomes = []
        async with service.stores.keys.write(caller.account_id) as keys:
            for rid, rev, dek in items:
                changed = 0
                if current.get(rid) == rev:
                    place = (record_keys.c.space_id == space_id) & (record_keys.c.rid == rid)
                    changed = (
                        await keys.execute(
                            update(record_keys)
                            .where(place, record_keys.c.rev == rev)
                            .values(dek=dek, wrap_epoch=space.epoch)
                        )
                    ).rowcount
                outcomes.append("ok" if changed else "stale")
        await _finish_if_done(service, connection, caller.account_id, space_id, space.epoch)
        return outcomes


async def progress(service: Service, caller: Caller, space_id: str, generation: str) -> dict[str, Any]:
    """Return how far the rotation of a space is."""
    async with service.stores.records.read(caller.account_id) as connection:
        space = await find(service, connection, caller, space_id, generation)
    async with service.stores.keys.read(caller.account_id) as keys:
        left = await keys.scalar(_left(space_id, space.epoch))
        oldest = await keys.scalar(
            select(func.min(space_wraps.c.epoch)).where(space_wraps.c.space_id == space_id)
        )
    return {
        "epoch": space.epoch,
        "rotating": bool(space.rotating),
        "remaining": left,
        "oldest_epoch": oldest,
    }


def _left(space_id: str, epoch: int) -> Any:
    return select(func.count()).where(record_keys.c.space_id == space_id, record_keys.c.wrap_epoch < epoch)


async def _finish_if_done(
    service: Service, connection: AsyncConnection, account_id: str, space_id: str, epoch: int
) -> None:
    """Destroy the wraps of former epochs once no record's key needs them; the caller holds the space's lock."""
    async with service.stores.keys.write(account_id) as keys:
        old = (
            await keys.execute(
                select(record_keys.c.rid, record_keys.c.rev)
                .where(record_keys.c.space_id == space_id, record_keys.c.wrap_epoch < epoch)
                .limit(501)
            )
        ).all()
        if len(old) > 500:
            return
        rids = [row.rid for row in old]
        held = await connection.execute(
            select(records.c.rid, records.c.rev).where(
                records.c.space_id == space_id, records.c.rid.in_(rids)
            )
        )
        current = {row.rid: row.rev for row in held}
        if any(current.get(row.rid) == row.rev for row in old):
            return
        for row in old:  # superseded revisions that the sweeper has not met yet
            await keys.execute(
                delete(record_keys).where(
                    record_keys.c.space_id == space_id,
                    record_keys.c.rid == row.rid,
                    record_keys.c.rev == row.rev,
                )
            )
        destroyed = await keys.execute(
            delete(space_wraps).where(space_wraps.c.space_id == space_id, space_wraps.c.epoch < epoch)
        )
    await connection.execute(update(spaces).where(spaces.c.space_id == space_id).values(rotating=0))
    if destroyed.rowcount:
        await audit.note(
            connection, account_id, service.now(), "former_keys_destroyed", space_id=space_id, epoch=epoch - 1
        )
