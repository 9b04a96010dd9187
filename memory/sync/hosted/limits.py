"""How often a network, an address, an account or a device may call. Asked before anything of a request is parsed.

A bucket holds as many calls as are allowed in its time and refills evenly. It is one number: the instant until which
what was spent lasts, ahead of now by the whole time when the bucket is empty. With PostgreSQL the number is in the
database, so that all replicas count together. Who calls often is given several calls at once, a tenth of the bucket at
most, so that few requests ask the database; a replica that does not use them up soon lets them lapse.
"""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from sqlalchemy import BigInteger, bindparam, select, text

from memory.sync.hosted.errors import Refusal
from memory.sync.hosted.service_keys import ServiceKeys
from memory.sync.hosted.store import Store
from memory.sync.hosted.tables.records import rate_limits

_MOST_BUCKETS = 100_000
_MICROSECONDS = 1000
"""In a millisecond: buckets count finer than the clock, or a thousand calls a second could not be told apart."""
_TAKE = text(
    "INSERT INTO rate_limits AS held (bucket, spent_until) VALUES (:bucket, :now + :cost) "
    "ON CONFLICT (bucket) DO UPDATE SET spent_until = GREATEST(held.spent_until, :now) + :cost "
    "WHERE GREATEST(held.spent_until, :now) + :cost <= :now + :time RETURNING bucket"
).bindparams(*(bindparam(name, type_=BigInteger) for name in ("now", "cost", "time")))


class Buckets(Protocol):
    """Where the numbers are."""

    async def take(self, kind: str, who: str, cost: int, time: int, now: int) -> bool:
        """Spend ``cost`` of a bucket of ``time`` if so much is in it (all in microseconds)."""

    async def spent_until(self, kind: str, who: str) -> int:
        """Return the instant until which what was spent lasts."""


class OwnBuckets:
    """In the memory of the one process that there is."""

    def __init__(self) -> None:
        self._spent: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def take(self, kind: str, who: str, cost: int, time: int, now: int) -> bool:
        """Spend of a bucket."""
        spent = max(self._spent.pop((kind, who), 0), now)
        taken = spent + cost <= now + time
        self._spent[(kind, who)] = spent + cost if taken else spent
        while len(self._spent) > _MOST_BUCKETS:
            self._spent.popitem(last=False)
        return taken

    async def spent_until(self, kind: str, who: str) -> int:
        """Return how far it is spent."""
        return self._spent.get((kind, who), 0)


class SharedBuckets:
    """In the database, under keyed hashes: rows that last as long as what was spent."""

    def __init__(self, store: Store, keys: ServiceKeys) -> None:
        self._store = store
        self._keys = keys

    async def take(self, kind: str, who: str, cost: int, time: int, now: int) -> bool:
        """Spend of a bucket."""
        values = {"bucket": self._keys.bucket(kind, who), "cost": cost, "time": time, "now": now}
        async with self._store.glance() as connection:
            return (await connection.execute(_TAKE, values)).first() is not None

    async def spent_until(self, kind: str, who: str) -> int:
        """Return how far it is spent."""
        place = rate_limits.c.bucket == self._keys.bucket(kind, who)
        async with self._store.glance() as connection:
            return (await connection.scalar(select(rate_limits.c.spent_until).where(place))) or 0


@dataclass(slots=True)
class _Given:
    """What this replica was given of a bucket and has not used."""

    size: int = 0
    left: int = 0
    until: int = 0
    empty_until: int = 0
    """Before this instant there is nothing in the bucket for sure: no database is asked to refuse."""
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Limits:
    """Limits of one service; ``clock`` returns milliseconds."""

    def __init__(self, clock: Callable[[], int], buckets: Buckets) -> None:
        self._clock = clock
        self._buckets = buckets
        self._here = OwnBuckets()
        self._given: OrderedDict[tuple[str, str], _Given] = OrderedDict()

    async def take(self, kind: str, who: str, most: int, seconds: int) -> None:
        """Take one of ``most`` calls in ``seconds``. Raises Refusal (429)."""
        given = self._given.get((kind, who))
        if given is None:
            given = self._given[(kind, who)] = _Given()
            while len(self._given) > _MOST_BUCKETS:
                self._given.popitem(last=False)
        if self._use(given):
            return
        async with given.asking:
            if not self._use(given):  # another request may have asked meanwhile
                if self._clock() >= given.empty_until:
                    await self._ask(given, kind, who, most, seconds)
                if self._clock() < given.empty_until:
                    wait = (given.empty_until - self._clock()) // 1000 + 1
                    raise Refusal(429, "too_many_requests", f"Wait {wait} seconds.", retry_after=wait)

    async def take_here(self, kind: str, who: str, most: int, seconds: int) -> None:
        """Take a call of a limit that this replica counts alone, also while the database is away. Raises Refusal."""
        now, time = self._clock() * _MICROSECONDS, seconds * 1000 * _MICROSECONDS
        if not await self._here.take(kind, who, time // most, time, now):
            raise Refusal(429, "too_many_requests", f"Wait {seconds} seconds.", retry_after=seconds)

    def _use(self, given: _Given) -> bool:
        if not given.left or self._clock() >= given.until:
            return False
        given.left -= 1
        return True

    async def _ask(self, given: _Given, kind: str, who: str, most: int, seconds: int) -> None:
        now, time = self._clock() * _MICROSECONDS, seconds * 1000 * _MICROSECONDS
        each = time // most
        used_up = given.left == 0 and now < given.until * _MICROSECONDS
        size = max(1, min(given.size * 2, most // 10)) if used_up else 1
        for count in sorted({size, 1}, reverse=True):
            if await self._buckets.take(kind, who, count * each, time, now):
                given.size, given.left = count, count - 1
                # By then the bucket has twice refilled what was given: who calls seldom wastes nothing that matters.
                given.until = (now + 2 * count * each) // _MICROSECONDS
                return
        given.left = 0
        spent = await self._buckets.spent_until(kind, who)
        given.empty_until = max(spent + each - time, now + 1) // _MICROSECONDS + 1


@lru_cache(4096)
def network_of(address: str) -> str:
    """Return the network that an address belongs to, /24 or /48; "unknown" for what is none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))
