"""Signing in by mail, before a device is one of the account's: the code leads only whoever asked for it."""

import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from memory.errors import Refused
from memory.sync import base64url
from memory.sync.service.calls import Calls, Tokens, understood
from memory.sync.service.faults import ServiceRefused
from resources.language import gettext as _

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"https": 443, "http": 80}
PROTOCOL = 1
_LONGEST_VERSION = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """A code is on its way to a mail address; ``verifier`` are 32 bytes without which it is worth nothing."""

    url: str
    email: str
    verifier: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Promises:
    """What a service says of itself: its name, where its data are, its policy, and how long deleting takes."""

    server: str
    region: str
    policy: str
    """The address of the policy: what the service sees, how long it keeps it, who works for it."""
    policy_version: str
    grace_days: int
    promised_days: int
    """Within how many days a deleted account is gone."""
    next_policy: str = ""
    """The version of the policy that is announced, empty where none is; ``next_effective`` is its first day."""
    next_effective: str = ""


def is_service(place: str) -> bool:
    """Whether a place where devices meet is a service, and no folder."""
    return bool(re.match(r"https?://", place, re.IGNORECASE))


def service_address(text: str) -> str:
    """Return scheme and host of a service as its owner typed it.

    Raises Refused for what is none, and for an open connection that leaves this machine.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise Refused(_("This is no address of a service: it is like https://sync.example.org.")) from None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in _PORTS or not host or parts.username or parts.path.strip("/") or parts.query:
        raise Refused(_("This is no address of a service: it is like https://sync.example.org."))
    if scheme == "http" and host not in _LOOPBACK:
        raise Refused(_("A service is reached over https only, except on this machine: begin with https://."))
    named = f"[{host}]" if ":" in host else host
    return f"{scheme}://{named}" if port in (None, _PORTS[scheme]) else f"{scheme}://{named}:{port}"


async def promises(calls: Calls) -> Promises:
    """Return what a service says of itself.

    Raises Refused where no service of this protocol is, Unreachable, ServiceFault.
    """
    none = Refused(
        _("At this address is no service that this Bureau can use: look at the address, or update Bureau.")
    )
    try:
        said: dict[str, Any] = await calls.open("GET", "/.well-known/officesync")
    except ServiceRefused as refused:
        raise none from refused
    spoken = said.get("protocols") or [said.get("protocol")]
    if not isinstance(spoken, list) or PROTOCOL not in spoken:
        raise none
    with understood():
        policy, deletion = said["policy"], said["deletion"]
        following = policy.get("next") or {"version": "", "effective": ""}
        return Promises(
            str(said["server"]),
            str(said["region"]),
            calls.session.url + str(policy["at"]),
            str(policy["version"]),
            int(deletion["grace_days"]),
            int(deletion["promised_days"]),
            str(following["version"])[:_LONGEST_VERSION],
            str(following["effective"])[:_LONGEST_VERSION],
        )


async def ask_code(calls: Calls, email: str, verifier: bytes | None = None) -> Asked:
    """Have a code mailed to an address; ``verifier`` are 32 random bytes. Raises Unreachable, ServiceFault."""
    verifier = verifier or os.urandom(32)
    hashed = base64url.encode(hashlib.sha256(verifier).digest())
    await calls.open("POST", "/v1/auth/magic", {"email": email, "verifier_hash": hashed})
    return Asked(calls.session.url, email, verifier)


async def redeem(calls: Calls, asked: Asked, code: str) -> None:
    """Begin the session by mail that may add a device. Raises Unreachable, ServiceFault."""
    body = {"token": code.strip(), "verifier": base64url.encode(asked.verifier)}
    answer = await calls.open("POST", "/v1/auth/redeem", body)
    with understood():
        await calls.session.take(Tokens(str(answer["access"])))
