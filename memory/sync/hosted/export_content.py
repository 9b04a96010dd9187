"""What an export holds, file by file: what the service knows of an account, and (full) all that it cannot read."""

import json
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Table, select

from memory.sync import base64url
from memory.sync.header import Header
from memory.sync.hosted import audit, chain, mailing, receipts
from memory.sync.hosted import spaces as spaces_module
from memory.sync.hosted.objects import blob_key
from memory.sync.hosted.reading import Keys, keys_of, marker_members, record_members
from memory.sync.hosted.service import DAY, Service
from memory.sync.hosted.tables import records as tables
from memory.sync.hosted.tables.keys import space_wraps

Rows = list[dict[str, Any]]
_PAGE = 500
HIDDEN = {
    "sessions": ("access_hash", "refresh_hash", "former_refresh_hash"),
    "exports": ("token_hash",),
    "accounts": ("address", "address_lookup"),
}
"""Columns that are of no meaning to the owner, or are given in the clear instead."""
_HAPPENED = {"audit.jsonl": "at", "access-log.jsonl": "at", "exports.jsonl": "asked_at"}
"""Files of what happened, with the member that says when; others say how things stand."""


async def metadata(service: Service, account_id: str, since: int = 0) -> dict[str, Rows]:
    """Return the files about an account; of what happened nothing before ``since``, in UTC milliseconds."""
    space_ids = [space["space_id"] for space in await spaces_module.listed(service, account_id)]
    subjects = [
        service.keys.subject("account", account_id),
        *(service.keys.subject("space", each) for each in space_ids),
    ]
    async with service.stores.records.read(account_id) as connection:

        async def rows(table: Table) -> Rows:
            found = await connection.execute(select(table).where(table.c.account_id == account_id))
            hidden = HIDDEN.get(table.name, ())
            return [_plain({k: v for k, v in row.items() if k not in hidden}) for row in found.mappings()]

        lines = await connection.execute(
            select(tables.access_log)
            .where(tables.access_log.c.subject == subjects[0])
            .order_by(tables.access_log.c.at)
        )
        files = {
            "account.jsonl": await rows(tables.accounts),
            "devices.jsonl": await rows(tables.devices),
            "log.jsonl": await chain.entries(connection, account_id),
            "sessions.jsonl": await rows(tables.sessions),
            "consents.jsonl": await rows(tables.consents),
            "deletions.jsonl": await rows(tables.deletions),
            "exports.jsonl": await rows(tables.exports),
            "spaces.jsonl": await rows(tables.spaces),
            "audit.jsonl": await audit.entries(connection, account_id, limit=100_000),
            "access-log.jsonl": [_plain(dict(row)) for row in lines.mappings()],
        }
        policies = await connection.execute(select(tables.policies))
        files["policies.jsonl"] = [dict(row) for row in policies.mappings()]
    for name, time in _HAPPENED.items():
        files[name] = [row for row in files[name] if row[time] >= since]
    files["account.jsonl"][0]["email"] = await mailing.address_of(service, account_id)
    proved = await receipts.of_subjects(service, subjects)
    files["receipts.jsonl"] = [row for row in proved if row["purged_at"] >= receipts.instant(since)]
    return files


async def spaces(service: Service, account_id: str, since: int = 0) -> AsyncIterator[tuple[str, Rows]]:
    """Yield the files of each space: wraps, and records and markers since then, as they travel."""
    for space in await spaces_module.listed(service, account_id):
        space_id = space["space_id"]
        yield (
            f"spaces/{space_id}/records.jsonl",
            [row async for row in _records(service, account_id, space_id, since)],
        )
        async with service.stores.records.read(account_id) as connection:
            marked = await connection.execute(
                select(tables.markers)
                .where(tables.markers.c.space_id == space_id, tables.markers.c.day >= since // DAY)
                .order_by(tables.markers.c.seq)
            )
            rows = [{"seq": row.seq, "marker": _plain(marker_members(row))} for row in marked]
        yield f"spaces/{space_id}/markers.jsonl", rows
        async with service.stores.keys.read(account_id) as connection:
            wrapped = await connection.execute(select(space_wraps).where(space_wraps.c.space_id == space_id))
            rows = [_plain(dict(row)) for row in wrapped.mappings()]
        yield f"spaces/{space_id}/wraps.jsonl", rows


async def _records(
    service: Service, account_id: str, space_id: str, since: int
) -> AsyncIterator[dict[str, Any]]:
    table, after = tables.records, ""
    while True:
        async with service.stores.records.read(account_id) as connection:
            query = (
                select(table)
                .where(table.c.space_id == space_id, table.c.rid > after)
                .order_by(table.c.rid)
                .limit(_PAGE)
            )
            page = (await connection.execute(query)).all()
        if not page:
            return
        keys: Keys = await keys_of(service, account_id, space_id, [row.rid for row in page])
        for row in page:
            written = Header.unpack(bytes(row.hdr)).ms
            if written >= since and (dek := keys.get((row.rid, row.rev))) is not None:
                yield {"seq": row.seq, "env": _plain(record_members(row, dek))}
        after = page[-1].rid


async def chunks(
    service: Service, account_id: str, since: int = 0
) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    """Yield each chunk that was stored since then, with its pieces."""
    async with service.stores.records.read(account_id) as connection:
        query = select(tables.blobs.c.sha256).where(
            tables.blobs.c.account_id == account_id, tables.blobs.c.stored == 1, tables.blobs.c.at >= since
        )
        hashes = (await connection.execute(query.order_by(tables.blobs.c.sha256))).scalars().all()
    for sha256 in hashes:
        yield sha256, service.objects.read(blob_key(account_id, sha256))


def _plain(members: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(members, default=base64url.encode))
    return plain
