"""Deleting at the service: the account or one space, after a time to think it over or at once, and calling it off."""

from dataclasses import dataclass
from typing import Any, Literal

from memory.sync import base64url
from memory.sync.service.calls import Calls, understood

Mode = Literal["grace", "now"]


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deletion that was begun; ``grace_until`` is until when it can be called off, None where it cannot."""

    scope: str
    mode: str
    grace_until: int | None


async def ask_mail_code(calls: Calls) -> None:
    """Have the code mailed that a deletion at once needs."""
    await calls.send("POST", "/v1/account/mail-code", {})


async def delete_account(calls: Calls, mode: Mode, mail_code: str = "") -> Deletion:
    """Begin to delete the account, signed by this device."""
    account_id = await _account_id(calls)
    return await _delete(calls, "POST", "/v1/account/delete", account_id, mode, mail_code)


async def delete_space(calls: Calls, space_id: str, mode: Mode, mail_code: str = "") -> Deletion:
    """Begin to delete a space, signed by this device."""
    return await _delete(calls, "DELETE", f"/v1/spaces/{space_id}", space_id, mode, mail_code)


async def restore_account(calls: Calls) -> None:
    """Call the deletion of the account off."""
    await calls.send("POST", "/v1/account/restore", {})


async def restore_space(calls: Calls, space_id: str) -> None:
    """Call the deletion of a space off."""
    await calls.send("POST", f"/v1/spaces/{space_id}/restore", {})


async def _account_id(calls: Calls) -> str:
    summary = await calls.get("/v1/account/data-summary")
    with understood():
        account_id = str(summary["account_id"])
        bytes.fromhex(account_id)
        return account_id


async def _delete(
    calls: Calls, method: str, path: str, scope_id: str, mode: Mode, mail_code: str
) -> Deletion:
    challenge = await calls.challenge()
    body: dict[str, Any] = {
        "mode": mode,
        "challenge": base64url.encode(challenge),
        "device_sig": calls.session.signed(
            b"aof/v1/delete", challenge, bytes.fromhex(scope_id), mode.encode()
        ),
        "mail_code": mail_code.strip(),
    }
    answer = await calls.send(method, path, body)
    with understood():
        until = answer["grace_until"]
        return Deletion(str(answer["scope"]), str(answer["mode"]), None if until is None else int(until))
