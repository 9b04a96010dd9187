"""Sealed pieces of files in a plain folder: ``<space>/<device>/blobs/<hash>``, each whole or not at all.

A device writes below its own name and reads everybody's; it removes its own once nothing here names them any more.
Who is cancelled goes only once what it began is written: else that would go on beside the next round, under the same
names.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from memory.disk import flush_folder
from memory.ending import to_its_end
from memory.sync.blob_chunks import CHUNK
from memory.sync.envelope import TAG
from memory.sync.errors import ChunkLost

PART = ".part"
"""Ends the name of a file that is not whole yet."""
_BLOBS = "blobs"


class FolderPieces:
    """The pieces in the folder of a space, of which ``mine`` is this device's own part. Raises OSError."""

    def __init__(self, space: Path, mine: Path) -> None:
        self._everybody = space
        self._pieces = mine / _BLOBS

    async def largest_file(self) -> int | None:
        """Return None: a folder sets no limit."""
        return None

    async def lacking(self, addresses: Sequence[bytes]) -> frozenset[bytes]:
        """Return the pieces that no device has put there: they get their names once they are on the disk."""
        return await asyncio.to_thread(self._lacking, addresses)

    async def announce(self, sizes: Mapping[bytes, int]) -> Mapping[bytes, str]:
        """Return the path of each piece that is not there."""
        lacking = await self.lacking(list(sizes))
        return {each: str(self._pieces / each.hex()) for each in lacking}

    async def put_piece(self, place: str, sealed: bytes) -> None:
        """Write a piece, and give it its name once it is on the disk."""
        await to_its_end(asyncio.to_thread(self._put, Path(place), sealed))

    async def piece(self, address: bytes) -> bytes:
        """Return a piece from whichever device has it there. Raises ChunkLost."""
        return await asyncio.to_thread(self._piece, address)

    async def keep_pieces(self, addresses: AbstractSet[bytes]) -> None:
        """Remove this device's own pieces but for these, and what a crash left half-written."""
        await to_its_end(asyncio.to_thread(self._keep, {each.hex() for each in addresses}))

    def _lacking(self, addresses: Sequence[bytes]) -> frozenset[bytes]:
        folders = [folder / _BLOBS for folder in self._devices()]
        return frozenset(
            each for each in addresses if not any((folder / each.hex()).is_file() for folder in folders)
        )

    def _devices(self) -> list[Path]:
        if not self._everybody.is_dir():
            raise FileNotFoundError(self._everybody)
        return sorted(self._everybody.iterdir())

    def _put(self, path: Path, sealed: bytes) -> None:
        self._pieces.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}{PART}")
        part.write_bytes(sealed)
        put_in_place([part])

    def _piece(self, address: bytes) -> bytes:
        for folder in self._devices():
            try:
                with (folder / _BLOBS / address.hex()).open("rb") as file:
                    return file.read(CHUNK + TAG)
            except (FileNotFoundError, NotADirectoryError):
                continue
        raise ChunkLost("not in the folder")

    def _keep(self, names: AbstractSet[str]) -> None:
        if self._pieces.is_dir():
            for path in self._pieces.iterdir():
                if path.name not in names:
                    path.unlink(missing_ok=True)


def write_part(target: Path, data: bytes) -> Path:
    """Write what `put_in_place` gives the name of a file; until then nobody reads it."""
    part = target.with_name(f".{target.name}{PART}")
    part.write_bytes(data)
    return part


def put_in_place(parts: Sequence[Path]) -> None:
    """Give files their names, without dot and ending, once all of them are on the disk; then the names are too."""
    for part in parts:
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for part in parts:
        part.replace(part.with_name(part.name.removeprefix(".").removesuffix(PART)))
    for folder in {part.parent for part in parts}:
        flush_folder(folder)
