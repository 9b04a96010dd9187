"""The relay between a new device and an old one: commitment, answer, reveal, each once and in this order.

The service understands none of it. It keeps the order, because the new device must choose before it knows the answer.
"""

import json
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.identifiers import new_id
from memory.sync.hosted.callers import Caller
from memory.sync.hosted.errors import Refusal, malformed, not_found
from memory.sync.hosted.requests import octets
from memory.sync.hosted.service import Service
from memory.sync.hosted.tables.records import enrolments

LASTS_MS = 900_000
_LONGEST = 8 * 1024


async def begin(service: Service, caller: Caller, commitment: str) -> str:
    """Note what a new device commits itself to; return the id of its enrolment."""
    octets(commitment, 32, "commitment")
    enrolment_id, now = new_id(), service.now()
    async with service.stores.records.write(caller.account_id) as connection:
        await connection.execute(delete(enrolments).where(enrolments.c.until <= now))
        await connection.execute(
            insert(enrolments).values(
                enrolment_id=enrolment_id,
                account_id=caller.account_id,
                session_id=caller.session_id,
                commitment=commitment,
                until=now + LASTS_MS,
            )
        )
    return enrolment_id


async def waiting(service: Service, caller: Caller) -> list[dict[str, Any]]:
    """Return the enrolments of an account that are still open."""
    async with service.stores.records.read(caller.account_id) as connection:
        rows = await connection.execute(
            select(enrolments).where(
                enrolments.c.account_id == caller.account_id, enrolments.c.until > service.now()
            )
        )
        return [_members(row) for row in rows]


async def shown(service: Service, caller: Caller, enrolment_id: str) -> dict[str, Any]:
    """Return one enrolment. Raises Refusal."""
    async with service.stores.records.read(caller.account_id) as connection:
        return _members(await _find(service, connection, caller, enrolment_id))


async def step(
    service: Service,
    caller: Caller,
    enrolment_id: str,
    answer: dict[str, str] | None,
    reveal: dict[str, str] | None,
) -> dict[str, Any]:
    """Take the next step of an enrolment. Raises Refusal for one out of order or a second time."""
    if (answer is None) == (reveal is None):
        raise malformed("either answer or reveal")
    said = json.dumps(answer if answer is not None else reveal)
    if len(said) > _LONGEST:
        raise malformed("too long")
    async with service.stores.records.write(caller.account_id) as connection:
        row = await _find(service, connection, caller, enrolment_id, lock=True)
        if answer is not None:
            if caller.device_id is None:
                raise Refusal(403, "device_needed", "An enrolled device answers.")
            fits, values = not row.answer, {"answer": said}
        else:
            if caller.session_id != row.session_id:
                raise Refusal(403, "not_for_this_session", "Only who began this enrolment reveals.")
            fits, values = bool(row.answer) and not row.reveal, {"reveal": said}
        if not fits:
            raise Refusal(409, "enrolment_order", "This step was done, or is not the next; begin anew.")
        await connection.execute(
            update(enrolments).where(enrolments.c.enrolment_id == enrolment_id).values(**values)
        )
        return _members(await _find(service, connection, caller, enrolment_id))


async def _find(
    service: Service, connection: AsyncConnection, caller: Caller, enrolment_id: str, *, lock: bool = False
) -> Any:
    query = select(enrolments).where(
        enrolments.c.enrolment_id == enrolment_id,
        enrolments.c.account_id == caller.account_id,
        enrolments.c.until > service.now(),
    )
    row: Any = (await connection.execute(query.with_for_update() if lock else query)).first()
    if row is None or (caller.device_id is None and row.session_id != caller.session_id):
        raise not_found()
    return row


def _members(row: Any) -> dict[str, Any]:
    return {
        "enrolment_id": row.enrolment_id,
        "commitment": row.commitment,
        "answer": json.loads(row.answer) if row.answer else None,
        "reveal": json.loads(row.reveal) if row.reveal else None,
        "until": row.until,
    }
