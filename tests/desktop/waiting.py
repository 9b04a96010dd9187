"""Waiting inside a coroutine for what the window will show, without a loop of its own."""

import asyncio
from collections.abc import Callable

_LIMIT = 20.0


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Return as soon as the condition holds; fail where it never does."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LIMIT
    while not condition():
        if loop.time() > deadline:
            raise AssertionError(f"never came true: {what or condition}")
        await asyncio.sleep(0.01)
