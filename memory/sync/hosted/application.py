"""The HTTP application: routes, errors as the protocol says them, and what is noted of every request."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import httpx2
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from memory.sync.hosted import lifetime
from memory.sync.hosted.description import describe
from memory.sync.hosted.errors import Refusal, ServiceFault
from memory.sync.hosted.noting import Noting
from memory.sync.hosted.routes import account, auth, blobs, devices, events, exports, public, spaces
from memory.sync.hosted.service import Service
from memory.sync.hosted.web import pages

log = logging.getLogger(__name__)

MODULES = (public, auth, devices, spaces, blobs, exports, account, events, pages)
"""Where the routes are."""

_SILENT: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
_CODES = {401: "signed_out", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}


def application(service: Service, *, working: bool = True) -> FastAPI:
    """Return the application of a service; ``working`` says whether this replica also does jobs."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await lifetime.open_service(service)
        background = [
            asyncio.create_task(lifetime.write_access_log(service)),
            asyncio.create_task(lifetime.keep_listening(service)),
        ]
        if working:
            background.append(asyncio.create_task(lifetime.work(service)))
        try:
            yield
        finally:
            for task in background:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await lifetime.close_service(service)

    app = FastAPI(
        title="OfficeSync", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, telemetry=_SILENT
    )
    app.state.service = service
    for module in MODULES:
        app.include_router(module.router)
    app.openapi = lru_cache(  # type: ignore[method-assign]  # FastAPI's own way to give the document another content
        lambda: describe(app, [module.router for module in MODULES], pages.PREFIXES)
    )
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _other)
    for kind in (PoolTimeout, OSError, httpx2.TransportError, ServiceFault):
        app.add_exception_handler(kind, _away)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(Noting, service=service)
    return app


async def _refused(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, Refusal)
    if request.url.path.startswith(pages.PREFIXES):
        return pages.refused(request, wrong)
    headers = {} if wrong.retry_after is None else {"Retry-After": str(wrong.retry_after)}
    members: dict[str, Any] = {"error": wrong.code, "detail": wrong.detail, **wrong.more}
    return JSONResponse(members, wrong.status, headers)


async def _malformed(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, RequestValidationError)
    where = ".".join(str(part) for part in wrong.errors()[0]["loc"])
    return await _refused(
        request, Refusal(400, "malformed", f"The request is not as the protocol says: {where}.")
    )


async def _other(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    code = _CODES.get(wrong.status_code, "refused")
    return await _refused(request, Refusal(wrong.status_code, code, str(wrong.detail)))


async def _away(request: Request, wrong: Exception) -> Response:
    """A database that is away, busy or full, or a full disk: devices come back later, and nothing was taken by half."""
    log.error("The service cannot write or reach what it needs", exc_info=wrong)
    return await _refused(
        request,
        Refusal(503, "unavailable", "The service cannot do that just now; try again later.", retry_after=30),
    )


async def _database(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, DBAPIError)
    # 40 is the class of PostgreSQL's codes for transactions that waited for each other and were undone.
    undone = str(getattr(wrong.orig, "sqlstate", None) or "").startswith("40")
    if undone or wrong.connection_invalidated or isinstance(wrong, OperationalError | InterfaceError):
        return await _away(request, wrong)
    raise wrong


async def _fault(_request: Request, wrong: Exception) -> Response:
    log.error("A request failed", exc_info=wrong)
    return JSONResponse({"error": "fault", "detail": "The service met a fault; try again later."}, 500)
