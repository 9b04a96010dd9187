"""``bureau export``, ``verify`` and ``import``."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.commands.serving import Served
from agents.door.protocol import Caller, CommandFailed, Item
from agents.lifecycle.transfer import Wish
from memory.lifecycle.data_map import Category
from memory.transfer.age import Encryption
from memory.transfer.archives import open_archive
from memory.transfer.bag_reading import Unlock
from memory.transfer.comparing import Choice
from memory.transfer.recognition import recognise
from memory.transfer.selection import Filters
from memory.transfer.watching import Watch
from resources.language import gettext as _

_AGO = re.compile(r"(\d{1,5})(d|w|mo|y)")
_DAYS = {"d": 1, "w": 7, "mo": 30.4375, "y": 365.25}
_MEGABYTE = 1_000_000


async def export(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Write an export and tell where it is and what it holds."""
    sealed = arguments["passphrase"] or arguments["recipients"]
    wish = Wish(
        filters=await _filters(served, arguments),
        encryption=Encryption(passphrase=arguments["passphrase"], recipients=arguments["recipients"])
        if sealed
        else None,
        with_embeddings=arguments["with_embeddings"],
        with_keys=arguments["include_secrets"],
        replace=arguments["replace"],
    )

    async def work(watch: Watch) -> dict[str, Any]:
        written = await served.office.transfers.export(Path(arguments["path"]), wish, watch)
        return asdict(written) | {"path": str(written.path)}

    async for item in _watched(work, caller):
        yield item


async def verify(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Check an export and tell whose it is and what it holds."""

    async def work(watch: Watch) -> dict[str, Any]:
        found = await served.office.transfers.verify(Path(arguments["path"]), _unlock(arguments), watch)
        return {"ok": True, **asdict(found)}

    async for item in _watched(work, caller):
        yield item


async def import_(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Bring in an export of Bureau, ChatGPT or Claude, or only tell what that would do."""
    path, preview = Path(arguments["path"]), arguments["preview"]
    kind = "bureau" if _sealed(path) else await asyncio.to_thread(_kind, path)
    choice = Choice(skip_erased=not arguments["bring_back_erased"], differing=arguments["keep"])
    transfers, imports = served.office.transfers, served.office.imports

    async def ours(watch: Watch) -> dict[str, Any]:
        if preview:
            seen = await transfers.look_into(path, choice, _unlock(arguments), watch)
            return {"source": "bureau", "untouched": seen.untouched, "counts": seen.counts}
        merged = await transfers.bring_in(path, choice, _unlock(arguments), watch)
        return {"source": "bureau", "counts": merged.counts, "orphans": merged.orphans}

    async def theirs(watch: Watch) -> dict[str, Any]:
        brought = await (imports.look_into if preview else imports.bring_in)(path, watch)
        return {
            "source": brought.source,
            "counts": brought.summary.counts(),
            "problems": [asdict(problem) for problem in brought.problems],
        }

    async for item in _watched(ours if kind == "bureau" else theirs, caller):
        yield item


async def _watched(work: Callable[[Watch], Awaitable[dict[str, Any]]], caller: Caller) -> AsyncIterator[Item]:
    """Run work that a watch follows, telling how far it is each time it is a hundredth further."""
    loop = asyncio.get_running_loop()
    steps: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
    told = -1

    def progress(done: int, total: int) -> None:
        nonlocal told
        if (part := 100 * done // max(1, total)) != told:
            told = part
            loop.call_soon_threadsafe(steps.put_nowait, (done, total))

    task = asyncio.ensure_future(work(Watch(progress, caller.stopped.is_set)))
    try:
        while not task.done() or not steps.empty():
            step = asyncio.ensure_future(steps.get())
            await asyncio.wait({task, step}, return_when=asyncio.FIRST_COMPLETED)
            if step.done():
                done, total = step.result()
                yield {"kind": "progress", "done": done // _MEGABYTE, "total": total // _MEGABYTE}
            else:
                step.cancel()
        value = await task
    finally:
        if not task.done():
            caller.stopped.set()
            await asyncio.gather(task, return_exceptions=True)
    yield {"kind": "result", "value": json.loads(json.dumps(value, default=list))}


async def _filters(served: Served, arguments: dict[str, Any]) -> Filters:
    agent_id = ""
    if name := arguments["agent"]:
        agents = await served.office.roster.all()
        agent_id = next((one.id for one in agents if name in (one.id, one.name)), "")
        if not agent_id:
            raise CommandFailed(
                _("Nobody here is called “{name}”: see “bureau agents list”.").format(name=name)
            )
    return Filters(
        since=instant_of(arguments["since"]) if arguments["since"] else None,
        agent_id=agent_id,
        conversation_id=arguments["conversation"],
        categories=frozenset(Category(each) for each in arguments["categories"]),
    )


def instant_of(text: str) -> int:
    """Return the instant of ``2026-01-31`` or of ``12mo`` ago, in milliseconds."""
    if ago := _AGO.fullmatch(text):
        seconds = datetime.now(UTC).timestamp() - int(ago[1]) * _DAYS[ago[2]] * 86_400
        return int(seconds * 1_000)
    try:
        return int(datetime.fromisoformat(text).astimezone().timestamp() * 1_000)
    except (ValueError, OverflowError, OSError) as error:
        raise CommandFailed(
            _("“{text}” is no time: write a day as 2026-01-31, or how long ago as 12mo.").format(text=text), 2
        ) from error


def _unlock(arguments: dict[str, Any]) -> Unlock:
    return Unlock(arguments["passphrase"], tuple(arguments["identities"]))


def _sealed(path: Path) -> bool:
    from memory.transfer.age import is_encrypted

    if not path.is_file():
        return False
    with path.open("rb") as file:
        return is_encrypted(file)


def _kind(path: Path) -> str:
    with open_archive(path) as archive:
        return recognise(archive).kind
