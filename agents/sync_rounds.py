"""Rounds of sync by themselves: after edits, when other devices wrote, from time to time, later after a failure.

Others' writes are noticed by looking at the folder, or by the hints of a service.

Nothing here blocks the loop: rounds work in the lanes of the database and in threads, and so does a look at the folder.
"""

import asyncio
import logging
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agents.events import AppLocked, AppUnlocked, Event, EventBus, SyncChanged, SyncSwitched
from agents.lifecycle.app_lock import AppLock
from agents.sync_service.connecting import NotReached
from agents.syncing import NO_WORD, Syncing, Word
from memory.database import Database
from memory.errors import StorageError
from memory.identifiers import now
from memory.sync.due import is_due
from memory.sync.exchange import Round
from memory.sync.folder_watch import look
from memory.sync.service.faults import (
    AccountPurged,
    DeviceRevoked,
    GenerationChanged,
    SpacePurged,
)
from resources.language import gettext as _
from vault.errors import VaultError

Phase = Literal["off", "paused", "locked", "working", "waiting", "failed", "stopped"]
STOPPING = (AccountPurged, DeviceRevoked, GenerationChanged, SpacePurged)
"""What no later try makes good: rounds wait for the owner's word."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon something is done, in seconds."""

    edits: float = 0.25
    """After an edit, so that those which follow at once go along."""
    look: float = 5.0
    """Between two looks at the folder."""
    rest: float = 600.0
    """After a round, whatever else was noticed."""
    unheard: float = 60.0
    """The same at most, while a service gives no hints; a stream of them that lasts shorter counts as none."""
    first_again: float = 5.0
    """After the first failure; every further one doubles it, up to ``latest_again``."""
    latest_again: float = 900.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rounds do now: ``off`` where sync was never on, ``stopped`` where the owner must decide.

    ``next_at`` is the next try in UTC milliseconds, None where none is due. ``last`` is what the last round did since
    the office was opened.
    """

    phase: Phase = "off"
    next_at: int | None = None
    last: Round | None = None


class SyncRounds:
    """Does rounds while sync is on and the app is not locked; one failure is one sentence, kept until it goes well."""

    def __init__(
        self,
        syncing: Syncing,
        database: Database,
        bus: EventBus,
        app_lock: AppLock,
        pace: Pace | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._syncing, self._database, self._bus, self._app_lock = syncing, database, bus, app_lock
        self.pace = pace or Pace()
        self._chance = chance
        self.standing = Standing()
        self._tasks: list[asyncio.Task[None]] = []
        self._ends: list[Callable[[], None]] = []
        self._turn = asyncio.Lock()
        self._kick, self._wrote = asyncio.Event(), asyncio.Event()
        self._due_at = 0.0
        self._hastened = False
        self._failures = self._deaf = 0
        self._seen: object = None
        self._hosted = False
        self._listener: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with a round at once where sync is on; needs a running event loop. Again is harmless."""
        if self._tasks:
            return
        self._ends = [self._watch_edits(), self._bus.subscribe(self._hear)]
        self._tasks = [
            asyncio.create_task(self._go_on(), name="rounds of sync"),
            asyncio.create_task(self._notice_edits(), name="notice edits for sync"),
            asyncio.create_task(self._look_on(), name="look at the folder of sync"),
        ]

    async def close(self) -> None:
        """End, a round that is under way included; what it left undone the next one does."""
        for end in self._ends:
            end()
        listener = [self._listener] if self._listener is not None else []
        tasks, self._tasks, self._ends = [*self._tasks, *listener], [], []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def now(self, word: Word = NO_WORD) -> Round:
        """Do a round for the owner, whatever was planned. Raises Refused, another StorageError or VaultError."""
        async with self._turn:
            if await self._idle() in ("off", "paused"):
                return await self._syncing.now(word)  # says so
            return await self._round(word)

    def hasten(self) -> None:
        """Let the next round come at once: something is known to wait."""
        self._hastened, self._due_at = True, 0.0
        self._kick.set()

    async def _go_on(self) -> None:
        while True:
            try:
                pause = await self._next()
            except (StorageError, VaultError) as error:
                log.info("no round of sync: %s", error)
                pause = self._left()
            await self._kicked(pause)

    async def _next(self) -> float | None:
        """Do a round if one is due; return for how many seconds there is nothing to do, None for ever."""
        async with self._turn:
            if (idle := await self._idle()) is not None:
                self._hush()
                self._stand(idle)
                return None
            if self._left() <= 0:
                await self._round(NO_WORD)
            if self._hosted and self._listener is None and self.standing.phase == "waiting":
                self._listener = asyncio.create_task(self._listen(), name="hear of writes at the service")
            return self._left()

    def _left(self) -> float:
        return max(0.0, self._due_at - asyncio.get_running_loop().time())

    async def _idle(self) -> Phase | None:
        """Return why nothing is done now, None where rounds go on."""
        here = await self._syncing.here()
        self._hosted = here is not None and here.hosted
        if here is None:
            return "off"
        if not here.enabled:
            return "paused"
        return "locked" if self._app_lock.locked else None

    async def _round(self, word: Word) -> Round:
        self._hastened = False
        self._stand("working")
        try:
            self._seen = await self._look()
            done = await self._syncing.now(word)
        except STOPPING:
            self._plan("stopped", math.inf)
            raise
        except (StorageError, VaultError) as error:
            self._failures += 1
            self._hush()  # what is left of the connection may be dead without a word
            self._plan("failed", self._pause(error))
            raise
        except asyncio.CancelledError:
            if self._tasks:  # whoever asked for it has gone, and not the office
                self._plan("waiting", 0.0)
            raise
        except Exception:
            log.exception("A round of sync broke off")
            self._failures += 1
            self._plan("failed", self._pause(None))
            raise StorageError(
                _("Sync met a fault of its own; the log on the Privacy page tells more. It is tried again.")
            ) from None
        self._failures = 0
        self._plan("waiting", 0.0 if self._hastened or done.files_left else self.pace.rest, done)
        return done

    async def _listen(self) -> None:
        """Hear of what other devices write, until the service ends that; then a round looks what was missed."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async for _hint in self._syncing.hints():
                self.hasten()
        except (StorageError, VaultError) as error:
            log.info("the service gives no hints: %s", error)
        self._listener = None
        if loop.time() - begun >= self.pace.unheard:
            self._deaf = 0
            self.hasten()
        else:
            self._deaf += 1
            pause = self._spread(self._deaf, self.pace.unheard)
            self._due_at = min(self._due_at, loop.time() + pause)
            self._kick.set()

    def _hush(self) -> None:
        """Hear no hints any more."""
        if self._listener is not None:
            self._listener.cancel()
            self._listener = None

    def _spread(self, times: int, longest: float) -> float:
        """Return a pause in seconds: longer each time, and not alike on two devices."""
        doubled = self.pace.first_again * float(2 ** min(times - 1, 30))
        return min(longest, doubled) * (0.5 + self._chance() / 2)

    def _pause(self, error: Exception | None) -> float:
        """Return the seconds until the next try, never before the service wants it."""
        pause = self._spread(self._failures, self.pace.latest_again)
        if isinstance(error, NotReached) and error.retry_after is not None:
            pause = max(pause, float(error.retry_after))
        return pause

    def _plan(self, phase: Phase, seconds: float, done: Round | None = None) -> None:
        self._due_at = asyncio.get_running_loop().time() + seconds
        self._kick.set()
        planned = self._tasks and math.isfinite(seconds)
        self._stand(phase, now() + round(seconds * 1000) if planned else None, done)

    def _stand(self, phase: Phase, next_at: int | None = None, done: Round | None = None) -> None:
        standing = Standing(phase, next_at, done or self.standing.last)
        if standing != self.standing:
            self.standing = standing
            self._bus.publish(SyncChanged())

    async def _kicked(self, seconds: float | None) -> None:
        """Wait until something changed what is due, or for so long."""
        try:
            async with asyncio.timeout(seconds if seconds is None or math.isfinite(seconds) else None):
                await self._kick.wait()
        except TimeoutError:
            return
        self._kick.clear()

    def _hear(self, event: Event) -> None:
        if isinstance(event, SyncSwitched | AppUnlocked):
            self._failures = 0
            self.hasten()
        elif isinstance(event, AppLocked):
            self._kick.set()

    def _watch_edits(self) -> Callable[[], None]:
        loop, wrote = asyncio.get_running_loop(), self._wrote

        def committed() -> None:
            # Called on the database's thread. Most commits follow another one that was not looked at yet.
            if not wrote.is_set():
                loop.call_soon_threadsafe(wrote.set)

        return self._database.watch(committed)

    async def _notice_edits(self) -> None:
        while True:
            await self._wrote.wait()
            await asyncio.sleep(self.pace.edits)
            self._wrote.clear()
            try:
                # After a failure the pause counts, whatever is written meanwhile.
                if self.standing.phase in ("waiting", "working") and await self._database.read(is_due):
                    self.hasten()
            except StorageError as error:
                log.info("edits were not looked for: %s", error)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(self.pace.look)
            if self.standing.phase not in ("waiting", "failed"):
                continue
            try:
                seen = await self._look()
            except StorageError as error:
                log.info("the folder of sync was not looked at: %s", error)
                continue
            if seen is not None and seen != self._seen:
                # A folder that was away is there again, or another device wrote into it.
                self.hasten()

    async def _look(self) -> object:
        here = await self._syncing.here()
        if here is None or here.hosted:
            return None
        return await asyncio.to_thread(look, here.folder, here.space_id, here.device_id)
