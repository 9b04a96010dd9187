"""How the vector index is doing."""

from dataclasses import dataclass
from typing import Literal

State = Literal["cold", "warming", "warm", "down"]
Home = Literal["sealed", "memory", "none"]


@dataclass(frozen=True, slots=True)
class Condition:
    """How the vector index is: what a status page and ``memory why`` show.

    ``unsealed`` tells that it was opened from its snapshot, which took ``opening_seconds``; ``added`` counts
    the vectors put in since.
    """

    state: State
    home: Home
    unsealed: bool
    added: int
    opening_seconds: float
    pid: int | None
