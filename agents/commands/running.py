"""The commands of runs that are not finished: what waits or was interrupted, go on with it, give it up."""

from collections.abc import AsyncIterator
from typing import Any

from agents.commands import asking
from agents.commands.serving import Served
from agents.door.protocol import Caller, CommandFailed, Item
from memory import runs
from memory.run_summary import RunLine, run_lines
from memory.runs import Run
from resources.language import gettext as _

LEAST_OF_ID = 6
"""Characters of a run's id that name it, where no other begins with them."""


async def listed(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List what is interrupted, waits or is at work; with ``ended`` also what failed or was stopped.

    ``[{id, state, reason, agent, conversation, title, question, written, created_at}]``, the latest first;
    ``written`` counts the characters of the answer so far.
    """
    states = (*runs.UNFINISHED, *(runs.RESUMABLE if arguments["ended"] else ("interrupted",)))
    return [_row(each) for each in await served.office.database.read(run_lines, states)]


async def resume(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Go on with ``run`` where it broke off and stream the answer: first what it had, then what comes."""
    run = await _named(served, arguments["run"])
    async for item in asking.go_on(served, run.id, caller):
        yield item


async def discard(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give up ``run``; its text so far stays."""
    run = await _named(served, arguments["run"])
    if run.state not in ("interrupted", "queued"):
        raise CommandFailed(_("Only a run that was interrupted or waits can be discarded."))
    ended = await served.office.discard(run.id)
    return {"discarded": ended.id, "state": ended.state}


async def _named(served: Served, name: str) -> Run:
    wanted = name.strip().lower()
    found = await served.office.database.read(runs.runs_named, wanted) if len(wanted) >= LEAST_OF_ID else ()
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandFailed(_("Several runs begin with “{name}”: give more of the id.").format(name=name))
    raise CommandFailed(_("There is no run “{name}”: see “bureau runs”.").format(name=name))


def _row(each: RunLine) -> dict[str, Any]:
    return {
        "id": each.id,
        "state": each.state,
        "reason": each.reason,
        "agent": each.agent,
        "conversation": each.conversation_id,
        "title": each.title,
        "question": each.question,
        "written": each.written,
        "created_at": each.created_at,
    }
