"""What can go wrong in the office, apart from the faults of providers (``agents.connections.errors``).

AgentsError
├── NothingToSend         the message has neither text nor files
├── UnknownAgent          nobody here has that name
├── AgentFileMalformed    an agent's Markdown file cannot be read
├── AgentNameTaken        another agent has that name already
├── NoConnection          an agent needs a provider account and there is none
├── RunNotResumable       the run's state does not allow what was asked
├── CapReached            a spending cap leaves no room for the next request
├── LoopStopped           the same call was made over and over
├── StepsSpent            the effort's limit of model requests is used up
├── OwnerUnknown          who exports or erases has not given the passphrase lately
└── ErasureFailed         something could not be erased
"""


class AgentsError(Exception):
    """A fault of the office, told in one sentence that names the fix."""


class NothingToSend(AgentsError):
    """The message has neither text nor files."""


class UnknownAgent(AgentsError):
    """Nobody here has that name."""


class AgentFileMalformed(AgentsError):
    """An agent's Markdown file cannot be read."""


class AgentNameTaken(AgentsError):
    """Another agent has that name already."""


class NoConnection(AgentsError):
    """An agent needs a provider account and there is none."""


class RunNotResumable(AgentsError):
    """The run's state does not allow what was asked."""


class CapReached(AgentsError):
    """A spending cap leaves no room for the next request; ``purse`` is ``run``, ``agent`` or ``day``."""

    def __init__(self, sentence: str, purse: str) -> None:
        super().__init__(sentence)
        self.purse = purse


class LoopStopped(AgentsError):
    """The same call was made over and over."""


class StepsSpent(AgentsError):
    """The effort's limit of model requests is used up."""


class OwnerUnknown(AgentsError):
    """Who exports or erases has not given the passphrase lately."""


class ErasureFailed(AgentsError):
    """Something could not be erased."""
