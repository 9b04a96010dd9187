"""Spaces: made, listed, found for a caller, and the wrapped keys by which devices open them."""

import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.identifiers import new_id
from memory.sync.hosted import audit
from memory.sync.hosted.callers import ACTIVE, PURGING, Caller
from memory.sync.hosted.chain import lock_account
from memory.sync.hosted.dialects import insert_new
from memory.sync.hosted.errors import Refusal, malformed, not_found
from memory.sync.hosted.service import Service
from memory.sync.hosted.sign_in import purged_or
from memory.sync.hosted.tables.keys import space_wraps
from memory.sync.hosted.tables.records import devices, records, spaces
from memory.sync.key_wraps import FOR_RECOVERY

_MOST_SPACES = 100
_LONGEST_WRAP = 1 + 1120 + 32 + 48
"""The bytes of a wrap of suite 2, the longer one."""


@dataclass(frozen=True, slots=True)
class WrapRow:
    """A wrapped key as a device sends it."""

    recipient_id: str
    output: bytes
    sig: bytes


async def find(
    service: Service,
    connection: AsyncConnection,
    caller: Caller,
    space_id: str,
    generation: str | None,
    *,
    lock: bool = False,
) -> Any:
    """Return the row of a caller's space, locked if asked. Raises Refusal."""
    query = select(spaces).where(spaces.c.space_id == space_id, spaces.c.account_id == caller.account_id)
    row: Any = (await connection.execute(query.with_for_update() if lock else query)).first()
    if row is None or row.state == PURGING:
        raise await purged_or(service, "space", space_id, not_found())
    if generation is not None and row.generation != generation:
        raise Refusal(
            409,
            "generation_changed",
            "The service’s copy of this space was reset or came out of a backup; nothing is to be deleted.",
            generation=row.generation,
        )
    return row


def require_writable(caller: Caller, space: Any) -> None:
    """Raise Refusal (423) where nothing new is taken."""
    for state in (caller.state, space.state):
        if state != ACTIVE:
            raise Refusal(423, state, "Nothing new is taken now; pull, export, erase and restore work.")


async def create(service: Service, caller: Caller, space_id: str) -> dict[str, Any]:
    """Make a space; making it again changes nothing. Raises Refusal."""
    if caller.state != ACTIVE:
        raise Refusal(423, caller.state, "No space is made now.")
    refusal = await purged_or(service, "space", space_id, not_found())
    if refusal.status == 410:
        raise refusal
    async with service.stores.records.write(caller.account_id) as connection:
        await lock_account(connection, caller.account_id)
        mine = select(spaces).where(spaces.c.space_id == space_id, spaces.c.account_id == caller.account_id)
        found: Any = (await connection.execute(mine)).first()
        if found is not None:
            return _shown(found, 0)
        count = select(func.count()).where(spaces.c.account_id == caller.account_id)
        if (await connection.execute(count)).scalar_one() >= _MOST_SPACES:
            raise Refusal(413, "too_many_spaces", "An account may have 100 spaces.", limit=_MOST_SPACES)
        row = {
            "space_id": space_id,
            "account_id": caller.account_id,
            "generation": new_id(),
            "head": 0,
            "horizon": 0,
            "epoch": 0,
            "rotating": 0,
            "state": ACTIVE,
        }
        await insert_new(connection, spaces, [row])
        made: Any = (await connection.execute(mine)).first()
        if made is None:  # it is somebody else's
            raise Refusal(409, "space_taken", "Choose another id for the space.")
        await audit.note(connection, caller.account_id, service.now(), "space_made", space_id=space_id)
        return _shown(made, 0)


async def listed(service: Service, account_id: str) -> list[dict[str, Any]]:
    """Return the spaces of an account."""
    async with service.stores.records.read(account_id) as connection:
        rows = (
            await connection.execute(
                select(spaces).where(spaces.c.account_id == account_id).order_by(spaces.c.space_id)
            )
        ).all()
        counted: Any = await connection.execute(
            select(records.c.space_id, func.count())
            .where(records.c.account_id == account_id)
            .group_by(records.c.space_id)
        )
        counts = {row[0]: row[1] for row in counted}
    return [_shown(row, counts.get(row.space_id, 0)) for row in rows]


def _shown(row: Any, count: int) -> dict[str, Any]:
    names = ("space_id", "generation", "head", "horizon", "epoch", "state")
    return {
        **{name: getattr(row, name) for name in names},
        "rotating": bool(row.rotating),
        "records": count,
    }


async def put_wraps(
    service: Service,
    caller: Caller,
    space_id: str,
    generation: str,
    epoch: int,
    wraps: list[WrapRow],
    expected_epoch: int | None = None,
) -> None:
    """Store wraps of one epoch: the next one's in advance, or a current one's for who joined. Raises Refusal."""
    for each in wraps:
        _check_wrap(caller, space_id, epoch, each)
    async with service.stores.records.write(caller.account_id) as connection:
        space = await find(service, connection, caller, space_id, generation, lock=True)
        if not 1 <= epoch <= space.epoch + 1 or expected_epoch not in (None, space.epoch):
            raise Refusal(409, "epoch_stale", "Wraps are of an open epoch or of the next.", epoch=space.epoch)
        active = set(
            (
                await connection.execute(
                    select(devices.c.device_id).where(
                        devices.c.account_id == caller.account_id, devices.c.revoked.is_(None)
                    )
                )
            ).scalars()
        )
        if strangers := {each.recipient_id for each in wraps} - active - {FOR_RECOVERY}:
            raise Refusal(400, "not_a_recipient", f"{min(strangers)} is no active device of this account.")
        async with service.stores.keys.write(caller.account_id) as keys:
            for each in wraps:
                place = (
                    (space_wraps.c.space_id == space_id)
                    & (space_wraps.c.epoch == epoch)
                    & (space_wraps.c.recipient_id == each.recipient_id)
                )
                await keys.execute(delete(space_wraps).where(place))
                await keys.execute(
                    insert(space_wraps).values(
                        space_id=space_id,
                        epoch=epoch,
                        recipient_id=each.recipient_id,
                        account_id=caller.account_id,
                        by=caller.device,
                        output=each.output,
                        sig=each.sig,
                    )
                )


def _check_wrap(caller: Caller, space_id: str, epoch: int, each: WrapRow) -> None:
    if len(each.output) not in (81, _LONGEST_WRAP) or caller.sign is None:
        raise malformed("wrap: length")
    place = bytes.fromhex(space_id) + epoch.to_bytes(4, "big") + bytes.fromhex(each.recipient_id)
    signed = b"aof/v1/wrap" + place + hashlib.sha256(each.output).digest()
    try:
        Ed25519PublicKey.from_public_bytes(caller.sign).verify(each.sig, signed)
    except InvalidSignature:
        raise Refusal(400, "signature_refused", "This device did not sign the wrap.") from None


async def wraps_of(
    service: Service, caller: Caller, space_id: str, generation: str | None
) -> list[dict[str, Any]]:
    """Return the wraps of a space for every recipient; each opens only those that are for it."""
    async with service.stores.records.read(caller.account_id) as connection:
        await find(service, connection, caller, space_id, generation)
    async with service.stores.keys.read(caller.account_id) as keys:
        rows = await keys.execute(
            select(space_wraps)
            .where(space_wraps.c.space_id == space_id, space_wraps.c.account_id == caller.account_id)
            .order_by(space_wraps.c.epoch, space_wraps.c.recipient_id)
        )
        names = ("epoch", "recipient_id", "by", "output", "sig")
        return [{name: getattr(row, name) for name in names} for row in rows]
