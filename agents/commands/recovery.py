"""The owner's side of ``bureau recovery``: no recovery key passes through here, only that one was made."""

from typing import Any

from agents.commands.serving import Served
from vault.secret import Secret


async def made(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Take over the recovery slot that another process wrote, and record it in the audit trail."""
    await served.office.take_over_recovery_key()
    return {"recorded": True}


async def passphrase(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Let another ``passphrase`` open the office."""
    await served.office.change_passphrase(Secret(arguments["passphrase"]))
    return {"changed": True}
