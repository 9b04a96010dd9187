"""A process that opens an office and asks a question, to be killed in the middle of the answer."""

import asyncio
import sys
from pathlib import Path

from agents.events import Event, TextDelta
from agents.office import Office
from memory import messages
from memory.locations import Locations
from vault.secret import Secret


async def main(home: str, passphrase: str, url: str) -> None:
    """Ask, and print one line for each piece that arrives, and one once part of the answer is on disk."""
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
    run_id = sent.runs[0].id
    while not any(message.text for message in await office.database.read(messages.messages_of_run, run_id)):
        await asyncio.sleep(0.01)
    print("committed", flush=True)
    await office.runs.wait([run_id])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
