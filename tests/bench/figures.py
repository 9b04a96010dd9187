"""One figure of ``make bench`` as a line, and whether such a line meets its must."""

import re
from dataclasses import dataclass

_LINE = re.compile(r"^(?P<name>\w+) = (?P<value>[\d.]+) (?P<unit>\S+) \(must (?P<must>[\d.]+)")


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its goals, all in ``unit``; smaller is better. ``baseline`` is of the same run."""

    name: str
    value: float
    unit: str
    must: float
    aim: float
    baseline: str = ""

    def line(self) -> str:
        """Return ``name = value unit (must …, aim …, baseline …)``."""
        baseline = f", baseline {self.baseline}" if self.baseline else ""
        # From 999.5 on three digits would be printed as 1e+03, which is read as no figure.
        value = f"{self.value:.3g}" if self.value < 999 else f"{self.value:.0f}"
        return f"{self.name} = {value} {self.unit} (must {self.must:g}, aim {self.aim:g}{baseline})"


def missed(line: str) -> bool:
    """Whether a printed line is a figure above its must."""
    found = _LINE.match(line)
    return found is not None and float(found["value"]) > float(found["must"])


def is_figure(line: str) -> bool:
    """Whether a printed line is a figure."""
    return _LINE.match(line) is not None
