"""The office's recall: one facade that finds passages by words and by meaning, and tells why."""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from memory.database import Database
from memory.identifiers import now as present
from memory.locations import Locations
from memory.recall import full_text, lexical, pool
from memory.recall.ahead import RecallAhead
from memory.recall.client import Found
from memory.recall.condition import Condition
from memory.recall.driver import driver
from memory.recall.embedder_identity import EMBEDDER
from memory.recall.errors import RecallDown
from memory.recall.explaining import explained
from memory.recall.fusion import FED_BACK, SHIPPED, Scored, Weights, feed_back, fuse, without_repeats
from memory.recall.hits import Hit
from memory.recall.indexing import NAVIGATION
from memory.recall.keeper import IndexKeeper
from memory.recall.lexical import Lexical
from memory.recall.pool import EVERYWHERE, Candidate, Filter, Scope
from memory.recall.queries import Query, understand
from memory.recall.vectors import VIEWS

_log = logging.getLogger(__name__)

_POOL = 40
"""Candidates taken from each view of the full text."""
_POOL_THROUGH_SIEVE = 150
"""The same when many of them may have to be left out."""
_NEAREST = 80
"""Vectors taken from the index."""
_NEAREST_THROUGH_SIEVE = 800
"""Vectors taken when many of them may have to be left out; the first _NEAREST that remain are compared."""
_SCANNED = 2000
"""Passages of a scope up to which all their vectors are compared."""
_EMBEDDED_NOW = 12
"""Candidates without vectors that are embedded while the search waits; more would take over a second."""
_PATIENCE_SECONDS = 4.0
"""A search waits no longer for the recall process, which may be opening its index, or hang."""
_COMPARED_AGAIN = 120
"""Candidates compared with the best hits."""
LEAST_COSINE = 0.25
"""A passage without any word of the question must be at least this near in meaning to be shown."""


@dataclass(frozen=True, slots=True)
class RecallResult:
    """Hits, best first, and who answered.

    ``legs`` names the legs that took part: ``lexical``, ``dense``. ``home`` is the Chroma home that answered:
    ``sealed``, ``memory``, or ``none`` when vectors took no part or were only scanned; ``scanned`` counts the
    vectors that were compared one by one because Chroma had not taken them yet. ``rarity`` weighs each of the
    ``terms`` by how few passages hold it.
    """

    hits: tuple[Hit, ...]
    legs: tuple[str, ...]
    home: str
    scanned: int
    terms: tuple[str, ...]
    speakers: tuple[str, ...]
    rarity: Mapping[str, float] = field(default_factory=dict)


