"""A breach of security: noted with its hour, told to the authority within 72 hours and to those affected by mail."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from memory.identifiers import new_id
from memory.sync.hosted import mailing
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.mailing import KIND as MAIL
from memory.sync.hosted.service import HOUR, Service
from memory.sync.hosted.tables.records import access_log, accounts, incidents, jobs
from resources.language import gettext as _

AUTHORITY_HOURS = 72


async def open_incident(service: Service, detected_at: int, nature: str, data: str, measures: str) -> str:
    """Note an incident; the 72 hours run from its detection. Returns its id."""
    incident_id = new_id()
    async with service.stores.records.write() as connection:
        await connection.execute(
            insert(incidents).values(
                incident_id=incident_id, detected_at=detected_at, nature=nature, data=data, measures=measures
            )
        )
    return incident_id


async def listed(service: Service) -> list[dict[str, Any]]:
    """Return the incidents, each with the hours that are left for the authority and how its mails fare."""
    async with service.stores.records.read() as connection:
        rows = (
            (await connection.execute(select(incidents).order_by(incidents.c.detected_at))).mappings().all()
        )
        found = []
        for row in rows:
            query = (
                select(jobs.c.state, func.count())
                .where(jobs.c.key.like(f"{MAIL}:%:incident:{row['incident_id']}"))
                .group_by(jobs.c.state)
            )
            sent = {each[0]: each[1] for each in await connection.execute(query)}
            found.append({**row, "hours_left": _hours_left(service, row["detected_at"]), "mails": sent})
    return found


def _hours_left(service: Service, detected_at: int) -> float:
    return round((detected_at + AUTHORITY_HOURS * HOUR - service.now()) / HOUR, 1)


async def authority_told(service: Service, incident_id: str) -> None:
    """Note that the authority was told. Raises ServiceFault."""
    async with service.stores.records.write() as connection:
        changed = await connection.execute(
            update(incidents)
            .where(incidents.c.incident_id == incident_id)
            .values(authority_told_at=service.now())
        )
    if not changed.rowcount:
        raise ServiceFault(_("There is no such incident."))


async def affected(service: Service, since: int | None = None) -> list[str]:
    """Return the accounts that used the service since an instant (as far as the access log reaches), or all."""
    async with service.stores.records.read() as connection:
        ids = (
            (await connection.execute(select(accounts.c.account_id).order_by(accounts.c.account_id)))
            .scalars()
            .all()
        )
        if since is None:
            return list(ids)
        query = select(access_log.c.subject).where(access_log.c.at >= since).distinct()
        subjects = set((await connection.execute(query)).scalars())
    return [each for each in ids if service.keys.subject("account", each) in subjects]


async def tell(service: Service, incident_id: str, account_ids: list[str]) -> int:
    """Ask for a mail to each account, once however often it is called; return how many. Raises ServiceFault."""
    async with service.stores.records.write() as connection:
        row: Any = (
            await connection.execute(select(incidents).where(incidents.c.incident_id == incident_id))
        ).first()
        if row is None:
            raise ServiceFault(_("There is no such incident."))
        words = {"nature": row.nature, "data": row.data, "measures": row.measures}
        for account_id in account_ids:
            await mailing.ask(service, connection, account_id, "incident", key=incident_id, **words)
        await connection.execute(
            update(incidents)
            .where(incidents.c.incident_id == incident_id)
            .values(people_told_at=service.now())
        )
    return len(account_ids)


async def overdue(service: Service) -> list[str]:
    """Return incidents of which the authority must be told within 12 hours, or should have been."""
    async with service.stores.records.read() as connection:
        query = select(incidents.c.incident_id).where(
            incidents.c.authority_told_at.is_(None),
            incidents.c.detected_at <= service.now() - (AUTHORITY_HOURS - 12) * HOUR,
        )
        return list((await connection.execute(query)).scalars())


def instant_of(text: str) -> int:
    """Return the instant of an ISO 8601 text, UTC where it names no zone. Raises ServiceFault."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ServiceFault(
            _("{text} is no time; write it like 2026-05-01T13:30.").format(text=text)
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
