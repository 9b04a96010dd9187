"""The commands of sync."""

from pathlib import Path
from typing import Any

from agents.commands.serving import Served
from memory.sync.exchange import Round
from resources.language import gettext as _
from resources.language import ngettext
from vault.recovery_key import key_of
from vault.secret import Secret


async def on(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Turn sync on: ``folder`` and the new recovery key's ``words``; without a folder, go on after a pause."""
    if arguments["folder"]:
        words = Secret(arguments["words"])
        return row(await served.office.syncing.found(Path(arguments["folder"]), key_of(words)))
    await served.office.syncing.switch(enabled=True)
    return {"sync": "on"}


async def join(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Join the devices that meet in ``folder`` by the ``words`` of their recovery key."""
    words = Secret(arguments["words"])
    return row(await served.office.syncing.join(Path(arguments["folder"]), key_of(words)))


async def off(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Pause sync."""
    await served.office.syncing.switch(enabled=False)
    return {"sync": "off"}


async def leave(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Forget the other devices."""
    await served.office.syncing.leave()
    return {"sync": "left"}


async def now(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Do one round: ``confirmed`` is the number of erasures of other devices that may happen here, or None."""
    return row(await served.office.syncing.now(confirmed=arguments["confirmed"]))


async def status(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Say how sync stands."""
    found = await served.office.syncing.status()
    here, waiting = found.here, found.waiting
    if here is None:
        return {"sync": "never on"}
    return {
        "sync": "on" if here.enabled else "off",
        "service" if here.hosted else "folder": here.place,
        "device": here.device_id,
        "to be sealed": waiting.marked,
        "to be sent": waiting.outbox,
        "held": waiting.held,
        "too long": waiting.too_long,
        "to be erased": waiting.erasing,
    }


def row(done: Round) -> dict[str, Any]:
    """Return what is told of a round."""
    row: dict[str, Any] = {
        "received": done.pulled,
        "sent": done.pushed,
        "erased": done.erased,
        "conflicts": done.conflicts,
    }
    if done.asks:
        row["asks"] = ngettext(
            "{count} thing was erased on another device: “bureau sync now --erase {count}” erases it here too.",
            "{count} things were erased on another device: “bureau sync now --erase {count}” erases them here too.",
            done.asks,
        ).format(count=done.asks)
    if done.held_back:
        row["held"] = _("A hold keeps something that was erased on another device: release the hold first.")
    if done.far_ahead:
        row["clock"] = _("The clock of one of your devices is more than a day ahead: set it right.")
    if done.refused:
        row["refused"] = [f"{source}: {reason}" for source, reason in done.refused]
    return row
