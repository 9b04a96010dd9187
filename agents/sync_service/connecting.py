"""Connections to a service: each request stands in the outbox, and the session's token goes to that service alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agents.connections.addresses import proxy_for
from agents.connections.clients import Pools, http_client
from agents.connections.sending import Credential, Sending
from memory import settings
from memory.database import Database
from memory.errors import Refused
from memory.sync.service.calls import Calls, Session
from memory.sync.service.faults import TooSlow, Unreachable
from memory.sync.service.patience import Patience
from resources.language import gettext as _
from resources.language import ngettext
from vault.secret import Secret

if TYPE_CHECKING:
    import httpx2

_SENDING = Sending("sync", categories=("sealed",))
_POOL = "sync"


class NotReached(Refused):
    """The service does not answer, or asks to wait; ``retry_after`` is in seconds, None where it did not say."""

    def __init__(self, sentence: str, retry_after: int | None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Connecting:
    """Makes the calls of this office to services."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pools = Pools()
        self.patience = Patience()
        """How long each call may take."""

    async def calls(self, session: Session) -> Calls:
        """Return calls within a session, which goes along as it is renewed."""

        async def read() -> Secret | None:
            return Secret(session.tokens.access) if session.tokens.access else None

        client = await self._client(session.url, Credential(read, session.url, "authorization"))
        return Calls(client, session, self.bare, self.patience)

    async def bare(self, address: str) -> "httpx2.AsyncClient":
        """Return a client that carries no token, for an address that a service names."""
        return await self._client(address, None)

    async def close(self) -> None:
        """Close every connection."""
        await self._pools.close()

    async def _client(self, address: str, credential: Credential | None) -> "httpx2.AsyncClient":
        proxy = proxy_for(address, await self._database.read(settings.value, "network.proxy"))
        return http_client(self._pools.of(_POOL, proxy), self._database, _SENDING, credential)


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Say in a sentence that a service is not reached. Raises NotReached."""
    try:
        yield
    except Unreachable as error:
        if error.retry_after is not None:
            sentence = ngettext(
                "The service {address} asks to wait {count} second: try again then. Nothing was lost.",
                "The service {address} asks to wait {count} seconds: try again then. Nothing was lost.",
                error.retry_after,
            ).format(address=address, count=error.retry_after)
        elif isinstance(error, TooSlow):
            sentence = _(
                "The service {address} does not answer in time: try again later, or ask who runs it. Nothing was lost."
            ).format(address=address)
        else:
            sentence = _(
                "The service {address} cannot be reached: see that you are online and that the address is right. "
                "Nothing was lost."
            ).format(address=address)
        raise NotReached(sentence, error.retry_after) from error
