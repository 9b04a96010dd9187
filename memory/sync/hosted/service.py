"""The service as one value: what every route and every job is given."""

from collections.abc import Callable
from dataclasses import dataclass, field

from memory.identifiers import now
from memory.sync.hosted.access_log import AccessLog
from memory.sync.hosted.hints import Hints
from memory.sync.hosted.limits import Limits, OwnBuckets, SharedBuckets
from memory.sync.hosted.metrics import Metrics
from memory.sync.hosted.objects import Objects, open_objects
from memory.sync.hosted.service_keys import ServiceKeys, load_keys
from memory.sync.hosted.settings import Settings
from memory.sync.hosted.store import Stores, open_stores

DAY = 86_400_000
HOUR = 3_600_000


@dataclass
class Service:
    """The parts of a running service. ``clock`` returns milliseconds UTC."""

    settings: Settings
    keys: ServiceKeys
    stores: Stores
    objects: Objects
    clock: Callable[[], int] = now
    limits: Limits = field(init=False)
    hints: Hints = field(init=False)
    access_log: AccessLog = field(init=False)
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        records = self.stores.records
        self.limits = Limits(
            self.now, OwnBuckets() if records.is_sqlite else SharedBuckets(records, self.keys)
        )
        self.hints = Hints(self.stores.records)
        self.access_log = AccessLog(self.stores.records)
        self.metrics = Metrics()

    def now(self) -> int:
        """Return the present instant."""
        return self.clock()

    @property
    def today(self) -> int:
        """The present day, counted from 1970-01-01 UTC."""
        return self.clock() // DAY


def make_service(settings: Settings, clock: Callable[[], int] = now) -> Service:
    """Return a service that is not open yet: `lifetime.open_service` does that. Raises SettingsInvalid."""
    keys = load_keys(settings)
    return Service(settings, keys, open_stores(settings), open_objects(settings, keys, clock), clock)
