"""Exports and the links to them."""

from typing import Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from memory.sync.hosted import exporting
from memory.sync.hosted.callers import FRESH_MS, caller_of, enter, network, session_needed
from memory.sync.hosted.errors import Refusal, malformed
from memory.sync.hosted.requests import Body, Hash, Id, body_of, takes
from memory.sync.hosted.web import pages

router = APIRouter()
_SESSION = [Depends(session_needed)]


class Export(Body):
    """What is wanted for how many hours; ``sha256`` and ``size`` only of a file to be shared."""

    kind: Literal["metadata", "full", "shared"]
    hours: int = 24
    sha256: Hash | None = None
    size: int | None = None
    since_day: int = 0
    """Days since 1970-01-01: of what has a time of its own, nothing older is exported; 0 for all."""


@router.post("/v1/exports", status_code=202, openapi_extra=takes(Export), dependencies=_SESSION)
async def ask(request: Request) -> dict[str, Any]:
    """Ask for an export, or for a link to a file of one's own."""
    service, caller = await caller_of(request)
    asked = await body_of(request, Export)
    if asked.kind != exporting.SHARED:
        if service.now() - caller.signed_at > FRESH_MS:
            raise Refusal(
                401, "signed_out", "Sign a new session: an export needs one of the last five minutes."
            )
        return await exporting.ask(service, caller, asked.kind, asked.hours, asked.since_day)
    if asked.sha256 is None or asked.size is None or caller.device_id is None:
        raise malformed("a device shares a file by its sha256 and size")
    return await exporting.share(service, caller, asked.hours, asked.sha256, asked.size)


@router.get("/v1/exports/{export_id}", dependencies=_SESSION)
async def shown(request: Request, export_id: Id) -> dict[str, Any]:
    """Return how far an export is."""
    service, caller = await caller_of(request)
    return exporting.shown(await exporting.find(service, caller, export_id))


@router.post("/v1/exports/{export_id}/commit", dependencies=_SESSION)
async def commit(request: Request, export_id: Id) -> dict[str, Any]:
    """Confirm that a shared file was put."""
    service, caller = await caller_of(request)
    return await exporting.confirm_shared(service, caller, export_id)


@router.get("/x/{token}", response_class=HTMLResponse)
async def page(request: Request, token: str) -> Response:
    """Show what the link leads to; only a click fetches it."""
    service = await enter(request)
    await service.limits.take("link-network", network(request), 60, 60)
    return pages.export_page(await exporting.by_token(service, token))


@router.post("/x/{token}", response_class=HTMLResponse)
async def fetch(request: Request, token: str) -> Response:
    """Count the click and lead to the file."""
    service = await enter(request)
    await service.limits.take("link-network", network(request), 60, 60)
    try:
        return RedirectResponse(await exporting.fetch(service, token), 303)
    except Refusal as wrong:
        if wrong.code != exporting.NOT_READY:
            raise
        return pages.export_page(await exporting.by_token(service, token), status=wrong.status)
