"""The commands of memory: search, why, and the notes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from agents.commands.readiness import recall_ready
from agents.commands.serving import Served
from agents.door.protocol import Caller, CommandFailed, Item
from memory import attachments, notes
from memory.notes import Note
from memory.readers.document import Place
from memory.recall.hits import Hit
from resources.language import gettext as _


async def search(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the best passages: ``[{id, text, score, source}]``."""
    result = await served.office.recall.search(await _query(served, arguments), limit=arguments["limit"])
    return [
        {
            "id": hit.passage_number,
            "text": hit.text,
            "score": round(hit.score, 4),
            "source": {
                "kind": hit.source_kind,
                "id": hit.source_id,
                "conversation": hit.conversation_id,
                "at": hit.at,
                "place": hit.place,
                "label": await _label(served, hit),
            },
        }
        for hit in result.hits
    ]


async def why(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Show how each hit was found: its source, the scores of each leg, the home that answered."""
    return await served.office.recall.why(await _query(served, arguments))


async def _query(served: Served, arguments: dict[str, Any]) -> str:
    """Return what is looked for, once the index answers."""
    query = str(arguments["query"])
    if not query.strip():
        raise CommandFailed(_("There is nothing to look for yet: write what you want to find."), 2)
    await recall_ready(served)
    return query


async def listed(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List the notes, or only the proposed ones."""
    every = await _every(served)
    return [asdict(note) for note in every if note.state == "proposed" or not arguments["proposed"]]


async def add(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Add a note of the owner's."""
    return asdict(await served.office.notes.add(arguments["text"], kind=arguments["kind"]))


async def accept(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Accept a proposed note."""
    found = await _named(served, arguments["note"])
    return asdict(await served.office.notes.accept(found.id))


async def forget(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Put a note into the trash; it is recalled no more."""
    found = await _named(served, arguments["note"])
    await served.office.notes.forget(found.id)
    return {"forgotten": found.id, "text": found.text}


async def rebuild(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Build the indexes anew, telling how far it is."""
    steps: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
    work = asyncio.ensure_future(
        served.office.recall.rebuild(lambda done, total: steps.put_nowait((done, total)))
    )
    step: asyncio.Future[tuple[int, int]] | None = None
    try:
        while not work.done() or not steps.empty():
            step = asyncio.ensure_future(steps.get())
            await asyncio.wait({work, step}, return_when=asyncio.FIRST_COMPLETED)
            if step.done():
                done, total = step.result()
                yield {"kind": "progress", "done": done, "total": total}
            else:
                step.cancel()
        await work
    finally:  # who commanded it may go away: it must not go on in an office that closes
        for each in (step, work):
            if each is not None:
                each.cancel()
        await asyncio.gather(work, return_exceptions=True)
    yield {"kind": "result", "value": {"rebuilt": True}}


async def _label(served: Served, hit: Hit) -> str:
    """Name a source in words: who said it and when, which file and where, or a note."""
    day = datetime.fromtimestamp(hit.at / 1000).astimezone().date().isoformat()
    if hit.source_kind == "message":
        return _("{speaker}, {day}").format(speaker=hit.speaker, day=day)
    if hit.source_kind == "note":
        return _("note, {day}").format(day=day)
    file = await served.office.database.read(attachments.attachment, hit.source_id)
    return f"{file.name}, {Place.from_dict(hit.place).label()}"


async def _every(served: Served) -> tuple[Note, ...]:
    read = served.office.database.read
    return (*await read(notes.notes, state="proposed"), *await read(notes.notes))


async def _named(served: Served, name: str) -> Note:
    every = await _every(served)
    found = [note for note in every if note.id == name or (len(name) >= 6 and note.id.startswith(name))]
    if len(found) != 1:
        raise CommandFailed(_("There is no note “{name}”: see “bureau memory list”.").format(name=name))
    return found[0]
