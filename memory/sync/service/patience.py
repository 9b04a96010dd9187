"""How long a call may take in all: a service that gives one byte after the other would else hold it for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from memory.sync.service.faults import TooSlow


@dataclass(frozen=True, slots=True)
class Patience:
    """A call may take ``seconds``, and one second more for each ``rate`` bytes of it that went or came."""

    seconds: float = 120.0
    rate: int = 8 * 2**10


class Progress:
    """Lengthens the time of a call that is under way by what has come of its answer."""

    def __init__(self, timeout: asyncio.Timeout, rate: int) -> None:
        self._timeout, self._rate = timeout, rate

    def came(self, count: int) -> None:
        """Note that so many bytes have come."""
        until = self._timeout.when()
        if until is not None:
            self._timeout.reschedule(until + count / self._rate)


@asynccontextmanager
async def in_time(patience: Patience, sent: int = 0) -> AsyncIterator[Progress]:
    """Run a call that sends so many bytes within its time. Raises TooSlow."""
    try:
        async with asyncio.timeout(patience.seconds + sent / patience.rate) as timeout:
            yield Progress(timeout, patience.rate)
    except TimeoutError:
        raise TooSlow from None
