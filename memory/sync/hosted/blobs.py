"""Chunks of files: announced, put at a signed address, confirmed, read, and let go with the last record naming them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.identifiers import new_id
from memory.sync.blob_chunks import CHUNK
from memory.sync.envelope import TAG
from memory.sync.hosted import jobs
from memory.sync.hosted.callers import ACTIVE, Caller
from memory.sync.hosted.chain import lock_account
from memory.sync.hosted.errors import Refusal, malformed, not_found
from memory.sync.hosted.objects import blob_key
from memory.sync.hosted.service import DAY, Service
from memory.sync.hosted.tables.records import accounts, blobs, record_blobs

LARGEST = CHUNK + TAG
KIND = "delete_objects"
UNREFERENCED_MS = 2 * DAY


async def plan(service: Service, caller: Caller, wanted: dict[str, int]) -> list[dict[str, Any]]:
    """Return where each chunk that is not stored is to be put. Raises Refusal (413) beyond the quota."""
    if caller.state != ACTIVE:
        raise Refusal(423, caller.state, "Nothing new is taken now.")
    if any(not TAG <= size <= LARGEST for size in wanted.values()):
        raise malformed("len")
    async with service.stores.records.write(caller.account_id) as connection:
        account = await lock_account(connection, caller.account_id)
        there = await _rows(connection, caller.account_id, wanted)
        missing = {sha: size for sha, size in wanted.items() if sha not in there or not there[sha].stored}
        if account.bytes_used + sum(missing.values()) > service.settings.account_bytes:
            raise Refusal(
                413,
                "quota",
                "There is no room for these chunks.",
                used=account.bytes_used,
                limit=service.settings.account_bytes,
            )
        known = [sha for sha in missing if sha in there]
        await connection.execute(delete(blobs).where(_these(caller.account_id, known)))
        if missing:
            place = {"account_id": caller.account_id, "stored": 0, "at": service.now()}
            await connection.execute(
                insert(blobs), [{**place, "sha256": sha, "size": size} for sha, size in missing.items()]
            )
    return [
        {"sha256": sha, "put": service.objects.put_url(blob_key(caller.account_id, sha), size)}
        for sha, size in missing.items()
    ]


async def commit(service: Service, caller: Caller, hashes: list[str]) -> list[str]:
    """Confirm chunks that were put; return those that are not there, or not as long as was said."""
    async with service.stores.records.read(caller.account_id) as connection:
        there = await _rows(connection, caller.account_id, hashes)
    arrived = []
    for sha, row in there.items():
        if not row.stored and await service.objects.size(blob_key(caller.account_id, sha)) == row.size:
            arrived.append(sha)
    async with service.stores.records.write(caller.account_id) as connection:
        await lock_account(connection, caller.account_id)
        now_there = await _rows(connection, caller.account_id, hashes)
        new = [sha for sha in arrived if sha in now_there and not now_there[sha].stored]
        await connection.execute(
            update(blobs).where(_these(caller.account_id, new)).values(stored=1, at=service.now())
        )
        await connection.execute(
            update(accounts)
            .where(accounts.c.account_id == caller.account_id)
            .values(bytes_used=accounts.c.bytes_used + sum(now_there[sha].size for sha in new))
        )
    confirmed = {sha for sha, row in now_there.items() if row.stored} | set(new)
    return [sha for sha in hashes if sha not in confirmed]


async def address(service: Service, caller: Caller, sha: str) -> str:
    """Return where a confirmed chunk may be read. Raises Refusal."""
    async with service.stores.records.read(caller.account_id) as connection:
        row = (await _rows(connection, caller.account_id, [sha])).get(sha)
    if row is None or not row.stored:
        raise not_found()
    return service.objects.get_url(blob_key(caller.account_id, sha))


async def referred_to(connection: AsyncConnection, space_id: str, rids: list[str]) -> set[str]:
    """Return the chunks that records name."""
    query = select(record_blobs.c.sha256).where(
        record_blobs.c.space_id == space_id, record_blobs.c.rid.in_(rids)
    )
    return set((await connection.execute(query)).scalars())


async def let_go(
    service: Service, connection: AsyncConnection, account_id: str, hashes: Iterable[str]
) -> int:
    """Delete those of the chunks that no record names any more; return the bytes that this frees."""
    candidates = sorted(hashes)
    if not candidates:
        return 0
    named = set(
        (
            await connection.execute(
                select(record_blobs.c.sha256).where(
                    record_blobs.c.account_id == account_id, record_blobs.c.sha256.in_(candidates)
                )
            )
        ).scalars()
    )
    orphans = await _rows(connection, account_id, [sha for sha in candidates if sha not in named])
    if not orphans:
        return 0
    await connection.execute(delete(blobs).where(_these(account_id, list(orphans))))
    payload = {"account_id": account_id, "hashes": sorted(orphans)}
    await jobs.enqueue(connection, KIND, new_id(), payload, at=service.now(), account_id=account_id)
    return sum(row.size for row in orphans.values() if row.stored)


async def delete_objects(service: Service, job: jobs.Job) -> None:
    """Delete the objects of chunks that were let go, unless they were announced again meanwhile."""
    account_id, hashes = job.payload["account_id"], job.payload["hashes"]
    async with service.stores.records.read(account_id) as connection:
        there = await _rows(connection, account_id, hashes)
    for sha in hashes:
        if sha not in there:
            await service.objects.delete(blob_key(account_id, sha))


async def sweep(service: Service) -> int:
    """Delete chunks that no record named within two days; return how many."""
    old = blobs.c.at < service.now() - UNREFERENCED_MS
    named = select(record_blobs.c.sha256).where(
        record_blobs.c.account_id == blobs.c.account_id, record_blobs.c.sha256 == blobs.c.sha256
    )
    async with service.stores.records.write() as connection:
        query = select(blobs.c.account_id, blobs.c.sha256).where(old, ~named.exists()).limit(5000)
        found = (await connection.execute(query)).all()
        by_account: dict[str, list[str]] = {}
        for account_id, sha in found:
            by_account.setdefault(account_id, []).append(sha)
        for account_id, hashes in by_account.items():
            freed = await let_go(service, connection, account_id, hashes)
            await connection.execute(
                update(accounts)
                .where(accounts.c.account_id == account_id)
                .values(bytes_used=accounts.c.bytes_used - freed)
            )
    return len(found)


def _these(account_id: str, hashes: Iterable[str]) -> Any:
    return (blobs.c.account_id == account_id) & blobs.c.sha256.in_(list(hashes))


async def _rows(connection: AsyncConnection, account_id: str, hashes: Iterable[str]) -> dict[str, Any]:
    rows: Any = await connection.execute(select(blobs).where(_these(account_id, hashes)))
    return {row.sha256: row for row in rows}


async def bytes_and_hashes_of(connection: AsyncConnection, scope: str, scope_id: str) -> dict[str, int]:
    """Return the chunks of an account, or those that only one space names, with their sizes."""
    query = select(blobs.c.sha256, blobs.c.size)
    if scope == "account":
        query = query.where(blobs.c.account_id == scope_id)
    else:
        here = (record_blobs.c.account_id == blobs.c.account_id) & (record_blobs.c.sha256 == blobs.c.sha256)
        query = query.where(
            select(record_blobs.c.rid).where(here, record_blobs.c.space_id == scope_id).exists(),
            ~select(record_blobs.c.rid).where(here, record_blobs.c.space_id != scope_id).exists(),
        )
    rows: Any = await connection.execute(query.where(blobs.c.stored == 1))
    return {row.sha256: row.size for row in rows}
