"""Random schedules over real offices and the real service; README.md names the command that runs many more."""

from collections.abc import Iterator

import pytest

from tests.memory.sync.service.proving import prepared, run

RUNS = 50


@pytest.fixture(scope="module", autouse=True)
def _ready() -> Iterator[None]:
    with prepared():
        yield


@pytest.mark.slow
@pytest.mark.timeout(900)  # a failure is made short first
@pytest.mark.req("R158")
@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_on_the_way_the_devices_agree_in_the_end(seed: int) -> None:
    assert run(RUNS, seed, shrink=True) == ""
