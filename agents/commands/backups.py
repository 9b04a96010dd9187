"""The commands of backups."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from agents.commands.serving import Served
from agents.door.protocol import Caller, CommandFailed, Item
from memory.lifecycle.backup_making import Progress
from memory.lifecycle.backups import Backup
from resources.language import gettext as _

T = TypeVar("T")


async def now(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Make a backup and verify it."""
    made: list[Backup] = []

    async def make(progress: Progress, cancelled: Callable[[], bool]) -> None:
        made.append(await served.office.backups.make("owner", progress, cancelled))

    async for item in told(make, caller):
        yield item
    if not served.office.vault.has_recovery_key:
        sentence = _(
            "Without a recovery key this backup opens on this computer only: make one with “bureau recovery new”."
        )
        yield {"kind": "notice", "sentence": sentence}
    yield {"kind": "result", "value": _row(made[0])}


async def check(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Read a backup again: ``backup``."""
    checked: list[Backup] = []

    async def read(progress: Progress, cancelled: Callable[[], bool]) -> None:
        checked.append(await served.office.backups.check(arguments["backup"], progress, cancelled))

    async for item in told(read, caller):
        yield item
    yield {"kind": "result", "value": _row(checked[0])}


async def restore(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Prepare to go back to a backup: ``backup``, an id or a path. It is done when the office is opened next."""
    prepared: list[Backup] = []

    async def prepare(progress: Progress, cancelled: Callable[[], bool]) -> None:
        prepared.append(await served.office.backups.prepare_restore(arguments["backup"], progress, cancelled))

    async for item in told(prepare, caller):
        yield item
    yield {"kind": "result", "value": {**_row(prepared[0]), "window_open": served.show is not None}}


async def restored(served: Served, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Say what became of a restore that the opening of this office carried out; None where there was none."""
    back = served.office.went_back
    if back is None:
        return None
    if back.failure:
        raise CommandFailed(back.failure)
    return {"restored": True, "made_at": back.made_at, "erased_again": back.erased_again}


async def listed(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List the backups, the latest first."""
    every = await served.office.backups.all()
    return await asyncio.to_thread(lambda: [_row(one) for one in every])


async def remove(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Destroy one backup: ``backup``."""
    found = await served.office.backups.find(arguments["backup"])
    await served.office.backups.remove(found.id)
    return {"removed": found.id, "path": found.path}


async def folder(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Show or choose where backups are put: ``path``, None to show it, empty for the office's own folder."""
    backups, path = served.office.backups, arguments["path"]
    if path is None:
        return {"folder": str(await backups.folder())}
    return {"folder": str(await backups.choose_folder(Path(path) if path else None))}


async def told(
    work: Callable[[Progress, Callable[[], bool]], Awaitable[None]], caller: Caller
) -> AsyncIterator[Item]:
    """Do long work and yield how far it is, in MB; whoever called may stop it."""
    loop, reports = asyncio.get_running_loop(), asyncio.Queue[tuple[int, int] | None]()
    last = -1

    def progress(done: int, total: int) -> None:
        nonlocal last
        if done // 10**6 != last:
            last = done // 10**6
            loop.call_soon_threadsafe(reports.put_nowait, (done, total))

    async def run() -> None:
        try:
            await work(progress, caller.stopped.is_set)
        finally:
            reports.put_nowait(None)

    working = asyncio.create_task(run())
    try:
        while (report := await reports.get()) is not None:
            done, total = report
            yield {"kind": "progress", "done": done // 10**6, "total": -(-total // 10**6)}
        await working
    finally:
        if not working.done():
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


def _row(backup: Backup) -> dict[str, Any]:
    return {
        "id": backup.id,
        "at": backup.at,
        "path": backup.path,
        "occasion": backup.occasion,
        "size": backup.size,
        "sha256": backup.sha256,
        "verified_at": backup.verified_at,
        "there": backup.there,
    }
