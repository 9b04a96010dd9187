"""A process that erases every conversation of an office and is killed so many seconds after it began."""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

from agents.office import Office
from memory import chats
from memory.lifecycle.subjects import Subject
from memory.locations import Locations


async def main(home: str, passphrase: str, seconds: str) -> None:
    """Begin to erase, and end in the middle."""
    office = await Office.open(Locations(Path(home)), passphrase=passphrase)
    found = await office.database.read(chats.conversations)
    threading.Timer(float(seconds), os.kill, (os.getpid(), signal.SIGKILL)).start()
    report = await office.erasing.erase([Subject("conversation", one.id) for one in found])
    await office.erasing.proved(report.id)
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
