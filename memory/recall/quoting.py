"""Quoting: the sentences of messages, notes and files that answer a question, and how surely they do.

A search finds passages by one vector each; here the best of them, and then the sentences of the best, are
compared with the question word by word, under their headings. What a page says in one sentence is found even
where the rest of it is about something else, and a question that nothing answers shows by how far away the
nearest sentence is.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from memory.recall.client import Closeness
from memory.recall.driver import driver
from memory.recall.embedder_identity import EMBEDDER
from memory.recall.hits import Hit
from memory.recall.search import Recall
from memory.recall.telling import sentences, tellings
from memory.recall.weighing import Evidence, certainty, familiarity, weigh

PASSAGES, MATCHES = 32, 5
"""Passages that are compared with the question, each word by its best matches in all of the passage."""
READ = 10
"""Those of them whose sentences are compared one by one."""
START_SECONDS = 3.0
"""How long a question waits for the recall process to start; without it words alone decide."""
SETTLE_SECONDS = 2.0
"""How long it waits for the vectors of what was written last; a long file gets its vectors later."""
MOST_HEADINGS, MANY = 600, 40
HEADINGS, UNDER_ONE, UNDER_ALL = 5, 3, 8
"""Headings that are followed where vectors are missing, and passages read under each."""
_QUOTED = 420
"""Characters of a quotation that short sentences around the best one are added to, at most."""
_WAITING = """
SELECT DISTINCT heading FROM passage p WHERE attachment_id = ? AND NOT EXISTS (
    SELECT 1 FROM embedding e WHERE e.passage_number = p.number AND e.view = 1 AND e.embedder = ?) LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a passage, exactly as they stand there; ``score`` orders the quotations of one answer."""

    hit: Hit
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Quotes:
    """Quotations, best first, at most one per page; ``certainty`` from 0 to 1 that the first ones answer."""

    quotes: tuple[Quote, ...]
    certainty: float


async def find_quotes(
    recall: Recall,
    question: str,
    *,
    limit: int = 5,
    headings: Sequence[str] = (),
    **filters: Any,
) -> Quotes:
    """Return the quotations that answer a question best; filters as of ``Recall.search``.

    ``headings`` are those of passages that have no vectors yet (:func:`headings_without_vectors`): what stands
    under the closest ones is read, too. While the recall process is down, words alone choose. What was only
    asked is no answer.
    """
    fresh = len(headings) > MANY
    await _awaken(recall, fresh=fresh)
    # Where most vectors are missing, those that are there would push everything else out.
    found = await recall.search(
        question, limit=PASSAGES - UNDER_ALL if fresh else PASSAGES, words_only=fresh, **filters
    )
    hits = {hit.passage_number: hit for hit in found.hits}
    for hit in await _under_headings(recall, question, headings, filters):
        hits.setdefault(hit.passage_number, hit)
    read = [
        _Read(hit, slices)
        for hit in hits.values()
        if (slices := tellings(hit.text) if hit.source_kind == "message" else sentences(hit.text))
    ]
    wholes = await _read_closely(recall, question, read)
    weights = {id(one): weigh(one.evidence()) for one in read}
    quotes: dict[object, Quote] = {}
    for one in sorted(read, key=lambda one: -weights[id(one)]):
        page = _page(one.hit)
        if page not in quotes and len(quotes) < limit:
            quotes[page] = Quote(one.hit, one.best(found.terms), weights[id(one)])
    known = familiarity(question, wholes.pieces, wholes.nearest, found.rarity) if wholes else 0.0
    return Quotes(tuple(quotes.values()), certainty([one.evidence() for one in read], known))


def headings_without_vectors(session: Session, attachment_ids: Collection[str]) -> list[str]:
    """Return the headings of these files under which passages wait for their vectors, each once."""
    connection = driver(session)
    found: dict[str, None] = {}
    for identifier in attachment_ids:
        rows = connection.execute(_WAITING, (identifier, EMBEDDER, MOST_HEADINGS))
        found.update((heading, None) for (heading,) in rows if heading)
    return list(found)[:MOST_HEADINGS]


async def _under_headings(
    recall: Recall, question: str, headings: Sequence[str], filters: dict[str, Any]
) -> list[Hit]:
    """Return passages under the headings that are closest to the question, found by the headings' words."""
    close = await recall.keeper.closeness(question, [_path(heading) for heading in headings])
    if close is None:
        return []
    hits: list[Hit] = []
    for number in sorted(range(len(headings)), key=lambda number: -close.texts[number])[:HEADINGS]:
        found = await recall.search(headings[number], limit=UNDER_ONE, words_only=True, **filters)
        hits += [replace(hit, legs={**hit.legs, "lexical": 0.0, "coverage": 0.0}) for hit in found.hits]
    return hits[:UNDER_ALL]


async def _read_closely(recall: Recall, question: str, read: list["_Read"]) -> Closeness | None:
    """Compare the passages with the question as wholes, and the closest of them sentence by sentence.

    Return what the wholes came to; None while nothing can be compared.
    """
    wholes = await recall.keeper.closeness(
        question, [_headed(one.hit, one.hit.text) for one in read], MATCHES
    )
    if wholes is None:
        return None
    for one, whole in zip(read, wholes.texts, strict=True):
        one.whole = whole
    chosen = sorted(read, key=lambda one: -weigh(one.evidence()))[:READ]
    texts = [_headed(one.hit, one.hit.text[start:end]) for one in chosen for start, end in one.sentences]
    near = await recall.keeper.closeness(question, texts)
    if near is None:
        return wholes
    position = 0
    for one in chosen:
        one.near = near.texts[position : position + len(one.sentences)]
        position += len(one.sentences)
    return wholes


async def _awaken(recall: Recall, *, fresh: bool) -> None:
    """Wait a little until what was written last can be found by meaning, too; for a long new file in vain."""
    if await recall.keeper.ready(START_SECONDS) and not fresh:
        settling = asyncio.ensure_future(recall.settled())
        await asyncio.wait({settling}, timeout=SETTLE_SECONDS)
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)


@dataclass(slots=True)
class _Read:
    """A passage with its sentences as slices of its text, and how near each is to the question."""

    hit: Hit
    sentences: list[tuple[int, int]]
    whole: float | None = None
    near: Sequence[float] = ()

    def evidence(self) -> Evidence:
        """What speaks for the passage."""
        return Evidence(self.hit.legs, self.whole, max(self.near, default=None))

    def best(self, terms: Sequence[str]) -> str:
        """Return the sentence that answers best, with what follows it as far as there is room."""
        text = self.hit.text
        worth = self.near or [
            float(sum(term in text[start:end].lower() for term in terms)) for start, end in self.sentences
        ]
        first = max(range(len(self.sentences)), key=lambda number: worth[number])
        start, end = self.sentences[first]
        for _start, later in self.sentences[first + 1 :]:
            if later - start > _QUOTED:
                break
            end = later
        return text[start:end].strip()


def _headed(hit: Hit, sentence: str) -> str:
    heading = _path(hit.heading)
    return f"{heading}: {sentence}" if heading else sentence


def _path(heading: str) -> str:
    """Return the end of a path of headings: its beginning is the same for half of a book."""
    return " ".join(heading.split(" › ")[-2:])


def _page(hit: Hit) -> tuple[object, ...]:
    """What counts as one place: a page, slide or sheet of a file; else the passage itself."""
    whole = [hit.place.get(name) for name in ("page", "slide", "sheet")]
    if any(whole):
        return (hit.source_id, *whole)
    return (hit.source_id, hit.ordinal)
