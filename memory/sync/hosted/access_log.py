"""What is kept of each request for 30 days: the network, the route's template, the status and pseudonyms.

Lines are gathered and written together, at the latest when the service stops.
"""

from typing import Any

from memory.identifiers import new_id
from memory.sync.hosted.dialects import insert_new
from memory.sync.hosted.store import Store
from memory.sync.hosted.tables.records import access_log

_MOST = 50_000


class AccessLog:
    """The lines that are not written yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lines: list[dict[str, Any]] = []

    def add(self, *, at: int, network: str, route: str, status: int, device: str, subject: str) -> None:
        """Note one request; ``device`` and ``subject`` are pseudonyms or empty."""
        self._lines.append(
            {
                "line_id": new_id(),
                "day": at // 86_400_000,
                "at": at // 1000 * 1000,
                "network": network,
                "route": route[:200],
                "status": status,
                "device": device,
                "subject": subject,
            }
        )

    async def flush(self) -> None:
        """Write what was gathered; where that fails, the latest lines are kept for the next time."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            async with self._store.write() as connection:
                # Who is cancelled within the commit does not know that it took place, and writes them again.
                await insert_new(connection, access_log, lines)
        except BaseException:
            self._lines = [*lines, *self._lines][-_MOST:]
            raise
