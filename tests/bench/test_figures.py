"""A printed figure is read again as what it is."""

import pytest

from tests.bench.figures import Figure, is_figure, missed


@pytest.mark.parametrize("value", [0.0123, 9.99, 250.0, 251.0, 999.7, 11_600.0, 3e6])
def test_a_figure_above_its_must_is_missed_however_large(value: float) -> None:
    line = Figure("pushes", value, "ms", 250, 150, "1.6 ms").line()
    assert is_figure(line) and missed(line) == (value > 250)
