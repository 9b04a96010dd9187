"""Erasing with proof: stops what works on it, erases, folds the log, destroys the index, searches for traces."""

import asyncio
import logging
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents.errors import ErasureFailed
from agents.events import (
    ConnectionsChanged,
    ConversationChanged,
    Erased,
    ErasureProved,
    EventBus,
    NotesChanged,
    RosterChanged,
)
from agents.files import Files
from agents.indexing import index_said
from agents.lifecycle.rekeying import change_key
from agents.runtime.recording import Recorder
from agents.runtime.runs import Runs
from memory.blobs import BlobStore
from memory.database import Database
from memory.errors import BlobDamaged, StillAtWork, StorageError
from memory.lifecycle import reports, trash
from memory.lifecycle.erased import Reason
from memory.lifecycle.erasure import Gone, erase
from memory.lifecycle.fingerprints import Fingerprints, fingerprints
from memory.lifecycle.reports import EraseReport, Level, State
from memory.lifecycle.subjects import Subject
from memory.locations import Locations
from memory.recall.search import Recall
from resources.language import gettext as _
from vault.office_keys import Vault

if TYPE_CHECKING:
    from memory.lifecycle.residue import Findings

_TRIES = 5
"""How often runs that began meanwhile are stopped before an erasure gives up."""

_PATIENCE = 0.5
"""Seconds until the log is tried to be folded again while an export or a backup still reads it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the office that an erasure touches."""

    locations: Locations
    database: Database
    blobs: BlobStore
    recall: Recall
    files: Files
    runs: Runs
    recorder: Recorder
    bus: EventBus
    vault: Vault


@dataclass(frozen=True, slots=True)
class _Touched:
    """What the quick proof looks at: pages of the database, and files written since ``made_at``."""

    pages: frozenset[int]
    made_at: int


