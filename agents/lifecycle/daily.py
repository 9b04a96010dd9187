"""What the office does by itself at each start and once a day: trash, retention, ledgers, logs, deep erase."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from agents.errors import AgentsError
from agents.events import EventBus, Notice, RetentionAsks
from agents.lifecycle.erasing import Erasing
from memory import settings
from memory.database import Database
from memory.disk import told_by_system
from memory.errors import StorageError
from memory.identifiers import now as present
from memory.lifecycle import reports, retention, rounds, trash
from memory.lifecycle.erased import Reason
from memory.lifecycle.subjects import Subject, still_there
from memory.lifecycle.trash import DAY
from memory.locations import Locations
from memory.sync import clocks
from vault.errors import VaultError

LOG_DAYS, LOG_BYTES = 30, 50_000_000
_LOOK_SECONDS, _AGAIN_SECONDS = 3_600.0, 60.0
_AT_ONCE = 200
"""Subjects of one erasure, so that nobody waits long for the database."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """What a daily round did.

    ``asks`` counts what waits for a word because the clock jumped, or is ``ahead`` by so many milliseconds of the
    devices that this office syncs with; then nothing went.
    """

    trash: int = 0
    retention: int = 0
    ledgers: dict[str, int] = field(default_factory=dict)
    logs: int = 0
    deep: bool = False
    asks: int = 0
    ahead: int = 0


class Daily:
    """The daily round. ``clock`` returns UTC milliseconds."""

    def __init__(
        self,
        database: Database,
        locations: Locations,
        bus: EventBus,
        erasing: Erasing,
        clock: Callable[[], int] = present,
    ) -> None:
        self._database = database
        self._locations = locations
        self._bus = bus
        self._erasing = erasing
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Begin: one round now, in the background, and one on every day that follows."""
        if self._task is None:
            await self._database.write(reports.cut_short)
            self._task = asyncio.create_task(self._go_on(), name="daily round")

    async def first_round(self) -> None:
        """Wait until the round that ``start`` began is over, or was cut short and told of."""
        await self._first.wait()

    async def close(self) -> None:
        """End after what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def round(self, *, confirmed: bool = False) -> Done:
        """Erase what is due, shorten ledgers and logs, and change the key where that is due.

        Where the clock jumped since it was last looked at, or is ahead of the devices that this office syncs with, on
        which it would go too, nothing is deleted unless ``confirmed``: the office asks. Raises StorageError,
        AgentsError or VaultError; what was erased before stays erased.
        """
        async with self._turn:
            at = self._clock()
            seen_at = await self._database.read(rounds.last)
            due = await self._database.read(_due, at)
            count = sum(len(subjects) for _reason, subjects in due)
            count += await self._database.read(retention.overdue_lines, at)
            ahead = await self._database.read(clocks.ahead)
            if (ahead or retention.jumped(seen_at, at)) and not confirmed and count:
                self._bus.publish(RetentionAsks(count, ahead))
                return Done(asks=count, ahead=ahead)
            if ahead and confirmed:
                await self._database.write(clocks.trust)
            await self._database.write(rounds.note, at)
            erased = {reason: len(subjects) for reason, subjects in due}
            for reason, subjects in due:
                await self._erase(subjects, reason)
            ledgers = await self._database.write(retention.prune_ledgers, at)
            logs = await asyncio.to_thread(clear_logs, self._locations.logs, at)
            deep = await self._database.read(_deep_is_due, at)
            if deep:
                await self._erasing.deepen()
            return Done(erased["trash"], erased["retention"], ledgers, logs, deep)

    async def _erase(self, subjects: Sequence[Subject], reason: Reason) -> None:
        for start in range(0, len(subjects), _AT_ONCE):
            # A chat that went before took its files and notes along.
            left = await self._database.read(still_there, subjects[start : start + _AT_ONCE])
            if left:
                await self._erasing.erase(left, reason=reason)

    async def _go_on(self) -> None:
        day, failures = -1, 0
        while True:
            if (today := self._clock() // DAY) != day:
                try:
                    await self.round()
                    day, failures = today, 0
                except (StorageError, AgentsError, VaultError) as error:
                    log.warning("the daily round was cut short: %s", error)
                    failures += 1
                    # Who is at work meets a full disk there; here only one that stays full is told of, once.
                    if failures == 2:
                        self._bus.publish(Notice(str(error)))
                finally:
                    self._first.set()
            await asyncio.sleep(_AGAIN_SECONDS if failures else _LOOK_SECONDS)


def clear_logs(folder: Path, at: int) -> int:
    """Remove logs older than LOG_DAYS, and the oldest beyond LOG_BYTES in all; return how many.

    A folder that somebody removed holds none. Raises StorageError.
    """
    removed, size, known = 0, 0, []
    try:
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.is_file():
                status = path.stat()
                known.append((status.st_mtime * 1000, status.st_size, path))
        for changed_at, length, path in sorted(known, reverse=True):
            size += length
            if changed_at < at - LOG_DAYS * DAY or size > LOG_BYTES:
                path.unlink(missing_ok=True)
                removed += 1
    except OSError as error:
        raise told_by_system(error, folder) from error
    return removed


def _due(session: Session, at: int) -> tuple[tuple[Reason, tuple[Subject, ...]], ...]:
    thrown = trash.due(session, at)
    ruled = tuple(one.subject for one in retention.leaving(session, at) if one.subject not in thrown)
    return ("trash", thrown), ("retention", ruled)


def _deep_is_due(session: Session, at: int) -> bool:
    """Say whether something was erased since the key was last changed, and that is a week ago."""
    if settings.value(session, "erasure.deep") != "weekly":
        return False
    latest = reports.reports(session, limit=1_000)
    last_deep = next((one.at for one in latest if one.level == "deep"), 0)
    since = [one.at for one in latest if one.level != "deep" and one.at > last_deep]
    return bool(since) and min(since) <= at - 7 * DAY
