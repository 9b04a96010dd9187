"""The commands of the app lock."""

from typing import Any

from agents.commands.serving import Served
from agents.door.protocol import CommandFailed
from resources.language import gettext as _
from vault.secret import Secret


async def now(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Lock the window of this office."""
    if served.show is None:
        raise CommandFailed(_("No window of this office is open: there is nothing to lock."))
    await served.office.app_lock.lock()
    return {"locked": True}


async def passphrase(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Set the passphrase of the lock: ``new``, empty to take it away, and ``former`` where there was one."""
    new, former = arguments["new"], arguments["former"]
    await served.office.app_lock.choose_passphrase(
        Secret(new) if new else None, Secret(former) if former else None
    )
    return {"lock": "set" if new else "removed"}
