"""The account log at the service: it checks every entry as devices do, appends under a lock, and obeys it."""

import json
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync import account_log
from memory.sync.account import RECOVERY, Account
from memory.sync.errors import LogForked, LogRefused
from memory.sync.hosted import audit, mailing
from memory.sync.hosted.callers import Caller
from memory.sync.hosted.dialects import insert_new
from memory.sync.hosted.errors import Refusal, malformed, not_found
from memory.sync.hosted.service import Service
from memory.sync.hosted.tables.keys import space_wraps
from memory.sync.hosted.tables.records import accounts, devices, log_entries, sessions
from memory.sync.signed_json import canonical, hash_text

_LONGEST_ENTRY = 8 * 1024
_MOST_ENTRIES = 10_000


async def lock_account(connection: AsyncConnection, account_id: str) -> Any:
    """Return the account's row, locked until the transaction ends. Raises Refusal."""
    row = (
        await connection.execute(
            select(accounts).where(accounts.c.account_id == account_id).with_for_update()
        )
    ).first()
    if row is None:
        raise not_found()
    return row


async def entries(connection: AsyncConnection, account_id: str, after: int = -1) -> list[dict[str, Any]]:
    """Return the entries of a log in order."""
    query = (
        select(log_entries.c.entry)
        .where(log_entries.c.account_id == account_id, log_entries.c.n > after)
        .order_by(log_entries.c.n)
    )
    return [json.loads(text) for text in (await connection.execute(query)).scalars()]


async def append(
    service: Service, connection: AsyncConnection, caller: Caller, entry: dict[str, Any]
) -> Account:
    """Append an entry and do what it says; return the account after it. Raises Refusal."""
    await lock_account(connection, caller.account_id)
    before = await entries(connection, caller.account_id)
    account = _checked(before, entry)
    by = entry["by"]
    if by == RECOVERY:
        if caller.device_id is not None and entry["type"] == "add_device":
            raise malformed("recovery adds a device from a session by mail")
    elif by != (caller.device_id or by) or (caller.device_id is None and account.n > 0):
        raise Refusal(403, "not_by_this_device", "An entry is appended by the device that signed it.")
    try:
        text = canonical(entry).decode()
    except ValueError as wrong:
        raise malformed(str(wrong)) from None
    if len(text) > _LONGEST_ENTRY or account.n >= _MOST_ENTRIES:
        raise Refusal(413, "too_large", "The entry or the log is too long.", limit=_LONGEST_ENTRY)
    await connection.execute(
        insert(log_entries).values(account_id=caller.account_id, n=account.n, entry=text)
    )
    await _obey(service, connection, caller.account_id, entry, account)
    await audit.note(connection, caller.account_id, service.now(), f"log_{entry['type']}", n=account.n)
    return account


def _checked(before: list[dict[str, Any]], entry: dict[str, Any]) -> Account:
    try:
        if not before:
            return account_log.verify([entry])
        now = account_log.verify(before)
    except LogRefused as wrong:
        raise Refusal(400, "entry_refused", f"The entry breaks a rule of the log: {wrong.reason}.") from None
    try:
        return account_log.extend(now, [entry])
    except LogForked:
        head = {"n": now.n, "hash": hash_text(now.head)}
        raise Refusal(409, "log_moved", "The log has moved on; fetch it and try again.", head=head) from None
    except LogRefused as wrong:
        raise Refusal(400, "entry_refused", f"The entry breaks a rule of the log: {wrong.reason}.") from None


async def _obey(
    service: Service, connection: AsyncConnection, account_id: str, entry: dict[str, Any], account: Account
) -> None:
    kind = entry["type"]
    if kind in ("genesis", "add_device"):
        await _add_device(service, connection, account_id, entry["body"]["device"]["id"], account)
        if kind == "add_device":
            await mailing.ask(service, connection, account_id, "device_added")
    elif kind == "revoke_device":
        await _revoke_device(service, connection, account_id, entry["body"]["device_id"], account.n)
        await mailing.ask(service, connection, account_id, "device_revoked")
    elif kind == "new_recovery":
        await mailing.ask(service, connection, account_id, "new_recovery")


async def _add_device(
    service: Service, connection: AsyncConnection, account_id: str, device_id: str, account: Account
) -> None:
    public = account.device(device_id).public
    row = {
        "device_id": device_id,
        "account_id": account_id,
        "sign": public.sign,
        "hpke": public.hpke,
        "added": account.n,
        "last_seen_day": service.today,
        "versions": "",
    }
    await insert_new(connection, devices, [row])
    made = select(devices.c.sign).where(devices.c.device_id == device_id, devices.c.account_id == account_id)
    if (await connection.scalar(made)) != public.sign:
        raise Refusal(400, "entry_refused", "This device id was used before.")


async def _revoke_device(
    service: Service, connection: AsyncConnection, account_id: str, device_id: str, n: int
) -> None:
    await connection.execute(delete(sessions).where(sessions.c.device_id == device_id))
    await connection.execute(
        update(devices)
        .where(devices.c.device_id == device_id, devices.c.account_id == account_id)
        .values(revoked=n)
    )
    async with service.stores.keys.write(account_id) as keys:
        await keys.execute(
            delete(space_wraps).where(
                space_wraps.c.account_id == account_id, space_wraps.c.recipient_id == device_id
            )
        )


def refuse_epoch(entry: dict[str, Any]) -> None:
    """Raise Refusal for an entry that opens an epoch: that is done together with the space."""
    if entry.get("type") == "new_epoch":
        raise Refusal(400, "entry_refused", "An epoch is opened by PUT …/epoch, together with its space.")
