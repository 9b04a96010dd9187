"""The commands of the app lock."""

from collections.abc import Callable
from typing import Any

from agents.commands.serving import Served
from agents.door.protocol import OWNER_ASKED, CommandFailed
from agents.errors import OwnerUnknown
from resources.language import gettext as _
from vault.secret import Secret

OWNER_ONLY: dict[str, Callable[[dict[str, Any]], bool]] = {
    "export": lambda _arguments: True,
    "erase": lambda arguments: bool(arguments["now"] or arguments["deep"]),
    "erase everything": lambda _arguments: True,
    "sync now": lambda arguments: arguments["confirmed"] is not None,
    "trash empty": lambda _arguments: True,
    "sync delete": lambda _arguments: True,
    "sync export": lambda _arguments: True,
    "sync let in": lambda _arguments: True,
    "sync address": lambda _arguments: True,
    "sync aside": lambda arguments: bool(arguments["let_go"]),
}
"""The commands before which the passphrase of the lock is asked for, and with which arguments."""


async def admit(served: Served, command: str, arguments: dict[str, Any]) -> None:
    """Let a command through: ``authentication`` among its arguments is the passphrase, where one was given.

    Raises PassphraseWrong, or CommandFailed with code OWNER_ASKED where none was given.
    """
    if command in OWNER_ONLY and OWNER_ONLY[command](arguments):
        if given := arguments.get("authentication"):
            await served.office.app_lock.authenticate(Secret(given))
        try:
            await served.office.app_lock.require()
        except OwnerUnknown as error:
            raise CommandFailed(str(error), OWNER_ASKED) from error


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
