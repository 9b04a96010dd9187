"""The commands of the trash and of retention."""

from dataclasses import asdict
from typing import Any

from agents.commands.serving import Served
from agents.door.protocol import CommandFailed
from agents.sync_standing import clock_words
from memory.identifiers import now
from memory.lifecycle import retention
from memory.lifecycle.retention import Leaving
from memory.lifecycle.trash import DAY, Trashed
from resources.language import gettext as _

PREVIEW_DAYS = 30


async def trash_list(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List what is in the trash, and when it leaves."""
    return [_thrown(one) for one in await served.office.keeping.trash()]


async def trash_restore(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Bring one thing back: ``id`` or its beginning."""
    name = arguments["id"]
    found = [one for one in await served.office.keeping.trash() if one.subject.id.startswith(name)]
    if len(found) != 1 or len(name) < 6:
        raise CommandFailed(_("“{name}” is not in the trash: see “bureau trash list”.").format(name=name))
    await served.office.keeping.bring_back([found[0].subject])
    return {"restored": found[0].subject.id, "kind": found[0].subject.kind, "label": found[0].label}


async def trash_empty(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Erase what is in the trash and no hold keeps; ``confirmed`` is how many things that is, where it is many."""
    office = served.office
    going = [one.subject for one in await office.keeping.trash() if one.leaves_at is not None]
    if not going:
        return {"erased": 0}
    report = await office.erasing.erase(going, confirmed=arguments["confirmed"], brake=True)
    report = await office.erasing.proved(report.id)
    return {"erased": len(going), "report": report.id, "state": report.state}


async def retention_show(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List the rules."""
    return [asdict(rule) for rule in await served.office.keeping.rules()]


async def retention_set(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make a rule: ``about`` a category, agent, conversation or kind of file; ``days`` a number, keep or default."""
    keeping = served.office.keeping
    scope, scope_id = await served.office.database.read(retention.scope_of, arguments["about"])
    days = arguments["days"]
    if days == "default":
        await keeping.drop_rule(scope, scope_id)
        return {"scope": scope, "scope_id": scope_id, "days": None}
    if days != "keep" and not days.isdecimal():
        raise CommandFailed(_("Give a number of days, “keep” or “default”."), 2)
    return asdict(await keeping.set_rule(scope, scope_id, None if days == "keep" else int(days)))


async def retention_preview(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List what leaves in the next days, and when."""
    until = now() + PREVIEW_DAYS * DAY
    return [_going(one) for one in await served.office.keeping.leaving(until)]


async def retention_run(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Do the daily round now; ``confirmed`` where the clock jumped."""
    done = await served.office.daily.round(confirmed=arguments["confirmed"])
    if done.asks:
        asks = _(
            "The clock shows another time than it should, and {count} things would go: "
            "check the date, then add --confirm."
        ).format(count=done.asks)
        raise CommandFailed(" ".join((*clock_words(done.ahead), asks)))
    return asdict(done)


def _thrown(one: Trashed) -> dict[str, Any]:
    return {
        "id": one.subject.id,
        "kind": one.subject.kind,
        "label": one.label,
        "trashed_at": one.trashed_at,
        "leaves_at": one.leaves_at,
    }


def _going(one: Leaving) -> dict[str, Any]:
    return {
        "id": one.subject.id,
        "kind": one.subject.kind,
        "label": one.label,
        "leaves_at": one.leaves_at,
        "days": one.rule.days,
    }
