"""How the owner calls the devices. A name is a record like any other: sealed, so that no service ever sees it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import audit
from memory.errors import Refused
from memory.tables import DeviceNameTable
from memory.tables.records import record
from memory.titles import LIMIT, one_line
from resources.language import gettext as _

_PLATFORMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_SYSTEMS: dict[str, Callable[[], str]] = {
    "linux": lambda: _("Linux computer"),
    "macos": lambda: _("Mac"),
    "windows": lambda: _("Windows computer"),
}


@dataclass(frozen=True, slots=True, order=True)
class DeviceName:
    """A device as its owner calls it; ``name`` is empty until there is one, ``system`` where it is not known."""

    id: str
    name: str = ""
    system: str = ""

    @property
    def kind(self) -> str:
        """What it is, by its operating system."""
        return _SYSTEMS.get(self.system, lambda: _("Device"))()

    @property
    def title(self) -> str:
        """Its name; without one what it is, and how its id begins."""
        return self.name or f"{self.kind} {self.id[:8]}"


def introduce(session: Session, device_id: str) -> None:
    """Note of this device what it is; it never tells what its host is called."""
    session.add(DeviceNameTable(id=device_id, system=_PLATFORMS.get(sys.platform, "")))
    session.flush()


def names(session: Session) -> dict[str, DeviceName]:
    """Return what is known of devices, by their ids."""
    return {row.id: record(DeviceName, row) for row in session.scalars(select(DeviceNameTable))}


def has_come_in(device_id: str, known: Mapping[str, DeviceName]) -> bool:
    """Whether a device did a round: in its first one it tells what it is, ``known`` being those that did."""
    return device_id in known


def name(session: Session, device_id: str, given: str) -> DeviceName:
    """Call a device of the account so, from now on on every device; nothing takes the name away.

    Raises Refused for a name that is too long.
    """
    given = one_line(given)
    if len(given) > LIMIT:
        raise Refused(_("A name has at most {count} characters: choose a shorter one.").format(count=LIMIT))
    row = session.get(DeviceNameTable, device_id)
    if row is None:
        row = DeviceNameTable(id=device_id)
        session.add(row)
    row.name = given
    session.flush()
    audit.append(session, "sync device named", device_id)
    return record(DeviceName, row)
