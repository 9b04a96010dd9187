"""A process that brings an export in and is killed at a named moment, or so many seconds after it began."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.office import Office
from memory.locations import Locations
from memory.transfer import importing, incoming_workspace, merging
from memory.transfer.comparing import Choice

MOMENTS = {
    "files are there": (importing, "stage"),
    "records are written": (merging, "mend"),
    "all is committed": (incoming_workspace, "move_in"),
}
"""Each is a function; the first and second are let end before the kill, the third does not begin."""


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _deadly(function: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        if before:
            _kill()
        function(*arguments)
        _kill()

    return run


async def main(home: str, passphrase: str, path: str, moment: str) -> None:
    """Bring the export in, and end on the way."""
    office = await Office.open(Locations(Path(home)), passphrase=passphrase)
    if moment in MOMENTS:
        module, name = MOMENTS[moment]
        setattr(module, name, _deadly(getattr(module, name), before=module is incoming_workspace))
    else:
        threading.Timer(float(moment), _kill).start()
    await office.transfers.bring_in(Path(path), Choice())
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
