"""``python -m tests.evaluation.librarian [--home DIR] [SET…]`` prints how often the librarian finds the page.

The exit status rests on the deciding sets, counted together. With ``--home`` the office stays, so that the next run
need not read and embed the documents again.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from agents.office import Office
from memory.locations import Locations
from tests.evaluation.librarian.measuring import (
    MUST_FIRST,
    MUST_NOT_FOUND,
    MUST_THREE,
    TOO_EASY,
    Score,
    measure,
)
from tests.evaluation.librarian.questions import DECIDING, DOCUMENTS, ROLES, SETS, questions

PASSPHRASE = "a passphrase for measuring only"


async def main() -> int:
    """Measure the named sets, or all; 1 where the librarian misses a must on the deciding ones together."""
    parser = argparse.ArgumentParser(prog="tests.evaluation.librarian")
    parser.add_argument("--home", type=Path)
    parser.add_argument("sets", nargs="*", default=SETS)
    given = parser.parse_args()
    if not DOCUMENTS.is_dir():
        parser.error(f"the documents are not in {DOCUMENTS}: run `make setup`")
    with tempfile.TemporaryDirectory() as folder:
        home = given.home or Path(folder)
        office = await Office.open(Locations.find(home), passphrase=PASSPHRASE)
        together: dict[str, Score] = {}
        try:
            for name in given.sets:
                for method, score in (await measure(office, questions(name))).items():
                    _tell(f"{name} ({ROLES[name]})", method, score)
                    if name in DECIDING:
                        together.setdefault(method, Score()).add(score)
        finally:
            await office.close()
    for method, score in together.items():
        _tell("what decides, together", method, score)
    return int(bool(together) and not _holds(together))


def _holds(scores: dict[str, Score]) -> bool:
    found = scores["librarian"]
    return (
        scores["BM25 alone"].within(1) <= TOO_EASY
        and found.within(1) >= MUST_FIRST
        and found.within(3) >= MUST_THREE
        and 100 * found.not_found >= MUST_NOT_FOUND * found.unanswered
    )


def _tell(name: str, method: str, score: Score) -> None:
    if not score.ranks:
        if score.unanswered:
            told = f"not found = {score.not_found} of {score.unanswered}"
            print(f"{name}, {method}: {told}", flush=True)
        return
    line = f"{name}, {method}: first = {score.within(1):.0f} %, first three = {score.within(3):.0f} %"
    if method == "librarian":
        line += f", not found = {score.not_found} of {score.unanswered}"
        line += (
            f" (must {MUST_FIRST:.0f} %, {MUST_THREE:.0f} %, {MUST_NOT_FOUND:.0f} %; aim 75 %, 90 %, 90 %)"
        )
    elif method == "BM25 alone":
        line += f" (a set is too easy above {TOO_EASY:.0f} % first)"
    print(line, flush=True)


sys.exit(asyncio.run(main()))
