"""Searching: by words alone before the process is warm, by meaning afterwards, and never what is hidden."""

import asyncio
import os
import signal

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from memory.database import Database
from memory.readers.document import Place
from memory.readers.passages import Passage
from memory.recall import client
from memory.recall.fusion import Weights
from memory.recall.search import Recall, within_budget
from memory.tables import ConversationTable, EmbeddingTable, MessageTable, PassageTable
from tests.memory.recall.conftest import warm
from tests.memory.recall.writing import Writer


def fill(writer: Writer) -> str:
    """Write a small conversation; return the id of the message about the allergy."""
    writer.say("Ann", "Good morning! Did you sleep well?")
    allergy = writer.say("Ben", "I cannot eat peanuts, they make my throat swell.")
    writer.say("Ann", "The train to Lisbon leaves at nine from platform four.")
    writer.say("Ben", "My sister plays the cello in an orchestra.")
    writer.say("Ann", "I painted the kitchen yellow last weekend.")
    return allergy


async def test_words_answer_before_the_process_is_started(recall: Recall, writer: Writer) -> None:
    allergy = fill(writer)
    result = await recall.search("peanuts")
    assert result.hits[0].source_id == allergy
    assert result.legs == ("lexical",)
    assert result.home == "none"
    assert recall.condition.state == "cold"
    assert result.hits[0].before == "Ann: Good morning! Did you sleep well?"
    assert result.hits[0].after.startswith("Ann: The train to Lisbon")


async def test_meaning_answers_when_warm(recall: Recall, writer: Writer) -> None:
    allergy = fill(writer)
    await warm(recall)
    explained = await recall.why("Which food is dangerous for him?")
    first = explained["hits"][0]
    assert first["source"] == {"kind": "message", "id": allergy, "conversation": writer.conversation}
    assert first["legs"]["dense_text"] > 0.25
    assert first["legs"]["lexical_text"] == 0
    assert explained["legs"] == ["lexical", "dense"]
    assert explained["home"] == "sealed"
    assert explained["state"] == "warm"
    assert explained["cutoff"]["limit"] == 10


async def test_a_caller_may_weigh_words_and_meaning_otherwise(recall: Recall, writer: Writer) -> None:
    allergy = fill(writer)
    await warm(recall)
    asked = "Which platform of food is dangerous for him?"
    by_words = await recall.search(asked, weights=Weights(lexical=1.0, dense=0.0, feedback=0.0))
    by_meaning = await recall.search(asked, weights=Weights(lexical=0.0, dense=1.0, feedback=0.0))
    assert by_words.hits[0].text.startswith("The train to Lisbon")
    assert by_meaning.hits[0].source_id == allergy


async def test_a_killed_process_leaves_words_and_comes_back(recall: Recall, writer: Writer) -> None:
    allergy = fill(writer)
    await warm(recall)
    killed = recall.condition.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    result = await recall.search("peanuts")
    assert result.hits[0].source_id == allergy
    await warm(recall)
    assert recall.condition.pid not in (None, killed)
    again = await recall.search("Which food is dangerous for him?")
    assert again.hits[0].source_id == allergy
    assert again.legs == ("lexical", "dense")


