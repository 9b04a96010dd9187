"""The repetition guard: an agent that makes the same call over and over is told so, then stopped."""

import json
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

WINDOW = 8
EXPLAIN_AT = 3
STOP_AT = 5


class Verdict(Enum):
    """What is to be done about a tool call."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    EXPLAIN = "explain"
    STOP = "stop"


@dataclass(slots=True)
class RepetitionGuard:
    """Looks at the last eight tool calls of one run."""

    _recent: deque[str] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def judge(self, agent_id: str, tool: str, arguments: dict[str, Any]) -> Verdict:
        """Count this call and say whether it may pass: from the third equal one in eight the model gets
        an explanation instead of a result, at the fifth the run ends."""
        call = json.dumps([agent_id, tool, arguments], sort_keys=True, separators=(",", ":"), default=str)
        self._recent.append(call)
        count = self._recent.count(call)
        if count >= STOP_AT:
            return Verdict.STOP
        return Verdict.EXPLAIN if count >= EXPLAIN_AT else Verdict.PASS
