"""The committed questions. README.md tells how each set was made, and how often it was looked at.

``development`` was tuned on, ``held_out`` looked at while tuning. ``third`` is harder than asked for: BM25 alone
finds 7 % of it first; no weight of the ranking was chosen on it. ``near`` holds unanswered questions only: what
tells an answer from none was chosen on it and on these three. ``judging`` was asked before and after that, and a
fault was seen in its answers. ``deciding`` was written by somebody who knew which questions fail. The sets of three
writers who knew nothing but the pages, counted together, decide whether the librarian is good enough.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

ROLES = {
    "development": "weights were tuned on it",
    "held_out": "looked at while weights were chosen",
    "third": "harder than asked for",
    "near": "nothing in it is answered",
    "judging": "asked three times",
    "deciding": "asked twice",
    "writer_one": "decides with two others",
    "writer_two": "decides with two others",
    "writer_three": "decides with two others",
}
DECIDING = ("writer_one", "writer_two", "writer_three")
SETS = tuple(ROLES)
DOCUMENTS = Path(sys.prefix) / "peers" / "documents"
"""Where the set-up puts the documentation of Debian packages; none of it is committed."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a file; ``pages`` hold the answer, by position in the file from 1; none: no answer."""

    text: str
    file: str
    pages: tuple[int, ...]


def questions(name: str) -> list[Question]:
    """Return a set: the answered questions first, then those that the documents do not answer."""
    stored = json.loads((Path(__file__).parent / f"{name}.json").read_text("utf-8"))
    answered = [Question(one["question"], one["file"], tuple(one["pages"])) for one in stored["answered"]]
    return answered + [Question(one["question"], one["file"], ()) for one in stored["unanswered"]]
