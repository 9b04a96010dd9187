"""A page is written in parts, each with how far was read, so that nobody waits long for the database."""

from typing import Any

import pytest

from memory import notes
from memory.sync import outbox
from memory.sync.arrival import Item
from memory.sync.carrier import Page
from memory.sync.markers import marker_of
from tests.memory.sync.service.looking import texts
from tests.memory.sync.service.offices import Office, settle


class Dying:
    """A database of which the process dies before the how manieth page is written."""

    def __init__(self, office: Office, page: int) -> None:
        self._database, self._left = office.database, page

    async def read(self, operation: Any, *args: Any) -> Any:
        return await self._database.read(operation, *args)

    async def write(self, operation: Any, *args: Any) -> Any:
        self._left -= operation.__name__ == "_take_page"
        if self._left == 0:
            raise Died
        return await self._database.write(operation, *args)


class Died(Exception):
    """The process is gone."""


def test_a_page_is_written_in_parts_and_after_a_crash_read_from_the_last_one(offices: list[Office]) -> None:
    one, other, _third = offices
    settle(one, other)
    for number in range(130):
        one.do(notes.add_note, f"note {number}")
    one.sync()
    begun = other.position()["after"]
    other.parts_database = Dying(other, 3)
    with pytest.raises(Died):
        other.sync()
    assert other.position()["after"] == begun + 100 and len(texts(other)) == 100
    other.reopen()
    assert other.sync().pulled == 30
    assert other.state() == one.state()


def test_what_is_left_of_one_part_of_a_page_is_still_asked_for_after_the_next(offices: list[Office]) -> None:
    carrier = offices[0].carrier
    erased = marker_of(next(iter(_sealed(offices[0]))).envelope)
    items = tuple(Item(number, erased, f"{number:032x}") for number in (3, 5, 8, 9, 12))
    page = Page(items, more=True, head=20, reached={"generation": "g", "after": 14, "begun": 20})
    position: dict[str, Any] = {"generation": "g", "after": 2, "begun": 20, "again": ["ff" * 16]}
    reached = []
    for part in carrier.portions(page, 2):
        position = carrier.after(position, part, part.items[:1])
        reached.append((position["after"], len(position["again"]), position["begun"]))
    assert reached == [(5, 2, 20), (9, 3, 20), (14, 4, 20)]
    assert list(carrier.portions(Page((), more=False, reached={"after": 30}), 2)) == [
        Page((), more=False, reached={"after": 30})
    ]


def _sealed(office: Office) -> tuple[outbox.Op, ...]:
    office.do(notes.add_note, "milk")
    office.seal()
    found: tuple[outbox.Op, ...] = office.do(outbox.next_ops, erases=False)
    return found
