"""Exports that the service makes of the account, and files that are handed out through its links."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from memory.errors import Refused
from memory.sync.service.calls import Calls, understood
from resources.language import gettext as _

Kind = Literal["metadata", "full"]
READY, FAILED = "ready", "failed"
_AGE = b"age-encryption.org/v1\n"
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Export:
    """An export and its link, which is told only when it is asked for; ``put`` is where a shared file goes."""

    export_id: str
    link: str
    put: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """A file that was encrypted by age, with its SHA-256 in hexadecimal digits and its length in bytes."""

    path: Path
    sha256: str
    size: int


async def ask_export(calls: Calls, kind: Kind, hours: int, since_day: int = 0) -> Export:
    """Have an export made, of what happened since a day (counted from 1970-01-01). Raises Unreachable, ServiceFault."""
    await calls.sign_in()  # the service makes none for a session that was signed long ago
    body = {"kind": kind, "hours": hours, "since_day": since_day}
    return _export(await calls.send("POST", "/v1/exports", body))


async def export_state(calls: Calls, export_id: str) -> str:
    """Return how far an export is: ``waiting``, ``running``, ``ready``, ``failed`` or ``expired``."""
    answer = await calls.get(f"/v1/exports/{export_id}")
    with understood():
        return str(answer["state"])


def look_at(path: Path) -> Shared:
    """Read a file that is to be shared; blocks.

    Raises Refused for one that is not encrypted by age, which anybody with the link could read, OSError.
    """
    with path.open("rb") as file:
        if file.read(len(_AGE)) != _AGE:
            raise Refused(
                _(
                    "{name} is not protected by a passphrase: export with one, on the Privacy page or with “bureau "
                    "export --encrypt”, then share that file."
                ).format(name=path.name)
            )
        file.seek(0)
        digest, size = hashlib.sha256(), 0
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return Shared(path, digest.hexdigest(), size)


async def share(calls: Calls, shared: Shared, hours: int) -> Export:
    """Put a file at the service and return its link. Raises Unreachable, ServiceFault."""
    body = {"kind": "shared", "hours": hours, "sha256": shared.sha256, "size": shared.size}
    export = _export(await calls.send("POST", "/v1/exports", body))
    await put_shared(calls, export.put, shared)
    await calls.send("POST", f"/v1/exports/{export.export_id}/commit", {})
    return export


async def put_shared(calls: Calls, address: str, shared: Shared) -> None:
    """Put a file where the service said. Raises Unreachable."""
    with shared.path.open("rb") as file:
        await calls.put_at(address, _pieces(file), shared.size)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, _PIECE):
        yield piece


def _export(answer: Any) -> Export:
    with understood():
        return Export(str(answer["export_id"]), str(answer["link"]), str(answer.get("put", "")))
