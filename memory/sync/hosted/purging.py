"""An account or a space is purged: keys first, then everything, then the proof, then the receipt.

The ledger knows each step before it is done, with what it will destroy, and after. Every step may be done again: what
is gone stays gone, and the counts of the receipt are those of the first time.
"""

import hashlib
import json
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.identifiers import new_id
from memory.sync.hosted import audit, jobs, receipts
from memory.sync.hosted.blobs import bytes_and_hashes_of
from memory.sync.hosted.callers import PENDING, PURGING
from memory.sync.hosted.deleting import ACCOUNT, PURGE, SPACE, ask_for_purge
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.objects import blob_key
from memory.sync.hosted.roles import PURGE as PURGE_ROLE
from memory.sync.hosted.service import DAY, Service
from memory.sync.hosted.tables import keys as keys_tables
from memory.sync.hosted.tables import records as records_tables
from memory.sync.hosted.tables.ledger import purge_steps
from memory.sync.signed_json import hash_text
from resources.language import gettext as _

KIND = PURGE
_BUSY_WAIT_MS = 5_000
_BUSY_TRIES = 3

Plan = dict[str, Any]


async def purge(service: Service, job: jobs.Job) -> None:
    """Purge what a job names, if that is still wanted and its time has come."""
    scope, scope_id = job.payload["scope"], job.payload["scope_id"]
    if not await _begun(service, scope, scope_id):
        return
    if scope == ACCOUNT and await _still_working(service, scope_id):
        async with service.stores.records.write() as connection:
            await ask_for_purge(service, connection, scope, scope_id, service.now() + _BUSY_WAIT_MS)
        return
    await carry_out(service, scope, scope_id)


async def _begun(service: Service, scope: str, scope_id: str) -> bool:
    """Move from pending to purging, if a deletion stands and its time has come."""
    records = records_tables
    async with service.stores.records.write() as connection:
        asked: Any = (
            await connection.execute(
                select(records.deletions).where(records.deletions.c.scope_id == scope_id)
            )
        ).first()
        if asked is None or asked.grace_until > service.now():
            return False
        account: Any = (
            await connection.execute(
                select(records.accounts)
                .where(records.accounts.c.account_id == asked.account_id)
                .with_for_update()
            )
        ).one()
        if account.legal_hold:  # looked at again tomorrow, and told in the summary of the account
            await ask_for_purge(service, connection, scope, scope_id, service.now() + DAY)
            return False
        table, column = (
            (records.accounts, records.accounts.c.account_id)
            if scope == ACCOUNT
            else (records.spaces, records.spaces.c.space_id)
        )
        changed = await connection.execute(
            update(table)
            .where(column == scope_id, table.c.state.in_([PENDING, PURGING]))
            .values(state=PURGING)
        )
        return changed.rowcount == 1


async def _still_working(service: Service, account_id: str) -> bool:
    """Whether mails or exports of the account are due or tried again and have not failed repeatedly: they end first."""
    table = records_tables.jobs
    begun = (table.c.due_at <= service.now()) | (table.c.tries > 0)
    due = (table.c.state == jobs.RUNNING) | ((table.c.state == jobs.WAITING) & begun)
    async with service.stores.records.read() as connection:
        query = select(func.count()).where(table.c.account_id == account_id, due, table.c.tries < _BUSY_TRIES)
        return bool(await connection.scalar(query))


async def carry_out(service: Service, scope: str, scope_id: str) -> dict[str, Any]:
    """Do every step and return the receipt. Also what a replay does after a backup came back."""
    subject = service.keys.subject(scope, scope_id)
    plan = await _planned(service, subject, scope, scope_id)
    for n, step in enumerate((_revoke, _destroy_keys, _delete_rows, _pseudonymise, _prove), 1):
        await _note(service, subject, n * 2, f"{step.__name__.strip('_')} begins", {})
        await step(service, scope, scope_id, plan)
        await _note(service, subject, n * 2 + 1, f"{step.__name__.strip('_')} done", {})
    return await receipts.issue(
        service,
        plan["receipt_id"],
        scope=scope,
        subject=subject,
        requested_at=plan["requested_at"],
        mode=plan["mode"],
        grace_until=plan["grace_until"],
        counts=plan["counts"],
        keys_destroyed=plan["keys_destroyed"],
        gone_subjects=[subject, *plan["gone"]],
    )


async def _planned(service: Service, subject: str, scope: str, scope_id: str) -> Plan:
    """Return what is to be destroyed, from the ledger if a former try wrote it there."""
    async with service.stores.ledger.read() as connection:
        found = await connection.scalar(
            select(purge_steps.c.outcome).where(purge_steps.c.subject == subject, purge_steps.c.n == 0)
        )
    if found is None:
        plan = await _plan(service, scope, scope_id)
        await _note(service, subject, 0, "planned", plan)
        return plan
    former: Plan = json.loads(found)
    return former


