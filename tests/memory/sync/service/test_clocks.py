"""A clock that is ahead of the service's: what is aside is not destroyed early."""

from email.utils import formatdate

import httpx2
import pytest

from memory.lifecycle.trash import DAY
from memory.sync import clocks
from memory.sync.service.calls import Calls
from tests.memory.sync.service.looking import state_of, trashed
from tests.memory.sync.service.offices import Office, settle
from tests.memory.sync.service.test_set_aside import away, gone_note


def tells(office: Office, date: str) -> None:
    """Let the service tell this as its time."""

    def twist(_path: str, response: httpx2.Response) -> httpx2.Response:
        response.headers["Date"] = date
        return response

    office.wire.twist = twist


def at(office: Office, days: float) -> str:
    return formatdate(office.hosted.clock() / 1000 + days * 86_400, usegmt=True)


def test_what_is_aside_stays_while_the_clock_is_ahead(offices: list[Office]) -> None:
    one, other, third = offices
    gone = gone_note(one)
    settle(*offices)
    away(third, one, other, erase=[gone])
    third.sync()
    third.hosted.clock.pass_days(31)
    tells(third, at(third, -31))
    assert third.sync().erased == 0
    assert third.do(clocks.ahead) // DAY == 31
    assert gone in trashed(third) and state_of(third, gone) == "aside"
    tells(third, at(third, 0))
    assert third.sync().erased == 1
    assert third.do(clocks.ahead) == 0 and gone not in trashed(third)


@pytest.mark.parametrize(
    "date", ["", "soon", "Mon, 99 Foo 2026 25:61:61 GMT", "Fri, 31 Dec 999999 23:59:59 GMT", "\x00"]
)
def test_a_time_that_makes_no_sense_says_nothing(offices: list[Office], date: str) -> None:
    one = offices[0]
    tells(one, at(one, -31))
    one.sync()
    tells(one, date)
    one.sync()
    calls: Calls = one.calls
    assert calls.told_at is None
    assert one.do(clocks.ahead) // DAY == 31


def test_a_clock_that_is_behind_or_little_ahead_is_not_said_to_be_ahead(offices: list[Office]) -> None:
    one = offices[0]
    for days in (-0.9, 0, 700):
        tells(one, at(one, days))
        one.sync()
        assert one.do(clocks.ahead) == 0
