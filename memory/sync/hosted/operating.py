"""What only the operator does to an account: suspend it, hold it by law. Its owner sees both in the audit."""

from typing import Any

from sqlalchemy import select, update

from memory.sync.hosted import audit
from memory.sync.hosted.callers import ACTIVE, SUSPENDED
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.service import Service
from memory.sync.hosted.tables.records import accounts
from resources.language import gettext as _


async def account_of(service: Service, address: str) -> str:
    """Return the id of the account of a mail address. Raises ServiceFault."""
    async with service.stores.records.read() as connection:
        found: str | None = await connection.scalar(
            select(accounts.c.account_id).where(accounts.c.address_lookup == service.keys.lookup(address))
        )
    if found is None:
        raise ServiceFault(_("No account has this address."))
    return found


async def suspend(service: Service, account_id: str, suspended: bool) -> None:
    """Let an account only pull, export, erase and delete, or let it go on. Raises ServiceFault."""
    wanted, needed = (SUSPENDED, ACTIVE) if suspended else (ACTIVE, SUSPENDED)
    await _change(
        service,
        account_id,
        accounts.c.state == needed,
        {"state": wanted},
        "operator_suspended" if suspended else "operator_resumed",
    )


async def set_hold(service: Service, account_id: str, reason: str) -> None:
    """Keep an account from being purged, for a reason that its owner reads; an empty reason ends it."""
    action = "operator_hold" if reason else "operator_hold_ended"
    await _change(
        service, account_id, accounts.c.account_id == account_id, {"legal_hold": reason[:400]}, action
    )


async def _change(
    service: Service, account_id: str, condition: Any, values: dict[str, str], action: str
) -> None:
    async with service.stores.records.write() as connection:
        changed = await connection.execute(
            update(accounts).where(accounts.c.account_id == account_id, condition).values(**values)
        )
        if not changed.rowcount:
            raise ServiceFault(_("There is no such account in that state."))
        await audit.note(connection, account_id, service.now(), action)
