"""Receipts of deletion: signed, chained by hash, kept in the ledger, public by their id."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from memory.sync.hosted.dialects import alone, insert_new
from memory.sync.hosted.service import DAY, Service
from memory.sync.hosted.tables.ledger import gone, receipts
from memory.sync.signed_json import canonical, digest, hash_text, sign

_PURPOSE = b"aof/v1/receipt"
_FIRST = hash_text(bytes(32))


def instant(at: int) -> str:
    """Return an instant as receipts write it: RFC 3339 in UTC and whole seconds."""
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def issue(
    service: Service,
    receipt_id: str,
    *,
    scope: str,
    subject: str,
    requested_at: int,
    mode: str,
    grace_until: int,
    counts: dict[str, int],
    keys_destroyed: list[str],
    gone_subjects: list[str],
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Sign and keep a receipt; one that was issued under this id is returned as it is."""
    now, settings = service.now(), service.settings
    async with service.stores.ledger.write() as connection:
        await alone(connection, "receipts")
        existing = await connection.scalar(
            select(receipts.c.receipt).where(receipts.c.receipt_id == receipt_id)
        )
        if existing is not None:
            found: dict[str, Any] = json.loads(existing)
            return found
        last = (await connection.execute(select(receipts).order_by(receipts.c.n.desc()).limit(1))).first()
        members = {
            "v": 1,
            "receipt_id": receipt_id,
            "key_id": service.keys.key_id,
            "scope": scope,
            "subject": subject,
            "requested_at": instant(requested_at),
            "mode": mode,
            "grace_until": instant(grace_until) if mode == "grace" else None,
            "purged_at": instant(now),
            "counts": counts,
            "keys_destroyed": keys_destroyed,
            "backup_horizon": {
                "keys": instant(now + settings.key_backup_horizon_days * DAY),
                "records": instant(now + settings.records_backup_horizon_days * DAY),
            },
            "retained": retained(now),
            "policy_version": settings.policy_version,
            "server": settings.server,
            "prev": digest(json.loads(last.receipt)) if last is not None else _FIRST,
            **(more or {}),
        }
        signed = sign(_PURPOSE, members, service.keys.signer)
        n = last.n + 1 if last is not None else 0
        text = canonical(signed).decode()
        await connection.execute(
            insert(receipts).values(n=n, receipt_id=receipt_id, subject=subject, receipt=text)
        )
        rows = [{"subject": each, "receipt_id": receipt_id} for each in gone_subjects]
        await insert_new(connection, gone, rows)
    return signed


def retained(now: int) -> list[dict[str, str]]:
    """Return what outlives a purge, until when, and why."""
    return [
        {"category": "access_log", "until": instant(now + 30 * DAY), "basis": "security of the service"},
        {
            "category": "audit",
            "until": instant(now + 365 * DAY),
            "basis": "security of the service, pseudonymous",
        },
        {"category": "ledger", "until": "", "basis": "proof of deletion, pseudonymous"},
    ]


async def find(service: Service, receipt_id: str) -> dict[str, Any] | None:
    """Return a receipt by its id."""
    async with service.stores.ledger.read() as connection:
        text = await connection.scalar(select(receipts.c.receipt).where(receipts.c.receipt_id == receipt_id))
    return None if text is None else json.loads(text)


async def of_subjects(service: Service, subjects: list[str]) -> list[dict[str, Any]]:
    """Return the receipts of an account and its spaces, oldest first."""
    async with service.stores.ledger.read() as connection:
        query = select(receipts.c.receipt).where(receipts.c.subject.in_(subjects)).order_by(receipts.c.n)
        return [json.loads(text) for text in (await connection.execute(query)).scalars()]
