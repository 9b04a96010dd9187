"""A service is opened, works, and is closed."""

import asyncio
import logging

from memory.sync.hosted import blobs, exporting, jobs, mailing, purging, replaying, rounds
from memory.sync.hosted.service import Service

log = logging.getLogger(__name__)

HANDLERS: dict[str, jobs.Handler] = {
    mailing.KIND: mailing.send,
    blobs.KIND: blobs.delete_objects,
    purging.KIND: purging.purge,
    exporting.KIND: exporting.export,
    rounds.KIND: rounds.daily,
}
_POLL_SECONDS = 1.0
_WRITE_SECONDS = 3.0
_LISTEN_SECONDS = 3.0


async def open_service(service: Service) -> None:
    """Make what is missing, and replay the ledger if the records came out of a backup, before anybody is answered."""
    service.settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    for store in service.stores:
        await store.create()
    # Of replicas that start together one replays: another would change the generation once more, and take what was
    # written meanwhile for what a backup brought back.
    async with service.stores.ledger.alone("replay"):
        if await replaying.came_from_backup(service):
            log.warning("The records came out of a backup: the ledger is replayed before anybody is answered")
            await replaying.replay(service)
        await replaying.mark_tide(service)
    await service.hints.open()


async def work(service: Service) -> None:
    """Do jobs for ever."""
    while True:
        try:
            await rounds.ask_for_daily(service)
            await jobs.run_due(service, HANDLERS)
        except Exception:  # a database that is away comes back; jobs are not lost meanwhile
            log.exception("The worker met a fault")
        await asyncio.sleep(_POLL_SECONDS)


async def write_access_log(service: Service) -> None:
    """Write the lines of requests now and then, for ever."""
    while True:
        await asyncio.sleep(_WRITE_SECONDS)
        try:
            await service.access_log.flush()
        except Exception:  # a database that is away comes back; the lines wait, so far as there is room
            log.exception("The access log could not be written")


async def keep_listening(service: Service) -> None:
    """Hear the other replicas again where the database ended that, for ever."""
    while True:
        await asyncio.sleep(_LISTEN_SECONDS)
        try:
            await service.hints.open()
        except Exception:  # a database that is away comes back
            log.exception("The other replicas cannot be heard")


async def close_service(service: Service) -> None:
    """Write what is gathered and let go of everything."""
    try:
        await service.hints.close()
        await service.access_log.flush()
        for store in service.stores:
            await store.checkpoint()
    finally:
        for store in service.stores:
            await store.close()
        await service.objects.close()
