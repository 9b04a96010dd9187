"""Where chunks and exports lie: a folder, or a bucket of an S3-compatible store.

A key is ``<account>/blobs/<sha256>`` or ``<account>/exports/<name>``. Devices read and write at signed addresses
that are valid for a quarter of an hour.
"""

import asyncio
import hmac
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from memory.sync.hosted.errors import Refusal
from memory.sync.hosted.service_keys import ServiceKeys
from memory.sync.hosted.settings import Settings

VALID_SECONDS = 900
PIECE = 2**20


class Objects(Protocol):
    """A place for objects."""

    def put_url(self, key: str, size: int) -> str:
        """Return where exactly so many bytes may be put."""

    def get_url(self, key: str) -> str:
        """Return where an object may be read."""

    async def size(self, key: str) -> int | None:
        """Return the size of an object, None if there is none."""

    async def put_file(self, key: str, file: Path) -> None:
        """Store a file under a key and remove the file."""

    def read(self, key: str) -> AsyncIterator[bytes]:
        """Yield the pieces of an object."""

    async def delete(self, key: str) -> None:
        """Delete an object; nothing happens where there is none."""

    async def delete_all(self, prefix: str) -> int:
        """Delete everything under a prefix and return how many objects there were."""

    async def is_empty(self, prefix: str) -> bool:
        """Whether nothing lies under a prefix."""

    async def close(self) -> None:
        """Let go of connections."""


class FolderObjects:
    """Objects as files; the service itself answers the signed addresses."""

    def __init__(self, folder: Path, settings: Settings, keys: ServiceKeys, clock: Callable[[], int]) -> None:
        self._folder = folder
        self._url = settings.public_url
        self._keys = keys
        self._clock = clock

    def put_url(self, key: str, size: int) -> str:
        """Return where exactly so many bytes may be put."""
        return self._signed("PUT", key, size)

    def get_url(self, key: str) -> str:
        """Return where an object may be read."""
        return self._signed("GET", key, 0)

    def _signed(self, method: str, key: str, size: int) -> str:
        until = self._clock() // 1000 + VALID_SECONDS
        signature = self._keys.url_signature(f"{method}\n{key}\n{size}\n{until}")
        return f"{self._url}/objects/{key}?" + urlencode({"size": size, "until": until, "sig": signature})

    def check(self, method: str, key: str, size: int, until: int, signature: str) -> Path:
        """Return the file of a signed address. Raises Refusal."""
        right = self._keys.url_signature(f"{method}\n{key}\n{size}\n{until}")
        if not hmac.compare_digest(right.encode(), signature.encode()) or until * 1000 < self._clock():
            raise Refusal(403, "address_expired", "This address is not valid, or not any more.")
        return self._path(key)

    def _path(self, key: str) -> Path:
        path = self._folder / key
        if ".." in path.parts:
            raise ValueError("key")
        return path

    async def size(self, key: str) -> int | None:
        """Return the size of an object, None if there is none."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            return None

    async def put_file(self, key: str, file: Path) -> None:
        """Store a file under a key and remove the file."""
        await asyncio.to_thread(self.take, key, file)

    def take(self, key: str, file: Path) -> None:
        """As `put_file`, on this thread."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
        shutil.move(file, path)

    def scratch(self) -> Path:
        """Return a folder on the same disk for what is still arriving."""
        folder = self._folder / "arriving"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Yield the pieces of an object."""
        with self._path(key).open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece

    async def delete(self, key: str) -> None:
        """Delete an object; nothing happens where there is none."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def delete_all(self, prefix: str) -> int:
        """Delete everything under a prefix and return how many objects there were."""
        folder = self._path(prefix)

        def delete() -> int:
            count = sum(each.is_file() for each in folder.rglob("*"))
            if folder.exists():
                shutil.rmtree(folder)
            return count

        return await asyncio.to_thread(delete)

    async def is_empty(self, prefix: str) -> bool:
        """Whether nothing lies under a prefix."""
        return not any(each.is_file() for each in self._path(prefix).rglob("*"))

    async def close(self) -> None:
        """Nothing is open."""


def open_objects(settings: Settings, keys: ServiceKeys, clock: Callable[[], int]) -> Objects:
    """Return the place that the settings name. Raises SettingsInvalid."""
    if settings.s3_endpoint:
        from memory.sync.hosted.bucket import Bucket

        return Bucket(settings, clock)
    return FolderObjects(settings.data / "objects", settings, keys, clock)


def blob_key(account_id: str, sha256: str) -> str:
    """Return the key of a chunk."""
    return f"{account_id}/blobs/{sha256}"


def export_key(account_id: str, name: str) -> str:
    """Return the key of an export."""
    return f"{account_id}/exports/{name}"
