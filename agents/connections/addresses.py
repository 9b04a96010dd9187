"""Addresses of providers as people paste them, brought into the form the SDKs expect."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from agents.connections.errors import AddressWrong
from resources.language import gettext as _

PRIVATE_NAMES = (".localhost", ".local", ".home.arpa", ".internal")
"""Endings that no public name has."""
ENDINGS = ("/chat/completions", "/completions", "/responses", "/messages", "/models", "/embeddings")


def normalised(kind: str, address: str) -> str:
    """Return the base URL for an SDK: endpoint endings trimmed, ``/v1`` where that SDK wants it.

    Raises AddressWrong for what names no server, or holds a key or a password.
    """
    place = _server(address.strip())
    if place is None:
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


def _server(address: str) -> SplitResult | None:
    """Return the parts of an address that names a server by HTTP; None of any other."""
    try:
        place = urlsplit(address)
        return place if place.scheme in {"http", "https"} and place.hostname and place.port != 0 else None
    except ValueError:  # brackets that are none, a port beyond all ports
        return None


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
    """Return the proxy for an address: the connection's own, else the system's; "" for none or for this machine.

    Raises AddressWrong where that proxy is none that can be used.
    """
    if is_local(address):
        return ""
    place = urlsplit(address)
    found = chosen or ("" if proxy_bypass(place.hostname or "") else getproxies().get(place.scheme, ""))
    return _usable_proxy(found.strip())


def _usable_proxy(proxy: str) -> str:
    """Return the proxy with its scheme, which many leave out; no sentence shows it, since it may hold a password."""
    if not proxy:
        return ""
    whole = proxy if "://" in proxy else f"http://{proxy}"
    if _server(whole) is None:
        raise AddressWrong(
            _(
                "The proxy of this connection or of your system cannot be used: give it as http://host:port, "
                "in Settings or in HTTPS_PROXY."
            )
        )
    return whole
