"""A process that opens an office and asks a question, to be killed in the middle of the answer."""

import asyncio
import sys
from pathlib import Path

from agents.events import Event, TextDelta
from agents.office import Office
from memory.locations import Locations
from vault.secret import Secret


async def main(home: str, passphrase: str, url: str) -> None:
    """Ask, and print one line for each piece that arrives."""
    office = await Office.open(Locations(Path(home)), passphrase=passphrase)

    def tell(event: Event) -> None:
        if isinstance(event, TextDelta):
            print("piece", len(event.text), flush=True)

    office.events.subscribe(tell)
    await office.connections.add(
        "anthropic", Secret("loopback-test-value-0123456789"), base_url=url, model="claude-sonnet-5"
    )
    conversation = await office.create_conversation()
    sent = await office.send(conversation.id, "Tell me everything")
    await office.send(conversation.id, "And then?")
    await office.runs.wait([sent.runs[0].id])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
