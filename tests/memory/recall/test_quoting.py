"""Quoting: sentences as they stand, the closest first, and how sure it is that they answer."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.database import Database
from memory.readers.document import Place
from memory.readers.passages import Passage
from memory.recall.quoting import MANY, find_quotes, headings_without_vectors
from memory.recall.search import Recall
from memory.recall.telling import only_asks, sentences
from memory.recall.weighing import Evidence, certainty, familiarity
from tests.memory.recall.conftest import warm
from tests.memory.recall.writing import Writer

ANNEX = "The annex lists the addresses of all offices. "
GUIDE = "A vessel of more than eighty metres must take a pilot on board before it enters."


def manual(writer: Writer, berths: int = 0) -> str:
    """Attach a file of three pages, and one more per berth; the second says in its midst who needs a pilot."""
    return writer.attach(
        "harbour.pdf",
        [
            Passage(0, Place(page=3), "Fees", "The fee for a berth is due on the first of the month."),
            Passage(1, Place(page=7), "Entry", ANNEX * 4 + GUIDE + " " + ANNEX * 4),
            Passage(2, Place(page=9), "Waste", "Oil and paint go into the red containers behind the shed."),
            *(
                Passage(3 + number, Place(page=10 + number), f"Berth {number}", f"Berth {number} is deep.")
                for number in range(berths)
            ),
        ],
    )


async def test_the_sentence_that_answers_is_quoted_as_it_stands(recall: Recall, writer: Writer) -> None:
    file = manual(writer)
    await warm(recall)
    found = await find_quotes(recall, "Which ships need someone to guide them in?", attachment_ids=[file])
    first = found.quotes[0]
    assert first.hit.place == {"page": 7}
    assert first.text in first.hit.text
    assert GUIDE in first.text
    assert found.certainty > 0.5
    assert [quote.score for quote in found.quotes] == sorted((q.score for q in found.quotes), reverse=True)
    nothing = await find_quotes(recall, "Who painted the Mona Lisa?", attachment_ids=[file])
    assert nothing.certainty < 0.5


async def test_what_stands_under_a_close_heading_is_read_before_it_has_vectors(
    recall: Recall, writer: Writer, database: Database
) -> None:
    file = manual(writer, berths=MANY)
    waiting = await database.read(headings_without_vectors, [file])
    assert waiting[:3] == ["Fees", "Entry", "Waste"]
    assert len(waiting) > MANY  # so the vectors take no part, however many there are by now
    question = "What about rubbish?"
    assert not (await recall.search(question, attachment_ids=[file], words_only=True)).hits
    assert await recall.keeper.ready(60)
    found = await find_quotes(recall, question, headings=waiting, attachment_ids=[file])
    assert found.quotes[0].hit.place == {"page": 9}
    await recall.settled()
    assert await database.read(headings_without_vectors, [file]) == []


async def test_what_was_only_asked_is_no_answer(recall: Recall, writer: Writer) -> None:
    writer.say("Ann", "Where does the boat to Lisbon leave?")
    told = writer.say("Ben", "The boat to Lisbon leaves from pier four.")
    await warm(recall)
    found = await find_quotes(recall, "Where does the boat to Lisbon leave?")
    assert [quote.hit.source_id for quote in found.quotes] == [told]


async def test_what_is_told_beside_a_question_is_an_answer(recall: Recall, writer: Writer) -> None:
    told = writer.say("Ann", "The boat to Lisbon leaves from pier four. Shall we go?")
    writer.say("Ben", "Could you find out? Where does the boat to Lisbon leave?")
    await warm(recall)
    found = await find_quotes(recall, "Where does the boat to Lisbon leave?")
    assert [quote.hit.source_id for quote in found.quotes] == [told]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("What is the pantry password?", True),
        ("Hey Ann! What is the pantry password?", True),
        ("Find the pantry password", True),
        ("食品室の暗証番号は何ですか？", True),
        ("My pantry password is tulip. Remember?", False),
        ("The pantry password is tulip.", False),
        ("Hello there", False),
        ("", False),
    ],
)
def test_what_only_asks_is_told_from_what_says_something(text: str, asks: bool) -> None:
    assert only_asks(text) is asks


@given(st.text(alphabet="ab .!?\n。é", max_size=400))
def test_sentences_are_slices_in_order_and_hold_every_letter(text: str) -> None:
    found = sentences(text)
    assert all(first[1] <= second[0] for first, second in pairwise(found))
    kept = "".join(text[start:end] for start, end in found)
    for letter in "abé":
        assert kept.count(letter) == text.count(letter)


def test_without_closeness_the_words_decide() -> None:
    legs = {"lexical": 1.0, "coverage": 0.7}
    assert certainty([Evidence(legs, None, None)], 0.0) == 0.7
    assert certainty([], 0.0) == 0.0


def test_an_answer_is_sure_where_sentences_are_close() -> None:
    legs = {"lexical": 1.0, "coverage": 0.7}
    assert certainty([Evidence(legs, 0.6, 0.7)], 0.3) > 0.99
    assert certainty([Evidence(legs, 0.2, 0.2)], 0.8) < 0.01


def test_where_many_passages_are_close_one_must_know_the_words() -> None:
    legs = {"lexical": 1.0, "coverage": 0.7}
    many = [Evidence(legs, 0.5, 0.4)] * 32
    assert certainty(many, 0.4) < 0.1
    assert certainty(many, 0.7) > 0.9
    assert certainty(many[:4], 0.4) > 0.5


async def test_the_words_of_a_question_are_found_in_the_passages_that_speak_of_them(recall: Recall) -> None:
    await warm(recall)
    question = "Where is the crane?"
    close = await recall.keeper.closeness(question, ["The crane stands at the quay.", "Fees are due in May."])
    assert close is not None
    assert [question[start:end] for start, end in close.pieces] == ["Where", "is", "the", "crane", "?"]
    assert [len(row) for row in close.nearest] == [5, 5]
    speaks, silent = (familiarity(question, close.pieces, [row], {"crane": 1.0}) for row in close.nearest)
    assert speaks > silent + 0.3
    assert close.texts[0] > close.texts[1]


def test_words_count_by_their_rarity_and_stop_words_not_at_all() -> None:
    question = "Does the crane wait?"
    pieces = [(0, 4), (5, 8), (9, 12), (12, 14), (15, 19), (19, 20)]
    nearest = [[0.9, 0.9, 0.1, 0.3, 0.8, 0.9], [0.2, 0.2, 0.3, 0.0, 0.4, 0.2]]
    assert familiarity(question, pieces, nearest, {"crane": 3.0, "wait": 1.0}) == pytest.approx(0.35)
    assert familiarity(question, pieces, nearest, {}) == pytest.approx(2.8 / 4)
    assert familiarity(question, pieces, [], {"crane": 3.0}) == 0.0
