"""Offices of a chosen size, written as the office writes them, only faster."""

from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from agents.office import Office
from memory import chats
from memory.identifiers import new_id, now
from memory.locations import Locations
from memory.tables import ConversationTable, MessageTable
from tests.bench.corpus import Corpus
from tests.bench.processes import PASSPHRASE
from vault.secret import Secret

ANSWER = (
    "Along the eastern quay the mean depth at low water was **6.4 m**, with one shoal of 5.1 m near the crane.\n\n"
    "| station | depth | page |\n|---|---|---|\n| East 1 | 6.7 | 12 |\n| East 2 | 6.4 | 12 |\n\n"
    "Two notes from last week agree; the third was taken at high water and does not count."
)


async def with_long_chat(home: Path, messages: int) -> str:
    """Make an office with one chat of that many messages and return the conversation's id."""
    office = await Office.open(Locations.find(home), passphrase=Secret(PASSPHRASE))
    try:
        return await office.database.write(_long_chat, messages)
    finally:
        await office.close()


async def empty(home: Path) -> None:
    """Make an office with nothing in it."""
    office = await Office.open(Locations.find(home), passphrase=Secret(PASSPHRASE))
    await office.close()


def _long_chat(session: Session, messages: int) -> str:
    conversation = chats.create_conversation(session, title="The long one")
    begun = now() - messages * 60_000
    rows = []
    parent = None
    for number in range(messages):
        identity = new_id()
        answered = number % 2 == 1
        rows.append(
            {
                "id": identity,
                "conversation_id": conversation.id,
                "parent_id": parent,
                "batch_id": new_id(),
                "ordinal": number + 1,
                "position": 0,
                "role": "agent" if answered else "owner",
                "agent_name": "Researcher" if answered else "",
                "model": "claude-sonnet-5" if answered else "",
                "run_id": new_id() if answered else None,
                "text": ANSWER if answered else f"And what does sheet {number} say of the depth at the quay?",
                "thinking": "",
                "citations": [],
                "attachment_ids": [],
                "state": "complete",
                "created_at": begun + number * 60_000,
                "restricted": False,
            }
        )
        parent = identity
    session.execute(insert(MessageTable), rows)
    row = session.get_one(ConversationTable, conversation.id)
    row.active_leaf_id = parent
    return conversation.id


async def with_passages(home: Path, passages: int) -> None:
    """Make an office whose recall holds that many passages, with vectors but no index yet."""
    office = await Office.open(Locations.find(home), passphrase=Secret(PASSPHRASE))
    try:
        corpus = Corpus()
        for first in range(1, passages + 1, 1_000):
            await office.database.write(corpus.grow, first, min(1_000, passages + 1 - first))
    finally:
        await office.close()