class Recall:
    """Finds what the office knows, from the first moment: full text alone until the process is warm."""

    def __init__(
        self, database: Database, locations: Locations, office_id: str, ahead: RecallAhead | None = None
    ) -> None:
        self._database = database
        self._keeper = IndexKeeper(database, locations, office_id, ahead)
        self._speakers: set[str] = set()
        self._speakers_through = 0

    @property
    def condition(self) -> Condition:
        """How the vector index is."""
        return self._keeper.condition

    @property
    def keeper(self) -> IndexKeeper:
        """The keeper of the vector index and of its process."""
        return self._keeper

    def watch(self, callback: Callable[[], None]) -> None:
        """Call back, on the loop's thread, whenever the condition changes."""
        self._keeper.on_change = callback

    async def start(self) -> None:
        """Begin to start the recall process; returns at once."""
        self._keeper.start()

    def wake(self) -> None:
        """Say that passages were written, so that they are embedded at once instead of in a few seconds."""
        self._keeper.wake()

    async def settled(self) -> None:
        """Wait until everything written so far can be found by meaning."""
        await self._keeper.settled()

    async def memory(self) -> tuple[int, int]:
        """Return the bytes that the recall process and its folder on tmpfs hold; zeros while it is down."""
        return await self._keeper.memory()

    async def rebuild(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Make full text and index again from the database; ``progress`` gets vectors done and in all."""
        await self._database.write(lambda session: full_text.rebuild(session.connection()))
        await self._keeper.rebuild(progress)

    async def forget_index(self) -> None:
        """After an erasure: end the process, destroy folder, snapshot and key; fill a new index in the background."""
        await self._keeper.forget()

    async def close(self) -> None:
        """Seal the index and end the process."""
        await self._keeper.close()

    async def search(
        self,
        query: str,
        *,
        conversation_ids: Collection[str] = (),
        attachment_ids: Collection[str] = (),
        kinds: Collection[str] = (),
        scopes: Collection[str] = (),
        exclude_conversation_id: str = "",
        exclude_message_ids: Collection[str] = (),
        before: int | None = None,
        after: int | None = None,
        limit: int = 10,
        now: int | None = None,
        words_only: bool = False,
        weights: Weights = SHIPPED,
    ) -> RecallResult:
        """Return the passages that answer the query best; filters as in ``pool.Filter``, times in ms."""
        chosen = Filter(
            frozenset(conversation_ids),
            frozenset(attachment_ids),
            frozenset(kinds),
            frozenset(scopes),
            exclude_conversation_id,
            frozenset(exclude_message_ids),
            before,
            after,
        )
        self._keeper.used()
        scope = await self._database.read(self._prepare, chosen)
        understood = understand(query, sorted(self._speakers, key=len, reverse=True))
        near = asyncio.sleep(0) if words_only else self._nearest(understood, scope, chosen)
        words, found = await asyncio.gather(self._database.read(lexical.find, understood, scope), near)
        candidates, stored = await self._database.read(_gather, words, found, scope, chosen)
        lexical.reweigh(words, candidates)
        if found is not None:
            stored |= await self._embedded_now(candidates, stored, words)
        dense = await self._compare(found, stored)
        today = present() if now is None else now
        scored = fuse(candidates, understood, words, dense, today, weights)
        if dense is not None and not attachment_ids:
            scored = await self._feed_back(scored, stored, weights)
        kept = without_repeats([one for one in scored if _worth(one)], limit)
        hits = await self._database.read(_hits, kept)
        answered = found is not None and found.indexed > 0
        return RecallResult(
            hits,
            ("lexical", "dense") if dense is not None else ("lexical",),
            self._keeper.home if answered else "none",
            found.waiting if found is not None else 0,
            understood.terms,
            understood.speakers,
            words.rarity,
        )

    async def why(self, query: str, *, limit: int = 10, **filters: Any) -> dict[str, Any]:
        """Explain a search as plain data: the source and the score of each leg per hit, home and cut-off."""
        result = await self.search(query, limit=limit, **filters)
        condition = self.condition
        return {
            "query": query,
            "terms": list(result.terms),
            "speakers": list(result.speakers),
            "legs": list(result.legs),
            "home": result.home,
            "scanned": result.scanned,
            "state": condition.state,
            "from_snapshot": condition.unsealed,
            "added_since_start": condition.added,
            "embedder": EMBEDDER,
            "cutoff": {"cosine_without_words": LEAST_COSINE, "limit": limit},
            "hits": await self._database.read(explained, result.hits),
        }

    async def _nearest(self, query: Query, scope: Scope, chosen: Filter) -> Found | None:
        """Ask the process, if it is up; a scope small enough is scanned later, so it only embeds."""
        if not self._keeper.embeds:
            return None
        wanted = 0 if _small(scope) else _NEAREST_THROUGH_SIEVE if chosen.narrow or chosen.sieve else _NEAREST
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._keeper.process.search([query.question], wanted)
        except (RecallDown, TimeoutError) as error:
            _log.warning("meaning takes no part in this search: %s", error)
            self._keeper.wake()
            return None

    async def _embedded_now(
        self, candidates: list[Candidate], stored: dict[tuple[int, int], bytes], words: Lexical
    ) -> dict[tuple[int, int], bytes]:
        """Embed the best candidates that have no vectors yet, as just after a long file was attached."""
        missing = [row for row in candidates if (row.number, 0) not in stored]
        missing.sort(key=lambda row: -sum(view.get(row.number, 0.0) for view in words.views))
        chosen = missing[:_EMBEDDED_NOW]
        if not chosen:
            return {}
        try:
            async with asyncio.timeout(2 * _PATIENCE_SECONDS):
                body = await self._keeper.process.embed(
                    [t for row in chosen for t in (row.text, row.context)]
                )
        except (RecallDown, TimeoutError) as error:
            _log.warning("the newest passages are found by their words only: %s", error)
            return {}
        width = self._keeper.process.dimensions * 4
        keys = [(row.number, view) for row in chosen for view in range(VIEWS)]
        return {key: body[place * width : (place + 1) * width] for place, key in enumerate(keys)}

    async def _compare(
        self, found: Found | None, stored: dict[tuple[int, int], bytes]
    ) -> list[dict[int, float]] | None:
        """Return the cosines of both views by passage, or None when there is nothing to compare."""
        if found is None or not stored:
            return None
        products = await self._products(found.queries, list(stored.values()))
        if products is None:
            return None
        views: list[dict[int, float]] = [{}, {}]
        for (number, view), product in zip(stored, products[0], strict=True):
            views[view][number] = product
        return views

    async def _products(self, queries: bytes, rows: list[bytes]) -> list[list[float]] | None:
        """Return the inner products of each query with each row, or None when the process is down."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._keeper.process.score(queries, rows)
        except (RecallDown, TimeoutError) as error:
            _log.warning("meaning takes no part in this search: %s", error)
            self._keeper.wake()
            return None

    async def _feed_back(
        self, scored: list[Scored], stored: dict[tuple[int, int], bytes], weights: Weights
    ) -> list[Scored]:
        """Raise what is like the best hits: the other turns of an answer that is spread over several."""
        best = [one.candidate.number for one in scored if (one.candidate.number, 1) in stored][:FED_BACK]
        near = {one.candidate.number for one in scored[:_COMPARED_AGAIN]}
        if len(best) < FED_BACK:
            return scored
        queries = b"".join(stored[number, view] for view in range(VIEWS) for number in best)
        rows = {key: vector for key, vector in stored.items() if key[0] in near}
        products = await self._products(queries, list(rows.values()))
        if products is None:
            return scored
        likeness: list[dict[int, float]] = [{} for _view in range(VIEWS)]
        for position, (number, view) in enumerate(rows):
            own = products[view * FED_BACK : (view + 1) * FED_BACK]
            likeness[view][number] = sum(row[position] for row in own)
        return feed_back(scored, likeness, weights)

    def _prepare(self, session: Session, chosen: Filter) -> Scope:
        """Return where to look, having learnt the names that are new among the speakers."""
        self._learn_speakers(session)
        return pool.scope_of(session, chosen) if chosen.narrow or chosen.sieve else EVERYWHERE

    def _learn_speakers(self, session: Session) -> None:
        """Keep the names under which people and agents spoke; only new passages are read."""
        connection = driver(session)
        (highest,) = connection.execute("SELECT max(number) FROM passage").fetchone()
        if (highest or 0) <= self._speakers_through:
            return
        rows = connection.execute(
            "SELECT DISTINCT speaker FROM passage WHERE number > ?", (self._speakers_through,)
        )
        self._speakers.update(name for (name,) in rows if name)
        self._speakers_through = highest


def within_budget(hits: Collection[Hit], tokens: int) -> tuple[Hit, ...]:
    """Return the best hits that fit a budget of tokens, at four characters each and ten for the frame."""
    kept: list[Hit] = []
    for hit in hits:
        cost = 10 + (len(hit.text) + len(hit.before) + len(hit.after)) // 4
        if cost > tokens:
            break
        tokens -= cost
        kept.append(hit)
    return tuple(kept)


def _gather(
    session: Session, words: Lexical, found: Found | None, scope: Scope, chosen: Filter
) -> tuple[list[Candidate], dict[tuple[int, int], bytes]]:
    """Return the candidates of both legs and their vectors."""
    numbers = words.best(_POOL_THROUGH_SIEVE if chosen.sieve else _POOL)
    stored: dict[tuple[int, int], bytes] = {}
    if found is not None and scope.within is not None and _small(scope):
        numbers |= scope.within - scope.without
    elif found is not None:
        known = pool.numbers_of(session, [name for name, _product in found.nearest])
        near = (known[name] for name, _product in found.nearest if name in known)
        numbers.update(islice((number for number in near if number in scope), _NEAREST))
    rows = pool.candidates(session, sorted(numbers), chosen)
    if found is not None:
        stored = pool.vectors_of(session, [row.number for row in rows], EMBEDDER)
    return rows, stored


def _small(scope: Scope) -> bool:
    """Whether all vectors of a scope are compared, without asking the index."""
    return scope.within is not None and len(scope.within) <= _SCANNED


def _hits(session: Session, kept: list[Scored]) -> tuple[Hit, ...]:
    hits = []
    for one in kept:
        row = one.candidate
        before, after = pool.neighbours(session, row)
        hits.append(
            Hit(
                row.number,
                row.source_kind,
                row.source_id,
                row.conversation_id,
                row.ordinal,
                row.text,
                {name: value for name, value in json.loads(row.place).items() if name != NAVIGATION},
                row.heading,
                row.speaker,
                row.at,
                one.score,
                one.legs,
                before,
                after,
            )
        )
    return tuple(hits)


def _worth(one: Scored) -> bool:
    cosine = max(one.legs.get("dense_text", 0.0), one.legs.get("dense_context", 0.0))
    return one.legs["coverage"] > 0 or cosine >= LEAST_COSINE
