"""What the window needs before the office is open: its place and its look, no content.

The settings of the office are the truth; this file is a copy of some of them, so that the first paint has
the right size, colours and language while the database is still being opened.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from memory.locations import Locations


@dataclass(frozen=True, slots=True)
class FirstLook:
    """Place in screen pixels (a width of 0: not known yet), colour scheme, text zoom, reduced motion.

    ``language`` is the code that Settings asks for, empty for the system's.
    """

    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0
    maximised: bool = False
    scheme: str = "system"
    zoom: float = 1.0
    reduced_motion: bool = False
    language: str = ""


def _file(locations: Locations) -> Path:
    return locations.home / "window.json"


def read(locations: Locations) -> FirstLook:
    """Return what was written last; the defaults where there is nothing or nothing that can be read."""
    try:
        found = json.loads(_file(locations).read_text(encoding="utf-8"))
        known = FirstLook()
        values = {
            name: type(value)(found[name])
            for name, value in asdict(known).items()
            if isinstance(found.get(name), (int, float, str))
        }
        return FirstLook(**values)
    except (OSError, ValueError, TypeError, AttributeError):
        return FirstLook()


def write(locations: Locations, state: FirstLook) -> None:
    """Replace the file in one step. Raises OSError."""
    if not locations.home.is_dir():
        return
    new = _file(locations).with_suffix(".new")
    new.write_text(json.dumps(asdict(state)), encoding="utf-8")
    new.chmod(0o600)
    new.replace(_file(locations))
