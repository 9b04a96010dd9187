"""The commands of provider keys."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from agents.commands.serving import Served
from agents.connections.check import Step
from agents.connections.presets import preset
from agents.door.protocol import Caller, CommandFailed, Item
from agents.events import ConnectionsChanged
from memory.accounts import Connection
from resources.language import gettext as _
from vault.secret import Secret


async def add(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Keep a key: ``kind``, ``key``, ``label``, ``base_url``, ``model``."""
    office = served.office
    connection = await office.connections.add(
        arguments["kind"],
        Secret(arguments["key"]) if arguments["key"] else None,
        label=arguments["label"],
        base_url=arguments["base_url"],
        model=arguments["model"],
    )
    office.events.publish(ConnectionsChanged())
    return {**_row(connection), "kept_in": office.vault.store.name}


async def listed(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List every key by label, mask and fingerprint."""
    return [_row(connection) for connection in await served.office.connections.all()]


async def check(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Check one key, or all, step by step."""
    office = served.office
    every = await office.connections.all()
    chosen = [await _named(served, arguments["key"])] if arguments["key"] else list(every)
    if not chosen:
        raise CommandFailed(_("There is no key yet: add one with “bureau keys add”."))
    results = []
    for connection in chosen:
        steps: list[Step] = []
        async for step in office.connections.check(connection.id):
            steps.append(step)
            yield {"kind": "step", "label": connection.label, **asdict(step)}
        results.append(_checked(connection, steps))
    office.events.publish(ConnectionsChanged())
    yield {"kind": "result", "value": results}


async def rotate(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Check a new key and put it in the place of the old one."""
    connection = await _named(served, arguments["key"])
    steps: list[Step] = []
    async for step in served.office.connections.rotate(connection.id, Secret(arguments["new_key"])):
        steps.append(step)
        yield {"kind": "step", "label": connection.label, **asdict(step)}
    served.office.events.publish(ConnectionsChanged())
    yield {"kind": "result", "value": [_checked(connection, steps)]}


async def remove(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Destroy a key."""
    connection = await _named(served, arguments["key"])
    await served.office.connections.remove(connection.id)
    served.office.events.publish(ConnectionsChanged())
    return {
        "removed": connection.id,
        "label": connection.label,
        "revoke_at": preset(connection.preset).keys_page,
    }


async def _named(served: Served, name: str) -> Connection:
    every = await served.office.connections.all()
    found = [
        row for row in every if name in {row.id, row.label} or (len(name) >= 6 and row.id.startswith(name))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandFailed(_("Several keys are called “{name}”: use the id of one.").format(name=name))
    raise CommandFailed(_("There is no key “{name}”: see “bureau keys list”.").format(name=name))


def _checked(connection: Connection, steps: list[Step]) -> dict[str, Any]:
    return {
        "id": connection.id,
        "label": connection.label,
        "ok": all(step.state in {"passed", "no"} for step in steps),
        "steps": [asdict(step) for step in steps],
    }


def _row(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "kind": connection.kind,
        "label": connection.label,
        "base_url": connection.base_url,
        "model": connection.default_model,
        "mask": connection.mask,
        "fingerprint": connection.fingerprint,
        "created_at": connection.created_at,
        "last_checked_at": connection.last_checked_at,
        "last_used_at": connection.last_used_at,
        "last_check": connection.last_check,
    }