async def test_what_was_just_attached_is_compared_by_meaning(
    recall: Recall, writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(writer)
    await warm(recall)
    monkeypatch.setattr(recall._keeper, "_embed", _never)
    sentences = (
        "The valve closes at noon.",
        "A valve of brass.",
        "If the valve leaks, water drips on the floor.",
    )
    manual = writer.attach(
        "valve.pdf",
        [Passage(number, Place(page=number + 1), "", text) for number, text in enumerate(sentences)],
    )
    found = await recall.search("What happens when the valve is not tight?", attachment_ids=[manual])
    assert found.legs == ("lexical", "dense")
    assert found.hits[0].place == {"page": 3}
    assert all(hit.legs["dense_text"] for hit in found.hits)

    def embedded(session: Session) -> int:
        return session.query(EmbeddingTable).count()

    assert await database.read(embedded) == 10, "the background had its turn"


async def _never(some: list[object]) -> None:
    """Stands for a background that has much else to embed first."""


async def test_a_hanging_process_is_not_waited_for(
    recall: Recall, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.recall.search._PATIENCE_SECONDS", 0.3)
    monkeypatch.setitem(client._ANSWER_SECONDS, "search", 1.0)
    allergy = fill(writer)
    await warm(recall)
    hanging = recall.condition.pid
    assert hanging is not None
    os.kill(hanging, signal.SIGSTOP)
    result = await recall.search("peanuts")
    assert result.hits[0].source_id == allergy
    assert result.legs == ("lexical",)
    await asyncio.to_thread(psutil.Process(hanging).wait, 10)
    await warm(recall)
    assert (await recall.search("Which food is dangerous for him?")).hits[0].source_id == allergy


async def test_rebuilding_tells_its_progress(
    recall: Recall, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may need longer than a search waits for its vectors; this is about the index, not the wait.
    monkeypatch.setattr("memory.recall.search._PATIENCE_SECONDS", 60.0)
    allergy = fill(writer)
    await warm(recall)
    before = recall.condition.pid
    steps: list[tuple[int, int]] = []
    await recall.rebuild(lambda done, whole: steps.append((done, whole)))
    assert steps == [(10, 10)]
    assert recall.condition.pid not in (None, before)
    assert recall.condition.added == 10
    assert (await recall.search("peanuts")).hits[0].source_id == allergy
    assert (await recall.search("Which food is dangerous for him?")).home == "sealed"


async def test_numbers_given_again_get_vectors_of_their_own(
    recall: Recall, writer: Writer, database: Database
) -> None:
    fill(writer)
    last = writer.say("Ben", "The cat sleeps all day.")
    await warm(recall)

    def erase(session: Session) -> None:
        session.delete(session.get_one(MessageTable, last))

    await database.write(erase)
    again = writer.say("Ben", "Otters swim on their backs.")
    await recall.settled()
    found = await recall.search("Which animals float in water?")
    assert found.hits[0].source_id == again
    assert found.hits[0].legs["dense_text"] > 0.25


async def test_what_is_hidden_is_not_found(recall: Recall, writer: Writer, database: Database) -> None:
    trashed = writer.converse(trashed_at=1)
    restricted = writer.converse(restricted=True)
    writer.say("Ann", "The password hint is walrus.", trashed)
    writer.say("Ann", "The walrus sleeps at noon.", restricted)
    writer.say("Ann", "A walrus was seen here, too.", restricted=True)
    writer.note("The walrus is called Otto.", restricted=True)
    writer.note("The walrus was called Paul.", valid_to=2)
    writer.note("Perhaps the walrus is ill.", state="proposed")
    shown = writer.say("Ann", "This walrus may be shown.")
    await warm(recall)
    result = await recall.search("walrus")
    assert [hit.source_id for hit in result.hits] == [shown]

    def restore(session: Session) -> None:
        conversation = session.get_one(ConversationTable, trashed)
        conversation.trashed_at = None

    await database.write(restore)
    assert len((await recall.search("walrus")).hits) == 2


async def test_notes_of_others_stay_with_them(recall: Recall, writer: Writer) -> None:
    everybody = writer.note("The printer is on the second floor.")
    hers = writer.note("The printer jams on thick paper.", scope="agent", scope_id="a1")
    assert {hit.source_id for hit in (await recall.search("printer")).hits} == {everybody}
    asked = await recall.search("printer", scopes=["a1"])
    assert {hit.source_id for hit in asked.hits} == {everybody, hers}


async def test_filters_keep_to_files_conversations_and_kinds(recall: Recall, writer: Writer) -> None:
    other = writer.converse()
    here = writer.say("Ann", "The boiler needs a new valve.")
    there = writer.say("Ann", "The valve of the boiler was replaced.", other)
    manual = writer.attach(
        "boiler.pdf",
        [
            Passage(0, Place(page=1), "Safety", "Never open the cover while the boiler is hot."),
            Passage(1, Place(page=7), "Spare parts", "The valve has the part number 4711."),
        ],
    )
    await warm(recall)
    found = await recall.search("valve of the boiler", attachment_ids=[manual])
    first = found.hits[0]
    assert (first.source_id, first.place, first.heading) == (manual, {"page": 7}, "Spare parts")
    assert {hit.source_kind for hit in found.hits} == {"attachment"}
    assert found.hits[0].before == "Never open the cover while the boiler is hot."
    elsewhere = await recall.search("valve", conversation_ids=[other])
    assert [hit.source_id for hit in elsewhere.hits] == [there]
    spoken = await recall.search("valve", kinds=["message"], exclude_conversation_id=other)
    assert [hit.source_id for hit in spoken.hits] == [here]
    assert not (await recall.search("valve", kinds=["message"], exclude_message_ids=[here, there])).hits


async def test_a_talkative_conversation_left_out_hides_nothing(recall: Recall, writer: Writer) -> None:
    talkative = writer.converse()
    expected = writer.say("Ann", "The lighthouse keeper collects stamps.")
    note = writer.note("The lighthouse is closed on Mondays.", scope="conversation", scope_id=talkative)
    for number in range(200):
        writer.say("Ben", f"Lighthouse keeper, lighthouse stamps, number {number}.", talkative)
    query = "Which stamps does the lighthouse keeper collect?"
    found = await recall.search(query, exclude_conversation_id=talkative, scopes=[talkative])
    assert {hit.source_id for hit in found.hits} == {expected, note}


async def test_removal_takes_text_vectors_and_index(
    recall: Recall, writer: Writer, database: Database
) -> None:
    allergy = fill(writer)
    await warm(recall)

    def erase(session: Session) -> None:
        session.delete(session.get_one(MessageTable, allergy))

    def left(session: Session) -> tuple[int, int]:
        passages = session.query(PassageTable).filter_by(source_id=allergy).count()
        return passages, session.query(EmbeddingTable).count()

    def words(session: Session) -> list[int]:
        rows = session.execute(text("SELECT rowid FROM passage_context WHERE passage_context MATCH 'swell'"))
        return [row[0] for row in rows]

    assert len(await database.read(words)) == 2, "the message and the turn after it, as its context"
    await database.write(erase)
    assert await database.read(left) == (0, 8)
    assert len(await database.read(words)) == 1
    assert not any(hit.source_id == allergy for hit in (await recall.search("Which food hurts him?")).hits)


async def test_names_and_possessives_choose_the_speaker(recall: Recall, writer: Writer) -> None:
    anns = writer.say("Ann", "Hiking in the hills is what I do on Sundays.")
    bens = writer.say("Ben", "Hiking in the hills? I stay at home on Sundays.")
    for query, expected in (("What are Ann's Sundays like in the hills?", anns), ("Ben and hiking", bens)):
        result = await recall.search(query)
        assert result.hits[0].source_id == expected
        assert result.hits[0].legs["speaker"] == 1.0


async def test_scripts_without_spaces_are_found(recall: Recall, writer: Writer) -> None:
    tokyo = writer.say("Ann", "来週は東京都の美術館に行きます。")
    writer.say("Ann", "昨日は家で本を読みました。")
    for query in ("東京都", "美術"):
        assert [hit.source_id for hit in (await recall.search(query)).hits] == [tokyo]


async def test_odd_questions_are_harmless(recall: Recall, writer: Writer) -> None:
    fill(writer)
    for query in (
        "",
        "   ",
        '"',
        "NEAR(",
        "the of and",
        "a AND b OR (",
        "🦉",
        "x" * 5000,
        "'; DROP TABLE passage",
    ):
        assert (await recall.search(query)).hits is not None
    assert (await recall.search("peanuts")).hits


async def test_a_budget_keeps_the_best(recall: Recall, writer: Writer) -> None:
    for number in range(12):
        writer.say("Ann", f"Report {number} about turbines: " + f"section{number} " * 30)
    hits = (await recall.search("turbines", limit=12)).hits
    kept = within_budget(hits, 600)
    assert 0 < len(kept) < len(hits)
    assert kept == hits[: len(kept)]
