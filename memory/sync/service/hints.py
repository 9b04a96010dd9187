"""Hints that a space has moved on, from the stream that the service keeps open while the session's token holds.

A hint may be lost, and says nothing but a number: what was written is pulled.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from memory.sync.service.calls import Calls, understood

_DATA = "data:"


async def heads(calls: Calls, space_id: str) -> AsyncGenerator[int, None]:
    """Yield 0 once the service listens, then every new head of a space. Raises Unreachable, ServiceFault."""
    heard = False
    async with aclosing(calls.lines("/v1/events")) as lines:
        async for line in lines:
            if not heard:
                heard = True
                yield 0
            if line.startswith(_DATA):
                with understood():
                    said = json.loads(line.removeprefix(_DATA))
                    space, head = str(said["space_id"]), int(said["head"])
                if space == space_id:
                    yield head
