"""Asynchronous generators that nobody finished are closed on the loop."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def closed_on(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Close forgotten generators in a task of the loop while this lasts.

    asyncio's own loops see to that, qasync's does not: the reply of a stopped run would be closed by the
    garbage collector, outside every task, where its connection cannot be given back.
    """

    def finish(generator: AsyncGenerator[Any, Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(loop.create_task, generator.aclose())

    before = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=before.firstiter, finalizer=finish)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*before)
