"""What is done every hour and once a day: expiry, retention, sweeping, reminders. Each part may be done twice."""

import hashlib
import logging
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, insert, select, update

from memory.sync.hosted import (
    backing_up,
    blobs,
    deleting,
    exporting,
    incidents,
    jobs,
    ledger,
    mailing,
    replaying,
)
from memory.sync.hosted.chain import lock_account
from memory.sync.hosted.service import DAY, HOUR, Service
from memory.sync.hosted.sweeping import sweep_keys
from memory.sync.hosted.tables import records as tables
from memory.sync.hosted.tables.keys import record_keys

log = logging.getLogger(__name__)

KIND = "round"
MARKER_DAYS = 180
RESULT_DAYS = 30
ACCESS_LOG_DAYS = 30
AUDIT_DAYS = 365
_DONE_JOB_DAYS = 7
_SLOW_JOB_DAYS, _LATEST_REQUEST_DAYS = 7, 30
_PAGE = 500
_WARNED_AT = (80, 95, 100)


async def ask_for_daily(service: Service) -> None:
    """Ask for the round of this hour, once for all replicas."""
    hour = service.now() // HOUR
    async with service.stores.records.read() as connection:
        key = f"{KIND}:{hour}"
        if (await connection.execute(select(tables.jobs.c.job_id).where(tables.jobs.c.key == key))).first():
            return
    async with service.stores.records.write() as connection:
        await jobs.enqueue(connection, KIND, str(hour), {"hour": hour}, at=service.now())


async def daily(service: Service, job: jobs.Job) -> None:
    """Do a round: everything small every hour, what reads whole tables once a day."""
    await expire(service)
    await forget(service)
    await exporting.tidy(service)
    await warn_of_quota(service)
    await deleting.ask_again(service)
    await raise_alarms(service)
    if job.payload["hour"] % 24 == 3:
        await backing_up.drop_old(service)
        await trim_markers(service)
        await sweep_keys(service)
        await blobs.sweep(service)
        await replaying.mark_tide(service)
    for store in service.stores:
        await store.checkpoint()


async def raise_alarms(service: Service) -> None:
    """Log what an operator must see to: work that waits for a week, what an owner asked for above all, and incidents.

    A month is the most that an owner may wait for, 72 hours the most for an incident to be told.
    """
    table, week = tables.jobs, service.now() - _SLOW_JOB_DAYS * DAY
    async with service.stores.records.read() as connection:
        late = (
            (table.c.due_at < week)
            & (table.c.asked_at < week)
            & table.c.state.in_([jobs.WAITING, jobs.FAILED])
        )
        for row in await connection.execute(select(table.c.job_id, table.c.kind).where(late)):
            log.error("A job waits for more than a week", extra={"job_id": row.job_id, "job_kind": row.kind})
    for each in await deleting.late(service):
        if each.by_ms >= _LATEST_REQUEST_DAYS * DAY:
            log.critical("A deletion is late by a month", extra={"scope": each.scope})
        elif each.by_ms >= _SLOW_JOB_DAYS * DAY:
            log.error("A deletion is late by a week", extra={"scope": each.scope})
    for incident_id in await incidents.overdue(service):
        log.error("The authority must be told of an incident", extra={"incident_id": incident_id})


async def expire(service: Service) -> int:
    """Erase records whose last day has come; the service signs what is left of each. Returns how many."""
    table, today, count = tables.records, service.today, 0
    due = (table.c.exp_day > 0) & (table.c.exp_day <= today)
    async with service.stores.records.read() as connection:
        space_ids = (await connection.execute(select(table.c.space_id).where(due).distinct())).scalars().all()
    for space_id in space_ids:
        while expired := await _expire_page(service, space_id, due):
            count += expired
    return count


