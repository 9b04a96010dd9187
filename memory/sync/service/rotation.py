"""The key of a space is replaced, so that a device which was taken off reads nothing that is written from now on.

    revoke entry → wraps of the next key, read back → new_epoch entry and epoch together → record keys wrapped anew →
    the service destroys the wraps of the former key

What of it is done can be seen from the log and the service, so any device goes on after a crash.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgpack

from memory.errors import Refused
from memory.sync import base64url, wire
from memory.sync.account import Account
from memory.sync.admission import may_rewrap
from memory.sync.envelope import Envelope, open_sealed
from memory.sync.errors import RecordRefused, SignerRefused
from memory.sync.header import Header
from memory.sync.membership import Member
from memory.sync.service.calls import Calls, understood
from memory.sync.service.faults import LogMoved, ServiceRefused
from memory.sync.service.log import AccountLog
from memory.sync.service.membership import open_epoch
from memory.sync.service.spaces import Space, space_of
from memory.sync.space_keys import SpaceKey, SpaceKeys
from resources.language import gettext as _

_PAGE = 500

Held = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]
"""Returns which revision of each of these records this device holds."""


class Behind(Refused):
    """More is at the service than this device has pulled: pull, then try again."""

    def __init__(self) -> None:
        super().__init__(_("More was written on your other devices just now: sync, then try again."))


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation came to: the membership with the new key, record keys wrapped anew, and those that were not."""

    member: Member
    wrapped: int
    left: tuple[str, ...]
    """Records of a device that was taken off, which were not here before, or that do not open: they stay locked."""


@dataclass(frozen=True, slots=True)
class _Key:
    rid: str
    rev: str
    dek: bytes


def is_due(account: Account, space_id: str) -> bool:
    """Whether a device was taken off since the space's last epoch was opened."""
    return any(
        device.revoked is not None and account.opened_after(space_id, device.revoked) is None
        for device in account.devices.values()
    )


async def open_next(
    calls: Calls,
    log: AccountLog,
    member: Member,
    at: int,
    *,
    pulled_to: tuple[str, int],
    keep: Callable[[Member], Awaitable[None]],
) -> Member:
    """Open the next epoch of the space, unless another device did meanwhile.

    ``pulled_to`` are the generation and the head that this device has pulled up to. ``keep`` keeps the new key before
    anybody is told of it. Raises Behind where more is there than was pulled, Refused where a record's key does not
    open: a rotation on stale data would lock the others out. Raises ServiceFault, WrapRefused, Unreachable.
    """
    generation, head = pulled_to
    space = await space_of(calls, member.space_id)
    if (space.generation, space.head) != (generation, head):
        raise Behind
    await _require_all_open(calls, space, member)
    key = SpaceKey.new(space.id, member.account.current_epoch(space.id) + 1)
    await keep(replace(member, keys=(*member.keys, key)))
    try:
        account = await open_epoch(calls, log, space, key, member.device, at)
    except LogMoved:
        await keep(member)
        raise Behind from None  # the next try makes another key
    except ServiceRefused as refused:
        await keep(member)
        if refused.code == "head_moved":
            raise Behind from refused
        raise
    return replace(member, keys=(*member.keys, key), account=account)


async def wrap_anew(calls: Calls, member: Member, held: Held) -> Rotated:
    """Wrap every record's key under the current epoch; with the last one the service destroys the former wraps.

    Only revisions that this device holds are carried over, and those of an active device. Raises Behind where another
    device has opened the next epoch meanwhile, ServiceFault, Unreachable.
    """
    space, wrapped, left = await space_of(calls, member.space_id), 0, list[str]()
    keys = SpaceKeys(space.id, *member.keys)
    current = keys.of(member.account.current_epoch(space.id))
    async for page in _former_keys(calls, space, "former"):
        admitted, refused = await _sorted(calls, space, member.account, keys, page, held)
        left += refused
        rows = [_wrapped(each, keys, current) for each in page if each.rid in admitted]
        if rows:
            body = {"generation": space.generation, "deks": rows}
            try:
                answer = await calls.send("POST", space.path("/deks"), body)
            except ServiceRefused as refused:
                if refused.code == "epoch_stale":  # another device has opened the next one meanwhile
                    raise Behind from refused
                raise
            with understood():
                wrapped += list(answer["outcomes"]).count("ok")
    return Rotated(member, wrapped, tuple(left))


