"""The devices of an account: who they are says the log alone, when they were last there says the service."""

from dataclasses import dataclass

from memory.sync.account import Account
from memory.sync.service.calls import Calls, understood


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """A device of the account. ``last_seen_day`` counts from 1970-01-01 UTC, None where the service does not say."""

    id: str
    active: bool
    added: int
    """Its place in the log; the first device has 0."""
    last_seen_day: int | None
    versions: str


async def devices_seen(calls: Calls, account: Account) -> tuple[DeviceSeen, ...]:
    """Return every device of the log, in the order in which they came."""
    answer = await calls.get("/v1/devices")
    with understood():
        told = {
            str(row["device_id"]): (row["last_seen_day"], str(row["versions"])) for row in answer["devices"]
        }
    found = []
    for device in account.devices.values():
        day, versions = told.get(device.public.id, (None, ""))
        found.append(
            DeviceSeen(
                device.public.id,
                device.revoked is None,
                device.added,
                day if type(day) is int else None,
                versions,
            )
        )
    return tuple(found)
