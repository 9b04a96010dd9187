"""The account log, the devices in it, and the relay between a new device and an old one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import select

from memory.sync import base64url
from memory.sync.hosted import chain, enrolling
from memory.sync.hosted.callers import DEVICE, ENROLMENT, caller_of, session_needed
from memory.sync.hosted.requests import Body, Id, body_of, takes
from memory.sync.hosted.tables.records import devices as devices_table
from memory.sync.signed_json import hash_text

router = APIRouter(prefix="/v1", dependencies=[Depends(session_needed)])


class Append(Body):
    """An entry for the log."""

    entry: dict[str, Any]


class Enrolment(Body):
    """What a new device commits itself to: 32 bytes in base64url."""

    commitment: str


class Step(Body):
    """What the old device answers, or what the new one reveals then. The service reads neither."""

    answer: dict[str, str] | None = None
    reveal: dict[str, str] | None = None


@router.get("/log")
async def log(request: Request, after: Annotated[int, Query(ge=-1, lt=2**63)] = -1) -> dict[str, Any]:
    """Return the entries after one, in order."""
    service, caller = await caller_of(request, DEVICE, ENROLMENT)
    async with service.stores.records.read(caller.account_id) as connection:
        return {"entries": await chain.entries(connection, caller.account_id, after)}


@router.post("/log", openapi_extra=takes(Append))
async def append(request: Request) -> dict[str, Any]:
    """Append an entry; 409 ``log_moved`` tells the head where another was faster."""
    service, caller = await caller_of(request, DEVICE, ENROLMENT)
    await service.limits.take("log", caller.account_id, 60, 60)
    asked = await body_of(request, Append)
    chain.refuse_epoch(asked.entry)
    async with service.stores.records.write(caller.account_id) as connection:
        account = await chain.append(service, connection, caller, asked.entry)
    return {"n": account.n, "hash": hash_text(account.head)}


@router.get("/devices")
async def devices(request: Request) -> dict[str, Any]:
    """Return the devices that the log names, and the day on which each was last seen."""
    service, caller = await caller_of(request, DEVICE, ENROLMENT)
    async with service.stores.records.read(caller.account_id) as connection:
        rows = await connection.execute(
            select(devices_table)
            .where(devices_table.c.account_id == caller.account_id)
            .order_by(devices_table.c.added)
        )
        return {
            "devices": [
                {
                    "device_id": row.device_id,
                    "sign": base64url.encode(bytes(row.sign)),
                    "hpke": base64url.encode(bytes(row.hpke)),
                    "added": row.added,
                    "revoked": row.revoked,
                    "last_seen_day": row.last_seen_day,
                    "versions": row.versions,
                }
                for row in rows
            ]
        }


@router.post("/enrolments", openapi_extra=takes(Enrolment), status_code=201)
async def enrol(request: Request) -> dict[str, Any]:
    """Begin to join, as a new device."""
    service, caller = await caller_of(request, ENROLMENT)
    await service.limits.take("enrol", caller.account_id, 20, 3600)
    asked = await body_of(request, Enrolment)
    return {"enrolment_id": await enrolling.begin(service, caller, asked.commitment)}


@router.get("/enrolments")
async def enrolments(request: Request) -> dict[str, Any]:
    """Return the devices that are waiting to join, for the old device."""
    service, caller = await caller_of(request)
    return {"enrolments": await enrolling.waiting(service, caller)}


@router.get("/enrolments/{enrolment_id}")
async def enrolment(request: Request, enrolment_id: Id) -> dict[str, Any]:
    """Return how far one device is with joining."""
    service, caller = await caller_of(request, DEVICE, ENROLMENT)
    return await enrolling.shown(service, caller, enrolment_id)


@router.post("/enrolments/{enrolment_id}", openapi_extra=takes(Step))
async def step(request: Request, enrolment_id: Id) -> dict[str, Any]:
    """Answer as the old device, or reveal as the new one: each once, in this order."""
    service, caller = await caller_of(request, DEVICE, ENROLMENT)
    asked = await body_of(request, Step)
    return await enrolling.step(service, caller, enrolment_id, asked.answer, asked.reveal)
