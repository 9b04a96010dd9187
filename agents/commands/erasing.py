"""The commands that erase, and what they say of the proof."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from agents.commands.serving import Served
from agents.door.protocol import Caller, Item
from agents.lifecycle import everything
from memory.lifecycle import reports
from memory.lifecycle.reports import Copy, EraseReport
from memory.lifecycle.subjects import named
from resources.language import gettext as _


async def erase(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Put one thing into the trash, or erase it ``now``.

    ``kind``, ``id`` or its beginning, ``notes`` for the notes drawn from it too, ``deep`` for another key.
    """
    office = served.office
    subject = await office.database.read(named, arguments["kind"], arguments["id"])
    if not (arguments["now"] or arguments["deep"]):
        await office.keeping.put_away([subject])
        yield {"kind": "result", "value": {"trashed": subject.id, "kind": subject.kind}}
        return
    report = await office.erasing.erase([subject], derived_notes=arguments["notes"], deep=arguments["deep"])
    yield {"kind": "notice", "sentence": _("Erased. Searching every file and page for what is left of it …")}
    report = await office.erasing.proved(report.id)
    yield {"kind": "result", "value": await told(served, report)}


async def told(served: Served, report: EraseReport) -> dict[str, Any]:
    """Return a report as commands show it, with the paths of the copies that still hold what is gone."""
    found = await served.office.database.read(reports.copies, report.copies)
    proof = report.proof.get(report.level, {})
    return {
        "report": report.id,
        "at": report.at,
        "level": report.level,
        "state": report.state,
        "erased": report.counts,
        "proof": proof,
        "openers": list(report.openers),
        "claim": reports.claim(report, found),
        "copies": _copies(found),
    }


def _copies(copies: Iterable[Copy]) -> list[dict[str, Any]]:
    return [{"kind": copy.kind, "path": copy.path, "at": copy.at} for copy in copies]


async def erase_everything(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Destroy the keys, close the office and remove its files; then the program that held it ends."""
    openers = list(served.office.vault.openers)
    remains = await everything.erase_everything(served.office)
    value = {
        "erased": "everything",
        "left": [str(path) for path in remains.files],
        "copies": _copies(remains.copies),
        "openers": openers,
    }
    yield {"kind": "result", "value": value}
    if served.leave is not None:
        # Not before this command has ended: leaving closes the door that its end is told through.
        asyncio.get_running_loop().call_soon(served.leave)
