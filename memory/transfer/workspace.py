"""The agents' files on their way out and in: byte for byte, under their own names where every system allows them."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

from memory.transfer.record_types import from_rfc3339, to_rfc3339

RECORD = "workspace"
_CENTURIES = 1 << 43
"""Milliseconds that every file system can take, as nanoseconds."""
_BLOCK = 4 * 1024 * 1024
# What a manifest would have to write in another way, and what some system cannot have in a name.
_AWKWARD = re.compile(
    r'[\x00-\x1f\x7f-\x9f\u2028\u2029%\\:*?"<>|\ud800-\udfff]|[.]$|^\.names$'
    r"|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Item:
    """A file or an empty folder of the workspace: its path with ``/``, and where it stands in the bag."""

    path: str
    stored: str
    source: Path
    folder: bool = False


@dataclass(slots=True)
class Walk:
    """What a workspace holds; ``links`` counts what is neither file nor folder and stays behind."""

    items: list[Item]
    links: int = 0


def walk(workspace: Path) -> Walk:
    """Return what goes out, in the order of names."""
    found = Walk([])
    if workspace.is_dir():
        _visit(workspace, "", found)
    return found


def record(item: Item, size: int) -> dict[str, Any]:
    """Return the line that says what a file was called, and whether it may be run."""
    status = item.source.lstat()
    return {
        # A name that is no UTF-8 comes as Python tells it, with surrogates, which JSON can hold.
        "path": item.path,
        "stored": item.stored,
        "folder": item.folder,
        "size": size,
        "executable": not item.folder and bool(status.st_mode & stat.S_IXUSR),
        "modified_at": None if item.folder else to_rfc3339(status.st_mtime_ns // 1_000_000),
    }


def pieces(item: Item) -> Iterator[bytes]:
    """Yield the bytes of a file. Raises OSError."""
    with item.source.open("rb") as file:
        while piece := file.read(_BLOCK):
            yield piece


def _visit(folder: Path, prefix: str, found: Walk) -> None:
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    if not entries and prefix:
        found.items.append(Item(prefix.removesuffix("/"), "", folder, folder=True))
    for entry in entries:
        path = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            _visit(Path(entry.path), f"{path}/", found)
        elif entry.is_file(follow_symlinks=False):
            found.items.append(Item(path, _stored(path), Path(entry.path)))
        else:
            found.links += 1


def _stored(path: str) -> str:
    plain = normalize("NFC", path) == path
    if plain and not any(_AWKWARD.search(part) or part != part.strip() for part in path.split("/")):
        return path
    return ".names/" + hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()


def unfit(said: dict[str, Any]) -> str:
    """Return the first field of an incoming line that does not fit, empty if all do.

    A path that leads outside the workspace does not fit, nor a stored name that is not the one it must have.
    """
    path = said.get("path")
    if not isinstance(path, str) or not _inside(path):
        return "path"
    if said.get("folder") not in (True, False):
        return "folder"
    if said.get("stored") != ("" if said["folder"] else _stored(path)):
        return "stored"
    if type(said.get("size")) is not int:
        return "size"
    if said.get("executable") not in (True, False):
        return "executable"
    return "" if said["folder"] or _is_time(said.get("modified_at")) else "modified_at"


def _is_time(said: Any) -> bool:
    try:
        return abs(from_rfc3339(said)) < _CENTURIES
    except (ValueError, TypeError):
        return False


def _inside(path: str) -> bool:
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    parts = path.split("/")
    return "\x00" not in path and not any(part in ("", ".", "..") for part in parts)
