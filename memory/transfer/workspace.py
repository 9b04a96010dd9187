"""The agents' files on their way out and in: byte for byte, under their own names where every system allows them."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memory.transfer.record_types import to_rfc3339

RECORD = "workspace"
_BLOCK = 4 * 1024 * 1024
# What a manifest would have to write in another way, and what some system cannot have in a name.
_AWKWARD = re.compile(
    r'[\x00-\x1f\x7f%\\:*?"<>|\ud800-\udfff]|[ .]$|^\.names$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.I
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
        "modified_at": to_rfc3339(status.st_mtime_ns // 1_000_000),
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
    if not any(_AWKWARD.search(part) for part in path.split("/")):
        return path
    return ".names/" + hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()
