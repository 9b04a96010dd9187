"""Waiting for work that cannot be stopped, such as a thread that writes into a folder that is to be removed."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_its_end(work: "Coroutine[Any, Any, T] | asyncio.Task[T]") -> T:
    """Return what the work returns; who is cancelled meanwhile goes only once it has ended."""
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # looked at, so that nobody is told that none did
        raise
