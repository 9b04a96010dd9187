"""The commands of the team."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.commands.serving import Served
from agents.door.protocol import CommandFailed
from memory.roster import Agent
from resources.language import gettext as _


async def listed(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List who works here."""
    return [asdict(agent) for agent in await served.office.roster.all()]


async def show(served: Served, arguments: dict[str, Any]) -> str:
    """Return an agent as Markdown."""
    return await served.office.roster.export_markdown((await named(served, arguments["name"])).id)


async def add(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Hire an agent."""
    fields = {name: arguments[name] for name in ("role", "instructions", "model")}
    return asdict(await served.office.roster.add(arguments["name"], **fields))


async def edit(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give an agent the form of ``markdown``; its form until now stays as a revision."""
    agent = await named(served, arguments["name"])
    return asdict(await served.office.roster.import_markdown(arguments["markdown"], replacing=agent.id))


async def remove(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Archive an agent; what it said keeps its name."""
    agent = await named(served, arguments["name"])
    await served.office.roster.archive(agent.id)
    return {"archived": agent.id, "name": agent.name}


async def export(served: Served, arguments: dict[str, Any]) -> str:
    """Write an agent as Markdown to ``path``, or return it where no path is given."""
    text = await show(served, arguments)
    if not arguments["path"]:
        return text
    try:
        await asyncio.to_thread(Path(arguments["path"]).write_text, text, "utf-8")
    except OSError as error:
        raise CommandFailed(
            _("{path} cannot be written: name another place.").format(path=arguments["path"])
        ) from error
    return _("Written to {path}.").format(path=arguments["path"])


async def import_(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Hire the agent of a Markdown file."""
    try:
        text = await asyncio.to_thread(Path(arguments["path"]).read_text, "utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(
            _("{path} cannot be read as text: save it as UTF-8 and try again.").format(path=arguments["path"])
        ) from error
    return asdict(await served.office.roster.import_markdown(text))


async def named(served: Served, name: str) -> Agent:
    """Return the agent of that name or id. Raises CommandFailed."""
    wanted = name.removeprefix("@").casefold()
    for agent in await served.office.roster.all():
        if wanted in {agent.name.casefold(), agent.id}:
            return agent
    raise CommandFailed(_("There is no agent “{name}”: see “bureau agents list”.").format(name=name))
