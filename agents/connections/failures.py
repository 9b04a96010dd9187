"""Turns what the SDKs, the agent loop and the HTTP client raise into one sentence that names the fix."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from agents.connections.errors import (
    AddressWrong,
    ContextTooLong,
    KeyRejected,
    ModelUnknown,
    NoCredit,
    Offline,
    Overloaded,
    ProviderError,
    RateLimited,
    ReplyMalformed,
    RequestRefused,
    StreamCut,
    TimedOut,
)
from agents.connections.naming import spoken
from memory.accounts import Connection
from resources.language import gettext as _
from vault.redaction import redact

NO_CREDIT = (
    "insufficient_quota",
    "credit balance",
    "billing_error",
    "insufficient credits",
    "insufficient balance",
)
TOO_LONG = ("context_length_exceeded", "prompt is too long", "maximum context length", "context window")
WRONG_MODEL = (
    "model_not_found",
    "does not exist",
    "unknown model",
    "model:",
    "not a valid model",
    "no such model",
)
WRONG_KEY = (
    "api key not valid",
    "invalid api key",
    "incorrect api key",
    "invalid x-api-key",
    "invalid_api_key",
)
FOREIGN = {
    "AnthropicError",
    "OpenAIError",
    "AgentRunError",
    "HTTPError",
    "InvalidURL",
    "StreamError",
    "OSError",
}
"""Roots of what others raise: SDKs, agent loop, HTTP client, network."""


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    text: str
    retry_after: float | None


def explain(error: BaseException, connection: Connection, model: str) -> ProviderError:
    """Return the ProviderError for what a request on this connection raised.

    Raises the error itself where it is none of a provider, an SDK, the agent loop or the HTTP client: a fault of
    our own must not be blamed on a provider.
    """
    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, ProviderError):
            return cause
    reply = next((found for cause in causes if (found := _reply(cause))), None)
    if reply is not None:
        return _by_status(reply, connection, model)
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    if not names & FOREIGN:
        raise error
    text = " ".join(str(cause) for cause in causes).lower()
    return _without_status(names, text, connection)


def _without_status(names: set[str], text: str, connection: Connection) -> ProviderError:
    label, host = spoken(connection), urlsplit(connection.base_url).netloc
    if names & {"TimeoutException", "APITimeoutError", "ModelTimeoutError", "TimeoutError"}:
        return TimedOut(
            _("{label} did not answer in time: try again, or choose another model.").format(label=label)
        )
    if names & {"RemoteProtocolError", "ReadError", "IncompleteRead"} or "incomplete" in text:
        return StreamCut(_("The reply of {label} broke off: resume the run to go on.").format(label=label))
    if names & {
        "ConnectError",
        "APIConnectionError",
        "ModelConnectionError",
        "NetworkError",
        "ProxyError",
        "OSError",
    }:
        return _unreachable(text, host)
    if names & {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        return AddressWrong(
            _("“{address}” is no usable address: it should begin with https:// and name a server.").format(
                address=connection.base_url
            )
        )
    return ReplyMalformed(
        _("The reply of {label} could not be read: try again, or check that the address is an API.").format(
            label=label
        )
    )


def _unreachable(text: str, host: str) -> ProviderError:
    if "name or service" in text or "nodename" in text or "getaddrinfo" in text or "name resolution" in text:
        return Offline(
            _("{host} was not found: check your network, and the spelling of the address.").format(host=host)
        )
    if "certificate" in text:
        return Offline(
            _("The certificate of {host} is not trusted: check the address, or your proxy.").format(host=host)
        )
    if host.startswith(("127.", "localhost", "[::1]")):
        return Offline(_("No server answers at {host}: start it, then try again.").format(host=host))
    return Offline(_("{host} could not be reached: check your network or proxy.").format(host=host))


def _by_status(reply: _Reply, connection: Connection, model: str) -> ProviderError:
    label, text, status = spoken(connection), reply.text.lower(), reply.status
    if status == 402 or any(mark in text for mark in NO_CREDIT):
        return NoCredit(
            _("The account of {label} has no credit left: add some at the provider.").format(label=label)
        )
    if status in {401, 403} or any(mark in text for mark in WRONG_KEY):
        return KeyRejected(
            _(
                "{label} does not accept the key: check that it is whole and not revoked, then rotate it."
            ).format(label=label)
        )
    if status == 429:
        return RateLimited(
            _("{label} asks to slow down: wait a moment, then try again.").format(label=label),
            retry_after=reply.retry_after,
        )
    if status >= 500:
        return Overloaded(
            _("{label} is busy or broken at the moment ({status}): try again later.").format(
                label=label, status=status
            ),
            retry_after=reply.retry_after,
        )
    if any(mark in text for mark in TOO_LONG) or status == 413:
        return ContextTooLong(
            _("This is more than {model} can read: remove a file or start a new chat.").format(model=model)
        )
    if status in {400, 404, 422} and any(mark in text for mark in WRONG_MODEL):
        return ModelUnknown(
            _("{label} has no model “{model}” for this key: choose another model.").format(
                label=label, model=model
            )
        )
    if status in {301, 302, 307, 308, 404, 405} or "<html" in text:
        return AddressWrong(
            _("{address} answers, but not as this kind of API: check the address of {label}.").format(
                address=connection.base_url, label=label
            )
        )
    return RequestRefused(
        _("{label} refused the request ({status}): {detail}").format(
            label=label, status=status, detail=_detail(reply.text)
        )
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting.extend((current.__cause__, current.__context__))


def _reply(error: BaseException) -> _Reply | None:
    status = getattr(error, "status_code", None)
    if not isinstance(status, int) or status < 300:
        return None
    body: Any = getattr(error, "body", None)
    text = (
        body if isinstance(body, str) else json.dumps(body, default=str) if body is not None else str(error)
    )
    return _Reply(status, text, _retry_after(error))


def _retry_after(error: BaseException) -> float | None:
    said = getattr(error, "retry_after", None)
    if isinstance(said, int | float):
        return float(said)
    headers = getattr(getattr(error, "response", None), "headers", None)
    if headers is None:
        return None
    try:
        return float(headers.get("retry-after", ""))
    except ValueError:
        return None


def _detail(text: str) -> str:
    """The provider's own words, cut to a sentence. They are kept as a run's reason, and may repeat the key."""
    try:
        body = json.loads(text)
    except ValueError:
        return redact(text)[:200]
    while isinstance(body, dict):
        body = body.get("message") or body.get("error") or body.get("detail") or ""
    return redact(str(body))[:200] or _("no reason given")
