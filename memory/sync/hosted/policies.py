"""A new version of the policy is announced at least 30 days before it holds, by mail and on record."""

import asyncio
import hashlib
from datetime import date
from pathlib import Path

from sqlalchemy import select

from memory.sync.hosted import mailing
from memory.sync.hosted.dialects import insert_new
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.mails import day_text
from memory.sync.hosted.service import DAY, Service
from memory.sync.hosted.tables.records import accounts, policies
from resources.language import gettext as _

LEAD_DAYS = 30


async def following(service: Service) -> dict[str, str] | None:
    """Return ``version`` and ``effective`` day of the next policy that is announced, None where none is."""
    today = day_text(service.now())
    query = (
        select(policies.c.version, policies.c.effective)
        .where(policies.c.effective > today, policies.c.version != service.settings.policy_version)
        .order_by(policies.c.effective, policies.c.version)
    )
    async with service.stores.records.read() as connection:
        found = (await connection.execute(query.limit(1))).mappings().first()
    return None if found is None else dict(found)


async def announce(service: Service, version: str, effective: str, file: Path) -> int:
    """Note a policy and mail every account of it, once; return how many there are. Raises ServiceFault."""
    try:
        day = date.fromisoformat(effective)
        digest = hashlib.sha256(await asyncio.to_thread(file.read_bytes)).hexdigest()
    except ValueError:
        raise ServiceFault(_("{text} is no day; write it like 2026-05-01.").format(text=effective)) from None
    except OSError as wrong:
        raise ServiceFault(_("{file} cannot be read.").format(file=file)) from wrong
    first = day_text(service.now() + LEAD_DAYS * DAY)
    if day.isoformat() < first:
        raise ServiceFault(
            _("A policy is announced 30 days ahead: {day} is the earliest it can hold.").format(day=first)
        )
    row = {"version": version, "effective": effective, "sha256": digest, "announced_at": service.now()}
    async with service.stores.records.write() as connection:
        await insert_new(connection, policies, [row])
        ids = (await connection.execute(select(accounts.c.account_id))).scalars().all()
        for account_id in ids:
            await mailing.ask(
                service, connection, account_id, "policy", key=version, version=version, effective=effective
            )
    return len(ids)
