"""How sync stands: where this office meets the others, what waits, and what is on its way."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from memory.lifecycle.trash import DAY
from memory.sync import base64url, clocks, outbox, space, transfers
from memory.sync.outbox import Waiting
from memory.sync.service.sign_in import is_service
from memory.sync.service_keys import fingerprint
from memory.sync.transfers import Moving
from resources.language import gettext as _
from resources.language import ngettext


@dataclass(frozen=True, slots=True)
class Here:
    """What this office knows of its space."""

    space_id: str
    device_id: str
    place: str
    """The path of a folder, or the address of a service."""
    enabled: bool
    log_n: int
    log_head: bytes
    epoch: int
    round_at: int | None
    """When the last round ended that went well, in UTC milliseconds."""
    fault: str
    """Why the last one did not, as a sentence; empty where it did. ``fault_at`` says when."""
    fault_at: int | None
    service_keys: tuple[str, ...]
    """The fingerprints of the keys that the service showed first for what it signs."""
    other_keys: tuple[str, ...]
    """Those of keys that it shows now and that are none of these: what they sign is not believed."""
    ahead: int
    """By how many milliseconds the clock of this device is ahead of the others', 0 where it is not."""

    @property
    def hosted(self) -> bool:
        """Whether the devices meet at a service."""
        return is_service(self.place)

    @property
    def folder(self) -> Path:
        """The folder in which the devices meet, where it is one."""
        return Path(self.place)


@dataclass(frozen=True, slots=True)
class Status:
    """How sync stands, with what waits and what is on its way; ``here`` is None where it was never on."""

    here: Here | None
    waiting: Waiting
    moving: Moving


def read_here(session: Session) -> Here | None:
    """Return what this office knows of its space, None where sync was never on."""
    row = space.of(session)
    if row is None:
        return None
    return Here(
        row.id,
        row.device_id,
        row.place,
        row.enabled,
        row.log_n,
        row.log_head,
        row.epoch,
        row.round_at,
        row.fault,
        row.fault_at,
        tuple(fingerprint(base64url.decode(key, 32)) for key in row.service_keys.values()),
        tuple(row.other_keys),
        clocks.ahead(session),
    )


def clock_words(ahead: int) -> tuple[str, ...]:
    """Return what is said of a clock that is ahead by so many milliseconds."""
    if not ahead:
        return ()
    sentence = ngettext(
        "The clock of this device is {count} day ahead of what the service or your other devices say: set it right. "
        "Until then nothing is erased for its age, unless you confirm it under Privacy.",
        "The clock of this device is {count} days ahead of what the service or your other devices say: set it right. "
        "Until then nothing is erased for its age, unless you confirm it under Privacy.",
        ahead // DAY,
    )
    return (sentence.format(count=ahead // DAY),)


def key_words(here: Here) -> tuple[str, ...]:
    """Return what is said of a service that shows another key than at first."""
    if not here.other_keys:
        return ()
    sentence = _(
        "The service shows another key for its receipts ({other}) than at first ({first}): what it signs with that "
        "proves nothing here. Ask who runs it; if they confirm that key, leave sync and join again."
    )
    return (sentence.format(other=", ".join(here.other_keys), first=", ".join(here.service_keys)),)


def read_status(session: Session) -> Status:
    """Return how sync stands."""
    return Status(read_here(session), outbox.waiting(session), transfers.moving(session))
