"""Addresses of providers as people paste them, brought into the form the SDKs expect."""

from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from agents.connections.errors import AddressWrong
from resources.language import gettext as _

PRIVATE_NAMES = (".localhost", ".local", ".home.arpa", ".internal")
"""Endings that no public name has."""
ENDINGS = ("/chat/completions", "/completions", "/responses", "/messages", "/models", "/embeddings")


def normalised(kind: str, address: str) -> str:
    """Return the base URL for an SDK: endpoint endings trimmed, ``/v1`` where that SDK wants it.

    Raises AddressWrong for what names no server or would send a key in clear text over a network.
    """
    place = urlsplit(address.strip())
    if place.scheme not in {"http", "https"} or not place.hostname:
        raise AddressWrong(
            _("“{address}” is no usable address: it should begin with https:// and name a server.").format(
                address=address
            )
        )
    if place.username or place.password or place.query:
        raise AddressWrong(
            _(
                "The address must not hold a key, a password or a question mark: give the key in its own field."
            )
        )
    path = place.path.rstrip("/")
    for ending in ENDINGS:
        path = path.removesuffix(ending)
    path = path.rstrip("/")
    path = path.removesuffix("/v1") if kind == "anthropic" else path or "/v1"
    return urlunsplit((place.scheme, place.netloc, path, "", ""))


def is_local(address: str) -> bool:
    """Whether the address is on this machine."""
    host = urlsplit(address).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def is_private(address: str) -> bool:
    """Whether the address is on this machine or in a private network, so that no stranger can bill for it."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(PRIVATE_NAMES)


def proxy_for(address: str, chosen: str) -> str:
    """Return the proxy for an address: the connection's own, else the system's; "" for none or for this machine."""
    if is_local(address):
        return ""
    if chosen:
        return chosen
    place = urlsplit(address)
    if proxy_bypass(place.hostname or ""):
        return ""
    return getproxies().get(place.scheme, "")
