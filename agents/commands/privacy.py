"""The commands about the owner's data: what is held, who receives it, what was agreed to."""

import asyncio
from dataclasses import asdict
from typing import Any

from agents.commands.serving import Served
from agents.lifecycle import recipients
from memory import consents
from memory.lifecycle import inventory


async def data(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the office holds by category."""
    return [
        {
            "category": share.category.value,
            "title": share.category.words,
            "count": share.count,
            "size": share.size,
            "oldest": share.oldest,
            "newest": share.newest,
        }
        for share in await shares(served)
    ]


async def shares(served: Served) -> tuple[inventory.Share, ...]:
    """Return the share of every category, tables and files together."""
    office = served.office
    tables = await office.database.read_apart(inventory.held_in_tables)
    files = await asyncio.to_thread(inventory.held_in_files, office.locations)
    return inventory.by_category((*tables, *files))


async def receivers(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Return who receives or received data."""
    found = await served.office.database.read(recipients.recipients)
    return [asdict(one) for one in found]


async def listed(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every consent with its text, the latest first."""
    found = await served.office.database.read(consents.consents)
    return [{**asdict(one), "host": one.host, "text": consents.text_of(one.host)} for one in found]


async def withdraw(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Send nothing more to ``host``."""
    await served.office.database.write(consents.withdraw, arguments["host"])
    return {"host": arguments["host"], "consent": "withdrawn"}


async def give(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Let ``host`` receive data again."""
    await served.office.database.write(consents.give, arguments["host"])
    return {"host": arguments["host"], "consent": "given"}
