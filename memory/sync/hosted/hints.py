"""Hints that a space has moved on: "space s head n" to every listening device of its account, and nothing else.

A hint may be lost; devices ask for changes anyway. With PostgreSQL they reach every replica by NOTIFY.
"""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.hosted.store import Store

CHANNEL = "bureau_hints"
"""Where replicas tell each other of heads (PostgreSQL)."""
_MOST_WAITING = 100

Hint = tuple[str, int]
"""A space and its head."""


class Hints:
    """Who listens, by account."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: dict[str, set[asyncio.Queue[Hint | None]]] = defaultdict(set)
        self._listening: Any = None
        self._ended = False

    async def announce(self, connection: AsyncConnection, account_id: str, space_id: str, head: int) -> None:
        """Tell the other replicas of a new head, once the transaction is committed (PostgreSQL)."""
        if not self._store.is_sqlite:
            said = {"channel": CHANNEL, "said": hint_of(account_id, space_id, head)}
            await connection.execute(text("SELECT pg_notify(:channel, :said)"), said)

    def committed(self, account_id: str, space_id: str, head: int) -> None:
        """Tell the listeners of this replica, where no database does."""
        if self._store.is_sqlite:
            self._tell(account_id, space_id, head)

    def _tell(self, account_id: str, space_id: str, head: int) -> None:
        for queue in self._listeners.get(account_id, ()):
            with contextlib.suppress(
                asyncio.QueueFull
            ):  # a hint may be lost, a slow reader may not cost memory
                queue.put_nowait((space_id, head))

    @contextmanager
    def listening(self, account_id: str) -> Any:
        """Give the queue of one listener; None in it means that the service stops."""
        queue: asyncio.Queue[Hint | None] = asyncio.Queue(_MOST_WAITING)
        self._listeners[account_id].add(queue)
        if self._ended:
            queue.put_nowait(None)
        try:
            yield queue
        finally:
            self._listeners[account_id].discard(queue)
            if not self._listeners[account_id]:
                del self._listeners[account_id]

    async def open(self) -> None:
        """Begin to hear the other replicas (PostgreSQL), also where the database ended that."""
        if self._store.is_sqlite or (self._listening is not None and not self._listening.is_closed()):
            return
        import asyncpg

        listening = await asyncpg.connect(self._store.url.replace("+asyncpg", "", 1))
        try:
            await listening.add_listener(CHANNEL, self._heard)
        except BaseException:
            listening.terminate()
            raise
        self._listening = listening

    def _heard(self, _connection: Any, _pid: int, _channel: str, said: str) -> None:
        self._tell(*json.loads(said))

    def end(self) -> None:
        """End every listener, and those that come."""
        self._ended = True
        for queues in self._listeners.values():
            for queue in queues:
                while queue.full():
                    queue.get_nowait()
                queue.put_nowait(None)

    async def close(self) -> None:
        """End every listener and hear nobody any more."""
        self.end()
        if self._listening is not None:
            await self._listening.close()


def hint_of(account_id: str, space_id: str, head: int) -> str:
    """Return what replicas tell each other of a new head."""
    return json.dumps([account_id, space_id, head])


async def events(hints: Hints, account_id: str, seconds: float) -> AsyncIterator[bytes]:
    """Yield the lines of one stream of events, which ends after so many seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    with hints.listening(account_id) as queue:
        yield b"retry: 2000\n\n"
        while (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(min(left, 20)):
                    hint = await queue.get()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if hint is None:
                return
            said = json.dumps({"space_id": hint[0], "head": hint[1]})
            yield f"event: head\ndata: {said}\n\n".encode()