async def is_done(calls: Calls, space: Space) -> bool:
    """Whether no record's key is wrapped under a former epoch any more, and the former wraps are destroyed."""
    answer = await calls.get(space.path("/rotation"), query={"generation": space.generation})
    with understood():
        return not answer["rotating"] and not answer["remaining"]


async def _require_all_open(calls: Calls, space: Space, member: Member) -> None:
    keys = SpaceKeys(space.id, *member.keys)
    async for page in _former_keys(calls, space, "all"):
        shut = [each for each in page if not _opens(keys, each)]
        if shut and await _live(calls, space, shut):
            raise Refused(
                _(
                    "The key of a record does not open here: sync every device first, so that nothing is locked."
                )
            )


def _opens(keys: SpaceKeys, each: _Key) -> bool:
    try:
        keys.open(each.dek, each.rid, each.rev)
    except RecordRefused:
        return False
    return True


async def _former_keys(calls: Calls, space: Space, which: str) -> AsyncIterator[list[_Key]]:
    """Yield pages of record keys by id: those of ``former`` epochs, or ``all``."""
    after, more = "", True
    while more:
        query = {"generation": space.generation, "after_rid": after, "limit": _PAGE, "which": which}
        answer = await calls.get(space.path("/deks"), query=query, packed=True)
        with understood():
            page = [_Key(str(row["rid"]), str(row["rev"]), bytes(row["dek"])) for row in answer["items"]]
            more = bool(answer["more"]) and bool(page)
            if page and page[0].rid <= after:
                raise ValueError("deks: out of order")  # or it would be asked for ever
        if page:
            yield page
            after = page[-1].rid


async def _sorted(
    calls: Calls, space: Space, account: Account, keys: SpaceKeys, page: list[_Key], held: Held
) -> tuple[set[str], list[str]]:
    """Return the records of a page whose keys may be carried into the new epoch, and those whose may not."""
    here = await held([each.rid for each in page])
    found = {each.rid for each in page if here.get(each.rid) == each.rev and _opens(keys, each)}
    refused = []
    for envelope in await _live(calls, space, [each for each in page if each.rid not in found]):
        header = Header.unpack(envelope.hdr)
        try:
            if not may_rewrap(account, header, held_before=False):
                raise SignerRefused("revoked, and not held before")
            open_sealed(envelope, keys, account.device(header.device_id).verifies)
            found.add(header.rid)
        except RecordRefused:
            refused.append(header.rid)
    return found, refused


async def _live(calls: Calls, space: Space, keys: Sequence[_Key]) -> list[Envelope]:
    """Return the records of which these are the keys, but for revisions that were replaced meanwhile."""
    if not keys:
        return []
    revs = {each.rid: each.rev for each in keys}
    body = {"generation": space.generation, "rids": list(revs)}
    answer = await calls.send("POST", space.path("/records/get"), body, packed=True)
    found = []
    with understood():
        for envelope in [_envelope(item) for item in answer["items"] if "env" in item]:
            header = Header.unpack(envelope.hdr)
            if revs.get(header.rid) == header.rev:
                found.append(envelope)
    return found


def _envelope(item: Mapping[str, Any]) -> Envelope:
    found = wire.from_msgpack(msgpack.packb(item["env"]))
    if not isinstance(found, Envelope):
        raise TypeError("env")
    return found


def _wrapped(each: _Key, keys: SpaceKeys, current: SpaceKey) -> dict[str, str]:
    record_key = keys.open(each.dek, each.rid, each.rev)
    return {
        "rid": each.rid,
        "rev": each.rev,
        "dek": base64url.encode(current.wrap(record_key, each.rid, each.rev)),
    }
