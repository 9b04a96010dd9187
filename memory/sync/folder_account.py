"""The account log and the wrapped keys of a space in its folder, each device writing only below its own name.

``<space>/<device>/log-<n>.json`` is entry ``n`` (``log-<n>-<hash>.json`` where it wrote one of this number before),
``wrap-<epoch>-<recipient>-<hash>.json`` a key for a device or for recovery, ``<hash>`` beginning its commitment.
"""

import json
import os
from pathlib import Path
from typing import Any

from memory.sync import account_log, base64url
from memory.sync.key_wraps import Wrap
from memory.sync.signed_json import canonical
from memory.sync.space_keys import SpaceKey

_LARGEST = 64 * 1024


class FolderAccount:
    """The folder of one space, as what speaks of devices and keys."""

    def __init__(self, root: Path, space_id: str) -> None:
        self._space = root / space_id
        self._space_id = space_id

    def entries(self) -> list[dict[str, Any]]:
        """Return every entry that lies here, in no order and some of them twice: `log_forks` says which count.

        Raises OSError where the folder is not there.
        """
        found = [_read(path) for path in self._files("log-*.json")]
        return [entry for entry in found if type(entry.get("n")) is int]

    def append(self, device_id: str, entry: dict[str, Any]) -> None:
        """Write an entry that this device made, or that recovery made on it.

        One of the same number that another branch replaced stays: whoever took it must find it here.
        """
        mine, number = self._mine(device_id), entry["n"]
        path = mine / f"log-{number}.json"
        if path.exists() and _read(path) != entry:
            path = mine / f"log-{number}-{account_log.hash_of(entry).hex()[:16]}.json"
        _write(path, entry)

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
        _write(self._mine(wrap.by) / _name(key, wrap.recipient_id), members)

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


def _read(path: Path) -> dict[str, Any]:
    """Return what a file holds; an empty object where it is none, as while it is being copied."""
    with path.open("rb") as file:
        data = file.read(_LARGEST)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, members: dict[str, Any]) -> None:
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(canonical(members))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
