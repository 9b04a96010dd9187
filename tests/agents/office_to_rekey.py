"""A process that gives an office another key over and over, to be killed on the way."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from agents.lifecycle.rekeying import change_key
from agents.office import Office
from memory.locations import Locations


async def main(home: str, passphrase: str, last_step: str) -> None:
    """Change the key over and over; say when that begins."""
    office = await Office.open(Locations(Path(home)), passphrase=passphrase)

    def step(name: str) -> None:
        if name == last_step:
            os.kill(os.getpid(), signal.SIGKILL)

    print("ready", flush=True)
    while True:
        await change_key(office.database, office.vault, office.locations, office.events, step)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
