"""How sync stands: where this office meets the others, what waits, and what is on its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from memory.sync import outbox, space, transfers
from memory.sync.errors import listed
from memory.sync.outbox import Waiting
from memory.sync.service.sign_in import is_service
from memory.sync.transfers import Moving
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


def damaged_words(files: Sequence[str]) -> str:
    """Return what its owner should know of damaged files in the folder, nothing where there are none."""
    if not files:
        return ""
    words = ngettext(
        "A file of the list of your devices is damaged, or has not arrived whole: {files}. Nothing is lost: your "
        "devices keep what stood in it, and the one that wrote it puts it right in its next round.",
        "Files of the list of your devices are damaged, or have not arrived whole: {files}. Nothing is lost: your "
        "devices keep what stood in them, and the ones that wrote them put them right in their next round.",
        len(files),
    )
    return words.format(files=listed(files))


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
    )


def read_status(session: Session) -> Status:
    """Return how sync stands."""
    return Status(read_here(session), outbox.waiting(session), transfers.moving(session))
