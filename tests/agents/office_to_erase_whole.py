"""A process that erases its whole office, and is killed at one of the changes that this makes to the disk."""

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

from agents.lifecycle.everything import erase_everything
from agents.office import Office
from memory.locations import Locations

_CHANGES = {"os.rename", "os.remove", "os.rmdir"}


async def main(home: str, passphrase: str, last: str) -> None:
    """Erase, and print how many renamings and removals that took; 0 kills at none of them."""
    office = await Office.open(Locations(Path(home)), passphrase=passphrase)
    numbers = itertools.count(1)
    done = [0]

    def count(event: str, arguments: tuple[object, ...]) -> None:
        if event in _CHANGES and str(arguments[0]).startswith(home):
            done[0] = next(numbers)
            if done[0] == int(last):
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    await erase_everything(office)
    print(done[0], flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
