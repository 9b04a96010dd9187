"""An open office with its door open, as both the window and a single command hold it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from agents.door.client import call
from agents.door.protocol import Caller, CommandFailed, Item
from agents.door.server import Door
from agents.office import Office
from memory.errors import OfficeInUse
from memory.locations import Locations
from memory.ownership import socket_of_owner
from vault.secret import Secret

HANDOVER_SECONDS = 20.0


@dataclass(slots=True)
class Served:
    """An office that answers at its door.

    ``handover`` is set when a window wants this office; the holder then ends its command at the next
    committed event and closes. ``show`` raises the window of this process, None where it has none.
    """

    office: Office
    show: Callable[[], None] | None = None
    handover: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def serving(
    locations: Locations, passphrase: Secret | None, *, show: Callable[[], None] | None = None
) -> AsyncIterator[Served]:
    """Open the office and its door, and close both at the end.

    Raises what ``Office.open`` raises, OfficeInUse among it.
    """
    office = await Office.open(locations, passphrase=passphrase)
    try:
        served = Served(office, show)
        door = Door(office.lock.socket, _handler(served))
        await door.open()
        try:
            yield served
        finally:
            await door.close()
    finally:
        await office.close()


async def take_over(locations: Locations) -> bool:
    """Ask the owner of an office to make way for a window; True once its lock may be free.

    False where the owner has a window of its own, which it raised instead.
    """
    place = socket_of_owner(locations)
    if place is None:
        return True
    try:
        async for item in call(place, "hand over", {}, Caller()):
            if item.get("kind") == "raised":
                return False
    except (OSError, CommandFailed):
        return True
    return True


@asynccontextmanager
async def serving_window(
    locations: Locations, passphrase: Secret | None, show: Callable[[], None]
) -> AsyncIterator[Served]:
    """Like ``serving`` for a window: a command that holds the office is asked to make way first.

    Raises OfficeInUse where another window holds the office; that one was raised instead.
    """
    deadline = asyncio.get_running_loop().time() + HANDOVER_SECONDS
    async with AsyncExitStack() as stack:
        while True:
            try:
                served = await stack.enter_async_context(serving(locations, passphrase, show=show))
                break
            except OfficeInUse:
                if not await take_over(locations) or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(0.05)
        yield served


def _handler(served: Served) -> Callable[[str, dict[str, Any], Caller], AsyncIterator[Item]]:
    from agents.commands.registry import run_command

    def handle(command: str, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
        return run_command(served, command, arguments, caller)

    return handle
