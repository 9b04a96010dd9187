"""Weighing: from what is known of a passage to its score as an answer, and to whether there is an answer at all.

The weights were chosen on two question sets of ``tests/evaluation/librarian``, in the middle of a range where
they change little, so its set ``judging`` must judge them. On the development questions sentence and whole together
came to 0.73 and more (most above 0.9) where the documents answer the question, and to 0.66 and less where they do
not; that threshold was not moved for the held-out ones.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WHOLE = 0.8
WORDS = 0.08
MEANING = 0.05
NAVIGATING = 0.4
ENOUGH = 0.75
"""Closeness from which an answer is as likely as none."""
STEEPNESS = 20.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one passage: the legs of the search; the closeness of the whole and of its best sentence.

    ``whole`` is None while nothing can be compared, ``sentence`` also where the passage was not among the best.
    """

    legs: Mapping[str, float]
    whole: float | None
    sentence: float | None


def weigh(one: Evidence) -> float:
    """Return the score of a passage; the higher, the better it answers. Those read by sentence come first."""
    return (
        (one.sentence + 1.0 if one.sentence is not None else 0.0)
        + WHOLE * (one.whole or 0.0)
        + WORDS * one.legs["lexical"]
        + MEANING * one.legs.get("dense", 0.0)
        - NAVIGATING * one.legs.get("navigation", 0.0)
    )


def certainty(evidence: Sequence[Evidence]) -> float:
    """Return how sure it is, from 0 to 1, that one of the passages answers the question.

    Without closeness it is the share of the question's words, by weight, that one passage holds.
    """
    if all(one.whole is None for one in evidence):
        return max((one.legs["coverage"] for one in evidence), default=0.0)
    close = max(one.whole or 0.0 for one in evidence) + max(one.sentence or 0.0 for one in evidence)
    return 1 / (1 + math.exp(-STEEPNESS * (close - ENOUGH)))
