"""What may still be spent: the office's budget, filled from the ledger, with the caps in force."""

from typing import Any

from sqlalchemy.orm import Session

from agents.runtime.budget import Budget, Caps
from memory import ledger, settings
from memory.database import Database
from memory.roster import Agent


class Spending:
    """Knows the caps of a run and has the day's spending at hand before anything is reserved."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.budget = Budget()

    async def caps(self, agent: Agent) -> Caps:
        """Return the caps in force for a run of the agent; today's spending is in the budget afterwards."""
        today = ledger.calendar_day()
        spent, settled = await self._database.read(_spent, today)
        self.budget.begin_day(today, spent)
        return Caps(
            run=run_cap(agent, settled), agent_day=agent.day_cap, office_day=settled["budget.day_cap"]
        )


def run_cap(agent: Agent, settled: dict[str, Any]) -> int | None:
    """Return the lower of the agent's and the office's cap per run."""
    return min([cap for cap in (agent.run_cap, settled["budget.run_cap"]) if cap is not None], default=None)


def _spent(session: Session, day: str) -> tuple[dict[str, int], dict[str, Any]]:
    return ledger.counted_on(session, day), settings.values(session)
