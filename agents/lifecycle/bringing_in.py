"""Bringing in what other apps exported: a look ahead, the import itself, and what follows in the background."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from agents.events import ConversationChanged, EventBus, NotesChanged, RosterChanged
from agents.indexing import index_said
from memory.blobs import BlobStore
from memory.database import Database
from memory.errors import StorageError
from memory.recall.search import Recall
from memory.transfer import arriving, indexing_imports
from memory.transfer.archives import Archive, open_archive
from memory.transfer.errors import ArchiveUnknown, TransferCancelled
from memory.transfer.foreign_import import ForeignImport, Summary
from memory.transfer.incoming import Problem
from memory.transfer.incoming_rows import Identities
from memory.transfer.recognition import Recognised, recognise
from memory.transfer.watching import Progress, Watch
from resources.language import gettext as _

if TYPE_CHECKING:
    from agents.files import Files
    from agents.office import Office

AGENT_VALUES: dict[str, Any] = {
    "tools": ("remember", "recall", "read_attachment", "quote"),
    "memory_scopes": ("office", "agent", "conversation"),
}
"""What an agent made of a project may do: as much as those that a new office has."""
_PAUSE_SECONDS = 0.01
"""Between two pieces of background work, so that whoever wants the writing lane gets it first."""
_AGAIN_SECONDS = 60.0
"""Until what a full disk did not let be taken away or indexed is tried again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Brought:
    """What an archive holds or, after an import, what of it was brought in; ``import_id`` is empty for a look."""

    source: str
    name: str
    summary: Summary
    problems: tuple[Problem, ...]
    import_id: str = ""


