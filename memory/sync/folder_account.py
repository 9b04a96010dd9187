"""The account log and the wrapped keys of a space in its folder, each device writing only below its own name.

``<space>/<device>/log-<n>.json`` is entry ``n``, ``wrap-<epoch>-<recipient>.json`` a key for a device or for recovery.
"""

import json
import os
from pathlib import Path
from typing import Any

from memory.sync import base64url
from memory.sync.errors import LogForked, WrapRefused
from memory.sync.key_wraps import Wrap
from memory.sync.signed_json import canonical

_LARGEST = 64 * 1024


class FolderAccount:
    """The folder of one space, as what speaks of devices and keys."""

    def __init__(self, root: Path, space_id: str) -> None:
        self._space = root / space_id
        self._space_id = space_id

    def log(self) -> list[dict[str, Any]]:
        """Return the entries in order, as far as they are here without a gap.

        Raises LogForked where two devices wrote one entry, OSError where the folder is not there.
        """
        entries: dict[int, dict[str, Any]] = {}
        for path in sorted(self._files("log-*.json")):
            entry = _read(path)
            number = entry.get("n")
            if type(number) is not int:
                continue
            if number in entries and canonical(entries[number]) != canonical(entry):
                raise LogForked(f"two entries {number}")
            entries[number] = entry
        found: list[dict[str, Any]] = []
        while len(found) in entries:
            found.append(entries[len(found)])
        return found

    def append(self, device_id: str, entry: dict[str, Any]) -> None:
        """Write an entry that this device made, or that recovery made on it."""
        _write(self._mine(device_id) / f"log-{entry['n']}.json", entry)

    def wraps(self, recipient_id: str) -> list[Wrap]:
        """Return the keys that were wrapped for a device or for recovery. Raises WrapRefused, OSError."""
        return [_wrap(self._space_id, _read(path)) for path in self._files(f"wrap-*-{recipient_id}.json")]

    def add_wrap(self, wrap: Wrap) -> None:
        """Write a wrapped key below the name of the device that wrapped it."""
        members = {
            "epoch": wrap.epoch,
            "recipient_id": wrap.recipient_id,
            "by": wrap.by,
            "output": base64url.encode(wrap.output),
            "sig": base64url.encode(wrap.sig),
        }
        _write(self._mine(wrap.by) / f"wrap-{wrap.epoch}-{wrap.recipient_id}.json", members)

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
    return tuple(
        sorted(
            path.name
            for path in root.iterdir()
            if path.is_dir() and len(path.name) == 32 and all(one in "0123456789abcdef" for one in path.name)
        )
    )


def _wrap(space_id: str, members: dict[str, Any]) -> Wrap:
    try:
        if type(members["epoch"]) is not int:
            raise ValueError("epoch")
        return Wrap(
            space_id,
            members["epoch"],
            str(members["recipient_id"]),
            str(members["by"]),
            base64url.decode(members["output"]),
            base64url.decode(members["sig"], 64),
        )
    except (KeyError, ValueError) as wrong:
        raise WrapRefused("members") from wrong


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
