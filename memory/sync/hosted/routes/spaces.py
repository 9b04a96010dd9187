"""Spaces, their keys, and the records in them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from memory.sync.hosted import pushing, reading, rotation, spaces
from memory.sync.hosted.callers import DEVICE, ENROLMENT, Caller, caller_of, per_device, session_needed
from memory.sync.hosted.description import PUSH_BODY
from memory.sync.hosted.errors import malformed
from memory.sync.hosted.pushed import Invalid, Op, op_id_of, read_op
from memory.sync.hosted.requests import Body, Id, answer, body_of, map_of, octets, takes
from memory.sync.hosted.service import Service

router = APIRouter(prefix="/v1/spaces", dependencies=[Depends(session_needed)])
_PULL_BODY = 256 * 1024
_KEYS_BODY = 2**20
_MOST_KEYS = 1000
_MOST_RIDS = 500

Generation = Annotated[str, Query(pattern=r"^[0-9a-f]{32}$")]


class NewSpace(Body):
    """A space that a device chose the id of."""

    space_id: Id


class Wrap(Body):
    """A space key for one recipient, in base64url."""

    recipient_id: Id
    output: str
    sig: str


class Wraps(Body):
    """Wraps of one epoch; with ``expected_epoch`` they are taken only while that is the space's."""

    generation: Id
    epoch: int
    expected_epoch: int | None = None
    wraps: list[Wrap]


class Epoch(Body):
    """The entry that opens the next epoch."""

    generation: Id
    expected_head: int
    entry: dict[str, Any]


class RecordKey(Body):
    """A record's key, wrapped anew."""

    rid: Id
    rev: Id
    dek: str


class RecordKeys(Body):
    """Record keys that were wrapped anew."""

    generation: Id
    deks: list[RecordKey]


class Rids(Body):
    """Which records are wanted."""

    generation: Id
    rids: list[Id]


async def _pulling(service: Service, caller: Caller) -> None:
    await per_device(service, caller, "pull", service.settings.pulls_per_minute)


@router.get("")
async def listed(request: Request) -> dict[str, Any]:
    """Return the spaces of the account."""
    service, caller = await caller_of(request, DEVICE, ENROLMENT)
    return {"spaces": await spaces.listed(service, caller.account_id)}


@router.post("", status_code=201, openapi_extra=takes(NewSpace))
async def create(request: Request) -> dict[str, Any]:
    """Make a space."""
    service, caller = await caller_of(request)
    await service.limits.take("space", caller.account_id, 30, 3600)
    return await spaces.create(service, caller, (await body_of(request, NewSpace)).space_id)


@router.get("/{space_id}/wraps")
async def wraps(request: Request, space_id: Id, generation: Generation) -> Response:
    """Return the wrapped space keys of every recipient."""
    service, caller = await caller_of(request)
    return answer(request, {"wraps": await spaces.wraps_of(service, caller, space_id, generation)})


@router.put("/{space_id}/wraps", openapi_extra=takes(Wraps))
async def put_wraps(request: Request, space_id: Id) -> dict[str, Any]:
    """Store wraps that this device signed."""
    service, caller = await caller_of(request)
    await per_device(service, caller, "keys", service.settings.pushes_per_minute)
    asked = await body_of(request, Wraps, _KEYS_BODY)
    rows = [
        spaces.WrapRow(each.recipient_id, octets(each.output, None, "output"), octets(each.sig, 64, "sig"))
        for each in asked.wraps
    ]
    await spaces.put_wraps(
        service, caller, space_id, asked.generation, asked.epoch, rows, asked.expected_epoch
    )
    return {}


@router.put("/{space_id}/epoch", openapi_extra=takes(Epoch))
async def open_epoch(request: Request, space_id: Id) -> dict[str, Any]:
    """Open the next epoch."""
    service, caller = await caller_of(request)
    await per_device(service, caller, "keys", service.settings.pushes_per_minute)
    asked = await body_of(request, Epoch)
    return await rotation.open_epoch(
        service, caller, space_id, asked.generation, asked.expected_head, asked.entry
    )


