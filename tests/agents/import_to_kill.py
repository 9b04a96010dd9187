"""A process that brings an archive in and kills itself, as the system would, after some batches."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from agents.lifecycle.bringing_in import bring_in
from agents.office import Office
from memory.locations import Locations
from memory.transfer import arriving


async def main(home: str, passphrase: str, archive: str, batches: str) -> None:
    """Bring in until the transaction after so many batches is under way."""
    office = await Office.open(Locations(Path(home)), passphrase=passphrase)
    left = int(batches)
    write = arriving.write

    def write_or_die(session, rows) -> None:
        nonlocal left
        left -= 1
        write(session, rows)
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    arriving.write = write_or_die
    await bring_in(office, Path(archive))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
