"""Exports: what the service holds of an account as a BagIt archive, and files that a device hands out the same way.

They are fetched through a link that is counted, lasts for hours, and wants a click, because mail scanners follow links.
"""

import asyncio
import secrets
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.identifiers import new_id
from memory.sync.hosted import audit, export_content, export_schemas, jobs, mailing
from memory.sync.hosted.bag import Bag
from memory.sync.hosted.callers import Caller, token_hash
from memory.sync.hosted.chain import lock_account
from memory.sync.hosted.errors import Refusal, malformed, not_found
from memory.sync.hosted.objects import export_key
from memory.sync.hosted.receipts import instant
from memory.sync.hosted.service import DAY, HOUR, Service
from memory.sync.hosted.tables.records import exports

KIND = "export"
METADATA, FULL, SHARED = "metadata", "full", "shared"
WAITING, RUNNING, READY, FAILED, EXPIRED = "waiting", "running", "ready", "failed", "expired"
WATCHDOG_MS = 2 * HOUR
MOST_DOWNLOADS = 5
MOST_HOURS = 168
NOT_READY = "not_ready"
"""The code of a refusal: it is not made yet, or was fetched as often as it may be."""


async def ask(service: Service, caller: Caller, kind: str, hours: int, since_day: int = 0) -> dict[str, Any]:
    """Ask for an export; return its id and the link, which is told only here. Raises Refusal.

    Of what has a time of its own nothing is in it that is older than ``since_day`` (days since 1970-01-01).
    """
    if not 0 <= since_day <= service.today:
        raise malformed("since_day: a day that has been")
    async with service.stores.records.write(caller.account_id) as connection:
        shown = await _row(service, connection, caller, kind, hours, f"{new_id()}.zip", 0)
        payload = {"export_id": shown["export_id"], "since": since_day * DAY}
        await jobs.enqueue(
            connection, KIND, shown["export_id"], payload, at=service.now(), account_id=caller.account_id
        )
    return shown


async def share(service: Service, caller: Caller, hours: int, sha256: str, size: int) -> dict[str, Any]:
    """Take a file that a device encrypted, to be handed out by a link; return where to put it. Raises Refusal."""
    if not 0 < size <= service.settings.attachment_bytes:
        raise Refusal(
            413, "too_large", "The file is too large to share.", limit=service.settings.attachment_bytes
        )
    async with service.stores.records.write(caller.account_id) as connection:
        # A place of its own: another link may hand the same file out, and end at another time.
        name = f"{secrets.token_hex(4)}/{sha256}"
        shown = await _row(service, connection, caller, SHARED, hours, name, size)
    return {**shown, "put": service.objects.put_url(export_key(caller.account_id, name), size)}


async def _row(
    service: Service,
    connection: AsyncConnection,
    caller: Caller,
    kind: str,
    hours: int,
    name: str,
    size: int,
) -> dict[str, Any]:
    if not 1 <= hours <= MOST_HOURS:
        raise malformed(f"hours: 1 to {MOST_HOURS}")
    now = service.now()
    await lock_account(connection, caller.account_id)
    mine = exports.c.account_id == caller.account_id
    asked = await connection.scalar(select(func.count()).where(mine, exports.c.asked_at > now - 24 * HOUR))
    if asked is not None and asked >= service.settings.exports_per_day:
        raise Refusal(429, "too_many_requests", "Enough exports for one day.", retry_after=3600)
    busy = exports.c.state.in_([WAITING, RUNNING]) & (exports.c.asked_at > now - WATCHDOG_MS)
    if kind != SHARED and await connection.scalar(
        select(exports.c.export_id).where(mine, busy, exports.c.kind != SHARED)
    ):
        raise Refusal(409, "export_running", "An export is being made; wait for it.")
    export_id, token = new_id(), secrets.token_urlsafe(32)
    await connection.execute(
        insert(exports).values(
            export_id=export_id,
            account_id=caller.account_id,
            kind=kind,
            state=WAITING,
            asked_at=now,
            until=now + hours * HOUR,
            hours=hours,
            downloads=0,
            size=size,
            token_hash=token_hash(token),
            object=name,
        )
    )
    await audit.note(connection, caller.account_id, now, "export_asked", kind=kind, export_id=export_id)
    return {"export_id": export_id, "link": f"{service.settings.public_url}/x/{token}", "state": WAITING}


async def confirm_shared(service: Service, caller: Caller, export_id: str) -> dict[str, Any]:
    """Confirm that a shared file was put. Raises Refusal."""
    row = await find(service, caller, export_id)
    if row.kind != SHARED or row.state != WAITING:
        raise not_found()
    if await service.objects.size(export_key(caller.account_id, row.object)) != row.size:
        raise Refusal(409, "not_there", "The file is not there, or not whole; put it again.")
    await _ready(service, row, row.size)
    return shown(await find(service, caller, export_id))


async def find(service: Service, caller: Caller, export_id: str) -> Any:
    """Return an export of the caller. Raises Refusal."""
    async with service.stores.records.read(caller.account_id) as connection:
        query = select(exports).where(
            exports.c.export_id == export_id, exports.c.account_id == caller.account_id
        )
        row = (await connection.execute(query)).first()
    if row is None:
        raise not_found()
    return row


