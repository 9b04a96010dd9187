"""Reading what is sent and writing what is answered: JSON everywhere, MessagePack too where records travel.

Bodies are read here and nowhere else, after the caller and the limits were checked.
"""

import json
from typing import Annotated, Any, TypeVar

import msgpack
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from memory.sync import base64url
from memory.sync.hosted.errors import Refusal, malformed

MSGPACK = "application/msgpack"
SMALL = 64 * 1024
"""The most bytes of a body that carries no record."""

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Body(BaseModel):
    """What a route takes; members that it does not know are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)


Taken = TypeVar("Taken", bound=Body)


async def raw_body(request: Request, most: int) -> bytes:
    """Return the body. Raises Refusal (413) before more than ``most`` bytes were read."""
    too_large = Refusal(413, "too_large", f"A body may have {most} bytes here.", limit=most)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise too_large
    return bytes(body)


async def body_of(request: Request, kind: type[Taken], most: int = SMALL, *, packable: bool = False) -> Taken:
    """Return the body as a model: JSON, or MessagePack where that is ``packable``. Raises Refusal."""
    raw = await raw_body(request, most)
    try:
        if packable and _is_packed(request):
            return kind.model_validate(msgpack.unpackb(raw))
        if b"\\u0000" in raw:
            raise malformed("a NUL character, which PostgreSQL does not store")
        return kind.model_validate_json(raw or b"{}")
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise malformed(f"{where}: {first['msg']}") from None
    except (ValueError, msgpack.UnpackException, RecursionError):
        raise malformed("not MessagePack, as its Content-Type says") from None


async def map_of(request: Request, most: int) -> tuple[dict[str, Any], bool]:
    """Return a body that may be MessagePack or JSON, and whether it was MessagePack. Raises Refusal."""
    body = await raw_body(request, most)
    packed = _is_packed(request)
    try:
        members = msgpack.unpackb(body) if packed else json.loads(body)
    except (ValueError, msgpack.UnpackException, RecursionError):
        raise malformed("neither MessagePack nor JSON, as its Content-Type says") from None
    if not isinstance(members, dict):
        raise malformed("not a map")
    return members, packed


def _is_packed(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip() == MSGPACK


def answer(request: Request, members: dict[str, Any], status: int = 200) -> Response:
    """Return what is asked for: MessagePack with raw bytes, or JSON with base64url."""
    if MSGPACK in request.headers.get("accept", ""):
        return Response(msgpack.packb(members), status, media_type=MSGPACK)
    text = json.dumps(members, default=base64url.encode, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


def takes(kind: type[Body]) -> dict[str, Any]:
    """Describe the body of a route in its OpenAPI entry."""
    whole = kind.model_json_schema()
    schema = _with_parts(whole, whole.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _with_parts(schema: Any, parts: dict[str, Any]) -> Any:
    """Return a schema in which the parts that it refers to stand."""
    if isinstance(schema, list):
        return [_with_parts(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _with_parts(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _with_parts(value, parts) for name, value in schema.items()}


def octets(text: str, length: int | None = None, name: str = "bytes") -> bytes:
    """Return the bytes of base64url. Raises Refusal."""
    try:
        return base64url.decode(text, length)
    except ValueError as wrong:
        raise malformed(f"{name}: {wrong}") from None
