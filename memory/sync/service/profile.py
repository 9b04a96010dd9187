"""The account as a whole: how it stands, how much of its room is used, its mail address, and whether it is frozen."""

from dataclasses import dataclass

from memory.sync import base64url
from memory.sync.service.calls import Calls, understood
from memory.sync.service.sign_in import Asked

FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class Summary:
    """How an account stands. ``state`` is ``active``, ``frozen``, ``suspended`` or ``deletion_pending``.

    ``deleted_at`` is when the account or the office that asks is deleted, None where neither is to be.
    """

    state: str
    bytes_used: int
    bytes_limit: int
    records_used: int
    records_limit: int
    deleted_at: int | None = None


async def summary(calls: Calls, space_id: str) -> Summary:
    """Return how the account stands, for one of its offices. Raises Unreachable, ServiceFault."""
    answer = await calls.get("/v1/account/data-summary")
    with understood():
        room, records = answer["bytes"], answer["records"]
        deleted = [
            int(each["grace_until"])
            for each in answer["deletions"]
            if each["scope"] == "account" or each["scope_id"] == space_id
        ]
        return Summary(
            str(answer["state"]),
            int(room["used"]),
            int(room["limit"]),
            int(records["used"]),
            int(records["limit"]),
            min(deleted, default=None),
        )


async def freeze(calls: Calls, *, frozen: bool) -> None:
    """Let the service take nothing new into the account, or take it again. Raises Unreachable, ServiceFault."""
    await calls.send("POST", f"/v1/account/{'freeze' if frozen else 'unfreeze'}", {})


async def change_address(calls: Calls, asked: Asked, code: str) -> None:
    """Give the account the mail address to which a code was sent, signed by this device.

    Raises Unreachable, ServiceFault: ``code_refused``, or ``address_taken`` where another account has it.
    """
    challenge = await calls.challenge()
    body = {
        "token": code.strip(),
        "verifier": base64url.encode(asked.verifier),
        "challenge": base64url.encode(challenge),
        "device_sig": calls.session.signed(b"aof/v1/auth", challenge, b"address"),
    }
    await calls.send("PATCH", "/v1/account", body)
