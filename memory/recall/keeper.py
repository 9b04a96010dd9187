"""The keeper of the vector index: starts the recall process, fills, feeds and seals the index, restarts it.

One background task does everything, so nothing changes the index behind its back. A search that comes
meanwhile uses what is there: the full text always, vectors that wait for Chroma by exact scan.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from memory.database import Database
from memory.ending import to_its_end
from memory.errors import StorageError
from memory.identifiers import new_id
from memory.locations import Locations
from memory.recall import vectors
from memory.recall.ahead import RecallAhead
from memory.recall.client import Closeness, RecallProcess
from memory.recall.condition import Condition, Home, State
from memory.recall.embedder_identity import EMBEDDER
from memory.recall.errors import ModelDamaged, RecallDown, SnapshotDamaged
from memory.recall.home import Scratch
from memory.recall.sealing import seal, unseal
from memory.recall.vectors import Pending, Snapshot

_log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
"""Time without change or search after which a changed index is sealed."""
_POLL_SECONDS = 3.0
_FILLED_AT_A_TIME = 2000
_EMBEDDED_AT_A_TIME = 16
_CHARACTERS_AT_A_TIME = 1200
"""Texts embedded per call: a search waits no longer than one call, some 60 ms."""
_BETWEEN_COMPARISONS = 0.1  # seconds from one comparison of a question to its next: nothing is embedded
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
_SETTLED_AT_CLOSE = 2000
"""With more vectors than this still waiting for Chroma, closing does not wait for it."""


class IndexKeeper:
    """Keeps one office's vector index in step with its database."""

    def __init__(
        self, database: Database, locations: Locations, office_id: str, ahead: RecallAhead | None = None
    ) -> None:
        """``ahead`` is a process that was started for this office before it was open."""
        self.process: RecallProcess
        self._scratch: Scratch | None
        self.process, self._scratch = ahead.take() if ahead else (RecallProcess(), None)
        self.state: State = "cold"
        self.home: Home = "none"
        self.on_change: Callable[[], None] | None = None
        self._database = database
        self._locations = locations
        self._office = office_id
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._busy = asyncio.Lock()
        self._unsealed = False
        self._added = 0
        self._opening_seconds = 0.0
        self._through = 0
        self._rounds = 0
        self._forgetting = False
        self._mark = 0
        self._sealed_mark = -1
        self._ghosts = False
        self._changed_at = 0.0
        self._used_at = 0.0
        self._free = asyncio.Event()
        self._free.set()
        self._resuming: asyncio.TimerHandle | None = None

    @property
    def condition(self) -> Condition:
        """The present state."""
        return Condition(
            self.state, self.home, self._unsealed, self._added, self._opening_seconds, self.process.pid
        )

    @property
    def embeds(self) -> bool:
        """Whether the process is up and has its embedder; the index may still be opening."""
        return self.process.pid is not None and bool(self.process.embedder)

    def start(self) -> None:
        """Begin to start the process in the background; needs a running event loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep(), name="recall")

    async def ready(self, seconds: float) -> bool:
        """Start the process if need be and wait until it can embed; False when it cannot within that time."""
        self.start()
        deadline = time.monotonic() + seconds
        while not self.embeds:
            if self.state == "down" or time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    async def closeness(self, question: str, texts: Sequence[str], matches: int = 1) -> Closeness | None:
        """Return how closely each text speaks of what is asked; None while the process is down.

        Each word of the question counts by its best ``matches`` in the text.
        """
        if not self.embeds:
            return None
        if self._resuming is not None:
            self._resuming.cancel()
        self._free.clear()
        try:
            return await self.process.closeness(question, texts, matches)
        except RecallDown as error:
            _log.warning("%s", error)
            self.wake()
            return None
        finally:
            self._resuming = asyncio.get_running_loop().call_later(_BETWEEN_COMPARISONS, self._free.set)

    def wake(self) -> None:
        """Say that passages were written; they are embedded soon. Call it on the loop's thread."""
        self._wake.set()

    def used(self) -> None:
        """Say that a search comes, so that the index is not closed for sealing in the middle of several."""
        self._used_at = time.monotonic()

    async def settled(self) -> None:
        """Wait until every passage written so far has its vectors and the index holds them."""
        # The round under way may have begun before the last passage was written; the next one has not.
        wanted = self._rounds + 2
        while self.state != "warm" or self._rounds < wanted:
            self.wake()
            await asyncio.sleep(0.01)

    async def memory(self) -> tuple[int, int]:
        """Return the bytes that the process and its folder on tmpfs hold; zeros while it is down."""
        scratch = self._scratch
        if self.process.pid is None or scratch is None:
            return 0, 0
        return await self.process.memory(), await asyncio.to_thread(scratch.size)

    async def rebuild(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Throw the index and its snapshot away and fill a new one, in a new process, from the database."""
        async with self._busy:
            await self._forget()
            try:
                await self._open(progress)
            except BaseException:  # also one that is cancelled: what is half filled is opened anew
                await self._set("down")
                raise
        self.start()

    async def forget(self) -> None:
        """Destroy the index, its folder, snapshot and key at once; a new one is filled in the background."""
        self._forgetting = True
        try:
            async with self._busy:
                await self._forget()
        finally:
            self._forgetting = False
        self.wake()

    async def close(self) -> None:
        """Stop, seal the index if it changed, and leave nothing in memory."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        async with self._busy:
            try:
                await self._seal_for_good()
            except (RecallDown, OSError, StorageError) as error:
                _log.warning("the index was not sealed: %s", error)
            await self.process.close()
            self._remove_scratch()
        self.state, self.home = "cold", "none"

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            begun = time.monotonic()
            try:
                async with self._busy:
                    if self.process.pid is None or self.state == "down":
                        await self._open(None)
                await self._tend()
            except ModelDamaged as error:
                await self._set("down")
                _log.error("%s", error)
                return
            except (RecallDown, OSError, StorageError) as error:
                await self._set("down")
                pause = _FIRST_PAUSE if time.monotonic() - begun > _LONGEST_PAUSE else pause
                _log.warning("recall is down for %.1f s: %s", pause, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _tend(self) -> None:
        """Embed what is new and seal what has come to rest, until the process dies."""
        while True:
            self._wake.clear()
            async with self._busy:
                if self.process.pid is None or self.state == "down":
                    break
                await self._find_ghosts()
                highest = await self._database.read(vectors.highest)
                some = await self._database.read(
                    vectors.pending, self.process.embedder, self._through, _EMBEDDED_AT_A_TIME
                )
                if some:
                    await self._free.wait()
                    await self._embed(some)
                    continue
                self._through = highest
                self._rounds += 1
                if self._rested():
                    await self._rest()
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):  # wait_for may lose a cancellation
                    await self._wake.wait()
        if self._scratch is not None:  # else the index was forgotten, to be filled anew at once
            raise RecallDown("the recall process ended by itself, or has no whole index")

    async def _open(self, progress: Callable[[int, int], None] | None) -> None:
        """Start the process in a new folder and open the index there, from its snapshot or from the rows."""
        await self._set("warming")
        total = await self._database.read(vectors.count, EMBEDDER)
        scratch = await self._empty_folder(total)
        snapshot = await self._database.read(vectors.fresh_snapshot, EMBEDDER) if scratch.in_memory else None
        # The sealed file is opened while the child loads its model.
        filled = asyncio.create_task(self._unseal(snapshot, scratch))
        try:
            await self.process.start(scratch.folder)
        finally:
            seconds = await to_its_end(filled)
        self._unsealed, self._added, self._through, self._ghosts = False, 0, 0, False
        self.home = "sealed" if scratch.in_memory else "memory"
        if snapshot is None or seconds is None or not await self._open_snapshot(snapshot, scratch, seconds):
            self._mark = await self._database.read(vectors.change_mark)
            assert self._scratch is not None
            scratch = self._scratch
            await self.process.open(scratch.index if scratch.in_memory else None)
            await self._fill(total, progress)
        self._changed_at = time.monotonic()
        await self._set("warm")

    async def _empty_folder(self, total: int) -> Scratch:
        """Return a folder with room for that many vectors: where the process waits already, if that will do."""
        scratch = self._scratch
        if scratch is None or not self.process.waits_in(scratch.folder) or not scratch.fits(total):
            await self.process.kill()  # else it would go on in the folder that goes
            self._remove_scratch()
            scratch = self._scratch = await Scratch.make_beside(total)
        return scratch

    async def _unseal(self, snapshot: Snapshot | None, scratch: Scratch) -> float | None:
        """Fill the folder from the sealed file; return the seconds it took, None when there is nothing in it."""
        if snapshot is None:
            return None
        begun = time.monotonic()
        try:
            what = (snapshot.key, self._office, snapshot.id, snapshot.chunks)
            await to_its_end(asyncio.to_thread(unseal, self._locations.snapshot, scratch.index, *what))
        except SnapshotDamaged as error:
            _log.warning("%s", error)
            return None
        return time.monotonic() - begun

    async def _open_snapshot(self, snapshot: Snapshot, scratch: Scratch, seconds: float) -> bool:
        """Open the unsealed folder; return whether it holds what it should, else it is empty again."""
        begun = time.monotonic()
        held = await self.process.open(scratch.index)
        if held != snapshot.vectors:
            _log.warning("the sealed index holds %d vectors instead of %d", held, snapshot.vectors)
            await self.process.stop()
            scratch.remove()
            self._scratch = await Scratch.make_beside(snapshot.vectors)
            await self.process.start(self._scratch.folder)
            return False
        self._mark = self._sealed_mark = snapshot.change_mark
        self._unsealed, self._opening_seconds = True, seconds + time.monotonic() - begun
        return True

    async def _fill(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        after = done = 0
        while True:
            after, ids, some = await self._database.read(
                vectors.portion, self.process.embedder, after, _FILLED_AT_A_TIME
            )
            if not ids:
                return
            if self._forgetting:
                raise RecallDown("something was erased while the index was filled")
            await self.process.add(ids, b"".join(some))
            done += len(ids)
            self._added += len(ids)
            if progress is not None:
                progress(done, total)

    async def _embed(self, some: list[Pending]) -> None:
        """Embed passages of some CHARACTERS_AT_A_TIME characters together and store their vectors."""
        batch: list[Pending] = []
        size = 0
        for one in some:
            if batch and size + len(one.text) + len(one.context) > _CHARACTERS_AT_A_TIME:
                break
            batch.append(one)
            size += len(one.text) + len(one.context)
        body = await self.process.embed([text for one in batch for text in (one.text, one.context)])
        width = self.process.dimensions * 4
        rows = [body[start : start + width] for start in range(0, len(body), width)]
        numbers = [one.number for one in batch]
        before, after, ids, written = await self._database.write(
            vectors.store, self.process.embedder, numbers, rows
        )
        if before != self._mark:
            self._ghosts, self._through = True, 0
        self._mark = after
        self._changed_at = time.monotonic()
        await self.process.add(ids, b"".join(written))
        self._added += len(ids)

    async def _find_ghosts(self) -> None:
        """Notice that vectors were deleted; the index still holds them until it is filled anew."""
        mark = await self._database.read(vectors.change_mark)
        if mark != self._mark:
            self._ghosts, self._mark, self._changed_at = True, mark, time.monotonic()
            self._through = 0  # the numbers of deleted passages may have been given again

    def _rested(self) -> bool:
        changed = self._mark != self._sealed_mark or self._ghosts
        quiet = time.monotonic() - max(self._changed_at, self._used_at)
        return self.home == "sealed" and changed and quiet > IDLE_SECONDS

    async def _rest(self) -> None:
        """Seal the index while nothing happens; one that holds deleted vectors is first filled anew."""
        if self._ghosts:
            await self._forget()
            await self._open(None)
            return
        if (await self.process.counts())[1] == 0 and self._scratch is not None:
            await self.process.close_index()
            await self._seal(self._scratch)
            await self.process.open(self._scratch.index)

    async def _seal_for_good(self) -> None:
        scratch = self._scratch
        if scratch is None or self.home != "sealed" or self.state != "warm" or self.process.pid is None:
            return
        await self._find_ghosts()
        if self._ghosts:
            await self._destroy_snapshot()
        elif self._mark != self._sealed_mark and (await self.process.counts())[1] <= _SETTLED_AT_CLOSE:
            await self.process.close_index()
            await self.process.stop()
            await self._seal(scratch)

    async def _seal(self, scratch: Scratch) -> None:
        """Seal the closed folder under a fresh key; the row is written last, and only if nothing changed."""
        identifier, key, mark = new_id(), secrets.token_bytes(32), self._mark
        held = await self._database.read(vectors.count, self.process.embedder)
        chunks = await to_its_end(
            asyncio.to_thread(seal, scratch.index, self._locations.snapshot, key, self._office, identifier)
        )
        snapshot = Snapshot(identifier, key, mark, chunks, held)
        if await self._database.write(vectors.keep_snapshot, self.process.embedder, snapshot):
            self._sealed_mark = mark
        else:
            self._locations.snapshot.unlink(missing_ok=True)

    async def _forget(self) -> None:
        """End the process, and remove its folder, the snapshot and the snapshot's key."""
        await self.process.kill()
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            await asyncio.to_thread(scratch.remove)
        await self._destroy_snapshot()

    async def _destroy_snapshot(self) -> None:
        await self._database.write(vectors.drop_snapshots)
        await asyncio.to_thread(self._locations.snapshot.unlink, missing_ok=True)
        self._sealed_mark = -1

    def _remove_scratch(self) -> None:
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

    async def _set(self, state: State) -> None:
        self.state = state
        if state == "down":
            self.home = "none"
        if self.on_change is not None:
            self.on_change()
