"""Weighing: from what is known of a passage to its score as an answer, and to whether there is an answer at all.

The weights were chosen on two question sets of ``tests/evaluation/librarian``, in the middle of a range where
they change little, so sets that nobody tuned on must judge them. What tells an answer from none was chosen on those
sets, on ``third`` and on ``near``, whose questions ask what the documents could well treat and do not: of 62 answers
that were among the first three none got lost, 15 of the 20 questions of ``near`` and 29 of 30 others were not found.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WHOLE = 0.8
WORDS = 0.08
MEANING = 0.05
NAVIGATING = 0.4
ENOUGH, STEEPNESS = 0.75, 20.0
"""Closeness from which an answer is as likely as none, and how soon it is surer."""
FAMILIAR, FAMILIAR_ENOUGH, FAMILIAR_STEEPNESS = 2.0, 2.05, 10.0
"""The same for closeness and familiarity together."""
MANY = 32
"""Passages that should know the words of a question if they answer it; the fewer there are, the less it tells."""

_WORD = re.compile(r"\w+")


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


def familiarity(
    question: str,
    pieces: Sequence[tuple[int, int]],
    nearest: Sequence[Sequence[float]],
    rarity: Mapping[str, float],
) -> float:
    """Return how well the passages know the words of the question, from -1 to 1: the rarer, the more a word counts.

    A passage comes close to a question by all that surrounds its subject. Where the subject itself is never
    spoken of, under whatever name, nothing answers. ``pieces`` are slices of the question; ``nearest`` holds for
    each passage how close it comes to each of them. Words that ``rarity`` does not weigh count only where it
    weighs none.
    """
    known = total = 0.0
    for word in _WORD.finditer(question):
        within = [
            number for number, (start, end) in enumerate(pieces) if start < word.end() and end > word.start()
        ]
        weight = rarity.get(word.group().lower(), 0.0) if rarity else 1.0
        if within and nearest:
            # In one passage: pieces of a foreign word are found everywhere, but not together.
            known += weight * max(sum(row[number] for number in within) / len(within) for row in nearest)
            total += weight
    return known / total if total else 0.0


def certainty(evidence: Sequence[Evidence], familiar: float) -> float:
    """Return how sure it is, from 0 to 1, that one of the passages answers the question.

    ``familiar`` is what :func:`familiarity` says of them. Without closeness it is the share of the question's
    words, by weight, that one passage holds.
    """
    if all(one.whole is None for one in evidence):
        return max((one.legs["coverage"] for one in evidence), default=0.0)
    close = max(one.whole or 0.0 for one in evidence) + max(one.sentence or 0.0 for one in evidence)
    known = FAMILIAR_STEEPNESS * (close + FAMILIAR * familiar - FAMILIAR_ENOUGH)
    share = min(1.0, len(evidence) / MANY)
    return 1 / (1 + math.exp(-(1 - share) * STEEPNESS * (close - ENOUGH) - share * known))
