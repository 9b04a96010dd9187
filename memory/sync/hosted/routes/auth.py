"""Signing in, over HTTP."""

from typing import Any

from fastapi import APIRouter, Request

from memory.sync import base64url
from memory.sync.hosted import sign_in
from memory.sync.hosted.callers import ENROLMENT, enter, network
from memory.sync.hosted.errors import malformed
from memory.sync.hosted.requests import Body, Id, body_of, octets, takes

router = APIRouter(prefix="/v1/auth")
_HOUR = 3600


class Magic(Body):
    """Who asks for a mail; ``verifier_hash`` is SHA-256 of 32 random bytes, in base64url."""

    email: str
    verifier_hash: str


class Redeem(Body):
    """The code of a mail and the bytes whose hash was sent."""

    token: str
    verifier: str


class Session(Body):
    """A device's signature, or the refresh token of its last session."""

    device_id: Id | None = None
    challenge: str | None = None
    sig: str | None = None
    versions: str = ""
    refresh: str | None = None


@router.post("/magic", status_code=202, openapi_extra=takes(Magic))
async def magic(request: Request) -> dict[str, Any]:
    """Mail a code. The answer is the same for every address."""
    service = await enter(request)
    await service.limits.take(
        "magic-network", network(request), service.settings.magic_per_hour_network, _HOUR
    )
    asked = await body_of(request, Magic)
    await sign_in.ask_magic(service, asked.email, octets(asked.verifier_hash, 32, "verifier_hash"))
    return {}


@router.post("/redeem", openapi_extra=takes(Redeem))
async def redeem(request: Request) -> dict[str, Any]:
    """Turn a code into a session that may enrol a device; an address that is new becomes an account."""
    service = await enter(request)
    await service.limits.take("redeem-network", network(request), 60, _HOUR)
    asked = await body_of(request, Redeem)
    verifier = octets(asked.verifier, 32, "verifier")
    token, until = await sign_in.redeem(service, asked.token, verifier, ENROLMENT)
    return {"access": token, "access_until": until}


@router.post("/challenge")
async def challenge(request: Request) -> dict[str, Any]:
    """Give 32 bytes to be signed once within five minutes."""
    service = await enter(request)
    await service.limits.take("challenge-network", network(request), 300, 60)
    return {"challenge": base64url.encode(await sign_in.new_challenge(service))}


@router.post("/session", openapi_extra=takes(Session))
async def session(request: Request) -> dict[str, Any]:
    """Begin or renew the session of a device."""
    service = await enter(request)
    await service.limits.take("session-network", network(request), 300, 60)
    asked = await body_of(request, Session)
    if asked.refresh is not None:
        return await sign_in.refreshed(service, asked.refresh)
    if asked.device_id is None or asked.challenge is None or asked.sig is None:
        raise malformed("device_id, challenge and sig, or refresh")
    signature, signed = octets(asked.sig, 64, "sig"), octets(asked.challenge, 32, "challenge")
    return await sign_in.device_session(service, asked.device_id, signed, signature, asked.versions)
