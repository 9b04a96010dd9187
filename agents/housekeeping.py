"""Housekeeping: what an open office does by itself, once whoever opened it has had an answer.

The modules of the life cycle take as long to import as the rest of the office, so none is read before.
"""

import asyncio
import logging
from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.events import Event, Notice, SyncSwitched
from memory.errors import DiskRefused, StorageError
from memory.identifiers import now
from memory.lifecycle import rounds
from memory.tables import SyncSpaceTable

if TYPE_CHECKING:
    from agents.office import Office

LEISURE_SECONDS = 3.0
"""How long an office is at work before it keeps house, so that a first answer has the machine for itself."""
RETRY_SECONDS = 30.0
"""Pause before it tries again on a disk that takes nothing more."""
_MODULES = ("backing_up", "bringing_in", "daily", "erasing", "keeping", "transfer")

log = logging.getLogger(__name__)


class Housekeeping:
    """The daily round, what a crash left of imports, backups that are due, and rounds of sync where it is on."""

    def __init__(self, office: "Office") -> None:
        self._office = office
        self._begun = False
        self._waiting: asyncio.Task[None] | None = None
        office.events.subscribe(self._hear)

    def begin_soon(self) -> None:
        """Begin after a while; needs a running event loop."""
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._begin_at_leisure(), name="keep house")

    async def begin(self) -> None:
        """Begin now; again is harmless. Raises StorageError; then it may be called again."""
        if self._begun:
            return
        self._begun = True
        try:
            await asyncio.to_thread(_read_modules)
            await self._office.daily.start()
            self._office.imports.start()
            self._office.backups.start()
            await self._office.transfers.start()
            if await self._office.database.read(_synced):
                await self._begin_rounds()
        except StorageError:
            self._begun = False
            raise

    async def catch_up(self) -> None:
        """Do the daily round if it is due and the office was not at work for long enough to begin it.

        So the office of a person who only asks from scripts keeps its promises, too. Raises StorageError.
        """
        if self._waiting is None or self._begun:
            return
        if await self._office.database.read(rounds.is_due, now()):
            await self.begin()
            await self._office.daily.first_round()

    async def close(self) -> None:
        """Begin nothing any more."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)

    def _hear(self, event: Event) -> None:
        # Whoever turns sync on has read its modules already.
        if isinstance(event, SyncSwitched) and self._begun:
            self._office.sync_rounds.start()

    async def _begin_rounds(self) -> None:
        await asyncio.to_thread(import_module, "agents.sync_rounds")
        self._office.sync_rounds.start()

    async def _begin_at_leisure(self) -> None:
        pause = LEISURE_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                return await self.begin()
            except DiskRefused as error:
                # Whoever writes something is told of the disk; this is done once there is room again.
                log.warning("the office does not keep house yet: %s", error)
                pause = RETRY_SECONDS
            except StorageError as error:
                log.warning("the office does not keep house: %s", error)
                self._office.events.publish(Notice(str(error)))
                return


def _synced(session: Session) -> bool:
    return session.scalar(select(SyncSpaceTable.id)) is not None


def _read_modules() -> None:
    for name in _MODULES:
        import_module(f"agents.lifecycle.{name}")