class Erasing:
    """Erases one thing after the other. The full search of each goes on in the background and may be awaited."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._turn = asyncio.Lock()
        self._erasures = 0
        self._key_changes = 0
        """Begun and ended; odd while the database is given another key."""
        self._searches: dict[str, asyncio.Task[EraseReport]] = {}
        self._ending = threading.Event()

    async def erase(
        self,
        subjects: Sequence[Subject],
        *,
        reason: Reason = "owner",
        derived_notes: bool = False,
        deep: bool = False,
        brake: bool = False,
        confirmed: int | None = None,
    ) -> EraseReport:
        """Erase, and return the report of the quick proof; the full search has begun.

        ``deep`` gives the database another key before the full search, so that nothing that the disk still holds
        of it can be opened. With ``brake`` a great many things need their number ``confirmed``.

        The key of a connection is destroyed with it.

        Raises NotFound, ManyAtOnce, Refused where a hold keeps something, ErasureFailed, StorageError or VaultError:
        where the key of a connection could not be destroyed, nothing is erased; where the database could not be
        given another key, what was to be erased is gone and the key is the former one.
        """
        parts = self._parts
        if brake:
            await parts.database.read(trash.brake, subjects, confirmed=confirmed)
        async with self._turn:
            for subject in subjects:
                if subject.kind == "connection":  # its key first: what comes between leaves a row without one
                    await asyncio.to_thread(parts.vault.delete_key, subject.id)
            gone, pages = await self._out_of_database(subjects, reason, derived_notes)
            self._erasures += 1
            marks = await asyncio.to_thread(self._marks, gone)
            await asyncio.to_thread(self._remove_blobs, gone)
            parts.files.forget(gone.extent.files)
            await parts.recall.forget_index()
            self._tell(gone)
            if not await parts.database.fold_log():
                pages = frozenset()  # the file still has them as they were; the full search waits for the log
            report = await self._prove(gone.report_id, marks, "quick", _Touched(pages, gone.made_at))
            level: Level = "full"
            try:
                if deep:
                    await self._change_key()
                    await parts.database.write(reports.name_openers, report.id, parts.vault.openers)
                    level = "deep"
            finally:  # with the former key as well, what went is searched for
                self._begin_search(gone.report_id, marks, level)
        return report

    async def deepen(self) -> EraseReport:
        """Give the database another key, for everything that was erased before; return the report of it.

        Raises StorageError or VaultError; then the key is the former one.
        """
        parts = self._parts
        async with self._turn:
            await self._change_key()
            return await parts.database.write(reports.deepened, parts.vault.openers)

    async def _change_key(self) -> None:
        parts = self._parts
        self._key_changes += 1
        try:
            await change_key(parts.database, parts.vault, parts.locations, parts.bus)
        finally:
            self._key_changes += 1

    async def proved(self, report_id: str) -> EraseReport:
        """Return the report once its full search has ended. Raises NotFound or StorageError."""
        if report_id in self._searches:
            return await asyncio.shield(self._searches[report_id])
        return await self._parts.database.read(reports.report, report_id)

    async def close(self) -> None:
        """End the searches; their reports say that they were cut short."""
        self._ending.set()
        await asyncio.gather(*self._searches.values(), return_exceptions=True)

    def _begin_search(self, report_id: str, marks: Fingerprints, level: Level) -> None:
        search = asyncio.create_task(self._prove(report_id, marks, level, None), name="search for traces")
        self._searches[report_id] = search
        search.add_done_callback(lambda task: self._searched(report_id, task))

    async def _out_of_database(
        self, subjects: Sequence[Subject], reason: Reason, derived_notes: bool
    ) -> tuple[Gone, frozenset[int]]:
        for _try in range(_TRIES):
            await self._parts.recorder.flush()
            try:
                return await self._parts.database.write_traced(
                    erase, list(subjects), reason=reason, reindex=index_said, derived_notes=derived_notes
                )
            except StillAtWork as busy:
                for run_id in busy.run_ids:
                    await self._parts.runs.stop(run_id)
        raise ErasureFailed(_("Agents keep working on this: stop them, then erase again."))

    def _marks(self, gone: Gone) -> Fingerprints:
        for blob in gone.blobs:
            try:
                gone.material.contents.append(next(self._parts.blobs.stream(blob)))
            except BlobDamaged as error:
                log.info("a damaged file is erased without its content being searched for: %s", error)
        return fingerprints(gone.material)

    def _remove_blobs(self, gone: Gone) -> None:
        for blob_id in (*(blob.id for blob in gone.blobs), *gone.parts):
            try:
                self._parts.blobs.delete(blob_id)
            except StorageError as error:
                # Its key went with its row, so it is noise; the next start tries again to remove it.
                log.warning("a file without its key stays on the disk for now: %s", error)

    def _tell(self, gone: Gone) -> None:
        found = gone.extent
        self._parts.bus.publish(
            Erased(
                *(frozenset(found.conversations), frozenset(found.messages), frozenset(found.files)),
                *(frozenset(found.notes), frozenset(found.agents), frozenset(found.connections)),
                touched=gone.touched,
            )
        )
        for conversation_id in found.conversations | gone.touched:
            self._parts.bus.publish(ConversationChanged(conversation_id))
        for changed, event in (
            *((found.notes, NotesChanged()), (found.agents, RosterChanged())),
            (found.connections, ConnectionsChanged()),
        ):
            if changed:
                self._parts.bus.publish(event)

    async def _prove(
        self, report_id: str, marks: Fingerprints, level: Level, touched: _Touched | None
    ) -> EraseReport:
        """Search and conclude the report: what was ``touched``, or everything."""
        parts = self._parts
        from memory.lifecycle.residue import said_elsewhere, summary

        while True:
            begun, keys = self._erasures, self._key_changes
            if touched is None:
                await self._log_folded()
            exports = [
                Path(one.path)
                for one in await parts.database.read(reports.copies_since, 0)
                if one.kind == "export"
            ]
            findings = await asyncio.to_thread(self._search, marks, touched, exports)
            if touched is None and (keys % 2 or keys != self._key_changes) and not self._ending.is_set():
                async with self._turn:  # what was read while the key changed was noise
                    continue
            kept = await parts.database.read(said_elsewhere, marks, frozenset(findings.pieces))
            traces = findings.pieces - kept
            if not traces or touched is not None:  # within its own turn nothing else is erased
                break
            # What said the same may have been erased between the search and the question who says it: by one that is
            # counted once its turn is over.
            async with self._turn:
                if begun == self._erasures:
                    break
        state: State = "scanning" if level == "quick" else "clean"
        if self._ending.is_set():
            state = "cut_short"
        if traces:
            state = "traces"
        proof = summary(marks, findings, len(kept))
        proof["traces"] = len(traces)
        report = await parts.database.write(reports.conclude, report_id, level, state, proof)
        parts.bus.publish(ErasureProved(report.id, report.level, report.state))
        return report

    async def _log_folded(self) -> None:
        """Return once the log is folded into the file, or the office closes."""
        while not await self._parts.database.fold_log():
            if await asyncio.to_thread(self._ending.wait, _PATIENCE):
                return

    def _search(self, marks: Fingerprints, touched: _Touched | None, exports: Collection[Path]) -> "Findings":
        from memory.lifecycle import residue
        from memory.lifecycle.finder import Finder

        parts, finder, findings = self._parts, Finder(marks.pieces), residue.Findings()
        residue.search_pages(
            *(finder, parts.locations.database, parts.database.key, findings),
            None if touched is None else touched.pages,
            stopped=self._ending.is_set,
        )
        if touched is None:
            places = residue.places(parts.locations, exports)
        else:
            places = residue.touched_places(parts.locations, touched.made_at, exports)
        residue.search_files(finder, places, findings, stopped=self._ending.is_set)
        return findings

    def _searched(self, report_id: str, task: "asyncio.Task[EraseReport]") -> None:
        self._searches.pop(report_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the search for traces failed", exc_info=error)
