"""A receipt for erased records: asked for by a device, given only if nothing of them is left."""

from typing import Any

from sqlalchemy import func, select

from memory.identifiers import new_id
from memory.sync.hosted import ledger, receipts, spaces
from memory.sync.hosted.callers import Caller
from memory.sync.hosted.errors import Refusal, malformed
from memory.sync.hosted.service import Service
from memory.sync.hosted.tables.keys import record_keys
from memory.sync.hosted.tables.records import record_blobs, records
from memory.sync.receipts import hash_of_ids

MOST = 5000
_PAGE = 500


async def prove(
    service: Service, caller: Caller, space_id: str, generation: str, rids: list[str]
) -> dict[str, Any]:
    """Look for anything left of erased records and return the signed receipt. Raises Refusal.

    The receipt names them by ``records_hash`` (`hash_of_ids`), not by their ids.
    """
    wanted = sorted(set(rids))
    if not 1 <= len(wanted) <= MOST:
        raise malformed(f"rids: 1 to {MOST}")
    for at in range(0, len(wanted), _PAGE):
        page = wanted[at : at + _PAGE]
        async with service.stores.records.read(caller.account_id) as connection:
            await spaces.find(service, connection, caller, space_id, generation)
            left = 0
            for table in (records, record_blobs):
                query = select(func.count()).where(table.c.space_id == space_id, table.c.rid.in_(page))
                left += (await connection.execute(query)).scalar_one()
        async with service.stores.keys.read(caller.account_id) as connection:
            query = select(func.count()).where(
                record_keys.c.space_id == space_id, record_keys.c.rid.in_(page)
            )
            left += (await connection.execute(query)).scalar_one()
        if left or await ledger.erased_among(service, space_id, page) != set(page):
            raise Refusal(409, "not_erased", "Some of these records were not erased.")
    return await receipts.issue(
        service,
        new_id(),
        scope="records",
        subject=service.keys.subject("space", space_id),
        requested_at=service.now(),
        mode="now",
        grace_until=0,
        counts={"records": len(wanted), "blobs": 0, "bytes": 0, "key_rows": 0},
        keys_destroyed=[],
        gone_subjects=[],
        more={"records_hash": hash_of_ids(wanted)},
    )
