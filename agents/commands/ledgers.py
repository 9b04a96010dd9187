"""The commands that show what was used and what left this machine."""

from dataclasses import asdict
from typing import Any

from agents.commands.serving import Served
from memory import ledger


async def usage(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Sum tokens and cost ``by`` agent, model, day or key; a cost nobody knows is null."""
    rows = await served.office.database.read(ledger.usage_by, arguments["by"])
    return [asdict(row) for row in rows]


async def outbox(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List the newest requests that left this machine."""
    rows = await served.office.database.read(ledger.outbox, limit=arguments["limit"])
    return [asdict(row) for row in rows]
