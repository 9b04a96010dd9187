"""What is noted of every request, and the headers that every answer carries."""

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memory.sync.hosted.callers import Caller
from memory.sync.hosted.limits import network_of
from memory.sync.hosted.service import Service

_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'{bucket}; frame-ancestors 'none'"


class Noting:
    """An ASGI application around another: bare, for what Starlette offers costs a tenth of a small push."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self._headers = _headers(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(message)
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            self._note(scope, status, time.perf_counter() - begun)

    def _add_headers(self, message: Message) -> None:
        there: list[tuple[bytes, bytes]] = message.setdefault("headers", [])
        names = {name.lower() for name, _ in there}
        there.extend(header for header in self._headers if header[0] not in names)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        service, keys = self._service, self._service.keys
        route = getattr(scope.get("route"), "path", "unknown")
        service.metrics.requests.labels(route, status).inc()
        service.metrics.seconds.labels(route).observe(seconds)
        caller: Caller | None = scope.get("state", {}).get("caller")
        client: Any = scope.get("client")
        service.access_log.add(
            at=service.now(),
            network=network_of(client[0] if client else ""),
            route=f"{scope['method']} {route}",
            status=status,
            device=keys.subject("device", caller.device_id) if caller and caller.device_id else "",
            subject=keys.subject("account", caller.account_id) if caller else "",
        )


def _headers(service: Service) -> list[tuple[bytes, bytes]]:
    settings = service.settings
    bucket = f" {settings.s3_endpoint}" if settings.s3_endpoint else ""
    headers = {
        "x-content-type-options": "nosniff",
        # With "no-referrer" browsers would send forms of our own page with the origin "null".
        "referrer-policy": "same-origin",
        "x-frame-options": "DENY",
        "content-security-policy": _POLICY.format(bucket=bucket),
    }
    if settings.secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in headers.items()]