def shown(row: Any) -> dict[str, Any]:
    """Return what is told of an export."""
    names = ("export_id", "kind", "state", "asked_at", "until", "downloads", "size", "error")
    return {name: getattr(row, name) for name in names}


async def export(service: Service, job: jobs.Job) -> None:
    """Make an export. A second try means that the first died in it: it fails, so that another may be asked for."""
    export_id = job.payload["export_id"]
    async with service.stores.records.write() as connection:
        row: Any = (
            await connection.execute(
                select(exports).where(exports.c.export_id == export_id).with_for_update()
            )
        ).first()
        if row is None or row.state not in (WAITING, RUNNING):
            return
        state = FAILED if row.state == RUNNING else RUNNING
        error = "" if state == RUNNING else "interrupted"
        await connection.execute(
            update(exports).where(exports.c.export_id == export_id).values(state=state, error=error)
        )
    if state == FAILED:
        return
    folder = service.settings.data / "scratch"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        file = Path(scratch) / row.object
        await _write(service, row, file, job.payload.get("since", 0))
        size = file.stat().st_size
        await service.objects.put_file(export_key(row.account_id, row.object), file)
    await _ready(service, row, size)


async def _write(service: Service, row: Any, file: Path, since: int) -> None:
    bag = Bag(file, f"bureau-export-{row.export_id[:8]}")
    for name, rows in (await export_content.metadata(service, row.account_id, since)).items():
        await asyncio.to_thread(bag.add_lines, name, rows)
    if row.kind == FULL:
        async for name, rows in export_content.spaces(service, row.account_id, since):
            await asyncio.to_thread(bag.add_lines, name, rows)
        async for sha256, pieces in export_content.chunks(service, row.account_id, since):
            await bag.add_pieces(f"blobs/{sha256}", pieces)
    info = {
        "Source-Organization": service.settings.operator.replace("\n", " "),
        "Bagging-Date": instant(service.now())[:10],
        "External-Identifier": row.export_id,
        "Bureau-Kind": row.kind,
        "Bureau-Policy-Version": service.settings.policy_version,
    }
    for name, schema in export_schemas.schemas().items():
        bag.add(f"schema/{name}.schema.json", schema)
    if since:
        info["Bureau-Since"] = instant(since)[:10]
    bag.close(info, service.keys)


async def _ready(service: Service, row: Any, size: int) -> None:
    now = service.now()
    async with service.stores.records.write() as connection:
        changed = await connection.execute(
            update(exports)
            .where(exports.c.export_id == row.export_id, exports.c.state.in_([WAITING, RUNNING]))
            .values(state=READY, size=size, until=now + row.hours * HOUR)
        )
        if changed.rowcount:
            await audit.note(connection, row.account_id, now, "export_ready", export_id=row.export_id)
            await mailing.ask(
                service, connection, row.account_id, "export_ready", key=row.export_id, hours=row.hours
            )
    if not changed.rowcount:  # revoked meanwhile
        await service.objects.delete(export_key(row.account_id, row.object))


async def by_token(service: Service, token: str) -> Any:
    """Return the export of a link that still leads somewhere. Raises Refusal."""
    async with service.stores.records.read() as connection:
        row: Any = (
            await connection.execute(select(exports).where(exports.c.token_hash == token_hash(token)))
        ).first()
    if row is None or row.until <= service.now() or row.state in (EXPIRED, FAILED):
        raise Refusal(404, "link_expired", "This link leads nowhere, or not any more.")
    return row


async def fetch(service: Service, token: str) -> str:
    """Count a download and return the address of the file. Raises Refusal."""
    row = await by_token(service, token)
    async with service.stores.records.write() as connection:
        counted = await connection.execute(
            update(exports)
            .where(
                exports.c.export_id == row.export_id,
                exports.c.state == READY,
                exports.c.downloads < MOST_DOWNLOADS,
            )
            .values(downloads=exports.c.downloads + 1)
        )
        if counted.rowcount != 1:
            raise Refusal(409, NOT_READY, "It is not ready yet, or was fetched as often as it may be.")
        if row.downloads == 0:
            await audit.note(
                connection, row.account_id, service.now(), "export_fetched", export_id=row.export_id
            )
            await mailing.ask(service, connection, row.account_id, "export_fetched", key=row.export_id)
    return service.objects.get_url(export_key(row.account_id, row.object))


async def tidy(service: Service) -> int:
    """Fail exports that hang and delete those whose time is over; return how many were deleted."""
    now = service.now()
    async with service.stores.records.write() as connection:
        await connection.execute(
            update(exports)
            .where(exports.c.state.in_([WAITING, RUNNING]), exports.c.asked_at <= now - WATCHDOG_MS)
            .values(state=FAILED, error="took longer than two hours")
        )
        over = (
            (exports.c.until <= now) | (exports.c.downloads >= MOST_DOWNLOADS) | (exports.c.state == FAILED)
        )
        rows = (await connection.execute(select(exports).where(over, exports.c.state != EXPIRED))).all()
    for row in rows:
        await service.objects.delete(export_key(row.account_id, row.object))
        async with service.stores.records.write() as connection:
            await connection.execute(
                update(exports).where(exports.c.export_id == row.export_id).values(state=EXPIRED)
            )
    return len(rows)
