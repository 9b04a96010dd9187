"""The musts of the librarian, on the held-out questions, through a real office and its real recall process."""

from pathlib import Path

import pytest

from agents.office import Office
from memory.locations import Locations
from tests.evaluation.librarian.measuring import MUST_FIRST, MUST_NOT_FOUND, MUST_THREE, TOO_EASY, measure
from tests.evaluation.librarian.questions import questions


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_the_librarian_finds_the_page(own_home: Path) -> None:
    asked = questions("held_out")
    assert (len([one for one in asked if one.pages]), len([one for one in asked if not one.pages])) == (
        30,
        10,
    )
    office = await Office.open(Locations.find(None), passphrase="a passphrase for measuring only")
    try:
        scores = await measure(office, asked)
    finally:
        await office.close()
    assert scores["BM25 alone"].within(1) <= TOO_EASY
    found = scores["librarian"]
    assert found.within(1) >= MUST_FIRST
    assert found.within(3) >= MUST_THREE
    assert found.not_found >= MUST_NOT_FOUND
