"""Waiting for recall, for commands whose answer should rest on all that was written."""

import asyncio

from agents.commands.serving import Served

PATIENCE_SECONDS = 20.0
"""For commands about memory itself."""
QUESTION_SECONDS = 5.0
"""For a question: it may rest on what was said elsewhere, but is not held up by a long index."""


async def recall_ready(served: Served, seconds: float = PATIENCE_SECONDS) -> None:
    """Start recall if it is not up and wait until everything written can be found by meaning.

    After ``seconds``, or where the process is down, the command goes on with full text alone.
    """
    await served.office.warm()
    settling = asyncio.ensure_future(served.office.recall.settled())
    deadline = asyncio.get_running_loop().time() + seconds
    while not settling.done() and asyncio.get_running_loop().time() < deadline:
        await asyncio.wait({settling}, timeout=0.05)
        if served.office.recall.condition.state == "down":
            break
    settling.cancel()
    await asyncio.gather(settling, return_exceptions=True)
