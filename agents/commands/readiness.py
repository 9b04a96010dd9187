"""Waiting for recall, for commands whose answer should rest on all that was written."""

import asyncio

from agents.commands.serving import Served

PATIENCE_SECONDS = 20.0


async def recall_ready(served: Served) -> None:
    """Start recall if it is not up and wait until everything written can be found by meaning.

    After PATIENCE_SECONDS, or where the process is down, the command goes on with full text alone.
    """
    await served.office.warm()
    settling = asyncio.ensure_future(served.office.recall.settled())
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not settling.done() and asyncio.get_running_loop().time() < deadline:
        await asyncio.wait({settling}, timeout=0.05)
        if served.office.recall.condition.state == "down":
            break
    settling.cancel()
    await asyncio.gather(settling, return_exceptions=True)
