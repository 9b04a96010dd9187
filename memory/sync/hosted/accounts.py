"""What an owner sees and changes of an account: summary, sessions, consents, address, freezing."""

from typing import Any

from sqlalchemy import delete, func, insert, select, update

from memory.identifiers import new_id
from memory.sync.hosted import audit, receipts, spaces
from memory.sync.hosted.callers import ACTIVE, FROZEN, Caller
from memory.sync.hosted.chain import lock_account
from memory.sync.hosted.errors import Refusal, not_found
from memory.sync.hosted.service import Service
from memory.sync.hosted.tables import records as tables

_COUNTED = (
    "devices",
    "log_entries",
    "sessions",
    "spaces",
    "records",
    "markers",
    "blobs",
    "consents",
    "exports",
)


async def summary(service: Service, caller: Caller) -> dict[str, Any]:
    """Return what is held of an account, by kind, and what is about to happen to it."""
    mine = caller.account_id
    async with service.stores.records.read(mine) as connection:
        account: Any = (
            await connection.execute(select(tables.accounts).where(tables.accounts.c.account_id == mine))
        ).one()
        counts = {}
        for name in _COUNTED:
            table = tables.metadata.tables[name]
            query = select(func.count()).where(table.c.account_id == mine)
            counts[name] = (await connection.execute(query)).scalar_one()
        for name, subject in (("audit", mine), ("access_log", service.keys.subject("account", mine))):
            table = tables.metadata.tables[name]
            query = select(func.count()).where(table.c.subject == subject)
            counts[name] = (await connection.execute(query)).scalar_one()
        pending = await connection.execute(
            select(tables.deletions).where(tables.deletions.c.account_id == mine)
        )
        deletions = [dict(row) for row in pending.mappings()]
    limits = service.settings
    return {
        "account_id": mine,
        "state": account.state,
        "created_day": account.created_day,
        "counts": counts,
        "bytes": {"used": account.bytes_used, "limit": limits.account_bytes},
        "records": {"used": account.records_used, "limit": limits.account_records},
        "deletions": deletions,
        "legal_hold": account.legal_hold,
        "policy_version": account.policy_version,
    }


async def receipts_of(service: Service, caller: Caller) -> list[dict[str, Any]]:
    """Return the receipts of an account's spaces and erased records."""
    listed = await spaces.listed(service, caller.account_id)
    kinds = [("account", caller.account_id), *(("space", space["space_id"]) for space in listed)]
    async with service.stores.records.read(caller.account_id) as connection:
        entries = await audit.entries(connection, caller.account_id, limit=100_000)
    purged = [
        ("space", entry["details"]["scope_id"])
        for entry in entries
        if entry["action"] == "space_deletion_asked"
    ]
    subjects = {service.keys.subject(kind, id_) for kind, id_ in [*kinds, *purged]}
    return await receipts.of_subjects(service, sorted(subjects))


async def sessions(service: Service, caller: Caller) -> list[dict[str, Any]]:
    """Return the sessions of an account that can still do something."""
    table = tables.sessions
    async with service.stores.records.read(caller.account_id) as connection:
        rows = await connection.execute(
            select(table)
            .where(table.c.account_id == caller.account_id, table.c.refresh_until > service.now())
            .order_by(table.c.signed_at)
        )
        names = ("session_id", "kind", "device_id", "signed_at", "last_seen_day", "refresh_until")
        return [
            {**{name: getattr(row, name) for name in names}, "this": row.session_id == caller.session_id}
            for row in rows
        ]


async def end_session(service: Service, caller: Caller, session_id: str) -> None:
    """End one session of the account. Raises Refusal."""
    table = tables.sessions
    async with service.stores.records.write(caller.account_id) as connection:
        ended = await connection.execute(
            delete(table).where(table.c.session_id == session_id, table.c.account_id == caller.account_id)
        )
        if not ended.rowcount:
            raise not_found()
        await audit.note(connection, caller.account_id, service.now(), "session_ended", session_id=session_id)


async def end_others(service: Service, caller: Caller) -> int:
    """End every session but the calling one; return how many."""
    table = tables.sessions
    async with service.stores.records.write(caller.account_id) as connection:
        ended = await connection.execute(
            delete(table).where(
                table.c.account_id == caller.account_id, table.c.session_id != caller.session_id
            )
        )
        await audit.note(connection, caller.account_id, service.now(), "sessions_ended", count=ended.rowcount)
    return int(ended.rowcount)


async def consents(service: Service, caller: Caller) -> list[dict[str, Any]]:
    """Return what the owner agreed to, and when it was withdrawn."""
    table = tables.consents
    async with service.stores.records.read(caller.account_id) as connection:
        rows = await connection.execute(
            select(table).where(table.c.account_id == caller.account_id).order_by(table.c.given_at)
        )
        return [
            {name: value for name, value in row.items() if name != "account_id"} for row in rows.mappings()
        ]


async def consent(service: Service, caller: Caller, purpose: str, text_version: str) -> str:
    """Note what the owner agrees to; return its id."""
    consent_id = new_id()
    async with service.stores.records.write(caller.account_id) as connection:
        await connection.execute(
            insert(tables.consents).values(
                consent_id=consent_id,
                account_id=caller.account_id,
                purpose=purpose,
                text_version=text_version,
                given_at=service.now(),
            )
        )
        await audit.note(connection, caller.account_id, service.now(), "consent_given", purpose=purpose)
    return consent_id


async def withdraw(service: Service, caller: Caller, consent_id: str) -> None:
    """Withdraw a consent. Raises Refusal."""
    table = tables.consents
    async with service.stores.records.write(caller.account_id) as connection:
        changed = await connection.execute(
            update(table)
            .where(
                table.c.consent_id == consent_id,
                table.c.account_id == caller.account_id,
                table.c.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=service.now())
        )
        if not changed.rowcount:
            raise not_found()
        await audit.note(
            connection, caller.account_id, service.now(), "consent_withdrawn", consent_id=consent_id
        )


async def freeze(service: Service, caller: Caller, frozen: bool) -> str:
    """Make an account read-only, or writable again; return its state. Raises Refusal."""
    wanted, needed = (FROZEN, ACTIVE) if frozen else (ACTIVE, FROZEN)
    async with service.stores.records.write(caller.account_id) as connection:
        account = await lock_account(connection, caller.account_id)
        if account.state not in (wanted, needed):
            raise Refusal(409, account.state, "The account is in another state.")
        await connection.execute(
            update(tables.accounts)
            .where(tables.accounts.c.account_id == caller.account_id)
            .values(state=wanted)
        )
        await audit.note(connection, caller.account_id, service.now(), "frozen" if frozen else "unfrozen")
    return wanted
