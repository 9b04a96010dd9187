"""What came from elsewhere and was not taken is told in words, by the command and on the page."""

import asyncio
from collections.abc import Collection

import pytest
from sqlalchemy import text

from agents.commands import syncing as commands
from agents.commands.serving import Served
from agents.sync_refusals import refusal_words
from desktop.pages.sync.words import remarks
from memory.sync.account import STRANGER
from memory.sync.admission import REVOKED
from memory.sync.comparing import WITHHELD
from memory.sync.outbox import Waiting
from memory.sync.removals import ERASED_AGAIN, OLDER_AGAIN
from memory.sync.taking import Round
from tests.agents.test_sync_service import Offices, found, hosted, join, texts
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ([], []),
        ([("a", "sig"), ("a", "sig"), ("b", "kc"), ("c", "padding: length")], ["3 items are damaged"]),
        ([("a", REVOKED), ("b", STRANGER)], ["2 items were not taken, for a device wrote them"]),
        ([("a", ERASED_AGAIN), ("7f…", WITHHELD)], ["1 item came again", "In 1 place the service"]),
        ([("a", OLDER_AGAIN), ("b", "sig")], ["1 item came again", "1 item is damaged"]),
    ],
)
def test_each_way_is_one_sentence(refused: Collection[tuple[str, str]], said: list[str]) -> None:
    words = refusal_words(refused)
    assert len(words) == len(said)
    assert all(sentence.startswith(begins) for sentence, begins in zip(words, said, strict=True))
    waiting = Waiting(*[0] * len(Waiting.__dataclass_fields__))
    assert remarks(waiting, Round(refused=list(refused))) == words


async def test_what_was_changed_at_the_service_is_told_and_what_is_here_stays(
    offices: Offices, hosted: Running
) -> None:
    one, other = await offices("one"), await offices("other")
    key = await found(one, hosted)
    await join(other, hosted, key)
    await one.notes.add("the first word")
    await one.syncing.now()
    await other.syncing.now()
    await one.notes.add("the second word")
    await one.syncing.now()

    async def tamper() -> None:
        async with hosted.service.stores.records.write() as connection:
            newest = "(SELECT max(seq) FROM records)"
            await connection.execute(text(f"UPDATE records SET sig = zeroblob(64) WHERE seq = {newest}"))

    await asyncio.to_thread(hosted.run, tamper())
    told = await commands.now(
        Served(other), {"confirmed": None, "missing": None, "keep": False, "generation": ""}
    )
    assert [each[:17] for each in told["not trusted"]] == ["1 item is damaged"]
    assert [each.partition(": ")[2] for each in told["refused"]] == ["sig"]
    assert await texts(other) == ["the first word"]
