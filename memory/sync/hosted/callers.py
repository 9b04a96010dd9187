"""Who calls: found out by the token, within the limits, before anything else of a request is read."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, cast

from fastapi import Request
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.hosted.errors import Refusal
from memory.sync.hosted.limits import network_of
from memory.sync.hosted.service import Service
from memory.sync.hosted.tables.records import accounts, devices, sessions

DEVICE, ENROLMENT, WEB = "device", "enrolment", "web"
ACTIVE, FROZEN, SUSPENDED = "active", "frozen", "suspended"
PENDING, PURGING = "deletion_pending", "purging"
COOKIE = "bureau"
FRESH_MS = 300_000
"""How long after signing in a call counts as freshly authenticated."""
_OF_TOKEN = (
    select(sessions, accounts.c.state, devices.c.sign, devices.c.revoked)
    .join(accounts, accounts.c.account_id == sessions.c.account_id)
    .outerjoin(devices, devices.c.device_id == sessions.c.device_id)
    .where(sessions.c.access_hash == bindparam("hashed"))
)
"""Made once, for every request asks it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One session of one account; ``device_id`` is None where no device of the log signed in."""

    account_id: str
    session_id: str
    kind: str
    state: str
    device_id: str | None
    sign: bytes | None
    signed_at: int
    access_until: int

    @property
    def device(self) -> str:
        """The device. Raises Refusal for a caller that is none."""
        if self.device_id is None:
            raise Refusal(403, "device_needed", "Only an enrolled device may do this.")
        return self.device_id


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    found: Service = request.app.state.service
    return found


async def enter(request: Request) -> Service:
    """Count a request against its network. Raises Refusal (429)."""
    service = service_of(request)
    await service.limits.take("network", network(request), service.settings.requests_per_minute_network, 60)
    return service


def network(request: Request) -> str:
    """Return the network that a request came from."""
    return network_of(request.client.host if request.client else "")


async def session_needed(request: Request) -> None:
    """Find out who calls, before the parameters of a route are looked at. Raises Refusal."""
    service = await enter(request)
    token = token_of(request)
    async with service.stores.records.glance() as connection:
        caller = await find(connection, token_hash(token), service.now())
    if caller is None or caller.kind == WEB:
        raise Refusal(401, "signed_out", "Sign a new session.")
    request.state.caller = caller


async def caller_of(request: Request, *kinds: str) -> tuple[Service, Caller]:
    """Return who calls, if a session of one of these kinds (a device by default). Raises Refusal.

    The route depends on `session_needed`.
    """
    service, caller = service_of(request), cast(Caller, request.state.caller)
    if caller.kind not in (kinds or (DEVICE,)):
        raise Refusal(403, "not_for_this_session", "This call needs another kind of session.")
    if caller.state == PURGING:
        raise Refusal(410, "account_purged", "This account is being purged.")
    return service, caller


def token_of(request: Request) -> str:
    """Return the bearer's token. Raises Refusal."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Refusal(401, "signed_out", "Send a session's token.")
    return token


async def find(connection: AsyncConnection, hashed: bytes, now: int) -> Caller | None:
    """Return the caller of a token that is valid now."""
    row: Any = (await connection.execute(_OF_TOKEN, {"hashed": hashed})).first()
    if row is None or row.access_until <= now or row.revoked is not None:
        return None
    return Caller(
        row.account_id,
        row.session_id,
        row.kind,
        row.state,
        row.device_id,
        row.sign,
        row.signed_at,
        row.access_until,
    )


async def per_device(service: Service, caller: Caller, kind: str, a_minute: int) -> None:
    """Count a call against its device. Raises Refusal (429)."""
    await service.limits.take(kind, caller.device_id or caller.session_id, a_minute, 60)


def new_token() -> str:
    """Return 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()
