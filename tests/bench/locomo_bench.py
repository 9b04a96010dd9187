"""Evidence recall on LoCoMo, every turn indexed as the office indexes it.

``python -m tests.bench.locomo_bench PATH`` prints recall at 5, 10 and 20 of the office's search, and in the same
run what BM25 alone and the embedder alone find. The file is the reader's own; nothing in Bureau was fitted to it.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rank_bm25 import BM25Okapi

from memory.database import Database
from memory.locations import Locations
from memory.recall.search import Recall
from tests.memory.recall.conftest import OFFICE, prepare
from tests.memory.recall.writing import Writer

DEPTHS = (5, 10, 20)
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


async def measure(sample: dict[str, Any], folder: Path) -> dict[str, list[tuple[int, Score]]]:
    """Index one conversation in an office of its own and return, per method, category and recall at DEPTHS."""
    locations = Locations(folder)
    locations.create()
    database = Database.open(locations.database, os.urandom(32))
    database.write_now(prepare)
    recall = Recall(database, locations, OFFICE)
    writer = Writer(database)
    turns = turns_of(sample)
    names = {writer.say(speaker, text, at=at): name for name, speaker, text, at in turns}
    await recall.start()
    await recall.settled()
    alone = await _baselines(database, recall, turns)
    results: dict[str, list[tuple[int, Score]]] = defaultdict(list)
    for question in questions_of(sample, {turn[0] for turn in turns}):
        found = await recall.search(question.text, limit=DEPTHS[-1], now=turns[-1][3])
        if found.legs != ("lexical", "dense") or found.home == "none":
            raise RuntimeError("the index did not answer: the figure would not be the office's")
        ranking = list(dict.fromkeys(names[hit.source_id] for hit in found.hits))
        results["office"].append((question.category, _recall(ranking, question)))
        for method, rank in alone.items():
            results[method].append((question.category, _recall(await rank(question.text), question)))
    await recall.close()
    database.close()
    return results


async def _baselines(
    database: Database, recall: Recall, turns: list[tuple[str, str, str, int]]
) -> dict[str, Callable[[str], Any]]:
    """BM25 over the plain words, and the nearest vectors of the plain texts."""
    words = BM25Okapi(
        [re.findall(r"\w+", f"{speaker} {text}".lower()) for _name, speaker, text, _at in turns]
    )
    process = recall._keeper.process  # the embedder that the office uses, asked directly
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
    whole: dict[str, list[tuple[int, Score]]] = defaultdict(list)
    for sample in json.loads(path.read_text()):
        with tempfile.TemporaryDirectory() as folder:
            for method, scores in (await measure(sample, Path(folder))).items():
                whole[method] += scores
                if method == "office":
                    mean = np.mean([score for _category, score in scores], axis=0)
                    print(f"  {sample['sample_id']}: recall@10 = {mean[1]:.3f} of {len(scores)} questions")
    means = {method: np.mean([score for _c, score in scores], axis=0) for method, scores in whole.items()}
    for category, name in ((1, "multi-hop"), (2, "temporal"), (3, "open-domain"), (4, "single-hop")):
        chosen = [score for kind, score in whole["office"] if kind == category]
        print(f"  {name}: recall@10 = {np.mean(chosen, axis=0)[1]:.3f} of {len(chosen)} questions")
    for position, depth in enumerate(DEPTHS):
        others = ", ".join(
            f"{method} {mean[position]:.3f}" for method, mean in means.items() if method != "office"
        )
        goal = "must 0.74, aim 0.78, " if depth == 10 else ""
        print(f"recall@{depth} = {means['office'][position]:.3f} ({goal}baseline {others})")
    if means["office"][1] < 0.74:
        sys.exit("recall@10 is below 0.74")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the file: make bench-recall LOCOMO=PATH")
    asyncio.run(main(Path(sys.argv[1])))