async def _plan(service: Service, scope: str, scope_id: str) -> Plan:
    records, keys = records_tables, keys_tables
    async with service.stores.records.read() as connection:
        asked: Any = (
            await connection.execute(
                select(records.deletions).where(records.deletions.c.scope_id == scope_id)
            )
        ).first()
        count, size = (
            await connection.execute(
                select(func.count(), func.coalesce(func.sum(func.length(records.records.c.ct)), 0)).where(
                    records.records.c[f"{scope}_id"] == scope_id
                )
            )
        ).one()
        chunks = await bytes_and_hashes_of(connection, scope, scope_id)
        gone = []
        if scope == ACCOUNT:
            for kind, table in (("device", records.devices), ("space", records.spaces)):
                ids = await connection.execute(
                    select(table.c[f"{kind}_id"]).where(table.c.account_id == scope_id)
                )
                gone += [service.keys.subject(kind, each) for each in ids.scalars()]
    async with service.stores.keys.read() as connection:
        wraps = await connection.execute(
            select(keys.space_wraps.c.output).where(keys.space_wraps.c[f"{scope}_id"] == scope_id)
        )
        destroyed = sorted(hash_text(hashlib.sha256(bytes(output)).digest()) for output in wraps.scalars())
        key_rows = len(destroyed)
        for table in _tables(keys.metadata.sorted_tables, scope):
            if table is not keys.space_wraps:
                query = select(func.count()).where(table.c[f"{scope}_id"] == scope_id)
                key_rows += (await connection.execute(query)).scalar_one()
    return {
        "receipt_id": new_id(),
        "requested_at": asked.requested_at if asked else service.now(),
        "mode": asked.mode if asked else "now",
        "grace_until": asked.grace_until if asked else 0,
        "counts": {
            "records": count,
            "blobs": len(chunks),
            "bytes": int(size) + sum(chunks.values()),
            "key_rows": key_rows,
        },
        "keys_destroyed": destroyed,
        "gone": gone,
    }


async def _note(service: Service, subject: str, n: int, step: str, outcome: Plan) -> None:
    async with service.stores.ledger.write() as connection:
        place = (purge_steps.c.subject == subject) & (purge_steps.c.n == n)
        if (await connection.execute(select(purge_steps.c.n).where(place))).first() is None:
            await connection.execute(
                insert(purge_steps).values(
                    subject=subject, n=n, step=step, at=service.now(), outcome=json.dumps(outcome)
                )
            )


async def _revoke(service: Service, scope: str, scope_id: str, _plan: Plan) -> None:
    if scope == ACCOUNT:
        async with service.stores.records.write(role=PURGE_ROLE) as connection:
            for table in (records_tables.sessions, records_tables.exports, records_tables.enrolments):
                await connection.execute(delete(table).where(table.c.account_id == scope_id))


async def _destroy_keys(service: Service, scope: str, scope_id: str, _plan: Plan) -> None:
    async with service.stores.keys.write(role=PURGE_ROLE) as connection:
        for table in _tables(keys_tables.metadata.sorted_tables, scope):
            await connection.execute(delete(table).where(table.c[f"{scope}_id"] == scope_id))
    await service.stores.keys.checkpoint()


async def _delete_rows(service: Service, scope: str, scope_id: str, _plan: Plan) -> None:
    if scope == ACCOUNT:
        await service.objects.delete_all(f"{scope_id}/")
    async with service.stores.records.write(role=PURGE_ROLE) as connection:
        if scope == SPACE:
            await _delete_chunks_of_space(service, connection, scope_id)
        for table in _tables(records_tables.metadata.sorted_tables, scope):
            await connection.execute(delete(table).where(table.c[f"{scope}_id"] == scope_id))
        if scope == SPACE:
            await connection.execute(
                delete(records_tables.deletions).where(records_tables.deletions.c.scope_id == scope_id)
            )
    await service.stores.records.checkpoint()


async def _delete_chunks_of_space(service: Service, connection: AsyncConnection, space_id: str) -> None:
    """Delete the chunks that only this space names, and give their room back to the account."""
    records = records_tables
    account_id = await connection.scalar(
        select(records.spaces.c.account_id).where(records.spaces.c.space_id == space_id)
    )
    if account_id is None:
        return
    chunks = await bytes_and_hashes_of(connection, SPACE, space_id)
    for sha in chunks:
        await service.objects.delete(blob_key(account_id, sha))
    hashes = list(chunks)
    for at in range(0, len(hashes), 500):
        part = hashes[at : at + 500]
        await connection.execute(
            delete(records.blobs).where(
                records.blobs.c.account_id == account_id, records.blobs.c.sha256.in_(part)
            )
        )
    count, size = (
        await connection.execute(
            select(func.count(), func.coalesce(func.sum(func.length(records.records.c.ct)), 0)).where(
                records.records.c.space_id == space_id
            )
        )
    ).one()
    await connection.execute(
        update(records.accounts)
        .where(records.accounts.c.account_id == account_id)
        .values(
            bytes_used=records.accounts.c.bytes_used - int(size) - sum(chunks.values()),
            records_used=records.accounts.c.records_used - count,
        )
    )


async def _pseudonymise(service: Service, scope: str, scope_id: str, _plan: Plan) -> None:
    if scope == ACCOUNT:
        async with service.stores.records.write(role=PURGE_ROLE) as connection:
            await audit.pseudonymise(connection, scope_id, service.keys.subject(scope, scope_id))


async def _prove(service: Service, scope: str, scope_id: str, _plan: Plan) -> None:
    """Raise ServiceFault unless no table but ledger, audit and access log, and no object, is left."""
    for store in (service.stores.keys, service.stores.records):
        async with store.read() as connection:
            for table in _tables(store.metadata.sorted_tables, scope):
                query = select(func.count()).where(table.c[f"{scope}_id"] == scope_id)
                if left := (await connection.execute(query)).scalar_one():
                    raise ServiceFault(
                        _("After a purge {count} rows are left in {table}; it is done again.").format(
                            count=left, table=table.name
                        )
                    )
    if scope == ACCOUNT and not await service.objects.is_empty(f"{scope_id}/"):
        raise ServiceFault(_("After a purge objects are left; it is done again."))


def _tables(tables: list[Table], scope: str) -> list[Table]:
    return [table for table in tables if f"{scope}_id" in table.c]