async def _expire_page(service: Service, space_id: str, due: Any) -> int:
    table = tables.records
    async with service.stores.records.write() as connection:
        found = select(tables.spaces).where(tables.spaces.c.space_id == space_id)
        account_id = (await connection.execute(found)).one().account_id
        await lock_account(connection, account_id)
        space: Any = (await connection.execute(found.with_for_update())).one()
        rows = (
            await connection.execute(select(table).where(table.c.space_id == space_id, due).limit(_PAGE))
        ).all()
        if not rows:
            return 0
        rids = [row.rid for row in rows]
        await ledger.add_erased(service, space_id, rids)
        async with service.stores.keys.write(space.account_id) as keys:
            await keys.execute(
                delete(record_keys).where(record_keys.c.space_id == space_id, record_keys.c.rid.in_(rids))
            )
        referred = await blobs.referred_to(connection, space_id, rids)
        for each in (table, tables.markers, tables.record_blobs):
            await connection.execute(delete(each).where(each.c.space_id == space_id, each.c.rid.in_(rids)))
        await connection.execute(
            insert(tables.markers), [_expired(service, row, space.head + n) for n, row in enumerate(rows, 1)]
        )
        head = space.head + len(rows)
        await connection.execute(
            update(tables.spaces).where(tables.spaces.c.space_id == space_id).values(head=head)
        )
        freed = await blobs.let_go(service, connection, space.account_id, referred)
        await connection.execute(
            update(tables.accounts)
            .where(tables.accounts.c.account_id == space.account_id)
            .values(
                bytes_used=tables.accounts.c.bytes_used - sum(len(row.ct) for row in rows) - freed,
                records_used=tables.accounts.c.records_used - len(rows),
            )
        )
        await service.hints.announce(connection, space.account_id, space_id, head)
    service.hints.committed(space.account_id, space_id, head)
    return len(rows)


def _expired(service: Service, row: Any, seq: int) -> dict[str, Any]:
    hdr = bytes(row.hdr)
    return {
        "space_id": row.space_id,
        "rid": row.rid,
        "account_id": row.account_id,
        "seq": seq,
        "day": service.today,
        "hdr": hdr,
        "kc": bytes(row.kc),
        "ct_sha256": hashlib.sha256(bytes(row.ct)).digest(),
        "sig": bytes(row.sig),
        "expiry": service.keys.signer.sign(b"aof/v1/expiry" + hdr),
    }


async def trim_markers(service: Service) -> None:
    """Drop markers after half a year and raise the horizon of their space."""
    table = tables.markers
    old = table.c.day < service.today - MARKER_DAYS
    async with service.stores.records.write() as connection:
        query = select(table.c.space_id, func.max(table.c.seq)).where(old).group_by(table.c.space_id)
        for space_id, seq in (await connection.execute(query)).all():
            place = tables.spaces.c.space_id == space_id
            await connection.execute(
                update(tables.spaces).where(place, tables.spaces.c.horizon < seq).values(horizon=seq)
            )
        await connection.execute(delete(table).where(old))


async def forget(service: Service) -> None:
    """Delete what has been kept for as long as it is said to be kept."""
    now, today = service.now(), service.today
    done = (tables.jobs.c.state == jobs.DONE) & (tables.jobs.c.asked_at < now - _DONE_JOB_DAYS * DAY)
    failed = (tables.jobs.c.state == jobs.FAILED) & (tables.jobs.c.asked_at < now - 30 * DAY)
    expired = tables.exports.c.state == exporting.EXPIRED
    over: list[tuple[Table, ColumnElement[bool]]] = [
        (tables.op_results, tables.op_results.c.day < today - RESULT_DAYS),
        (tables.access_log, tables.access_log.c.day < today - ACCESS_LOG_DAYS),
        (tables.audit, tables.audit.c.at < now - AUDIT_DAYS * DAY),
        (tables.challenges, tables.challenges.c.until <= now),
        (tables.magic_links, tables.magic_links.c.until <= now),
        (tables.mail_codes, tables.mail_codes.c.until <= now),
        (tables.enrolments, tables.enrolments.c.until <= now),
        (tables.sessions, tables.sessions.c.refresh_until <= now),
        (tables.jobs, done | failed),
        (tables.rate_limits, tables.rate_limits.c.spent_until < now * 1000),
        (tables.exports, expired & (tables.exports.c.asked_at < now - 30 * DAY)),
    ]
    async with service.stores.records.write() as connection:
        for table, condition in over:
            await connection.execute(delete(table).where(condition))


async def warn_of_quota(service: Service) -> None:
    """Mail once when 80, 95 and 100 % of an account's room are used."""
    table, limits = tables.accounts, service.settings
    async with service.stores.records.write() as connection:
        least = _WARNED_AT[0] / 100
        query = select(table).where(
            (table.c.bytes_used >= int(limits.account_bytes * least))
            | (table.c.records_used >= int(limits.account_records * least))
            | (table.c.warned_percent > 0)
        )
        for row in (await connection.execute(query)).all():
            share = (
                max(row.bytes_used / limits.account_bytes, row.records_used / limits.account_records) * 100
            )
            reached = max((each for each in _WARNED_AT if share >= each), default=0)
            if reached == row.warned_percent:
                continue
            await connection.execute(
                update(table).where(table.c.account_id == row.account_id).values(warned_percent=reached)
            )
            if reached > row.warned_percent:
                await mailing.ask(service, connection, row.account_id, "quota", percent=reached)
