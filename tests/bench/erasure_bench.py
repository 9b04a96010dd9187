"""How long an erasure holds its owner up, and how long a deep one takes for each gigabyte of database.

``python -m tests.bench.erasure_bench`` makes an office of 100,000 messages in 1,000 conversations, with their runs
and passages, and prints two figures.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from agents.office import Office
from memory.identifiers import new_id, now
from memory.lifecycle.subjects import Subject
from memory.locations import Locations
from memory.tables import ConversationTable, MessageTable, PassageTable, RunEventTable, RunTable
from tests.bench.figures import Figure
from tests.bench.offices import ANSWER
from tests.bench.processes import PASSPHRASE
from vault.secret import Secret

CONVERSATIONS, MESSAGES = 1_000, 100
ERASED = 9


def _fill(session: Session, number: int) -> None:
    """Write one conversation with its messages, runs, events and passages."""
    begun = now() - 1_000_000
    conversation = {
        "id": new_id(),
        "title": f"Survey {number}",
        "draft": {},
        "scroll": {},
        "created_at": begun,
        "updated_at": begun,
    }
    messages, runs, events, passages = [], [], [], []
    parent = None
    for place in range(MESSAGES):
        identity, answered = new_id(), place % 2 == 1
        run_id = new_id() if answered else None
        text = (
            f"{number}.{place}: {ANSWER}"
            if answered
            else f"What does sheet {number}.{place} say of the depth?"
        )
        messages.append(
            {
                "id": identity,
                "conversation_id": conversation["id"],
                "parent_id": parent,
                "batch_id": identity,
                "ordinal": place + 1,
                "role": "agent" if answered else "owner",
                "run_id": run_id,
                "text": text,
                "citations": [],
                "attachment_ids": [],
                "created_at": begun,
            }
        )
        passages.append(
            {
                "message_id": identity,
                "source_kind": "message",
                "source_id": identity,
                "conversation_id": conversation["id"],
                "ordinal": 0,
                "place": {},
                "at": begun,
                "text": text,
                "context": text,
            }
        )
        if run_id:
            runs.append(
                {
                    "id": run_id,
                    "conversation_id": conversation["id"],
                    "state": "done",
                    "context": [{"kind": "question", "label": "Your message", "tokens": 9, "cost": None}],
                    "created_at": begun,
                }
            )
            for step, kind in enumerate(("started", "tool_started", "tool_finished", "text", "finished"), 1):
                body = {"text": text} if kind == "text" else {"call": run_id}
                if kind == "tool_finished":
                    # Every fifth answer looked something up, the others read on in their files.
                    named = f'<data kind="message" id="{new_id()}">' if place % 10 == 1 else "<data>"
                    body["result"] = named + ANSWER * 3
                events.append({"run_id": run_id, "seq": step, "at": begun, "kind": kind, "body": body})
        parent = identity
    for table, rows in (
        *((ConversationTable, [conversation]), (MessageTable, messages), (RunTable, runs)),
        *((RunEventTable, events), (PassageTable, passages)),
    ):
        session.execute(insert(table), rows)  # type: ignore[arg-type]  # lists of columns
    session.get_one(ConversationTable, conversation["id"]).active_leaf_id = parent


def _some(session: Session) -> list[str]:
    chosen = select(MessageTable.id).where(MessageTable.ordinal == MESSAGES // 2).limit(ERASED)
    return list(session.scalars(chosen))


async def measure(folder: Path) -> None:
    """Fill an office, erase messages one by one, change its key, and print both figures."""
    office = await Office.open(Locations.find(folder / "office"), passphrase=Secret(PASSPHRASE))
    try:
        for number in range(CONVERSATIONS):
            await office.database.write(_fill, number)
        seconds = []
        for identity in await office.database.read(_some):
            begun = time.perf_counter()
            report = await office.erasing.erase([Subject("message", identity)])
            seconds.append(time.perf_counter() - begun)
            report = await office.erasing.proved(report.id)
            if report.proof["full"]["traces"]:
                raise RuntimeError(f"traces were found: {report.proof}")
        size = office.locations.database.stat().st_size / 1e9
        print(
            Figure(
                "erase_one_message", statistics.median(seconds), "s", 1.5, 0.3,
                f"slowest {max(seconds):.2f}, database {1000 * size:.0f} MB",
            ).line()
        )  # fmt: skip
        begun = time.perf_counter()
        await office.erasing.deepen()
        spent = time.perf_counter() - begun
        print(Figure("deep_erase_per_gb", spent / size, "s", 30, 12, f"{spent:.1f} s in all").line())
    finally:
        await office.close()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(measure(Path(name)))


if __name__ == "__main__":
    main()
