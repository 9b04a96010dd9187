"""An open office with its door open, as both the window and a single command hold it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from agents.door.client import call
from agents.door.protocol import Caller, CommandFailed, Item
from agents.door.server import Door
from agents.office import Office
from memory.locations import Locations
from memory.ownership import socket_of_owner
from memory.recall.ahead import RecallAhead
from vault.office_keys import Vault
from vault.secret import Secret


@dataclass(slots=True)
class Served:
    """An office that answers at its door.

    ``handover`` is set when a window wants this office; the holder then ends its command at the next
    committed event and closes. ``show`` raises the window of this process, None where it has none; ``leave`` ends
    a process whose office is gone.
    """

    office: Office
    show: Callable[[], None] | None = None
    leave: Callable[[], None] | None = None
    handover: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def door_open(served: Served) -> AsyncIterator[None]:
    """Let other processes of this user command an open office."""
    from agents.commands.registry import run_command

    def handle(command: str, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
        return run_command(served, command, arguments, caller)

    door = Door(served.office.lock.socket, handle)
    await door.open()
    try:
        yield
    finally:
        await door.close()


@asynccontextmanager
async def serving(
    locations: Locations,
    passphrase: Secret | None,
    vault: Vault | None = None,
    ahead: RecallAhead | None = None,
) -> AsyncIterator[Served]:
    """Open the office and its door for a command, and close both at the end.

    ``vault`` and ``ahead`` as for ``Office.open``, which raises what this raises, OfficeInUse among it.
    """
    office = await Office.open(locations, passphrase=passphrase, vault=vault, ahead=ahead)
    try:
        if not office.vault.has_passphrase:
            # Closing a locked window opens nothing; whoever gave the passphrase of the office may enter.
            await office.app_lock.begin()
        served = Served(office)
        async with door_open(served):
            yield served
            if not served.handover.is_set():
                await office.housekeeping.catch_up()
    finally:
        await office.close()


async def take_over(locations: Locations) -> bool:
    """Ask the owner of an office to make way for a window; True once its lock may be free.

    False where the owner has a window of its own, which it raised instead. A command makes way at its next
    committed event and goes on as the window's client.
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
