"""The title of a document, from its own properties where they say something."""

import re
from pathlib import PurePath

from memory.readers.errors import shown_name

_EMPTY_TITLES = re.compile(
    r"^(?:untitled.*|document\d*|powerpoint[- ]presentation|slide 1|.*\.(?:dvi|tex|indd|qxd))$", re.I
)
_PROGRAM = re.compile(r"^microsoft (?:word|powerpoint|excel) - ", re.IGNORECASE)


def title_from(property_value: str | None, name: str) -> str:
    """Return the title a file carries, or its name without the extension where that says nothing."""
    title = " ".join(_PROGRAM.sub("", (property_value or "").replace("\x00", "").strip()).split())
    if len(title) < 3 or _EMPTY_TITLES.match(title):
        return shown_name(PurePath(name).stem or name)
    return title[:300]
