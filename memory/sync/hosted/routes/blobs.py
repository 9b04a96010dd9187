"""Chunks of files, and the addresses at which a service with a folder stores them."""

import asyncio
import hashlib
import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from memory.sync.hosted import blobs
from memory.sync.hosted.callers import caller_of, enter, per_device, session_needed
from memory.sync.hosted.errors import Refusal, malformed, not_found
from memory.sync.hosted.objects import FolderObjects
from memory.sync.hosted.requests import Body, Hash, body_of, takes

router = APIRouter()
_SESSION = [Depends(session_needed)]
_BODY = 256 * 1024
_MOST = 1280


class Chunk(Body):
    """A chunk that a device wants to store."""

    sha256: Hash
    len: int


class Plan(Body):
    """Chunks to be stored."""

    chunks: list[Chunk]


class Commit(Body):
    """Chunks that were put."""

    sha256: list[Hash]


@router.post("/v1/blobs/plan", openapi_extra=takes(Plan), dependencies=_SESSION)
async def plan(request: Request) -> dict[str, Any]:
    """Return where the chunks that are missing are to be put."""
    service, caller = await caller_of(request)
    await per_device(service, caller, "blobs", service.settings.pulls_per_minute)
    asked = await body_of(request, Plan, _BODY)
    if len(asked.chunks) > _MOST:
        raise malformed(f"chunks: {_MOST} are the most")
    wanted = {each.sha256: each.len for each in asked.chunks}
    return {"missing": await blobs.plan(service, caller, wanted)}


@router.post("/v1/blobs/commit", openapi_extra=takes(Commit), dependencies=_SESSION)
async def commit(request: Request) -> dict[str, Any]:
    """Confirm chunks; those that are named in the answer are to be put again."""
    service, caller = await caller_of(request)
    await per_device(service, caller, "blobs", service.settings.pulls_per_minute)
    asked = await body_of(request, Commit, _BODY)
    if len(asked.sha256) > _MOST:
        raise malformed(f"sha256: {_MOST} are the most")
    return {"missing": await blobs.commit(service, caller, asked.sha256)}


@router.get("/v1/blobs/{sha256}", status_code=302, dependencies=_SESSION)
async def read(request: Request, sha256: Hash) -> Response:
    """Lead to a chunk."""
    service, caller = await caller_of(request)
    await per_device(service, caller, "blobs", service.settings.pulls_per_minute)
    return RedirectResponse(await blobs.address(service, caller, sha256), 302)


@router.put("/objects/{key:path}")
async def put_object(
    request: Request, key: str, size: Annotated[int, Query(ge=0)], until: int, sig: str
) -> Response:
    """Store a chunk at the address that `plan` gave."""
    objects = await _folder(request)
    objects.check("PUT", key, size, until, sig)
    with tempfile.NamedTemporaryFile(dir=objects.scratch(), delete=False) as file:
        arriving = Path(file.name)
        try:
            digest, length = hashlib.sha256(), 0
            async for piece in request.stream():
                length += len(piece)
                if length > size:
                    raise Refusal(413, "too_large", "There is more than was announced.", limit=size)
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
            if length != size or digest.hexdigest() != key.rpartition("/")[2]:
                raise Refusal(400, "chunk_damaged", "These are not the bytes that were announced.")
            await asyncio.to_thread(file.flush)
            await objects.put_file(key, arriving)
        finally:
            await asyncio.to_thread(arriving.unlink, missing_ok=True)
    return Response(status_code=204)


@router.get("/objects/{key:path}")
async def get_object(
    request: Request, key: str, size: Annotated[int, Query(ge=0)], until: int, sig: str
) -> Response:
    """Give an object at a signed address."""
    path = (await _folder(request)).check("GET", key, size, until, sig)
    if not path.is_file():
        raise not_found()
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type="application/octet-stream", filename=path.name, headers=headers)


async def _folder(request: Request) -> FolderObjects:
    objects = (await enter(request)).objects
    if not isinstance(objects, FolderObjects):
        raise not_found()
    return objects
