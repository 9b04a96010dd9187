"""Evidence recall on LoCoMo, every turn indexed as the office indexes it.

``python -m tests.bench.locomo_bench PATH`` prints recall at 5, 10 and 20 of the office's search, and in the same
run what BM25 alone and the embedder alone find. The file is the reader's own.

Weights may have been chosen on conversations like these. So for each conversation they are chosen anew, from a
grid, by the questions of the other conversations alone, and ``left out`` is what its search finds with those.
"""

import asyncio
import itertools
import json
import os
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from rank_bm25 import BM25Okapi

from memory.database import Database
from memory.locations import Locations
from memory.recall.fusion import SHIPPED, Weights
from memory.recall.hits import Hit
from memory.recall.search import Recall
from tests.memory.recall.conftest import OFFICE, prepare
from tests.memory.recall.writing import Writer

DEPTHS = (5, 10, 20)
MUST, AIM = 0.74, 0.78
LEGS = ("lexical", "dense", "speaker", "session", "feedback")
GRID = tuple(
    Weights(lexical=words, dense=1 - words, speaker=speaker, session=session, feedback=feedback)
    for words, speaker, session, feedback in itertools.product(
        (0.35, 0.4, 0.45, 0.5, 0.55, 0.6),
        (0.0, 0.1, 0.2, 0.3),
        (0.0, 0.1, 0.15, 0.2, 0.3),
        (0.0, 0.1, 0.15, 0.2, 0.3),
    )
)
_WEIGHED = 150
"""Hits per question whose order the grid changes."""
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_ADVERSARIAL = 5
_TURN = 30_000
"""Milliseconds between the turns of a session, of which LoCoMo gives only the beginning."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its category and the turns that answer it, as ``session:turn``."""

    text: str
    category: int
    evidence: frozenset[str]


Ranking = Sequence[str]
Score = tuple[float, float, float]


