"""A process that goes back to a backup of an office, or makes backups over and over, to be killed on the way."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from agents.lifecycle import going_back
from agents.office import Office
from memory.locations import Locations


async def main(what: str, home: str, passphrase: str, detail: str) -> None:
    """``restore``: prepare a backup by its path and open again, dying at a step; ``backup``: make one after another."""
    locations = Locations(Path(home))
    office = await Office.open(locations, passphrase=passphrase)
    if what == "backup":
        print("ready", flush=True)
        while True:
            made = await office.backups.make()
            await office.backups.remove(made.id)
    path, _colon, last_step = detail.rpartition(":")
    await office.backups.prepare_restore(path)
    await office.close()

    def step(name: str) -> None:
        if name == last_step:
            os.kill(os.getpid(), signal.SIGKILL)

    finish = going_back.finish

    def dying(*arguments: object) -> object:
        return finish(*arguments, step=step)  # type: ignore[arg-type]  # handed on as they come

    going_back.finish = dying  # type: ignore[assignment]  # the same, with an end
    print("ready", flush=True)
    await Office.open(locations, passphrase=passphrase)
    print("done", flush=True)
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
