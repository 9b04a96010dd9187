"""The commands that show what was used and what left this machine."""

from dataclasses import asdict
from typing import Any

from agents.commands.serving import Served
from agents.door.protocol import CommandFailed
from memory import ledger, purposes
from resources.language import gettext as _


async def usage(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Sum tokens and cost ``by`` agent, model, day or key; a cost nobody knows is null."""
    database = served.office.database
    off = await database.read(purposes.objections, "usage")
    if purposes.EVERYBODY in off:
        raise CommandFailed(
            _(
                "Usage charts are switched off: see “bureau privacy purposes”, or “bureau privacy allow usage”."
            )
        )
    return [asdict(row) for row in await database.read(ledger.usage_by, arguments["by"], without=off)]


async def outbox(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List the newest requests that left this machine."""
    rows = await served.office.database.read(ledger.outbox, limit=arguments["limit"])
    return [asdict(row) for row in rows]
