"""Spaces at the service, and the keys of a space on their way between devices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from memory.sync import base64url
from memory.sync.account import Account
from memory.sync.device_keys import Receiver
from memory.sync.errors import SignerRefused, WrapRefused
from memory.sync.key_wraps import Wrap, unwrap
from memory.sync.service.calls import Calls, understood
from memory.sync.service.faults import SpacePurged
from memory.sync.space_keys import SpaceKey

PURGING = "purging"
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Space:
    """A space as the service has it. ``state`` is ``active``, ``deletion_pending`` or ``purging``."""

    id: str
    generation: str
    head: int
    epoch: int
    rotating: bool
    records: int
    state: str

    def path(self, rest: str = "") -> str:
        """Return the address of something of this space."""
        return f"/v1/spaces/{self.id}{rest}"


async def spaces(calls: Calls) -> tuple[Space, ...]:
    """Return the spaces of the account."""
    answer = await calls.get("/v1/spaces")
    with understood():
        return tuple(_space(row) for row in answer["spaces"])


async def space_of(calls: Calls, space_id: str) -> Space:
    """Return one space. Raises SpacePurged where it is no more."""
    for each in await spaces(calls):
        if each.id == space_id and each.state != PURGING:
            return each
    # The list leaves out what is gone; asked for the space itself, the service names the receipt.
    await calls.get(f"/v1/spaces/{space_id}/rotation", query={"generation": "0" * 32})
    raise SpacePurged("")


async def make_space(calls: Calls, space_id: str) -> Space:
    """Make a space; making it again changes nothing."""
    row = await calls.send("POST", "/v1/spaces", {"space_id": space_id})
    with understood():
        return _space(row)


async def wraps_of(calls: Calls, space: Space) -> tuple[Wrap, ...]:
    """Return the wrapped keys of a space for every recipient."""
    answer = await calls.get(space.path("/wraps"), query={"generation": space.generation}, packed=True)
    with understood():
        return tuple(_wrap(space.id, row) for row in answer["wraps"])


async def put_wraps(calls: Calls, space: Space, wraps: Sequence[Wrap]) -> None:
    """Store wrapped keys; the service takes them only while the space's epoch is the one that ``space`` says."""
    for epoch in sorted({each.epoch for each in wraps}):
        rows = [_row(each) for each in wraps if each.epoch == epoch]
        for at in range(0, len(rows), _AT_ONCE):
            body = {
                "generation": space.generation,
                "epoch": epoch,
                "expected_epoch": space.epoch,
                "wraps": rows[at : at + _AT_ONCE],
            }
            await calls.send("PUT", space.path("/wraps"), body)


def open_wraps(
    account: Account, wraps: Iterable[Wrap], recipient_id: str, receiver: Receiver
) -> tuple[SpaceKey, ...]:
    """Return the keys that were wrapped for a recipient, of every epoch that the log knows. Raises WrapRefused."""
    found = []
    for each in wraps:
        if each.recipient_id != recipient_id or each.epoch > account.current_epoch(each.space_id):
            continue
        epoch = account.epoch(each.space_id, each.epoch)
        try:
            signer = account.device(each.by).verifies
        except SignerRefused as wrong:
            raise WrapRefused(wrong.reason) from wrong
        found.append(unwrap(each, receiver, signer, epoch.commitment))
    return tuple(found)


def _space(row: dict[str, Any]) -> Space:
    return Space(
        str(row["space_id"]),
        str(row["generation"]),
        int(row["head"]),
        int(row["epoch"]),
        bool(row["rotating"]),
        int(row["records"]),
        str(row["state"]),
    )


def _wrap(space_id: str, row: dict[str, Any]) -> Wrap:
    if not isinstance(row["output"], bytes) or not isinstance(row["sig"], bytes):
        raise TypeError("wrap")
    return Wrap(
        space_id, int(row["epoch"]), str(row["recipient_id"]), str(row["by"]), row["output"], row["sig"]
    )


def _row(each: Wrap) -> dict[str, str]:
    return {
        "recipient_id": each.recipient_id,
        "output": base64url.encode(each.output),
        "sig": base64url.encode(each.sig),
    }
