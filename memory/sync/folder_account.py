"""The account log and the wrapped keys of a space in its folder, each device writing only below its own name.

``<space>/<device>/log-<n>.json`` is entry ``n`` (``log-<n>-<hash>.json`` where it wrote one of this number before),
``log.json`` a copy of all entries that the device took, ``wrap-<epoch>-<recipient>-<hash>.json`` a key for a device or
for recovery, ``<hash>`` beginning its commitment.
"""

import json
import os
import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memory.sync import account_log, base64url
from memory.sync.account import RECOVERY
from memory.sync.account_log import Entry
from memory.sync.key_wraps import Wrap
from memory.sync.signed_json import canonical
from memory.sync.space_keys import SpaceKey

_LARGEST = 64 * 1024
_LARGEST_COPY = 16 * 1024 * 1024
_COPY = "log.json"
"""The name of a device's copy of the whole log."""
_NAME = re.compile(r"log-(\d+)(?:-[0-9a-f]{16})?\.json")


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The files of the log: the entries in them, and those that hold none, as while they are being copied."""

    space: Path
    entries: tuple[tuple[Path, Entry], ...]
    damaged: tuple[Path, ...]

    def unsound(self, refused: Iterable[Any]) -> frozenset[Path]:
        """Return the files that hold no entry or one of those that were refused."""
        ids = {id(each) for each in refused}
        return frozenset(self.damaged) | {path for path, entry in self.entries if id(entry) in ids}

    def names(self, files: Iterable[Path]) -> tuple[str, ...]:
        """Return how files are named for their owner: by the paths below the folder of the space."""
        return tuple(sorted(str(path.relative_to(self.space)) for path in files))


class FolderAccount:
    """The folder of one space, as what speaks of devices and keys."""

    def __init__(self, root: Path, space_id: str) -> None:
        self._space = root / space_id
        self._space_id = space_id

    def log(self) -> "LogFiles":
        """Return every entry that lies here, in no order and most of them often: `log_forks` says which count.

        Raises OSError where the folder is not there.
        """
        entries: list[tuple[Path, Entry]] = []
        damaged: list[Path] = []
        for path in self._files("log*.json"):
            found = [_read(path)] if path.name.startswith("log-") else _read_copy(path)
            if found is None or not all(type(entry.get("n")) is int for entry in found):
                damaged.append(path)
            else:
                entries += ((path, entry) for entry in found)
        return LogFiles(self._space, tuple(entries), tuple(damaged))

    def keep_log(
        self, device_id: str, entries: Sequence[Entry], files: "LogFiles", damaged: AbstractSet[Path]
    ) -> None:
        """Have below a device's name a copy of the whole log, and each entry that it made in a file that is whole.

        ``entries`` are all that somebody signed; ``damaged`` are the files that hold something else.
        """
        mine = self._mine(device_id)
        copied = sorted(entries, key=lambda entry: (entry["n"], account_log.hash_of(entry)))
        if [entry for path, entry in files.entries if path == mine / _COPY] != copied:
            _write(mine / _COPY, json.dumps(copied, sort_keys=True, separators=(",", ":")).encode())
        made = [entry for entry in copied if _made_by(entry) == device_id]
        numbers = {entry["n"] for entry in made}
        for path in damaged:
            named = _NAME.fullmatch(path.name)
            if path.parent == mine and path.name != _COPY and (named is None or int(named[1]) in numbers):
                path.unlink(missing_ok=True)
        there = [entry for path, entry in files.entries if path.parent == mine and _NAME.fullmatch(path.name)]
        for entry in made:
            if entry not in there:
                self.append(device_id, entry)

    def append(self, device_id: str, entry: Entry) -> None:
        """Write an entry that this device made, or that recovery made on it.

        One of the same number that another branch replaced stays: whoever took it must find it here.
        """
        mine, number = self._mine(device_id), entry["n"]
        path = mine / f"log-{number}.json"
        if path.exists() and _read(path) not in ({}, entry):
            path = mine / f"log-{number}-{account_log.hash_of(entry).hex()[:16]}.json"
        _write(path, canonical(entry))

    def wraps(self, recipient_id: str) -> list[Wrap]:
        """Return the keys that were wrapped for a device or for recovery, but for what is none. Raises OSError."""
        found = [_wrap(self._space_id, _read(path)) for path in self._files(f"wrap-*-{recipient_id}*.json")]
        return [each for each in found if each is not None]

    def wraps_by(self, device_id: str) -> list[Wrap]:
        """Return the keys that a device wrapped. Raises OSError."""
        found = [_wrap(self._space_id, _read(path)) for path in (self._space / device_id).glob("wrap-*.json")]
        return [each for each in found if each is not None]

    def add_wrap(self, wrap: Wrap, key: SpaceKey) -> None:
        """Write a wrapped key below the name of the device that wrapped it.

        Another key of the same epoch stays beside it: which of them the log opens may be seen only later.
        """
        members = {
            "epoch": wrap.epoch,
            "recipient_id": wrap.recipient_id,
            "by": wrap.by,
            "output": base64url.encode(wrap.output),
            "sig": base64url.encode(wrap.sig),
        }
        _write(self._mine(wrap.by) / _name(key, wrap.recipient_id), canonical(members))

    def has_wrap(self, device_id: str, key: SpaceKey, recipient_id: str) -> bool:
        """Whether a device has wrapped this very key for a recipient."""
        return (self._space / device_id / _name(key, recipient_id)).exists()

    def former_wraps(self, device_id: str, epoch: int) -> list[Path]:
        """Return the files of the keys before an epoch that a device wrapped."""
        files = (self._space / device_id).glob("wrap-*.json")
        return [path for path in files if _epoch_of(path) < epoch]

    def _mine(self, device_id: str) -> Path:
        mine = self._space / device_id
        mine.mkdir(exist_ok=True)
        return mine

    def _files(self, pattern: str) -> list[Path]:
        if not self._space.is_dir():
            raise FileNotFoundError(self._space)
        return [path for folder in sorted(self._space.iterdir()) for path in sorted(folder.glob(pattern))]


def spaces(root: Path) -> tuple[str, ...]:
    """Return the ids of the spaces in a folder. Raises OSError."""
    return tuple(sorted(path.name for path in root.iterdir() if path.is_dir() and is_id(path.name)))


def require_writable(root: Path) -> None:
    """Raise OSError where a folder is not there, or nothing can be written into it; nothing is."""
    if not root.is_dir():
        raise FileNotFoundError(root)
    if not os.access(root, os.W_OK | os.X_OK):
        raise PermissionError(root)


def is_id(name: Any) -> bool:
    """Whether this is the id of a space or a device."""
    return isinstance(name, str) and len(name) == 32 and all(one in "0123456789abcdef" for one in name)


def _name(key: SpaceKey, recipient_id: str) -> str:
    return f"wrap-{key.epoch}-{recipient_id}-{key.commitment().hex()[:16]}.json"


def _epoch_of(path: Path) -> int:
    epoch = path.name.split("-")[1]
    return int(epoch) if epoch.isascii() and epoch.isdigit() else 0


def _wrap(space_id: str, members: dict[str, Any]) -> Wrap | None:
    """Return a wrapped key, None where a file holds none, as while it is being copied."""
    try:
        if type(members["epoch"]) is not int or not is_id(members["recipient_id"]):
            return None
        return Wrap(
            space_id,
            members["epoch"],
            str(members["recipient_id"]),
            str(members["by"]),
            base64url.decode(members["output"]),
            base64url.decode(members["sig"], 64),
        )
    except (KeyError, ValueError):
        return None


def _made_by(entry: Entry) -> str:
    """Return the device below whose name an entry lies: who signed it, or was added by the recovery key."""
    if entry["by"] != RECOVERY:
        return str(entry["by"])
    return str(entry["body"].get("device", {}).get("id", ""))


def _read_copy(path: Path) -> list[Entry] | None:
    """Return the entries of a copy of the log, None where it is damaged."""
    with path.open("rb") as file:
        data = file.read(_LARGEST_COPY)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else None


def _read(path: Path) -> dict[str, Any]:
    """Return what a file holds; an empty object where it is none, as while it is being copied."""
    with path.open("rb") as file:
        data = file.read(_LARGEST)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
