"""How often a network, an address, an account or a device may call. Asked before anything of a request is parsed.

Buckets are in the memory of each replica: with n replicas a caller has up to n times as much.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from memory.sync.hosted.errors import Refusal

_MOST_BUCKETS = 100_000


@dataclass(slots=True)
class _Bucket:
    level: float
    at: int


class Limits:
    """Token buckets that refill evenly; ``clock`` returns milliseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def take(self, kind: str, who: str, most: int, seconds: int) -> None:
        """Take one of ``most`` calls in ``seconds``. Raises Refusal (429)."""
        now = self._clock()
        bucket = self._buckets.pop((kind, who), None) or _Bucket(float(most), now)
        bucket.level = min(float(most), bucket.level + max(0, now - bucket.at) * most / (seconds * 1000))
        bucket.at = now
        self._buckets[(kind, who)] = bucket
        while len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        if bucket.level < 1:
            wait = int((1 - bucket.level) * seconds / most) + 1
            raise Refusal(429, "too_many_requests", f"Wait {wait} seconds.", retry_after=wait)
        bucket.level -= 1


def network_of(address: str) -> str:
    """Return the network that an address belongs to, /24 or /48; "unknown" for what is none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))
