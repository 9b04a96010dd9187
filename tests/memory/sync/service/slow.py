"""A service that drips: whatever it is asked, it gives one byte after the other, and never the last one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n"
WHERE = ("head", "body", "flood")
"""In the headers, in the body, or there as fast as it can."""
PAGE, _PIECE = 40_960, 1024
"""The letters of an answer that does end, and how many of them come at a time."""


class Dripping:
    """Answers on loopback at ``url``; ``where`` says in which part of each answer it drips."""

    def __init__(self) -> None:
        self.where = "body"
        self.url = ""
        self.type = b"application/json"
        self.more = b""
        """More lines of the head."""
        self.asked = 0
        self.given = 0
        self._answering: set[asyncio.Task[None]] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        self.asked += 1
        with suppress(ConnectionError), closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD % self.type + self.more + (b"X-More: " if self.where == "head" else b"\r\n"))
            if self.where == "page":
                await self._give_page(writer)
                return
            piece = b"x" * 65_536 if self.where == "flood" else b"x"
            while True:
                writer.write(piece)
                self.given += len(piece)
                await writer.drain()
                if self.where != "flood":
                    await asyncio.sleep(0.02)

    async def _give_page(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"page": "')
        for _piece in range(PAGE // _PIECE):
            writer.write(b"x" * _PIECE)
            await asyncio.sleep(0.02)
        writer.write(b'"}')
        await writer.drain()

    async def end(self) -> None:
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)


@asynccontextmanager
async def dripping() -> AsyncIterator[Dripping]:
    """Run such a service."""
    made = Dripping()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        await made.end()
        await server.wait_closed()
