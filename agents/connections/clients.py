"""SDK clients on our own HTTP client: proxy, time-outs and key are ours, retries are the run's."""

from typing import TYPE_CHECKING, Any

from agents.connections.sending import PLACEHOLDER, Credential, Sending
from memory.accounts import Connection
from memory.database import Database

if TYPE_CHECKING:
    # The HTTP client is imported where it is first used, so that opening an office does not wait for it.
    import httpx2
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

_TIMEOUT = {"connect": 10.0, "read": 120.0, "write": 60.0, "pool": 30.0}
"""Seconds; ``read`` is the longest silence between two pieces of a reply."""


class Pools:
    """One connection pool per provider account and proxy, opened at first use."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], httpx2.AsyncHTTPTransport] = {}

    def of(self, identity: str, proxy: str) -> "httpx2.AsyncHTTPTransport":
        """Return the pool of a connection; an empty proxy means a direct connection."""
        import httpx2

        place = (identity, proxy)
        if place not in self._open:
            self._open[place] = httpx2.AsyncHTTPTransport(trust_env=False, proxy=proxy or None)
        return self._open[place]

    async def close(self) -> None:
        """Close every pool."""
        pools, self._open = list(self._open.values()), {}
        for pool in pools:
            await pool.aclose()


def http_client(
    pool: "httpx2.AsyncBaseTransport",
    database: Database,
    sending: Sending,
    credential: Credential | None,
    seconds: float | None = None,
) -> "httpx2.AsyncClient":
    """Return a client whose every request is booked under ``sending``; ``seconds`` limits all of its waits."""
    import httpx2

    from agents.connections.transport import BookedTransport

    timeout = httpx2.Timeout(**_TIMEOUT) if seconds is None else httpx2.Timeout(seconds)
    transport = BookedTransport(pool, database, sending, credential)
    # Redirects stay off: a provider's API has none, and a key must not follow one.
    return httpx2.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False)


def anthropic_client(connection: Connection, http: "httpx2.AsyncClient") -> "AsyncAnthropic":
    """Return the official Anthropic client of a connection."""
    from anthropic import AsyncAnthropic

    return AsyncAnthropic(
        api_key=PLACEHOLDER,
        base_url=connection.base_url,
        http_client=http,
        max_retries=0,
        timeout=http.timeout,
    )


def openai_client(connection: Connection, http: "httpx2.AsyncClient") -> "AsyncOpenAI":
    """Return the official OpenAI client of a connection."""
    from openai import AsyncOpenAI

    # Named so that no OPENAI_* variable of the environment finds its way into a request.
    account: dict[str, Any] = {"organization": "", "project": ""}
    client = AsyncOpenAI(
        api_key=PLACEHOLDER,
        base_url=connection.base_url,
        http_client=http,
        max_retries=0,
        timeout=http.timeout,
        **account,
    )
    client.organization = client.project = None
    return client
