"""Cutting texts into passages, and the embedder that reads all of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.recall.embedder import Embedder
from memory.recall.embedder_identity import DIMENSIONS
from memory.recall.indexing import LONGEST, pieces, spoken_date

WORDS = st.lists(st.text("abcdefgh.!?", min_size=1, max_size=40), min_size=1, max_size=400)


@settings(max_examples=60, deadline=None)
@given(WORDS, st.sampled_from([" ", "\n", "\n\n"]))
def test_pieces_lose_no_word(words: list[str], gap: str) -> None:
    text = gap.join(words)
    found = list(pieces(text))
    assert all(0 < len(piece) <= LONGEST for piece in found)
    assert "".join("".join(found).split()) == "".join(words)


def test_pieces_break_between_paragraphs_before_words() -> None:
    first, second = "First sentence. " * 40, "Second paragraph. " * 40
    assert next(pieces(f"{first.strip()}\n\n{second.strip()}")) == first.strip()
    assert len(list(pieces("x" * 2500))) == 3
    assert list(pieces("  \n ")) == []


def test_dates_are_words() -> None:
    assert spoken_date(1_683_554_160_000) == "Monday 8 May 2023"


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(1)


def test_like_meanings_are_near(embedder: Embedder) -> None:
    eating, meal, market = embedder.embed(["A man is eating.", "He has a meal.", "The stock market crashed."])
    assert eating @ meal > 0.5 > eating @ market
    assert eating.shape == (DIMENSIONS,)
    assert abs(float(eating @ eating) - 1) < 1e-5


def test_nothing_of_a_long_text_is_cut(embedder: Embedder) -> None:
    filler = "The weather was mild and the road was dry that day. " * 60
    plain, ending, needle = embedder.embed(
        [filler, filler + "Penicillin kills bacteria. " * 20, "antibiotics"]
    )
    assert needle @ ending > needle @ plain + 0.05


def test_a_batch_says_the_same_as_one_by_one(embedder: Embedder) -> None:
    texts = ["Short.", "A somewhat longer sentence about rivers and boats.", "word " * 700, ""]
    together = embedder.embed(texts)
    for text, row in zip(texts, together, strict=True):
        assert float(embedder.embed([text])[0] @ row) > 0.999
