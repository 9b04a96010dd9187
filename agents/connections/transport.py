"""The one way out: puts the key on a request for its own host and books every request in the outbox."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
from sqlalchemy.orm import Session

from agents.connections.errors import AddressWrong, ConsentWithdrawn, RecipientNotAllowed
from agents.connections.sending import Credential, Purpose, Sending
from memory import consents, ledger, roster
from memory.database import Database
from memory.errors import Refused
from resources.language import gettext as _


class BookedTransport(httpx2.AsyncBaseTransport):
    """Wraps a connection pool; ``aclose`` leaves the pool open, since other runs share it."""

    def __init__(
        self,
        pool: httpx2.AsyncBaseTransport,
        database: Database,
        sending: Sending,
        credential: Credential | None,
    ) -> None:
        self._pool = pool
        self._database = database
        self._sending = sending
        self._credential = credential

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Book, sign and send one request. Raises what the pool raises."""
        await self._sign(request)
        booked = await self._database.write(
            _begin,
            host=request.url.netloc.decode("ascii"),
            purpose=self._sending.purpose,
            connection_id=self._sending.connection_id,
            agent_id=self._sending.agent_id,
            run_id=self._sending.run_id,
            categories=self._sending.categories,
            bytes_sent=int(request.headers.get("content-length", "0")),
        )
        try:
            response = await self._pool.handle_async_request(request)
        except BaseException as error:
            await self._finish(booked.id, None, 0, type(error).__name__)
            raise
        stream = response.stream
        if not isinstance(stream, httpx2.AsyncByteStream):
            raise TypeError("an asynchronous pool must answer with an asynchronous stream")
        response.stream = _CountedStream(stream, self, booked.id, response.status_code)
        return response

    async def _sign(self, request: httpx2.Request) -> None:
        request.headers.pop("x-api-key", None)
        request.headers.pop("authorization", None)
        credential = self._credential
        if credential is None:
            return
        bound = httpx2.URL(credential.origin)
        if (request.url.scheme, request.url.netloc) != (bound.scheme, bound.netloc):
            raise AddressWrong(
                _(
                    "{host} asked for a key that belongs to {bound}; it was not sent. Check the address."
                ).format(host=request.url.host, bound=bound.host)
            )
        key = await credential.read()
        if key is None:
            return
        value = key.reveal()
        request.headers[credential.header] = value if credential.header == "x-api-key" else f"Bearer {value}"

    async def _finish(self, number: str, status: int | None, received: int, error: str) -> None:
        await self._database.write(
            ledger.finish_request, number, status=status, bytes_received=received, error=error
        )


def _begin(session: Session, /, *, host: str, purpose: Purpose, **facts: Any) -> ledger.Request:
    """Book a request, in the transaction that sees that its owner agrees to its recipient.

    Raises ConsentWithdrawn or RecipientNotAllowed, and Refused for what sync would send.
    """
    agent_id = facts["agent_id"]
    if agent_id is not None and (agent := roster.kept_from(session, agent_id, host)) is not None:
        raise RecipientNotAllowed(
            _(
                "{agent} may send to {allowed} only, not to {host}: choose another model, or allow it in the "
                "editor of the agent."
            ).format(agent=agent.name, allowed=", ".join(agent.recipients), host=host)
        )
    if purpose == "chat" and not consents.admits(session, host):
        raise ConsentWithdrawn(
            _(
                "You wanted nothing more to be sent to {host}: allow it again under Privacy, "
                "or choose another model."
            ).format(host=host)
        )
    if purpose == "sync" and consents.standing(session, host) == "withdrawn":
        raise Refused(
            _(
                "You wanted nothing more to be sent to {host}: allow it again under Privacy, or turn sync off."
            ).format(host=host)
        )
    return ledger.begin_request(session, host=host, purpose=purpose, **facts)


class _CountedStream(httpx2.AsyncByteStream):
    def __init__(
        self, inner: httpx2.AsyncByteStream, owner: BookedTransport, number: str, status: int
    ) -> None:
        self._inner = inner
        self._owner = owner
        self._number = number
        self._status = status
        self._received = 0
        self._error = ""
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._inner:
                self._received += len(part)
                yield part
        except Exception as error:
            self._error = type(error).__name__
            raise

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            if not self._closed:
                self._closed = True
                await self._owner._finish(self._number, self._status, self._received, self._error)
