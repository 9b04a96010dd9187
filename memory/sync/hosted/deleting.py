"""A deletion is asked for, thought over, called off or let go on. `purging` does it.

``active → deletion_pending → purging``; with mode ``now`` at once, which takes a device's signature and a mailed code.
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.hosted import audit, jobs, mailing, spaces
from memory.sync.hosted.callers import ACTIVE, PENDING, PURGING, Caller
from memory.sync.hosted.chain import lock_account
from memory.sync.hosted.errors import Refusal
from memory.sync.hosted.service import DAY, Service
from memory.sync.hosted.sign_in import check_signature, signed_message, spend_challenge
from memory.sync.hosted.tables.records import accounts, deletions, mail_codes, sessions
from memory.sync.hosted.tables.records import jobs as jobs_table
from memory.sync.hosted.tables.records import spaces as spaces_table

GRACE, NOW = "grace", "now"
ACCOUNT, SPACE = "account", "space"
PURGE = "purge"
_CODE_MS = 900_000
_CODE_TRIES = 5
_LEAST_GRACE_DAYS = 7
"""For whoever has only the mail address and no device."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a device sends with a deletion."""

    challenge: bytes
    signature: bytes
    mail_code: str


@dataclass(frozen=True, slots=True)
class Late:
    """A deletion that is not done although its time came ``by_ms`` ago."""

    scope: str
    scope_id: str
    by_ms: int


async def mail_code(service: Service, caller: Caller) -> None:
    """Mail the code that a deletion at once needs."""
    code = f"{secrets.randbelow(10**8):08}"
    async with service.stores.records.write(caller.account_id) as connection:
        await connection.execute(delete(mail_codes).where(mail_codes.c.account_id == caller.account_id))
        await connection.execute(
            insert(mail_codes).values(
                account_id=caller.account_id,
                code_hash=_code_hash(caller.account_id, code),
                until=service.now() + _CODE_MS,
                tries=0,
            )
        )
        await mailing.ask(service, connection, caller.account_id, "mail_code", code=code)


async def by_device(
    service: Service, caller: Caller, scope: str, scope_id: str, mode: str, proof: Proof
) -> dict[str, Any]:
    """Begin a deletion that a device signed. Raises Refusal."""
    await _count(service, caller)
    async with service.stores.records.write(caller.account_id) as connection:
        await spend_challenge(service, connection, proof.challenge)
    assert caller.sign is not None
    message = signed_message(
        b"aof/v1/delete",
        proof.challenge,
        service.settings.server.encode(),
        bytes.fromhex(scope_id),
        mode.encode(),
    )
    check_signature(bytes(caller.sign), proof.signature, message)
    if mode == NOW:
        await _spend_code(service, caller, proof.mail_code)
    return await _begin(service, caller, scope, scope_id, mode, service.settings.grace_days)


async def by_web(service: Service, caller: Caller) -> dict[str, Any]:
    """Begin the deletion of an account by who has only its mail address: never at once."""
    await _count(service, caller)
    days = max(service.settings.grace_days, _LEAST_GRACE_DAYS)
    return await _begin(service, caller, ACCOUNT, caller.account_id, GRACE, days)


async def _count(service: Service, caller: Caller) -> None:
    await service.limits.take("delete", caller.account_id, service.settings.deletions_per_day, 86_400)


async def _spend_code(service: Service, caller: Caller, code: str) -> None:
    refusal = Refusal(401, "mail_code_refused", "The mailed code is wrong or too old; ask for another.")
    mine = mail_codes.c.account_id == caller.account_id
    async with service.stores.records.write(caller.account_id) as connection:
        row: Any = (await connection.execute(select(mail_codes).where(mine).with_for_update())).first()
        if row is None or row.until <= service.now() or row.tries >= _CODE_TRIES:
            raise refusal
        right = hmac.compare_digest(bytes(row.code_hash), _code_hash(caller.account_id, code.strip()))
        if right:
            await connection.execute(delete(mail_codes).where(mine))
        else:
            await connection.execute(update(mail_codes).where(mine).values(tries=row.tries + 1))
    if not right:
        raise refusal


def _code_hash(account_id: str, code: str) -> bytes:
    return hashlib.sha256(f"{account_id}:{code}".encode()).digest()