async def bring_in(
    office: "Office",
    path: Path,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Brought:
    """Bring in an export of ChatGPT or Claude; on any failure the office is as it was.

    ``progress`` is called from a worker thread. Raises TransferError, TransferCancelled among them, or
    StorageError.
    """
    return await office.imports.bring_in(path, Watch(progress, cancelled))


async def look_into(
    office: "Office",
    path: Path,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Brought:
    """Return what ``bring_in`` would bring in; nothing is written. Raises TransferError or StorageError."""
    return await office.imports.look_into(path, Watch(progress, cancelled))


class Imports:
    """The imports of an office. One runs at a time; what they leave to be done is done in the background."""

    def __init__(
        self, database: Database, blobs: BlobStore, recall: Recall, files: "Files", bus: EventBus
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._recall = recall
        self._files = files
        self._bus = bus
        self._turn = asyncio.Lock()
        self._background: asyncio.Task[None] | None = None
        self._again = asyncio.Event()
        self._settled = asyncio.Event()
        self._closed = False

    def start(self) -> None:
        """Begin to take away what a crash left of an import, and to index what was brought in."""
        if self._background is None:
            self._again.set()
            self._background = asyncio.create_task(self._tidy_and_index(), name="tidy and index imports")

    async def settled(self) -> None:
        """Wait until everything brought in so far can be found by its words."""
        await self._settled.wait()

    async def close(self) -> None:
        """End the background work and an import under way; the next start goes on, and takes its rows away."""
        self._closed = True
        if self._background is not None:
            self._background.cancel()
            await asyncio.gather(self._background, return_exceptions=True)
        # An import notices before its next batch; the database must not go from under it.
        async with self._turn:
            return

    async def look_into(self, path: Path, watch: Watch) -> Brought:
        """Return what an archive would bring; nothing is written. Raises TransferError or StorageError."""
        archive, recognised = await asyncio.to_thread(_open, path)
        with archive:
            reading = ForeignImport(archive, recognised, watch)
            while batch := await asyncio.to_thread(reading.take):
                reading.new_ones(batch, await self._known(batch))
        return Brought(recognised.kind, archive.name, reading.summary, tuple(reading.problems))

    async def bring_in(self, path: Path, watch: Watch) -> Brought:
        """Bring in an archive, wholly or not at all. Raises TransferError or StorageError."""
        archive, recognised = await asyncio.to_thread(_open, path)
        with archive:
            async with self._turn:
                self._go_on()
                await self._take_away_leftovers()
                brought = await self._bring_in(ForeignImport(archive, recognised, watch, self._blobs))
        self._settled.clear()
        self._again.set()
        self._bus.publish(ConversationChanged(""))
        self._bus.publish(RosterChanged())
        self._bus.publish(NotesChanged())
        return brought

    async def _bring_in(self, reading: ForeignImport) -> Brought:
        name, kind = reading.archive.name, reading.recognised.kind
        import_id = await self._database.write(arriving.begin, kind, name)
        ahead: asyncio.Task[list[Identities]] | None = None
        try:
            ahead = asyncio.create_task(asyncio.to_thread(reading.take))
            while batch := await ahead:
                self._go_on()
                known = await self._known(batch)
                chosen = reading.new_ones(batch, known)
                # The next is read while this is written.
                ahead = asyncio.create_task(asyncio.to_thread(reading.take))
                for one in chosen:
                    rows = reading.rows(one, import_id, known)
                    while some := await asyncio.to_thread(next, rows, None):
                        self._go_on()
                        await self._database.write(arriving.write, some)
            self._go_on()
            reading.closing.counts = reading.summary.counts()
            reading.closing.agent_values = AGENT_VALUES
            counts = await self._database.write(arriving.finish, import_id, reading.closing)
        except BaseException:
            if ahead is not None:
                await asyncio.gather(ahead, return_exceptions=True)
            if not self._closed:
                await asyncio.shield(self._give_up(import_id, reading.written_blobs))
            raise
        reading.summary.agents, reading.summary.notes = counts["agents"], counts["notes"]
        reading.summary.erased = counts["erased"]
        return Brought(kind, name, reading.summary, tuple(reading.problems), import_id)

    def _go_on(self) -> None:
        if self._closed:
            raise TransferCancelled(_("The office was closed; bring the archive in again when it is open."))

    async def _known(self, batch: list[Identities]) -> arriving.Known:
        messages = [one.message(each.original_id) for one in batch for each in one.conversation.messages]
        files = [
            one.file(file.original_id)
            for one in batch
            for each in one.conversation.messages
            for file in each.files
        ]
        return await self._database.read(arriving.known, [one.id for one in batch], messages, files)

    async def _give_up(self, import_id: str, written: list[str]) -> None:
        try:
            await self._take_away(import_id, written)
        except StorageError as error:
            _log.warning("a failed import is taken away later, nobody sees it: %s", error)
            self._again.set()

    async def _take_away_leftovers(self) -> None:
        for import_id in await self._database.read(arriving.unfinished):
            await self._take_away(import_id, ())

    async def _take_away(self, import_id: str, written: "tuple[str, ...] | list[str]") -> None:
        more = True
        while more:
            more, blobs = await self._database.write(arriving.undo, import_id)
            for blob_id in blobs:
                await asyncio.to_thread(self._blobs.delete, blob_id)
            await asyncio.sleep(0)
        for blob_id in written:
            await asyncio.to_thread(self._blobs.delete, blob_id)

    async def _tidy_and_index(self) -> None:
        while True:
            await self._again.wait()
            self._again.clear()
            try:
                async with self._turn:
                    await self._take_away_leftovers()
                for import_id in await self._database.read(indexing_imports.waiting):
                    await self._index(import_id)
                await self._files.read_waiting()
            except StorageError:
                _log.exception("What was brought in is not indexed yet; it is tried again")
                asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._again.set)
            if not self._again.is_set():
                self._settled.set()

    async def _index(self, import_id: str) -> None:
        after = 0
        while some := await self._database.read(indexing_imports.some_messages, import_id, after):
            after = some[-1][0]
            await self._database.write(_index_some, [message_id for _place, message_id in some])
            self._recall.wake()
            await asyncio.sleep(_PAUSE_SECONDS)
        await self._database.write(indexing_imports.indexed, import_id)


def _open(path: Path) -> tuple[Archive, Recognised]:
    archive = open_archive(path)
    try:
        recognised = recognise(archive)
        if recognised.kind == "bureau":
            raise ArchiveUnknown(_("“{name}” is an export of Bureau itself.").format(name=archive.name))
    except BaseException:
        archive.close()
        raise
    return archive, recognised


def _index_some(session: Session, message_ids: list[str]) -> None:
    index_said(session, *message_ids)
