"""What an erasure would take along, counted before its owner decides."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from memory.errors import Refused
from memory.lifecycle.subjects import RECORDS, Subject, drawn_from, extent, refuse_held


@dataclass(frozen=True, slots=True)
class Outline:
    """How many records of each type of an export go, and how many notes drawn from them would stay.

    ``held`` is the sentence of a hold that keeps something of it, empty where there is none.
    """

    counts: dict[str, int]
    derived_notes: int
    held: str


def outline(session: Session, subjects: Sequence[Subject]) -> Outline:
    """Return what erasing these subjects would take along. Raises NotFound."""
    found = extent(session, subjects, derived_notes=False)
    counts = {RECORDS[kind]: len(ids) for kind, ids in found.by_kind().items() if ids}
    if found.runs:
        counts["runs"] = len(found.runs)
    held = ""
    try:
        refuse_held(session, found)
    except Refused as error:
        held = str(error)
    return Outline(counts, len(drawn_from(session, found) - found.notes), held)
