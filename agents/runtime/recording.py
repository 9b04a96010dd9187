"""Writes down what runs do: pieces of a stream are told at once and committed four times a second."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy.orm import Session

from agents.events import EventBus, Notice, TextDelta, ThinkingDelta
from memory import messages, runs
from memory.database import Database
from memory.errors import DiskRefused, NotFound, StorageError

INTERVAL = 0.25
"""Seconds between two commits of streamed text."""

RETRY = 2.0
"""Seconds before a commit that the disk refused is tried again."""

log = logging.getLogger(__name__)

Operation = Callable[[Session], object]


@dataclass(slots=True)
class _Piece:
    """Streamed text of one kind, gathered since the last commit."""

    record: "RunRecord"
    kind: Literal["text", "thinking"]
    parts: list[str]


class Recorder:
    """The one writer of what runs produce; everything handed to it is committed in the order it came."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._bus = bus
        self._waiting: list[_Piece | Operation] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    def record(self, run_id: str, agent_id: str | None, message_id: str) -> "RunRecord":
        """Return what one run writes with. Its text goes to this one message and to no other."""
        return RunRecord(self, run_id, agent_id, message_id)

    def add(self, entry: _Piece | Operation) -> None:
        """Keep something for the next commit, which comes within a quarter of a second."""
        self._waiting.append(entry)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._due)

    async def flush(self) -> None:
        """Commit everything handed over so far. Raises DiskRefused; then it is kept for later."""
        # Shielded, because a run that is cancelled here must not take with it what the disk then refuses.
        await asyncio.shield(asyncio.ensure_future(self._flush()))

    async def _flush(self) -> None:
        async with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            entries, self._waiting = self._waiting, []
            if not entries:
                return
            for entry in entries:
                if isinstance(entry, _Piece):
                    entry.record.seal()  # the lane reads the piece on its own thread: nothing may join it now
            try:
                await self._database.write(_commit, entries)
            except DiskRefused:
                self._waiting[:0] = entries
                raise
            except StorageError:
                await self._commit_singly(entries)

    async def _commit_singly(self, entries: "list[_Piece | Operation]") -> None:
        """Commit what can be: an entry about something erased meanwhile must not hold up the others."""
        for number, entry in enumerate(entries):
            try:
                await self._database.write(_commit, [entry])
            except NotFound:
                log.info("An event of a run that was erased meanwhile is dropped")
            except DiskRefused:
                self._waiting[:0] = entries[number:]
                raise
            except StorageError as error:
                log.exception("An event could not be kept")
                self._bus.publish(Notice(str(error)))

    async def close(self) -> None:
        """Commit what is left. Raises StorageError."""
        if self._flushing is not None:
            await asyncio.wait([self._flushing])
        try:
            await self.flush()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def tell(self, record: "RunRecord", kind: Literal["text", "thinking"], text: str) -> None:
        """Publish a piece of a stream and keep it for the next commit."""
        if kind == "text":
            self._bus.publish(TextDelta(record.message_id, record.run_id, text))
        else:
            self._bus.publish(ThinkingDelta(record.message_id, record.run_id, text))

    def _due(self) -> None:
        self._timer = None
        if self._flushing is not None and not self._flushing.done():
            # A slow disk: what has gathered meanwhile goes with the next commit.
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._due)
            return
        self._flushing = asyncio.create_task(self._flush_in_background(), name="commit of streams")

    async def _flush_in_background(self) -> None:
        try:
            await self.flush()
        except Exception:
            # The entries are kept; the run's next own flush raises the same fault where it can be shown.
            log.exception("Streamed text could not be committed yet")
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(RETRY, self._due)


@dataclass(slots=True)
class RunRecord:
    """What one run writes with: its model's words to its own message, and its events."""

    _recorder: Recorder
    run_id: str
    agent_id: str | None
    message_id: str
    length: int = 0
    """Characters of text written through this record."""
    _open: _Piece | None = field(default=None, repr=False)

    def text(self, piece: str) -> None:
        """Add to the message's text."""
        self.length += len(piece)
        self._stream("text", piece)

    def thinking(self, piece: str) -> None:
        """Add to the message's thinking."""
        self._stream("thinking", piece)

    def event(self, kind: str, body: dict[str, Any]) -> None:
        """Add an event."""
        run_id = self.run_id
        self.also(lambda session: runs.append_event(session, run_id, kind, body))

    def also(self, operation: Operation) -> None:
        """Write something else of this run, in the order of its events and in one commit with them."""
        self._open = None
        self._recorder.add(operation)

    async def committed(self) -> None:
        """Return when everything written so far is on disk. Raises StorageError."""
        await self._recorder.flush()

    def seal(self) -> None:
        """End the piece that streamed text is gathered in; what comes next begins another one."""
        self._open = None

    def _stream(self, kind: Literal["text", "thinking"], piece: str) -> None:
        self._recorder.tell(self, kind, piece)
        if self._open is not None and self._open.kind == kind:
            self._open.parts.append(piece)
            return
        self._open = _Piece(self, kind, [piece])
        self._recorder.add(self._open)


def _commit(session: Session, entries: list[_Piece | Operation]) -> None:
    for entry in entries:
        if isinstance(entry, _Piece):
            record, text = entry.record, "".join(entry.parts)
            runs.append_event(session, record.run_id, entry.kind, {"text": text})
            if entry.kind == "text":
                messages.append_text(session, record.message_id, text)
            else:
                messages.append_text(session, record.message_id, "", text)
        else:
            entry(session)
