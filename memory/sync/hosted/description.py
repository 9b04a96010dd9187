"""The OpenAPI of the service, told as it is: who may call, what is refused and how, and what pushes look like."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, APIRouter

from memory.sync.hosted.callers import session_needed
from memory.sync.hosted.requests import MSGPACK

_ERRORS = {
    400: "The request is not as the protocol says.",
    401: "There is no valid session, or a proof is wrong.",
    403: "This session or device may not do that.",
    404: "There is nothing of the caller's under this address.",
    409: "What the call builds upon has changed.",
    410: "It was purged, or markers were dropped.",
    413: "It is too large, or there is no room.",
    426: "The service speaks another version of the protocol.",
    423: "Nothing new is taken now.",
    429: "Too many requests: wait.",
    503: "The service cannot do that just now.",
}
_ERROR = {
    "type": "object",
    "required": ["error", "detail"],
    "properties": {"error": {"type": "string"}, "detail": {"type": "string"}},
}
_PUSH = {
    "type": "object",
    "required": ["generation", "ops"],
    "properties": {
        "generation": {"type": "string"},
        "ops": {
            "type": "array",
            "maxItems": 200,
            "items": {
                "type": "object",
                "required": ["op_id", "env"],
                "properties": {
                    "op_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                    "env": {"type": "object"},
                },
            },
        },
    },
}
PUSH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _PUSH},
            MSGPACK: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""What a push takes; the MessagePack is the same map, with bytes instead of texts."""


def describe(app: FastAPI, routers: list[APIRouter], pages: tuple[str, ...]) -> dict[str, Any]:
    """Return the document that ``/openapi.json`` gives; ``pages`` begin the paths that refuse by a page."""
    described = get_openapi(title=app.title, version=app.version, routes=app.routes)
    guarded = {
        (method.lower(), route.path)
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        and any(each.dependency is session_needed for each in route.dependencies)
        for method in route.methods or ()
    }
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            _tell(operation, (method, path) in guarded, path.startswith(pages))
    parts = described.setdefault("components", {})
    parts["schemas"] = {"Error": _ERROR}
    parts["securitySchemes"] = {"session": {"type": "http", "scheme": "bearer"}}
    return described


def _tell(operation: dict[str, Any], guarded: bool, is_page: bool) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    content: dict[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    if is_page:
        content = {"text/html": {"schema": {"type": "string"}}}
    for status, description in _ERRORS.items():
        responses.setdefault(str(status), {"description": description, "content": content})
    if guarded:
        operation["security"] = [{"session": []}]
