"""Waiting for a signal of Qt inside a coroutine, without a loop of its own."""

import asyncio
import contextlib
from typing import Any

from PySide6.QtCore import SignalInstance


async def emitted(signal: SignalInstance) -> Any:
    """Return what the signal carries when it is next emitted: nothing, one value, or a tuple of several."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def resolve(*values: Any) -> None:
        if not future.done():
            future.set_result(values[0] if len(values) == 1 else values or None)

    signal.connect(resolve)
    try:
        return await future
    finally:
        # The widget may be gone with its signal, and nothing is left to disconnect.
        with contextlib.suppress(RuntimeError):
            signal.disconnect(resolve)
