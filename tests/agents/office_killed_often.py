"""A process that opens an office and asks, once for each line it reads, in a child that is to be killed.

Everything is imported before the children are made, so that each is soon at work.
"""

import asyncio
import os
import sys
from pathlib import Path

from agents.events import Event, TextDelta
from agents.loading import load_provider
from agents.office import Office
from memory import messages
from memory.locations import Locations


async def ask(home: str, passphrase: str) -> None:
    """Ask, and print what happens: ``opened``, ``said ID``, ``piece`` and, once on disk, ``held ID CHARACTERS``."""
    office = await Office.open(Locations(Path(home)), passphrase=passphrase)
    _tell("opened")

    def tell(event: Event) -> None:
        if isinstance(event, TextDelta):
            _tell("piece")

    office.events.subscribe(tell)
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "@Writer Tell me everything")
    _tell("said", sent.message.id)
    reply, held = sent.replies[0].id, 0
    while True:
        written = len((await office.database.read(messages.message, reply)).text)
        if written > held:
            held = written
            _tell("held", reply, str(held))
        await asyncio.sleep(0.005)


def _tell(*words: str) -> None:
    # A single write, so that a kill leaves no half of a line.
    os.write(sys.stdout.fileno(), (" ".join(words) + "\n").encode())


if __name__ == "__main__":
    load_provider("anthropic")
    for _line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(ask(*sys.argv[1:]))
        _tell("child", str(child))
        _pid, status = os.waitpid(child, 0)
        _tell("ended", str(os.waitstatus_to_exitcode(status)))
