"""The owner's side of the door."""

import asyncio
import contextlib
import logging
import socket
from pathlib import Path

from agents.door.peers import adopt_orphans, may_enter
from agents.door.protocol import LONGEST_LINE, Caller, CommandFailed, Handler, line, messages
from resources.language import gettext as _

log = logging.getLogger(__name__)
PATIENCE_SECONDS = 5.0


class Door:
    """Listens on the office's socket and runs commands for other processes of the same user."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self.path = path
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._visits: set[asyncio.Task[None]] = set()
        self._farewells: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen; what an earlier process left at the path is replaced, since the lock proves it is gone."""
        adopt_orphans()
        self.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self.path))
            self.path.chmod(0o600)
            self._server = await asyncio.start_unix_server(self._visit, sock=listener, limit=LONGEST_LINE)
        except BaseException:
            listener.close()
            raise

    async def close(self) -> None:
        """Stop listening, end what is under way and remove the socket."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for visit in tuple(self._visits):
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=PATIENCE_SECONDS)
        self.path.unlink(missing_ok=True)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._visits.add(task)
            task.add_done_callback(self._visits.discard)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            # Only the closing door cancels: who does not read what was sent must not hold it open.
            writer.transport.abort()
        except (ConnectionError, TimeoutError, ValueError):
            log.info("a visitor hung up")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _done(self, visit: asyncio.Task[None] | None) -> None:
        """Let a visit whose command has ended say so, even if that command is what closes the door."""
        if visit in self._visits:
            self._visits.remove(visit)
            self._farewells.add(visit)
            visit.add_done_callback(self._farewells.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        if not may_enter(connection):
            # Its request is taken in unread: closing on unread bytes would reset the line and lose the refusal.
            await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)
            await _tell(
                writer, _("This program may not command the office: run the command in a terminal."), 1
            )
            return
        try:
            incoming = messages(reader)
            request = await anext(incoming, None)
            if request is None:
                return
            caller = Caller()
            listening = asyncio.ensure_future(_listen(incoming, caller))
            try:
                async for item in self._handler(
                    str(request.get("command")), request.get("arguments") or {}, caller
                ):
                    writer.write(line({"item": item}))
                    await writer.drain()
            finally:
                self._done(asyncio.current_task())
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            writer.write(line({"end": True}))
            await writer.drain()
        except CommandFailed as failure:
            await _tell(writer, str(failure), failure.code)


async def _listen(incoming: object, caller: Caller) -> None:
    async for message in incoming:  # type: ignore[attr-defined]  # the generator that anext() began
        if message.get("stop"):
            caller.stopped.set()


async def _tell(writer: asyncio.StreamWriter, sentence: str, code: int) -> None:
    writer.write(line({"error": {"sentence": sentence, "code": code}}))
    await writer.drain()
