"""Clocks that only go forward, whatever the clock on the wall does."""

from hypothesis import given
from hypothesis import strategies as st

from memory.sync.hlc import FAR_AHEAD, LAST_COUNTER, LAST_MS, Clock, Stamp, is_far_ahead
from tests.memory.sync.making import AT, stamps

ME = "0a" * 16
walls = st.integers(-(2**60), 2**60)


@given(steps=st.lists(st.tuples(walls, st.none() | stamps), max_size=30))
def test_every_reading_is_later_than_the_one_before(steps: list[tuple[int, Stamp | None]]) -> None:
    clock = Clock(ME)
    for wall, arrived in steps:
        before = clock.stamp
        clock = clock.tick(wall) if arrived is None else clock.heard(arrived, wall)
        if arrived is None:
            assert clock.stamp > before or before[:2] == (LAST_MS, LAST_COUNTER)
        else:
            assert clock.stamp >= before


@given(former=st.none() | stamps, wall=walls)
def test_an_edit_beats_what_it_replaces(former: Stamp | None, wall: int) -> None:
    _, stamp = Clock(ME).edit(wall, former)
    assert stamp.device == ME
    if former is not None and former[:2] != (LAST_MS, LAST_COUNTER):
        assert stamp > former


@given(arrived=stamps, wall=st.integers(0, LAST_MS))
def test_what_was_heard_lies_before_the_next_reading(arrived: Stamp, wall: int) -> None:
    clock = Clock(ME).heard(arrived, wall).tick(wall)
    if not is_far_ahead(arrived, wall) and arrived[:2] != (LAST_MS, LAST_COUNTER):
        assert clock.stamp > arrived


def test_a_clock_years_ahead_is_flagged_and_does_not_drag_this_one() -> None:
    ahead = Stamp(AT + FAR_AHEAD + 1, 0, "0b" * 16)
    assert is_far_ahead(ahead, AT)
    assert not is_far_ahead(ahead, AT + 1)
    clock = Clock(ME).heard(ahead, AT)
    assert clock == Clock(ME)
    clock, stamp = clock.edit(AT, ahead)
    assert stamp == Stamp(ahead.ms, 1, ME)
    assert clock.ms == AT


def test_the_counter_overflows_into_the_milliseconds() -> None:
    assert Stamp(7, LAST_COUNTER, ME).next(ME) == Stamp(8, 0, ME)
    assert Clock(ME, 7, LAST_COUNTER).tick(3).stamp == Stamp(8, 0, ME)
    assert Stamp(LAST_MS, LAST_COUNTER, ME).next(ME) == Stamp(LAST_MS, LAST_COUNTER, ME)


def test_a_wall_clock_set_back_stops_nothing() -> None:
    clock = Clock(ME).tick(AT)
    assert clock.tick(0).stamp == Stamp(AT, 1, ME)
    assert clock.tick(AT + 5).stamp == Stamp(AT + 5, 0, ME)
