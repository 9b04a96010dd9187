"""A BagIt archive (RFC 8493) as one ZIP file, written member by member, with a signed manifest."""

import asyncio
import hashlib
import json
import zipfile
from collections.abc import AsyncIterable, Iterable
from pathlib import Path
from typing import Any

from memory.sync.hosted.service_keys import ServiceKeys
from memory.sync.signed_json import sign


class Bag:
    """The archive while it is written; every method but ``add_pieces`` is blocking."""

    def __init__(self, file: Path, folder: str) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._folder = folder
        self._payload: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._bytes = 0

    def add(self, name: str, content: bytes) -> None:
        """Add a file of the payload."""
        self._payload[f"data/{name}"] = hashlib.sha512(content).hexdigest()
        self._bytes += len(content)
        self._archive.writestr(f"{self._folder}/data/{name}", content)

    def add_lines(self, name: str, rows: Iterable[dict[str, Any]]) -> int:
        """Add a file with one JSON object in each line; return their number."""
        lines = [json.dumps(row, sort_keys=True) for row in rows]
        self.add(name, "".join(f"{line}\n" for line in lines).encode())
        return len(lines)

    async def add_pieces(self, name: str, pieces: AsyncIterable[bytes]) -> None:
        """Add a file of the payload piece by piece."""
        digest = hashlib.sha512()
        with self._archive.open(f"{self._folder}/data/{name}", "w", force_zip64=True) as member:
            async for piece in pieces:
                await asyncio.to_thread(digest.update, piece)
                self._bytes += len(piece)
                await asyncio.to_thread(member.write, piece)
        self._payload[f"data/{name}"] = digest.hexdigest()

    def close(self, info: dict[str, str], keys: ServiceKeys) -> None:
        """Write what describes the payload, sign its manifest, and end the archive."""
        self._tag("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
        manifest = "".join(f"{digest}  {name}\n" for name, digest in sorted(self._payload.items()))
        info = {**info, "Payload-Oxum": f"{self._bytes}.{len(self._payload)}"}
        self._tag("bag-info.txt", "".join(f"{name}: {value}\n" for name, value in info.items()))
        self._tag("manifest-sha512.txt", manifest)
        statement = {
            "v": 1,
            "key_id": keys.key_id,
            "manifest": "sha512:" + hashlib.sha512(manifest.encode()).hexdigest(),
        }
        signed = sign(b"aof/v1/export", statement, keys.signer)
        self._tag("manifest-signature.json", json.dumps(signed, indent=1) + "\n")
        tags = "".join(f"{digest}  {name}\n" for name, digest in sorted(self._tags.items()))
        self._archive.writestr(f"{self._folder}/tagmanifest-sha512.txt", tags)
        self._archive.close()

    def _tag(self, name: str, text: str) -> None:
        self._tags[name] = hashlib.sha512(text.encode()).hexdigest()
        self._archive.writestr(f"{self._folder}/{name}", text)
