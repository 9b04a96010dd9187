"""What a message would send and cost, before it is sent."""

from dataclasses import dataclass

from memory.accounts import Connection
from memory.roster import Agent
from memory.runs import ContextPart


@dataclass(frozen=True, slots=True)
class Estimate:
    """What would be sent to one agent: to which connection (None: nothing leaves), which model, part by part."""

    agent: Agent
    connection: Connection | None
    model: str
    parts: tuple[ContextPart, ...]

    @property
    def tokens(self) -> int:
        """Likely tokens of the whole."""
        return sum(part.tokens for part in self.parts)

    @property
    def cost(self) -> int | None:
        """Likely price of what is sent, in millionths of a dollar; None where it is unknown."""
        costs = [part.cost for part in self.parts]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None
