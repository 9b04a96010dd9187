"""The commands of sync."""

from pathlib import Path
from typing import Any

from agents.commands.serving import Served
from agents.sync_files import fault_words
from agents.sync_refusals import refusal_words
from agents.sync_standing import clock_words, damaged_words, key_words
from agents.syncing import Word
from memory.errors import Refused
from memory.lifecycle.trash import DAY
from memory.sync.categories import categories as known_categories
from memory.sync.categories import types_of
from memory.sync.exchange import Round
from resources.language import gettext as _
from resources.language import ngettext
from vault.recovery_key import key_of
from vault.secret import Secret


async def on(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Turn sync on: ``folder`` and the new recovery key's ``words``; without a folder, go on after a pause.

    ``without`` names the categories that do not sync.
    """
    if arguments["folder"]:
        words, types = Secret(arguments["words"]), chosen_types(arguments)
        return row(await served.office.syncing.found(Path(arguments["folder"]), key_of(words), types))
    await served.office.syncing.switch(enabled=True)
    return {"sync": "on"}


async def found_in(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Say whether a space can be founded in ``folder``, before a recovery key is made for it."""
    await served.office.syncing.require_free(Path(arguments["folder"]))
    return {"folder": "free"}


async def join(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Join the devices that meet in ``folder`` by the ``words`` of their recovery key; ``without`` as for `on`."""
    words, types = Secret(arguments["words"]), chosen_types(arguments)
    return row(await served.office.syncing.join(Path(arguments["folder"]), key_of(words), types))


async def move(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Let the devices meet in ``folder``, where the former one was moved; without one, say where they meet."""
    syncing = served.office.syncing
    done = row(await syncing.move(Path(arguments["folder"]))) if arguments["folder"] else {}
    return {"folder": (await syncing.joined()).place, **done}


async def off(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Pause sync."""
    await served.office.syncing.switch(enabled=False)
    return {"sync": "off"}


async def leave(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Forget the other devices."""
    await served.office.syncing.leave()
    return {"sync": "left"}


async def now(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Do one round: ``confirmed`` is the number of erasures of other devices that may happen here, or None.

    ``missing`` is the number of things that may be set aside, ``keep`` keeps them instead, ``generation`` names the
    service's copy to go on with.
    """
    office = served.office
    if arguments.get("keep"):
        await office.syncing.keep_missing()
    word = Word(arguments["confirmed"], arguments.get("missing"), arguments.get("generation", ""))
    done = await office.sync_rounds.now(word)
    told = row(done)
    while done.files_left:  # a round moves some pieces of files, so that edits do not wait for a large one
        done = await office.sync_rounds.now()
        told |= {name: told.get(name, 0) + each for name, each in row(done).items() if isinstance(each, int)}
    return told


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
        "files to be sent": found.moving.leaving,
        "files to arrive": found.moving.arriving,
        "held": waiting.held,
        "too long": waiting.too_long,
        "not read": waiting.opaque,
        "kept here only": waiting.kept,
        "set aside": len(await served.office.sync_decisions.set_aside()),
        "to be erased": waiting.erasing,
        "syncs": [one.category.name for one in await served.office.sync_decisions.choices() if one.chosen],
        "conflicts": len(await served.office.sync_decisions.conflicts()),
        "last_round_at": here.round_at,
        "service keys": list(here.service_keys),
        "clock ahead by days": here.ahead // DAY,
        "remarks": [*clock_words(here.ahead), *key_words(here), *fault_words(found.moving)],
        "fault": here.fault,
        "fault_at": here.fault_at,
        "next_at": served.office.sync_rounds.standing.next_at,
    }


async def categories(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List what syncs, ``on`` and ``off`` switched over first where they name categories."""
    decisions = served.office.sync_decisions
    types_of([*arguments["on"], *arguments["off"]])  # says which name is none
    chosen = {one.category.name for one in await decisions.choices() if one.chosen}
    wanted = (chosen | set(arguments["on"])) - set(arguments["off"])
    if arguments["on"] or arguments["off"]:
        await decisions.choose(sorted(wanted))
    return [
        {
            "name": one.category.name,
            "title": one.category.title,
            "syncs": one.chosen,
            "what": one.category.sentence,
        }
        for one in await decisions.choices()
    ]


async def conflicts(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List words that lost, after ``take`` stands again or ``dismiss`` went, where one is named by its id."""
    decisions = served.office.sync_decisions
    if arguments["take"]:
        await decisions.take_back(await _conflict(served, arguments["take"]))
    if arguments["dismiss"]:
        await decisions.dismiss(await _conflict(served, arguments["dismiss"]))
    return [
        {
            "id": one.id,
            "what": one.name or one.type,
            "field": one.field,
            "lost": one.lost,
            "kept": one.kept,
            "at": one.at,
        }
        for one in await decisions.conflicts()
    ]


async def aside(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List what was set aside, after ``take_back`` is shown again and ``let_go`` is erased; each is ids, or ``all``."""
    decisions = served.office.sync_decisions
    if arguments["take_back"]:
        await decisions.bring_back(await _aside(served, arguments["take_back"]))
    if arguments["let_go"]:
        await decisions.let_go(await _aside(served, arguments["let_go"]))
    return [
        {
            "id": one.rid,
            "what": one.type,
            "name": one.name,
            "since_at": one.since,
            "leaves_at": one.until,
            "why": one.by,
        }
        for one in await decisions.set_aside()
    ]


async def apart(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List what does not sync like everything else, and how it stands."""
    return [
        {"what": one.type, "name": one.name, "state": one.state}
        for one in await served.office.sync_decisions.apart()
    ]


async def _aside(served: Served, named: list[str]) -> tuple[str, ...] | None:
    """Return the records whose ids begin so, None for ``all``. Raises Refused where one fits none, or several."""
    if named == ["all"]:
        return None
    known = [one.rid for one in await served.office.sync_decisions.set_aside()]
    found = []
    for each in named:
        fits = [rid for rid in known if rid.startswith(each)]
        if len(fits) != 1:
            raise Refused(
                _(
                    "Nothing that was set aside, or more than one thing, begins with {id}: see “bureau sync aside”."
                ).format(id=each)
            )
        found += fits
    return tuple(found)


async def _conflict(served: Served, named: str) -> str:
    """Return the id that begins so. Raises Refused where none does, or several."""
    known = await served.office.sync_decisions.conflicts()
    found = [one.id for one in known if one.id.startswith(named)]
    if len(found) != 1:
        raise Refused(
            _("No conflict, or more than one, begins with {id}: see “bureau sync conflicts”.").format(
                id=named
            )
        )
    return found[0]


def chosen_types(arguments: dict[str, Any]) -> frozenset[str]:
    """Return the types of records that are to sync: all but those of the categories in ``without``."""
    without = types_of(arguments["without"])
    return types_of([each.name for each in known_categories()]) - without


def row(done: Round) -> dict[str, Any]:
    """Return what is told of a round."""
    row: dict[str, Any] = {
        "received": done.pulled,
        "sent": done.pushed,
        "erased": done.erased,
        "conflicts": done.conflicts,
    }
    if done.files_sent or done.files_arrived:
        row |= {"files sent": done.files_sent, "files received": done.files_arrived}
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
    if done.aside:
        row["set aside"] = done.aside
    if done.missing:
        row["missing"] = ngettext(
            "{count} thing is gone at the service without proof: “bureau sync now --set-aside {count}” sets it aside "
            "here, “--keep-missing” keeps it.",
            "{count} things are gone at the service without proof: “bureau sync now --set-aside {count}” sets them "
            "aside here, “--keep-missing” keeps them.",
            done.missing,
        ).format(count=done.missing)
    if done.generation:
        row["another copy"] = _(
            "The service’s copy was reset or came out of a backup: “bureau sync now --generation {name}” goes on with "
            "it; nothing is deleted here."
        ).format(name=done.generation)
    if done.refusal is not None:
        row["not taken"] = str(done.refusal)
    if done.quota is not None:
        row["full"] = _(
            "The room at the service is used up ({used} of {limit}): erase something or ask for more."
        ).format(used=done.quota.used, limit=done.quota.limit)
    if done.damaged:
        row["damaged"] = damaged_words(done.damaged)
    if done.refused:
        row["not trusted"] = list(refusal_words(done.refused))
        row["refused"] = [f"{source}: {reason}" for source, reason in done.refused]
    return row
