"""Numbers, times and money as people read them."""

from datetime import datetime, timedelta

import pytest

from desktop.wording import ago, moment, money, size

NOON = datetime(2026, 11, 20, 12, 0).astimezone()


def milliseconds(then: datetime) -> int:
    return int(then.timestamp() * 1000)


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(seconds=-30), "now"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=3), "09:00"),
        (timedelta(days=1), "yesterday"),
        (timedelta(days=3), "Tuesday"),
        (timedelta(days=8), "12 Nov"),
        (timedelta(days=365), "20 Nov 2025"),
    ],
)
def test_how_long_ago(back, words):
    assert ago(milliseconds(NOON - back), milliseconds(NOON)) == words


def test_a_moment_in_full():
    assert moment(milliseconds(NOON)) == "20 Nov 2026, 12:00"


@pytest.mark.parametrize(
    ("micros", "words"),
    [(None, "unknown"), (0, "$0.00"), (1_234_567, "$1.23"), (40_000, "$0.04"), (2_500, "$0.0025")],
)
def test_money_is_never_zero_where_it_is_unknown(micros, words):
    assert money(micros) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (999_600, "1 MB"),
        (5_250_000, "5.25 MB"),
    ],
)
def test_sizes(number, words):
    assert size(number) == words
