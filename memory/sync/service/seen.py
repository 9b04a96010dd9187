"""The devices of an account and their sessions: who they are says the log alone, the rest says the service."""

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


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """A session that can still do something. ``device_id`` is empty where somebody signed in by mail alone."""

    id: str
    device_id: str
    signed_at: int
    """In milliseconds UTC."""
    this: bool


async def sessions_seen(calls: Calls) -> tuple[SessionSeen, ...]:
    """Return the sessions of the account."""
    answer = await calls.get("/v1/account/sessions")
    with understood():
        return tuple(
            SessionSeen(
                str(row["session_id"]), str(row["device_id"] or ""), int(row["signed_at"]), bool(row["this"])
            )
            for row in answer["sessions"]
        )


async def end_other_sessions(calls: Calls) -> int:
    """End every session but this one; return how many. A device that is in the log signs another one."""
    answer = await calls.send("DELETE", "/v1/account/sessions", {})
    with understood():
        return int(answer["ended"])


async def end_session(calls: Calls, session_id: str) -> None:
    """End one session; whoever uses it signs in anew, if it is a device of the account."""
    await calls.send("DELETE", f"/v1/account/sessions/{session_id}", {})
