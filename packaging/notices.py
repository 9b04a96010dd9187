"""Write THIRD-PARTY-NOTICES.md: every locked library with its version and licence.

`make lock` runs it. Licences are read from the metadata of what is installed; a library that not every
system installs stands in `ELSEWHERE`.
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTICES = ROOT / "THIRD-PARTY-NOTICES.md"
LOCKS = {"run": "Installed with Bureau", "develop": "Installed for developing and testing only"}

# Locked for some systems or Pythons only, so not always there to be read.
ELSEWHERE = {
    "backports-tarfile": "MIT",
    "httpx2-jsfetch": "BSD-3-Clause",
    "importlib-metadata": "Apache-2.0",
    "lazy-importer": "Apache-2.0",
    "pywin32-ctypes": "BSD-3-Clause",
    "zipp": "MIT",
}

# Whose metadata names no licence in a form that can be read, and what their licence file says.
READ_BY_HAND = {
    "bagit": "CC0-1.0",
    "pyrage": "MIT",
    "sqlcipher3": "Zlib, with SQLCipher Community Edition under BSD-3-Clause",
    "tiktoken": "MIT",
}

HEAD = """\
# Third-party notices

Bureau is under the Apache License 2.0 (`LICENSE`). It carries these files of others:

| what | where | licence |
|---|---|---|
| Inter 3.19 | `resources/fonts/` | SIL Open Font License 1.1 (`Inter-LICENSE.txt`) |
| JetBrains Mono 2.242 | `resources/fonts/` | SIL Open Font License 1.1 (`JetBrainsMono-LICENSE.txt`) |
| tokenizer of all-MiniLM-L6-v2 | `resources/models/` | Apache-2.0 (`LICENSE.txt`) |

It is installed together with the libraries below, each from its own package with its own licence text. Qt and
PySide are used under the LGPL 3 as separate, replaceable libraries.

`packaging/notices.py` writes this page.
"""


class LicenceUnknown(Exception):
    """A library says nowhere what its licence is; the message names what to do."""


def locked(name: str) -> dict[str, str]:
    """Return the versions in packaging/lock/NAME.txt by library, several joined by " or "."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "packaging" / "lock" / f"{name}.txt").read_text("utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([^\s;\\]+)", line):
            found.setdefault(match[1], []).append(match[2])
    return {library: " or ".join(versions) for library, versions in found.items()}


def licence(installed: Distribution) -> str:
    """Return the licence of a library in one line, "" if its metadata does not say."""
    metadata = installed.metadata

    def first(field: str) -> str:
        return str(metadata.get_all(field, [""])[0])

    classifiers = [
        value.rpartition(" :: ")[2]
        for value in metadata.get_all("Classifier", [])
        if value.startswith("License ::") and not value.endswith("OSI Approved")
    ]
    text = first("License").strip()
    short = text if text and "\n" not in text and len(text) < 80 else ""
    return first("License-Expression") or short or " / ".join(classifiers)


def licence_of(library: str) -> str:
    """Return the licence of a locked library. Raises LicenceUnknown."""
    said = READ_BY_HAND.get(library) or ELSEWHERE.get(library, "")
    if not said:
        try:
            said = licence(distribution(library))
        except PackageNotFoundError:
            said = ""
    if not said:
        raise LicenceUnknown(f"The licence of {library} is not known. Read it and add it to {__file__}.")
    return " ".join(said.split()).replace("|", "/")


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for name, title in LOCKS.items():
        rows = [
            f"| {library} | {version} | {licence_of(library)} |"
            for library, version in sorted(locked(name).items())
        ]
        parts += [
            f"## {title}\n",
            "\n".join(["| library | version | licence |", "|---|---|---|", *rows]) + "\n",
        ]
    return "\n".join(parts)


if __name__ == "__main__":
    try:
        NOTICES.write_text(page(), "utf-8")
    except LicenceUnknown as problem:
        sys.exit(str(problem))