def turns_of(sample: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    """Return name, speaker, text and time of every turn; a shared picture counts by its caption."""
    talk = sample["conversation"]
    turns = []
    sessions = sorted(
        (key for key in talk if re.fullmatch(r"session_\d+", key)), key=lambda key: int(key.split("_")[1])
    )
    for session in sessions:
        begun = datetime.strptime(talk[f"{session}_date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for position, turn in enumerate(talk[session]):
            caption = f" [{turn['blip_caption']}]" if turn.get("blip_caption") else ""
            at = int(begun.timestamp() * 1000) + position * _TURN
            turns.append((_name(turn["dia_id"]), turn["speaker"], turn["text"] + caption, at))
    return turns


def questions_of(sample: dict[str, Any], known: set[str]) -> list[Question]:
    """Return the questions of categories 1 to 4 that name evidence in this conversation."""
    questions = []
    for row in sample["qa"]:
        evidence = {f"{int(a)}:{int(b)}" for entry in row["evidence"] for a, b in _EVIDENCE.findall(entry)}
        if row["category"] != _ADVERSARIAL and evidence & known:
            questions.append(Question(row["question"], row["category"], frozenset(evidence & known)))
    return questions


class Conversation:
    """One conversation, indexed in an office of its own."""

    def __init__(self, sample: dict[str, Any], folder: Path) -> None:
        locations = Locations(folder)
        locations.create()
        self.name: str = sample["sample_id"]
        self._database = Database.open(locations.database, os.urandom(32))
        self._database.write_now(prepare)
        self._recall = Recall(self._database, locations, OFFICE)
        self._turns = turns_of(sample)
        writer = Writer(self._database)
        self._names = {writer.say(speaker, text, at=at): name for name, speaker, text, at in self._turns}
        self.questions = questions_of(sample, set(self._names.values()))

    async def __aenter__(self) -> Self:
        await self._recall.start()
        await self._recall.settled()
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self._recall.close()
        self._database.close()

    async def search(self, weights: Weights) -> list[Score]:
        """Return the recall of every question as the office searches, with these weights."""
        scores = []
        for question in self.questions:
            hits = await self._hits(question, DEPTHS[-1], weights)
            ranking = list(dict.fromkeys(self._names[hit.source_id] for hit in hits))
            scores.append(_recall(ranking, question))
        return scores

    async def alone(self) -> dict[str, list[Score]]:
        """Return the recall of every question by BM25 alone and by the embedder alone."""
        ways = await _baselines(self._recall, self._turns)
        return {
            method: [_recall(await rank(question.text), question) for question in self.questions]
            for method, rank in ways.items()
        }

    async def worth(self) -> npt.NDArray[np.float64]:
        """Return, for each weighing of the grid, the sum over the questions of recall at 10.

        The likeness to the best hits stays that of the shipped weights.
        """
        grid = np.array([[getattr(weights, leg) for leg in LEGS] for weights in GRID])
        worth = np.zeros(len(GRID))
        for question in self.questions:
            hits = await self._hits(question, _WEIGHED, SHIPPED)
            legs = np.array([[hit.legs.get(leg, 0.0) for leg in LEGS] for hit in hits])
            right = np.array([self._names[hit.source_id] in question.evidence for hit in hits])
            first = np.argsort(-(grid @ legs.T), axis=1, kind="stable")[:, : DEPTHS[1]]
            worth += right[first].sum(axis=1) / len(question.evidence)
        return worth

    async def _hits(self, question: Question, limit: int, weights: Weights) -> tuple[Hit, ...]:
        found = await self._recall.search(question.text, limit=limit, now=self._turns[-1][3], weights=weights)
        if found.legs != ("lexical", "dense") or found.home == "none":
            raise RuntimeError("the index did not answer: the figure would not be the office's")
        return found.hits


async def left_out(conversations: Sequence[Conversation]) -> list[Score]:
    """Return the recall of every question with the weights that are best on the other conversations."""
    worth = [await one.worth() for one in conversations]
    scores: list[Score] = []
    for one, own in zip(conversations, worth, strict=True):
        best = GRID[int(np.argmax(sum(worth) - own))]
        scores += (mine := await one.search(best))
        chosen = ", ".join(f"{leg} {getattr(best, leg):.2f}" for leg in LEGS)
        print(f"  {one.name}, left out: {_told(mine)} with {chosen}", flush=True)
    return scores


def _told(scores: Sequence[Score]) -> str:
    return f"recall@10 = {np.mean(scores, axis=0)[1]:.3f} of {len(scores)} questions"


async def _baselines(
    recall: Recall, turns: list[tuple[str, str, str, int]]
) -> dict[str, Callable[[str], Any]]:
    """BM25 over the plain words, and the nearest vectors of the plain texts."""
    words = BM25Okapi(
        [re.findall(r"\w+", f"{speaker} {text}".lower()) for _name, speaker, text, _at in turns]
    )
    process = recall.keeper.process  # the embedder that the office uses, asked directly
    width = process.dimensions
    body = await process.embed([f"{speaker}: {text}" for _name, speaker, text, _at in turns])
    vectors = np.frombuffer(body, np.float32).reshape(-1, width)
    names = [turn[0] for turn in turns]

    async def by_words(question: str) -> Ranking:
        order = np.argsort(-words.get_scores(re.findall(r"\w+", question.lower())), kind="stable")
        return [names[position] for position in order[: DEPTHS[-1]]]

    async def by_meaning(question: str) -> Ranking:
        asked = np.frombuffer(await process.embed([question]), np.float32)
        return [names[position] for position in np.argsort(-(vectors @ asked))[: DEPTHS[-1]]]

    return {"BM25 alone": by_words, "embedder alone": by_meaning}


def _recall(ranking: Ranking, question: Question) -> Score:
    at = [len(question.evidence & set(ranking[:depth])) / len(question.evidence) for depth in DEPTHS]
    return at[0], at[1], at[2]


def _name(identifier: str) -> str:
    found = _EVIDENCE.match(identifier)
    if found is None:
        raise ValueError(f"{identifier} names no turn")
    return f"{int(found[1])}:{int(found[2])}"


async def main(path: Path) -> None:
    """Measure every conversation of the file and print the means over all questions."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            conversations = [
                await stack.enter_async_context(Conversation(sample, Path(folder) / str(number)))
                for number, sample in enumerate(json.loads(path.read_text()))
            ]
            scores: dict[str, list[Score]] = defaultdict(list)
            for one in conversations:
                office = await one.search(SHIPPED)
                print(f"  {one.name}: {_told(office)}", flush=True)
                scores["office"] += office
                for method, found in (await one.alone()).items():
                    scores[method] += found
            _by_category(conversations, scores["office"])
            if len(conversations) > 1:
                scores["left out"] = await left_out(conversations)
    means = {method: np.mean(found, axis=0) for method, found in scores.items()}
    for position, depth in enumerate(DEPTHS):
        goal = f"must {MUST}, aim {AIM}, " if depth == 10 else ""
        others = ", ".join(f"{method} {means[method][position]:.3f}" for method in means if "alone" in method)
        print(f"recall@{depth} = {means['office'][position]:.3f} ({goal}baseline {others})")
        if "left out" in means:
            print(
                f"recall@{depth}_left_out = {means['left out'][position]:.3f} ({goal}weights of the others)"
            )
    if min(means["office"][1], means.get("left out", means["office"])[1]) < MUST:
        sys.exit(f"recall@10 is below {MUST}")


def _by_category(conversations: Sequence[Conversation], scores: Sequence[Score]) -> None:
    asked = [question for one in conversations for question in one.questions]
    for category, name in ((1, "multi-hop"), (2, "temporal"), (3, "open-domain"), (4, "single-hop")):
        chosen = [
            score for question, score in zip(asked, scores, strict=True) if question.category == category
        ]
        if chosen:
            print(f"  {name}: {_told(chosen)}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the file: make bench-recall LOCOMO=PATH")
    asyncio.run(main(Path(sys.argv[1])))
