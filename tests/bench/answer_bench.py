"""How soon the librarian answers: from a closed office, and about a file just attached.

``python -m tests.bench.answer_bench`` prints one line per figure.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agents.events import TextDelta
from agents.office import Office
from memory.locations import Locations
from memory.runs import run as run_row
from tests.bench import offices
from tests.bench.figures import Figure
from tests.bench.processes import PASSPHRASE, PROGRAM, ROOT
from tests.peers.documents import document
from vault.secret import Secret

ASKS = 5
QUESTION = "How is the colour of a line changed in a plot?"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        _command(Path(folder))
        asyncio.run(_attached(Path(folder) / "attached"))


def _command(folder: Path) -> None:
    home = folder / "office"
    asyncio.run(offices.with_passages(home, 1_000))
    passphrase = folder / "passphrase"
    passphrase.write_text(PASSPHRASE)
    command = [*PROGRAM, "--home", str(home), "--passphrase-file", str(passphrase)]
    times = []
    for _run in range(ASKS + 1):
        begun = time.perf_counter()
        subprocess.run([*command, "ask", "--json", "@Librarian what was said about the depth?"], cwd=ROOT, check=True,
                       capture_output=True)  # fmt: skip
        times.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import pydantic_ai"], check=True)
    bare = time.perf_counter() - begun
    print(
        Figure(
            "ask_librarian_office_closed", statistics.median(times[1:]), "s", 3, 1.5,
            f"importing the agent loop alone {bare:.2f}",
        ).line()
    )  # fmt: skip


async def _attached(home: Path) -> None:
    office = await Office.open(Locations.find(home), passphrase=Secret(PASSPHRASE))
    try:
        await office.warm()
        while office.recall.condition.state != "warm":
            await asyncio.sleep(0.05)
        first = asyncio.Event()
        office.events.subscribe(lambda event: first.set() if isinstance(event, TextDelta) else None)
        conversation = await office.create_conversation()
        begun = time.perf_counter()
        file = await office.attach(conversation.id, document("gnuplot.pdf"))
        team = {agent.name: agent.id for agent in await office.roster.all()}
        sent = await office.send(conversation.id, QUESTION, [file.id], agent_ids=[team["Librarian"]])
        await first.wait()
        while (await office.database.read(run_row, sent.runs[0].id)).state not in {"done", "failed"}:
            await asyncio.sleep(0.01)
        took = time.perf_counter() - begun
    finally:
        await office.close()
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", READING, str(document("gnuplot.pdf"))], check=True)
    print(
        Figure(
            "librarian_first_answer_300_pages", took, "s", 10, 4,
            f"reading the pages alone {time.perf_counter() - begun:.2f}",
        ).line()
    )  # fmt: skip


READING = """
import sys, pypdfium2
for page in pypdfium2.PdfDocument(sys.argv[1]):
    page.get_textpage().get_text_bounded()
"""


if __name__ == "__main__":
    main()
