"""The keeper's own work waits while somebody's question is answered."""

import asyncio
from collections.abc import Sequence

import pytest

from memory.recall.search import Recall
from tests.memory.recall.conftest import warm
from tests.memory.recall.writing import Writer


async def test_nothing_is_embedded_while_a_question_is_compared(
    recall: Recall, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.say("Ann", "The crane stands at the eastern quay.")
    await warm(recall)
    process, done = recall.keeper.process, asyncio.Event()
    happened: list[str] = []
    embed, closeness = process.embed, process.closeness

    async def slowly(question: str, texts: Sequence[str], matches: int) -> list[float]:
        answer = await closeness(question, texts, matches)
        await done.wait()
        happened.append("compared")
        return answer

    async def embedding(texts: Sequence[str]) -> bytes:
        happened.append("embedded")
        return await embed(texts)

    monkeypatch.setattr(process, "closeness", slowly)
    monkeypatch.setattr(process, "embed", embedding)
    comparing = asyncio.create_task(recall.keeper.closeness("Where is the crane?", ["At the quay."]))
    while recall.keeper._free.is_set():
        await asyncio.sleep(0)
    writer.say("Ann", "The tide gauge was repaired in May.")
    recall.wake()
    while not recall.keeper._busy.locked():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    done.set()
    assert await comparing is not None
    await recall.settled()
    assert happened == ["compared", "embedded"]
