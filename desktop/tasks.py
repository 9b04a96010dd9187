"""Every coroutine that the window starts has an owner that keeps it, reports its failure and ends it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Tasks:
    """Keeps the window's tasks. ``report`` is called with whatever a task failed with, never for a stop."""

    def __init__(self, report: Callable[[Exception], None]) -> None:
        self._report = report
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any] | None:
        """Start the work; after ``cancel``, or before the loop first ran, it is dropped and None is returned."""
        if self._loop is None:
            # A timer of Qt may fire while the loop stands still, so the loop is kept once it was seen.
            with contextlib.suppress(RuntimeError):
                self._loop = asyncio.get_running_loop()
        if self._closed or self._loop is None or self._loop.is_closed():
            work.close()
            return None
        task = self._loop.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def __len__(self) -> int:
        return len(self._running)

    async def cancel(self, seconds: float) -> list[str]:
        """Refuse new work, cancel what runs, wait that long at most; return the names of what still runs."""
        self._closed = True
        waiting = {task for task in self._running if task is not asyncio.current_task()}
        for task in waiting:
            task.cancel()
        if not waiting:
            return []
        _done, left = await asyncio.wait(waiting, timeout=seconds)
        return sorted(task.get_name() for task in left)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        log.error("%s failed", task.get_name(), exc_info=error)
        if isinstance(error, Exception):
            self._report(error)
