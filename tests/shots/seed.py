"""Fills an office through its own interface with what an owner might have after some weeks."""

import asyncio
from pathlib import Path

from agents.notebook import Notebook
from agents.office import Office
from memory import attachments, chats, ledger, notes
from memory.identifiers import now
from memory.locations import Locations
from tests.peers.aimock import Fixture
from tests.shots.troubles import add_troubles, trouble_fixtures
from vault.secret import Secret

DAY = 86_400_000
_RESEARCH = """Along the eastern quay the mean depth at low water was **6.4 m** [survey-1907.pdf, p. 3], with \
one shoal near the crane: “Station 150: 4.0 m at low water, mud over gravel.” [survey-1907.pdf, p. 5] Two \
notes from last week agree.

- the survey is of 1907, so silting since then is not in it
- depths are given at low water"""
_TABLE = """| Station | Depth, m | Page |
|---|--:|--:|
| East 1 | 6.7 | 12 |
| East 2 | 6.4 | 12 |
| Crane | 5.1 | 14 |

The crane station is the outlier; I would measure there again."""
_CODE = """Here is the smallest script that does it:

```python
from pathlib import Path


def total(folder: Path) -> int:
    \"\"\"Return the bytes of all invoices.\"\"\"
    return sum(file.stat().st_size for file in folder.glob("*.pdf"))
```

Run it in the folder with the invoices."""


def fixtures() -> list[Fixture]:
    """Return what the loopback provider answers."""
    usage = {"input_tokens": 21_480, "output_tokens": 164, "prompt_tokens": 21_480, "completion_tokens": 164}

    def answer(word: str, content: str, **more: object) -> Fixture:
        return {"match": {"userMessage": word}, "response": {"content": content, "usage": usage}, **more}

    # The first that matches wins, and what recall finds stands in the question too.
    return [
        answer("slowly", "word by word " * 400, chunkSize=8, streamingProfile={"ttft": 150, "tps": 25}),
        {
            **answer("depth at the quay", _RESEARCH),
            "match": {
                "userMessage": "depth at the quay",
                "systemMessage": "until you have seen the passage itself",
            },
        },
        answer("depth at the quay", _TABLE),
        answer("invoices", _CODE),
        answer("Lisbon", "Three days are enough: the river first, then Sintra, the museums when it rains."),
        answer("מה שלום", "שלום! אפשר להתחיל מיד. **נספח** מצורף בקובץ `report.pdf`."),
        {
            "match": {"userMessage": "heating"},
            "response": {
                "error": {"message": "invalid x-api-key", "type": "authentication_error"},
                "status": 401,
            },
        },
        *trouble_fixtures(usage),
        {"match": {}, "response": {"content": "Done.", "usage": usage}},
    ]


async def fill(locations: Locations, passphrase: Secret, base_url: str, files: Path) -> None:
    """Make the office: keys, notes, chats with answers from the loopback provider, weeks of usage."""
    office = await Office.open(locations, passphrase=passphrase)
    try:
        await office.connections.add(
            "anthropic",
            Secret("sk-ant-loopback-test-0001"),
            label="work",
            base_url=base_url,
            model="claude-sonnet-5",
        )
        await office.connections.add(
            "openai-compatible",
            None,
            label="Ollama on this machine",
            base_url="http://127.0.0.1:11434/v1",
            model="llama3.3",
        )
        await _notes(office)
        await _usage(office)
        await _chats(office, files)
        await add_troubles(office, files)
    finally:
        await office.close()


async def _notes(office: Office) -> None:
    book = Notebook(office.database, office.recall, office.events)
    kept = await book.add("Depths are given at low water.")
    await book.add("Use metres, never feet.", kind="preference")
    await book.add(
        "Invoices are named YYYY-MM client, and the year's folder is closed in March.", kind="procedure"
    )
    await book.pin(kept.id, pinned=True)
    team = await office.roster.all()
    for text in (
        "The owner travels to Lisbon in May.",
        "The landlord is Frau Ahlers; letters to her are in German.",
    ):
        await office.database.write(notes.add_note, text, state="proposed", agent_id=team[1].id)


async def _usage(office: Office) -> None:
    team = await office.roster.all()
    connections = await office.connections.all()
    for days in range(27):
        for number, agent in enumerate(team[:3]):
            tokens = 4_000 + (days * 7_919 + number * 3_571) % 21_000
            await office.database.write(
                ledger.add_usage,
                run_id=None,
                agent_id=agent.id,
                connection_id=connections[number % 2].id,
                model="claude-sonnet-5" if number % 2 == 0 else "llama3.3",
                input_tokens=tokens,
                output_tokens=tokens // 9,
                cost=tokens * 5 if number % 2 == 0 else None,
                at=now() - days * DAY,
            )


async def _chats(office: Office, files: Path) -> None:
    for title, question in (
        ("Bread, third try", "@Writer shorten this recipe"),
        ("Letter to the landlord", "@Writer draft a letter about the heating"),
        ("", 'מה שלום הדו"ח? אנא סכם את הנספח'),
        (
            "A chat whose name is so long that no list, no header and no picture will ever show the whole of it",
            "@Lead what comes first?",
        ),
        ("Invoices", "@Analyst how large are my invoices? Give me a script."),
        ("Trip in May", "@Lead plan three days in Lisbon"),
    ):
        conversation = await office.create_conversation(title=title)
        await _ask(office, conversation.id, question)
    harbour = await office.create_conversation(title="Harbour report")
    survey = await office.attach(harbour.id, _survey(files))
    while (await office.database.read(attachments.attachment, survey.id)).state in ("pending", "reading"):
        await asyncio.sleep(0.05)
    await _ask(
        office,
        harbour.id,
        "@Researcher what does the survey say about depth at the quay? @Analyst put the soundings in a table.",
        [survey.id],
    )
    await office.database.write(chats.pin, harbour.id)


async def _ask(
    office: Office, conversation_id: str, text: str, attachment_ids: list[str] | None = None
) -> None:
    sent = await office.send(conversation_id, text, attachment_ids or [])
    await office.runs.wait([run.id for run in sent.runs])


def _survey(folder: Path) -> Path:
    """Write a small PDF of several pages."""
    from PySide6.QtGui import QGuiApplication, QPageSize, QPdfWriter, QTextDocument

    _application = QGuiApplication.instance() or QGuiApplication(["shots", "-platform", "offscreen"])
    file = folder / "survey-1907.pdf"
    writer = QPdfWriter(str(file))
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A5))
    document = QTextDocument()
    document.setPlainText(
        "\n".join(
            f"Station {number}: {4 + number % 5}.{number % 10} m at low water, mud over gravel."
            for number in range(400)
        )
    )
    document.print_(writer)
    return file
