"""What a streamed delta costs the office in processor time, over the bare SDK reading the same stream.

``python -m tests.bench.runtime_bench`` prints the figure.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from anthropic import AsyncAnthropic

from agents.events import RunChanged, TextDelta
from agents.office import Office
from memory.locations import Locations
from tests.bench.figures import Figure
from tests.bench.processes import PASSPHRASE
from tests.peers import aimock
from vault.secret import Secret

DELTAS = 3_000
ROUNDS = 5
KEY = "bench-key-0123456789"
FIXTURE = {"match": {}, "response": {"content": "depth " * DELTAS}, "chunkSize": 6}


async def _bare(url: str) -> tuple[float, int]:
    client = AsyncAnthropic(api_key=KEY, base_url=url, max_retries=0)
    count = 0
    begun = time.process_time()
    question = [{"role": "user", "content": "How deep?"}]
    async with client.messages.stream(model="m", max_tokens=4096, messages=question) as stream:
        async for _text in stream.text_stream:
            count += 1
    spent = time.process_time() - begun
    await client.close()
    return spent, count


async def _office(office: Office, conversation_id: str) -> tuple[float, int]:
    count = 0
    ended = asyncio.Event()

    def hear(event: object) -> None:
        nonlocal count
        if isinstance(event, TextDelta):
            count += 1
        elif isinstance(event, RunChanged) and event.run.state in {"done", "failed"}:
            ended.set()

    end = office.events.subscribe(hear)
    begun = time.process_time()
    await office.send(conversation_id, "How deep?")
    await ended.wait()
    spent = time.process_time() - begun
    end()
    return spent, count


async def measure(folder: Path, url: str) -> None:
    """Stream the same answer through both in turn and print the difference per delta."""
    office = await Office.open(Locations.find(folder / "office"), passphrase=Secret(PASSPHRASE))
    try:
        await office.connections.add("anthropic", Secret(KEY), base_url=url, model="m")
        extra, alone = [], []
        for number in range(ROUNDS + 1):
            conversation = await office.create_conversation()
            bare, bare_count = await _bare(url)
            ours, count = await _office(office, conversation.id)
            if not count or not bare_count:
                raise RuntimeError("nothing was streamed")
            if number:
                extra.append(1000 * (ours / DELTAS - bare / DELTAS))
                alone.append(1000 * bare / DELTAS)
        print(
            Figure(
                "runtime_cost_per_delta", max(0.0, statistics.median(extra)), "ms", 0.5, 0.2,
                f"the bare SDK itself {statistics.median(alone):.3f}",
            ).line()
        )  # fmt: skip
    finally:
        await office.close()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = folder / "mock"
        place.mkdir()
        server = aimock.start(place, [FIXTURE])
        try:
            asyncio.run(measure(folder, server.anthropic_url))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
