"""What devices read of a space: changes, live ids, records by id, and hashes to compare."""

import hashlib
from typing import Any

from sqlalchemy import select

from memory.sync.hosted.callers import Caller
from memory.sync.hosted.errors import Refusal
from memory.sync.hosted.service import Service
from memory.sync.hosted.spaces import find
from memory.sync.hosted.tables.keys import record_keys
from memory.sync.hosted.tables.records import markers, records

_HASH = 32
_PAGE_BYTES = 8 * 2**20
"""A page of changes ends early beyond so many bytes."""

Keys = dict[tuple[str, str], bytes]


async def changes(
    service: Service, caller: Caller, space_id: str, generation: str, after: int, limit: int, begun: int
) -> dict[str, Any]:
    """Return what came after a number. Raises Refusal (410) where markers in between were dropped.

    ``begun`` is the head that the first page of a first sync (``after`` 0) told. Such a sync may go on through numbers
    before the horizon, for what was erased before it began is in no page of it.
    """
    async with service.stores.records.read(caller.account_id) as connection:
        space = await find(service, connection, caller, space_id, generation)
        if 0 < after < space.horizon and begun < space.horizon:
            raise Refusal(
                410,
                "resync_required",
                "Markers since then were dropped; compare with the live ids.",
                horizon=space.horizon,
            )
        rows = (
            await connection.execute(
                select(records)
                .where(records.c.space_id == space_id, records.c.seq > after)
                .order_by(records.c.seq)
                .limit(limit + 1)
            )
        ).all()
        # From the start too: who founded a space has sent records of its own before it read anything.
        marked: Any = (
            await connection.execute(
                select(markers)
                .where(markers.c.space_id == space_id, markers.c.seq > after)
                .order_by(markers.c.seq)
                .limit(limit + 1)
            )
        ).all()
    found = sorted([*rows, *marked], key=lambda row: row.seq)
    taken = _page(found, limit)
    keys = await keys_of(
        service, caller.account_id, space_id, [row.rid for row in taken if hasattr(row, "rev")]
    )
    more = len(taken) < len(found)
    return {
        "generation": space.generation,
        "items": [item for row in taken if (item := _item(row, keys)) is not None],
        "next": taken[-1].seq if more else max(space.head, after),
        "more": more,
        "head": space.head,
    }


def _page(found: list[Any], limit: int) -> list[Any]:
    size = 0
    for count, row in enumerate(found[:limit]):
        size += len(row.ct) if hasattr(row, "ct") else 0
        if size > _PAGE_BYTES and count:
            return found[:count]
    return found[:limit]


def _item(row: Any, keys: Keys) -> dict[str, Any] | None:
    if not hasattr(row, "rev"):
        return {"seq": row.seq, "marker": marker_members(row)}
    dek = keys.get((row.rid, row.rev))
    # Without its key a record is being replaced or erased just now; what replaces it has a later number.
    return None if dek is None else {"seq": row.seq, "env": record_members(row, dek)}


async def live(
    service: Service, caller: Caller, space_id: str, generation: str, after_rid: str, limit: int
) -> dict[str, Any]:
    """Return a page of the ids that are live at one moment, ``as_of``."""
    async with service.stores.records.read(caller.account_id) as connection:
        space = await find(service, connection, caller, space_id, generation)
        rows = (
            await connection.execute(
                select(records.c.rid, records.c.rev, records.c.seq)
                .where(records.c.space_id == space_id, records.c.rid > after_rid)
                .order_by(records.c.rid)
                .limit(limit + 1)
            )
        ).all()
    items = [{"rid": row.rid, "rev": row.rev, "seq": row.seq} for row in rows[:limit]]
    return {"as_of": space.head, "items": items, "more": len(rows) > limit}


async def get(
    service: Service, caller: Caller, space_id: str, generation: str, rids: list[str]
) -> list[dict[str, Any]]:
    """Return records by id, and the markers of those that were erased; what is neither is left out."""
    async with service.stores.records.read(caller.account_id) as connection:
        await find(service, connection, caller, space_id, generation)
        place = (records.c.space_id == space_id) & records.c.rid.in_(rids)
        rows = (await connection.execute(select(records).where(place).order_by(records.c.seq))).all()
        place = (markers.c.space_id == space_id) & markers.c.rid.in_(rids)
        marked = (await connection.execute(select(markers).where(place).order_by(markers.c.seq))).all()
    keys = await keys_of(service, caller.account_id, space_id, [row.rid for row in rows])
    return [item for row in [*rows, *marked] if (item := _item(row, keys)) is not None]


async def integrity(service: Service, caller: Caller, space_id: str, generation: str) -> dict[str, Any]:
    """Return for each 1/256 of the ids the XOR of SHA-256(rid ‖ rev) of what is live there."""
    ranges = [0] * 256
    async with service.stores.records.read(caller.account_id) as connection:
        space = await find(service, connection, caller, space_id, generation)
        query = select(records.c.rid, records.c.rev).where(records.c.space_id == space_id)
        for rid, rev in await connection.execute(query):
            raw = bytes.fromhex(rid)
            ranges[raw[0]] ^= int.from_bytes(hashlib.sha256(raw + bytes.fromhex(rev)).digest(), "big")
    return {"as_of": space.head, "ranges": [each.to_bytes(_HASH, "big").hex() for each in ranges]}


async def keys_of(service: Service, account_id: str, space_id: str, rids: list[str]) -> Keys:
    """Return wrapped record keys by record and revision."""
    if not rids:
        return {}
    async with service.stores.keys.read(account_id) as keys:
        rows = await keys.execute(
            select(record_keys.c.rid, record_keys.c.rev, record_keys.c.dek).where(
                record_keys.c.space_id == space_id, record_keys.c.rid.in_(rids)
            )
        )
        return {(row.rid, row.rev): bytes(row.dek) for row in rows}


def record_members(row: Any, dek: bytes) -> dict[str, Any]:
    """Return a stored record as it travels."""
    hashes = bytes(row.blobs)
    return {
        "hdr": bytes(row.hdr),
        "dek": dek,
        "kc": bytes(row.kc),
        "ct": bytes(row.ct),
        "sig": bytes(row.sig),
        "blobs": [hashes[at : at + _HASH] for at in range(0, len(hashes), _HASH)],
    }


def marker_members(row: Any) -> dict[str, bytes]:
    """Return a stored marker as it travels."""
    members = {name: bytes(getattr(row, name)) for name in ("hdr", "kc", "ct_sha256", "sig")}
    return members | ({"expiry": bytes(row.expiry)} if row.expiry else {})