@router.get("/{space_id}/deks")
async def keys(
    request: Request,
    space_id: Id,
    generation: Generation,
    after_rid: Annotated[str, Query(pattern=r"^[0-9a-f]{0,32}$")] = "",
    limit: Annotated[int, Query(ge=1, le=_MOST_KEYS)] = _MOST_KEYS,
    which: Literal["former", "all"] = "former",
) -> Response:
    """Return record keys: those that are still wrapped under a former epoch, or all."""
    service, caller = await caller_of(request)
    await _pulling(service, caller)
    page = await rotation.page_of_keys(
        service, caller, space_id, generation, after_rid, limit, every=which == "all"
    )
    return answer(request, page)


@router.post("/{space_id}/deks", openapi_extra=takes(RecordKeys))
async def put_keys(request: Request, space_id: Id) -> dict[str, Any]:
    """Replace record keys by ones under the current epoch."""
    service, caller = await caller_of(request)
    await per_device(service, caller, "keys", service.settings.pushes_per_minute)
    asked = await body_of(request, RecordKeys, _KEYS_BODY)
    if len(asked.deks) > _MOST_KEYS:
        raise malformed(f"deks: {_MOST_KEYS} are the most")
    items = [(each.rid, each.rev, octets(each.dek, 64, "dek")) for each in asked.deks]
    return {"outcomes": await rotation.put_keys(service, caller, space_id, asked.generation, items)}


@router.get("/{space_id}/rotation")
async def rotating(request: Request, space_id: Id, generation: Generation) -> dict[str, Any]:
    """Return how far a rotation is."""
    service, caller = await caller_of(request)
    return await rotation.progress(service, caller, space_id, generation)


@router.get("/{space_id}/changes")
async def changes(
    request: Request,
    space_id: Id,
    generation: Generation,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    begun: Annotated[int, Query(ge=0, lt=2**63)] = 0,
) -> Response:
    """Return what came after a number."""
    service, caller = await caller_of(request)
    await _pulling(service, caller)
    return answer(request, await reading.changes(service, caller, space_id, generation, after, limit, begun))


@router.get("/{space_id}/live")
async def live(
    request: Request,
    space_id: Id,
    generation: Generation,
    after_rid: Annotated[str, Query(pattern=r"^[0-9a-f]{0,32}$")] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
) -> dict[str, Any]:
    """Return a page of live ids."""
    service, caller = await caller_of(request)
    await _pulling(service, caller)
    return await reading.live(service, caller, space_id, generation, after_rid, limit)


@router.get("/{space_id}/integrity")
async def integrity(request: Request, space_id: Id, generation: Generation) -> dict[str, Any]:
    """Return hashes of what is live, by 1/256 of the ids."""
    service, caller = await caller_of(request)
    await per_device(service, caller, "integrity", 10)
    return await reading.integrity(service, caller, space_id, generation)


@router.post("/{space_id}/records/get", openapi_extra=takes(Rids))
async def get(request: Request, space_id: Id) -> Response:
    """Return records by id."""
    service, caller = await caller_of(request)
    await _pulling(service, caller)
    asked = await body_of(request, Rids, _PULL_BODY, packable=True)
    if len(asked.rids) > _MOST_RIDS:
        raise malformed(f"rids: {_MOST_RIDS} are the most")
    return answer(
        request, {"items": await reading.get(service, caller, space_id, asked.generation, asked.rids)}
    )


@router.post("/{space_id}/push", openapi_extra=PUSH_BODY)
async def push(request: Request, space_id: Id) -> Response:
    """Take operations; each has an outcome of its own."""
    service, caller = await caller_of(request)
    await per_device(service, caller, "push", service.settings.pushes_per_minute)
    members, packed = await map_of(request, service.settings.push_bytes)
    generation, ops = members.get("generation"), members.get("ops")
    if not isinstance(generation, str) or not isinstance(ops, list):
        raise malformed("generation and ops")
    if len(ops) > service.settings.push_ops:
        raise malformed(f"ops: {service.settings.push_ops} are the most")
    read = [_read(service, caller, space_id, op, packed) for op in ops]
    return answer(request, {"results": await pushing.push(service, caller, space_id, generation, read)})


def _read(service: Service, caller: Caller, space_id: str, op: Any, packed: bool) -> Op | tuple[str, Invalid]:
    if not isinstance(op, dict):
        raise malformed("op")
    op_id = op_id_of(op.get("op_id"))
    assert caller.sign is not None
    try:
        return read_op(
            op_id,
            op.get("env"),
            packed,
            space_id=space_id,
            device_id=caller.device,
            sign=bytes(caller.sign),
            settings=service.settings,
        )
    except Invalid as wrong:
        return op_id, wrong
