"""The commands about the owner's data: what is held, who receives it, what was agreed to."""

import asyncio
from dataclasses import asdict
from typing import Any

from agents.commands.serving import Served
from agents.door.protocol import CommandFailed
from agents.lifecycle import recipients
from memory import consents, purposes, roster
from memory.lifecycle import inventory
from resources.language import gettext as _


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


async def purposes_(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what each purpose is followed for: the whole office, then every agent."""
    found = await served.office.database.read(purposes.choices)
    return [{**asdict(one), "agent_name": one.agent_name or _("the whole office")} for one in found]


async def switch(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Follow ``purpose`` for ``agent`` (empty: the whole office), or with ``on`` false no longer."""
    database, name = served.office.database, arguments["agent"]
    agent_id = purposes.EVERYBODY
    if name:
        agent = await database.read(roster.agent_named, name)
        if agent is None:
            raise CommandFailed(
                _("Nobody here is called “{name}”: see “bureau agents list”.").format(name=name)
            )
        agent_id = agent.id
    await served.office.keeping.switch(arguments["purpose"], agent_id, on=arguments["on"])
    return {"purpose": arguments["purpose"], "agent": name, "on": arguments["on"]}