async def _begin(
    service: Service, caller: Caller, scope: str, scope_id: str, mode: str, days: int
) -> dict[str, Any]:
    now = service.now()
    grace_until = now + days * DAY if mode == GRACE else 0
    async with service.stores.records.write(caller.account_id) as connection:
        await lock_account(connection, caller.account_id)
        if scope == SPACE:
            await spaces.find(service, connection, caller, scope_id, None, lock=True)
        pending: Any = (
            await connection.execute(select(deletions).where(deletions.c.scope_id == scope_id))
        ).first()
        if pending is not None and (mode == GRACE or pending.mode == NOW):
            return _shown(pending)
        await connection.execute(delete(deletions).where(deletions.c.scope_id == scope_id))
        row = {
            "scope_id": scope_id,
            "account_id": caller.account_id,
            "scope": scope,
            "mode": mode,
            "requested_at": now,
            "grace_until": grace_until,
        }
        await connection.execute(insert(deletions).values(**row))
        await _set_state(connection, scope, scope_id, PENDING if mode == GRACE else PURGING)
        if mode == NOW and scope == ACCOUNT:
            await connection.execute(delete(sessions).where(sessions.c.account_id == scope_id))
        await audit.note(
            connection, caller.account_id, now, f"{scope}_deletion_asked", mode=mode, scope_id=scope_id
        )
        await _tell(service, connection, caller.account_id, row)
        await ask_for_purge(service, connection, scope, scope_id, grace_until or now)
        made: Any = (
            await connection.execute(select(deletions).where(deletions.c.scope_id == scope_id))
        ).one()
        return _shown(made)


async def ask_for_purge(
    service: Service, connection: AsyncConnection, scope: str, scope_id: str, due_at: int
) -> None:
    """Ask for the job that purges, once for each instant; it finds out itself whether it still may."""
    key = f"{service.keys.subject(scope, scope_id)}:{due_at}"
    payload = {"scope": scope, "scope_id": scope_id}
    await jobs.enqueue(connection, PURGE, key, payload, at=service.now(), due_at=due_at)


async def late(service: Service) -> list[Late]:
    """Return the deletions whose time has come and that are not done, but for those that a legal hold defers."""
    now = service.now()
    async with service.stores.records.read() as connection:
        query = (
            select(deletions)
            .join(accounts, accounts.c.account_id == deletions.c.account_id)
            .where(accounts.c.legal_hold == "", deletions.c.grace_until <= now)
        )
        rows = (await connection.execute(query)).all()
    return [Late(row.scope, row.scope_id, now - max(row.requested_at, row.grace_until)) for row in rows]


async def ask_again(service: Service) -> None:
    """Ask for the purge of each deletion that is late and that no job is about any more: none is ever given up."""
    if not (found := await late(service)):
        return
    async with service.stores.records.write() as connection:
        query = select(jobs_table.c.payload).where(
            jobs_table.c.kind == PURGE, jobs_table.c.state.in_([jobs.WAITING, jobs.RUNNING])
        )
        asked = {json.loads(payload)["scope_id"] for payload in (await connection.execute(query)).scalars()}
        for each in found:
            if each.scope_id not in asked:
                await ask_for_purge(service, connection, each.scope, each.scope_id, service.now())


async def _tell(service: Service, connection: AsyncConnection, account_id: str, row: dict[str, Any]) -> None:
    if row["mode"] == NOW:
        await mailing.ask(service, connection, account_id, "deletion_now")
        return
    grace_until = row["grace_until"]
    await mailing.ask(service, connection, account_id, "deletion_begun", grace_until=grace_until)
    for days in (7, 1):
        if (due_at := grace_until - days * DAY) > service.now():
            await mailing.ask(
                service,
                connection,
                account_id,
                "deletion_reminder",
                key=f"{grace_until}:{days}",
                due_at=due_at,
                scope_id=row["scope_id"],
                grace_until=grace_until,
            )


async def restore(service: Service, caller: Caller, scope: str, scope_id: str) -> None:
    """Call a pending deletion off. Raises Refusal where none is pending."""
    async with service.stores.records.write(caller.account_id) as connection:
        await lock_account(connection, caller.account_id)
        found: Any = (
            await connection.execute(
                select(deletions).where(
                    deletions.c.scope_id == scope_id,
                    deletions.c.account_id == caller.account_id,
                    deletions.c.mode == GRACE,
                )
            )
        ).first()
        if found is None or await _state(connection, scope, scope_id) != PENDING:
            raise Refusal(409, "nothing_pending", "No deletion is pending that could be called off.")
        await connection.execute(delete(deletions).where(deletions.c.scope_id == scope_id))
        await _set_state(connection, scope, scope_id, ACTIVE)
        await audit.note(connection, caller.account_id, service.now(), f"{scope}_restored", scope_id=scope_id)
        await mailing.ask(service, connection, caller.account_id, "restored")


async def _state(connection: AsyncConnection, scope: str, scope_id: str) -> str | None:
    table, column = _place(scope)
    state: str | None = await connection.scalar(
        select(table.c.state).where(column == scope_id).with_for_update()
    )
    return state


async def _set_state(connection: AsyncConnection, scope: str, scope_id: str, state: str) -> None:
    table, column = _place(scope)
    await connection.execute(update(table).where(column == scope_id).values(state=state))


def _place(scope: str) -> tuple[Any, Any]:
    return (accounts, accounts.c.account_id) if scope == ACCOUNT else (spaces_table, spaces_table.c.space_id)


def _shown(row: Any) -> dict[str, Any]:
    return {
        "scope": row.scope,
        "scope_id": row.scope_id,
        "mode": row.mode,
        "requested_at": row.requested_at,
        "grace_until": row.grace_until or None,
    }
