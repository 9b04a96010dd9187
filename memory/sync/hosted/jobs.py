"""Work that is done after the answer: rows of a table, taken by whichever replica is free.

A job may run twice (a replica died in it), so each is written to be repeatable.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.identifiers import new_id
from memory.sync.hosted.dialects import insert_new
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.service import HOUR, Service
from memory.sync.hosted.tables.records import jobs

log = logging.getLogger(__name__)

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
_LOCKED_MS = 2 * HOUR
_MOST_TRIES = 8
_FIRST_WAIT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that was taken."""

    job_id: str
    kind: str
    account_id: str | None
    payload: dict[str, Any]
    tries: int


Handler = Callable[[Service, Job], Awaitable[None]]


async def enqueue(
    connection: AsyncConnection,
    kind: str,
    key: str,
    payload: dict[str, Any],
    *,
    at: int,
    due_at: int | None = None,
    account_id: str | None = None,
) -> None:
    """Ask for a job, in the transaction that makes it needed; one ``key`` is asked for only once."""
    row = {
        "job_id": new_id(),
        "account_id": account_id,
        "kind": kind,
        "key": f"{kind}:{key}",
        "payload": json.dumps(payload),
        "state": WAITING,
        "due_at": at if due_at is None else due_at,
        "asked_at": at,
        "tries": 0,
        "locked_until": 0,
        "error": "",
    }
    await insert_new(connection, jobs, [row])


async def run_due(service: Service, handlers: dict[str, Handler]) -> int:
    """Do all jobs that are due, one after another; return how many were begun."""
    count = 0
    while (job := await _take(service)) is not None:
        await _run(service, job, handlers[job.kind])
        count += 1
    return count


async def _take(service: Service) -> Job | None:
    now = service.now()
    ready = or_(
        (jobs.c.state == WAITING) & (jobs.c.due_at <= now),
        (jobs.c.state == RUNNING) & (jobs.c.locked_until <= now),
    )
    async with service.stores.records.write() as connection:
        query = select(jobs).where(ready).order_by(jobs.c.due_at).limit(1).with_for_update(skip_locked=True)
        row: Any = (await connection.execute(query)).first()
        if row is None:
            return None
        await connection.execute(
            update(jobs)
            .where(jobs.c.job_id == row.job_id)
            .values(state=RUNNING, tries=row.tries + 1, locked_until=now + _LOCKED_MS)
        )
    return Job(row.job_id, row.kind, row.account_id, json.loads(row.payload), row.tries + 1)


async def _run(service: Service, job: Job, handler: Handler) -> None:
    try:
        await handler(service, job)
    except asyncio.CancelledError:  # the service stops: the next start goes on at once
        try:
            await _end(service, job, WAITING, "stopped", service.now())
        except Exception:  # a database that is away swallows no stop; the lock of the row runs out
            log.exception("A job that was cut off could not be put back")
        raise
    except (
        Exception
    ) as wrong:  # whatever a job meets, the others go on; it is logged, counted and tried again
        told = {"job_kind": job.kind, "tries": job.tries}
        if isinstance(wrong, ServiceFault):
            log.error("A job failed: %s", wrong, extra=told)
        else:
            log.exception("A job failed", extra=told)
        again = job.tries < _MOST_TRIES
        wait = _FIRST_WAIT_MS * 4 ** (job.tries - 1)
        await _end(service, job, WAITING if again else FAILED, type(wrong).__name__, service.now() + wait)
        service.metrics.jobs.labels(job.kind, "retried" if again else "failed").inc()
        return
    await _end(service, job, DONE, "", 0)
    service.metrics.jobs.labels(job.kind, "done").inc()


async def _end(service: Service, job: Job, state: str, error: str, due_at: int) -> None:
    async with service.stores.records.write() as connection:
        values: dict[str, Any] = {"state": state, "error": error, "due_at": due_at}
        if state == DONE:
            values["payload"] = "{}"  # it may hold a sealed address
        await connection.execute(update(jobs).where(jobs.c.job_id == job.job_id).values(**values))
