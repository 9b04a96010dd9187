"""How a device comes to be one of an account at a service, and stays one: it takes keys and hands them on."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from memory.errors import Refused
from memory.identifiers import new_id
from memory.sync import account_log
from memory.sync.account import RECOVERY, Account
from memory.sync.account_log import Writer
from memory.sync.device_keys import DeviceKeys
from memory.sync.envelope import Signer
from memory.sync.errors import RecoveryKeyOther, WrapRefused
from memory.sync.key_wraps import FOR_RECOVERY, Wrap, wrap, wraps_for_all
from memory.sync.membership import Begun, Member, going_on, require_current
from memory.sync.recovery import RecoveryKeys, RecoveryPublic
from memory.sync.service.calls import Calls
from memory.sync.service.faults import LogMoved, ServiceRefused
from memory.sync.service.log import AccountLog
from memory.sync.service.spaces import (
    PURGING,
    Space,
    make_space,
    open_wraps,
    put_wraps,
    space_of,
    spaces,
    wraps_of,
)
from memory.sync.space_keys import SpaceKey
from resources.language import gettext as _

_TRIES = 3
_OVERTAKEN = ("epoch_stale", "not_a_recipient")
"""How the service refuses keys where another device opened an epoch or took a device off just before."""
NEW = "new"
"""Asks for another space of the account instead of one that is there."""


class SeveralOffices(Refused):
    """The account has several spaces, of which one must be chosen."""

    def __init__(self, there: Sequence[Space]) -> None:
        listed = ", ".join(each.id[:8] for each in there)
        super().__init__(
            _("Your account has several offices: choose one with --space ({spaces}).").format(spaces=listed)
        )
        self.spaces = tuple(there)


Keep = Callable[[Begun], Awaitable[None]]
"""Keeps in the vault, before anybody is told of it, what a device goes on with if it is cut off."""


async def keep_nothing(_begun: Begun) -> None:
    """Keep nothing: what is cut off begins as another device."""


async def found_or_go_on(
    calls: Calls, recovery_key: bytes, at: int, begun: Begun | None, keep: Keep
) -> tuple[Member, bool]:
    """Begin an account and a space as `found`; or go on as `join` where that was cut off with the same recovery key."""
    log = AccountLog(calls)
    if await log.begun() and (await log.read()).recovery == RecoveryKeys.of(recovery_key).public:
        return await join(calls, recovery_key, at, begun=begun, keep=keep)
    return await found(calls, recovery_key, at, keep), True


async def found(calls: Calls, recovery_key: bytes, at: int, keep: Keep = keep_nothing) -> Member:
    """Begin an account and a space, in a session by mail; ``recovery_key`` are 32 new random bytes.

    Raises Refused where the account has devices already, Unreachable, ServiceFault.
    """
    log, device, recovery = AccountLog(calls), DeviceKeys.new(), RecoveryKeys.of(recovery_key)
    await require_free(log)
    await keep(Begun(device))
    try:
        await log.begin(account_log.genesis(device, recovery.public, at))
    except LogMoved:
        raise _has_devices() from None
    calls.session.become(device.id, device.sign)
    await calls.sign_in()
    return await found_space(calls, log, device, at, keep=keep)


async def found_space(
    calls: Calls, log: AccountLog, device: DeviceKeys, at: int, space_id: str = "", keep: Keep = keep_nothing
) -> Member:
    """Begin a space with its first epoch, as a device of the account; ``space_id`` is that of a try before."""
    key = SpaceKey.new(space_id or new_id())
    await keep(Begun(device, key.space_id))
    space = await make_space(calls, key.space_id)
    account = await open_epoch(calls, log, space, key, device, at)
    return Member(key.space_id, device, (key,), account)


async def open_epoch(
    calls: Calls, log: AccountLog, space: Space, key: SpaceKey, device: DeviceKeys, at: int
) -> Account:
    """Give every active device and recovery a new key, see that the service holds it so, and open its epoch.

    Raises WrapRefused where the service holds something else, LogMoved where a device was taken off meanwhile, which
    may have read the new key, ServiceFault ``head_moved`` or ``epoch_stale``.
    """
    while True:
        account = await log.read()
        staged = wraps_for_all(account, key, device)
        await put_wraps(calls, space, staged)
        there = {each.recipient_id: each for each in await wraps_of(calls, space) if each.epoch == key.epoch}
        if any(there.get(each.recipient_id) != each for each in staged):
            raise WrapRefused("staged wraps are not those that were sent")
        body = {
            "generation": space.generation,
            "expected_head": space.head,
            "entry": Writer(device.id, device.sign).new_epoch(account, key, at),
        }
        try:
            await calls.send("PUT", space.path("/epoch"), body)
        except LogMoved:
            now = await log.read()
            if any(not now.is_active(each.public.id) for each in account.active()):
                raise  # somebody who may have been given this key was taken off
            continue
        # Another device may have put its own keys in between; those are worth nothing now.
        await put_wraps(calls, replace(space, epoch=key.epoch), staged)
        return await log.read()


async def join(
    calls: Calls,
    recovery_key: bytes,
    at: int,
    space_id: str | None = None,
    begun: Begun | None = None,
    keep: Keep = keep_nothing,
) -> tuple[Member, bool]:
    """Become a device of an account by its recovery key, in a session by mail; the one that was ``begun`` if it may.

    Returns the member, and whether it founded the space because the account had none, or because ``space_id`` is NEW.
    Raises Refused where the account has no device, SeveralOffices, WrapRefused for another recovery key, LogRefused,
    Unreachable, ServiceFault.
    """
    log, recovery = AccountLog(calls), RecoveryKeys.of(recovery_key)
    await require_begun(log)
    account = await log.read()
    if account.recovery != recovery.public:
        raise RecoveryKeyOther
    device = going_on(account, begun)
    founds = begun.space_id if begun is not None and device is not None else ""
    device, writer = device or DeviceKeys.new(), Writer(RECOVERY, recovery.sign)
    if account.current_epoch(founds) and space_id in (None, NEW):
        space_id = founds  # only its first round is lacking
    chosen = chosen_space(await spaces(calls), account, space_id)
    if not account.is_active(device.id):
        await keep(Begun(device))
        account = await log.append(
            lambda now: None if now.is_active(device.id) else writer.add_device(now, device.public, at)
        )
    calls.session.become(device.id, device.sign)
    await calls.sign_in()
    if chosen is None:
        return await found_space(calls, log, device, at, founds, keep), True
    keys = open_wraps(account, await wraps_of(calls, chosen), FOR_RECOVERY, recovery.receive)
    require_current(account, chosen.id, keys)
    await put_wraps(calls, chosen, [_to(device, key, device) for key in keys])
    return Member(chosen.id, device, keys, account), chosen.id == founds


async def require_free(log: AccountLog) -> None:
    """Raise Refused where an account has devices already."""
    if await log.begun():
        raise _has_devices()


def _has_devices() -> Refused:
    return Refused(
        _(
            "Your account at this service has devices already: join them with “bureau sync join”, or begin elsewhere."
        )
    )


async def require_begun(log: AccountLog) -> None:
    """Raise Refused where an account has no device yet."""
    if not await log.begun():
        raise Refused(_("There is no account of yours at this service: begin one with “bureau sync on”."))


def chosen_space(there: Iterable[Space], account: Account, space_id: str | None) -> Space | None:
    """Return the space to join, None where one is to be founded: for NEW, or where there is none.

    Raises SeveralOffices, or Refused where ``space_id`` names none.
    """
    if space_id == NEW:
        return None
    found = [each for each in there if account.current_epoch(each.id) and each.state != PURGING]
    if space_id is not None:
        found = [each for each in found if each.id.startswith(space_id)]
        if len(found) != 1:
            raise Refused(_("Your account has no such office."))
    if len(found) > 1:
        raise SeveralOffices(found)
    return found[0] if found else None


async def renew(calls: Calls, log: AccountLog, member: Member, seen_n: int) -> Member:
    """Return this device's membership as it is now, with keys of epochs that were opened meanwhile.

    Where the log has moved beyond ``seen_n``, every other device and recovery is given what it lacks: whoever was to
    do so may have been cut off. Raises LogRefused, WrapRefused, Unreachable, ServiceFault.
    """
    for _try in range(_TRIES):
        try:
            return await _renewed(calls, log, member, seen_n)
        except ServiceRefused as refused:
            if refused.code not in _OVERTAKEN:
                raise
    return await _renewed(calls, log, member, seen_n)


async def _renewed(calls: Calls, log: AccountLog, member: Member, seen_n: int) -> Member:
    account = await log.read()
    keys = {key.epoch: key for key in member.keys if _may_be(account, key)}
    current = account.current_epoch(member.space_id)
    if account.n <= seen_n and current in keys:
        return replace(member, keys=tuple(keys.values()), account=account)
    space = await space_of(calls, member.space_id)
    wraps = await wraps_of(calls, space)
    if current not in keys:
        opened = open_wraps(account, wraps, member.device.id, member.device.receive)
        keys |= {key.epoch: key for key in opened}
        require_current(account, space.id, keys.values())
    renewed = Member(space.id, member.device, tuple(keys[epoch] for epoch in sorted(keys)), account)
    await hand_on(calls, space, renewed, wraps)
    return renewed


async def replace_recovery(
    calls: Calls, log: AccountLog, member: Member, public: RecoveryPublic, at: int
) -> Member:
    """Put another recovery key in the place of the former one, and wrap the keys of the space to it.

    Where this is cut off after the entry, the next device that sees it wraps them. Raises as `renew`.
    """
    writer = Writer(member.device.id, member.device.sign)
    account = await log.append(
        lambda now: None if now.recovery == public else writer.new_recovery(now, public, at)
    )
    return await renew(calls, log, replace(member, account=account), account.n - 1)


def _may_be(account: Account, key: SpaceKey) -> bool:
    """Whether a key is the one of its epoch, or of one that is still to be opened."""
    if key.epoch > account.current_epoch(key.space_id):
        return True
    return account.epoch(key.space_id, key.epoch).commitment == key.commitment()


async def hand_on(calls: Calls, space: Space, member: Member, wraps: Sequence[Wrap]) -> None:
    """Give recovery every key anew, and active devices those that they lack; ``wraps`` is what the service has.

    Where this device finds another key under its own name than the log says, two devices opened the epoch at once:
    then all are given the one that counts.
    """
    there = {(each.epoch, each.recipient_id) for each in wraps}
    kept = {epoch for epoch, _recipient in there} | {space.epoch}
    missing = []
    for key in member.keys:
        if key.epoch not in kept or key.epoch > space.epoch:
            continue
        mine = [each for each in wraps if (each.epoch, each.recipient_id) == (key.epoch, member.device.id)]
        spoiled = not _hold(member, mine)
        missing += [
            wrapped
            for wrapped in wraps_for_all(member.account, key, member.device)
            if spoiled
            or wrapped.recipient_id == FOR_RECOVERY
            or (key.epoch, wrapped.recipient_id) not in there
        ]
    await put_wraps(calls, space, missing)


def _hold(member: Member, mine: Sequence[Wrap]) -> bool:
    try:
        open_wraps(member.account, mine, member.device.id, member.device.receive)
    except WrapRefused:
        return False
    return True


def _to(recipient: DeviceKeys, key: SpaceKey, by: DeviceKeys) -> Wrap:
    return wrap(key, recipient.id, recipient.public.hpke, Signer(by.id, by.sign))
