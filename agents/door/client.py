"""The visitor's side of the door."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from agents.door.peers import is_own
from agents.door.protocol import LONGEST_LINE, Caller, CommandFailed, Item, line, messages
from resources.language import gettext as _


async def call(path: Path, command: str, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Run a command in the process that owns the office and yield its items.

    Raises CommandFailed, also where the one who listens is another user, or OSError where nobody listens.
    """
    reader, writer = await asyncio.open_unix_connection(str(path), limit=LONGEST_LINE)
    if not is_own(writer.get_extra_info("socket")):
        writer.close()
        raise CommandFailed(
            _("Another user listens at {path}, so nothing was sent there: remove it, then try again.").format(
                path=path
            )
        )
    stopping = asyncio.ensure_future(_forward_stop(writer, caller))
    try:
        writer.write(line({"command": command, "arguments": arguments}))
        with contextlib.suppress(ConnectionError):  # told below, when there is no answer
            await writer.drain()
        async for message in messages(reader):
            if "item" in message:
                yield message["item"]
            elif "error" in message:
                raise CommandFailed(message["error"]["sentence"], message["error"]["code"])
            else:
                return
        raise OwnerGone(_("The office was closed in the middle: run the command again."))
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


class OwnerGone(CommandFailed):
    """The owning process ended or handed over before the command was done."""


async def _forward_stop(writer: asyncio.StreamWriter, caller: Caller) -> None:
    await caller.stopped.wait()
    writer.write(line({"stop": True}))
    await writer.drain()
