"""The commands of the account: at a service, and in a folder its devices and its recovery key.

Whoever asks for a code by mail makes its 32-byte ``verifier`` (base64url) and gives it again with the code.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from agents.commands.serving import Served
from agents.commands.syncing import chosen_types, row
from agents.commands.transferring import instant_of
from agents.door.protocol import Caller, CommandFailed, Item
from agents.sync_service.account import Comparison
from memory.lifecycle.trash import DAY
from memory.sync import base64url, kept_receipts
from memory.sync.device_names import DeviceName, has_come_in
from memory.sync.kept_receipts import KeptReceipt
from memory.sync.service.exports import FAILED, READY
from memory.sync.service.faults import AccountPurged, SpacePurged
from memory.sync.service.sign_in import Asked, service_address
from resources.language import gettext as _
from resources.language import ngettext
from vault.recovery_key import key_of
from vault.secret import Secret

T = TypeVar("T")

_EPOCH = date(1970, 1, 1)
_PAUSE_SECONDS = 1.0
"""How long a command waits before it asks the service again."""


async def code(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Have a code mailed to ``email`` by the service at ``place``."""
    verifier = base64url.decode(arguments["verifier"], 32)
    joining = served.office.syncing.joining
    promises = await joining.promises(arguments["place"])
    await joining.ask_code(arguments["place"], arguments["email"], verifier)
    return {"server": promises.server, "policy": promises.policy, "version": promises.policy_version}


async def sign_in(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Take the ``code`` from the mail, before a recovery key is shown (``begins``) or typed."""
    joining = served.office.syncing.joining
    await joining.sign_in(_asked(arguments), arguments["code"], begins=arguments["begins"])
    return {"signed in": True}


async def found(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Begin an account with the new recovery key's ``words``; ``without`` names the categories that do not sync."""
    key, types = key_of(Secret(arguments["words"])), chosen_types(arguments)
    return row(await served.office.syncing.joining.found(_asked(arguments), arguments["code"], key, types))


async def join(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Join by the recovery key's ``words``; ``space`` chooses among several offices."""
    key, syncing = key_of(Secret(arguments["words"])), served.office.syncing
    done = await syncing.joining.join(
        _asked(arguments), arguments["code"], key, arguments["space"] or None, chosen_types(arguments)
    )
    others = len((await syncing.devices()).active()) - 1
    told = row(done)
    if others:
        told["devices"] = ngettext(
            "{count} other device is in your account: if it is lost, take it off with “bureau sync revoke --others” "
            "and make another recovery key with “bureau sync recovery”.",
            "{count} other devices are in your account: take off those that are lost with “bureau sync revoke”, then "
            "make another recovery key with “bureau sync recovery”.",
            others,
        ).format(count=others)
    return told


async def announce(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Announce this device, to be let in by another one."""
    await served.office.syncing.joining.announce(_asked(arguments), arguments["code"])
    return {"announced": True}


async def compare(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Wait for the other device and tell the six words: ``side`` is ``new`` or ``old``."""
    syncing = served.office.syncing
    side = syncing.joining if arguments["side"] == "new" else syncing.account
    yield _result(_compared(await _until(served, caller, side.compare)))


async def finish(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Wait until the other device has let this one in, then join."""
    joining, space = served.office.syncing.joining, arguments["space"] or None
    types = chosen_types(arguments)
    yield _result(row(await _until(served, caller, lambda: joining.finish(space, types))))


async def give_up(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Let nobody in, and announce nothing: the words differed."""
    served.office.syncing.joining.give_up()
    served.office.syncing.account.refuse()
    return {"joined": False}


async def answer(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Wait for a device that wants to join, and answer it."""
    account = served.office.syncing.account

    async def first() -> str | None:
        waiting = await account.waiting()
        if not waiting:
            return None
        # The latest try: what was begun before was given up.
        chosen = max(waiting, key=lambda each: each.until)
        await account.answer(chosen)
        return chosen.enrolment_id

    yield _result({"answered": await _until(served, caller, first)})


async def admit(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Let the device in that was answered."""
    await served.office.syncing.account.admit()
    return {"joined": True}


async def revoke(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Take ``devices`` off the account, or all ``others`` but ``keep``, and renew the key."""
    members = await served.office.syncing.members()
    if arguments["others"]:
        await members.revoke_others(arguments["keep"])
    else:
        await members.revoke(arguments["devices"])
    rotated, left = members.rotated, (await served.office.syncing.devices()).active()
    told: dict[str, Any] = {"devices": len(left), "sealed anew": rotated.wrapped if rotated else 0}
    if rotated and rotated.left:
        told["locked"] = _(
            "What a device that was taken off wrote last had not arrived here: it stays locked."
        )
    return told


async def require_in(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Say whether this device can change the account now, before another recovery key is made."""
    await (await served.office.syncing.members()).require_in()
    return {"account": "reached"}


async def recovery(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Let the key of ``words`` be the recovery key from now on."""
    members = await served.office.syncing.members()
    await members.replace_recovery(key_of(Secret(arguments["words"])))
    return {"recovery key": "replaced"}


async def mail_code(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Have the code mailed that deleting at once needs."""
    await served.office.syncing.holdings.ask_mail_code()
    return {"asked": True}


async def delete(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Delete ``what`` (account or office) at the service, by ``mode``; ``code`` came by mail."""
    holdings = served.office.syncing.holdings
    begun = await holdings.delete(arguments["what"], arguments["mode"], arguments["code"])
    return {
        "deleted": begun.scope,
        "mode": begun.mode,
        "can be called off until": _instant(begun.grace_until),
    }


async def restore(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call the deletion of ``what`` off; where that is empty, of whatever is pending."""
    holdings, what = served.office.syncing.holdings, arguments["what"]
    if not what:
        return {"restored": ", ".join(await holdings.restore_pending())}
    await holdings.restore(what)
    return {"restored": what}


async def receipts(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List the receipts; ``fetch`` asks the service, ``erased`` for one of what was erased, ``save`` names a folder."""
    holdings = served.office.syncing.holdings
    if arguments["erased"]:
        await holdings.prove_erased()
    if arguments["fetch"]:
        try:
            await holdings.fetch_receipts()
        except (AccountPurged, SpacePurged) as purged:
            if not purged.receipt_id:
                raise
            # All that is left to fetch is the proof of that, which needs no session.
            await holdings.fetch_receipt(purged.receipt_id)
    kept = await holdings.receipts()
    if arguments["save"]:
        await asyncio.to_thread(_save, Path(arguments["save"]), kept)
    return [_told(each) for each in kept]


async def export(served: Served, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
    """Have the service export what it holds (``kind``), for ``hours``; the result holds the link.

    ``since`` is a day as 2026-01-31, or how long ago as 12mo; empty for everything.
    """
    holdings = served.office.syncing.holdings
    day = instant_of(arguments["since"]) // DAY if arguments["since"] else 0
    asked = await holdings.ask_export(arguments["kind"], arguments["hours"], day)
    yield {"kind": "notice", "sentence": _("It will be at {link}").format(link=asked.link)}

    async def ended() -> str | None:
        state = await holdings.export_state(asked.export_id)
        return state if state in (READY, FAILED) else None

    if await _until(served, caller, ended) == FAILED:
        raise CommandFailed(_("The service could not make the export: ask for another one."))
    yield _result({"link": asked.link, "hours": arguments["hours"]})


async def share(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Hand out the encrypted file at ``path`` by a link, for ``hours``."""
    shared = await served.office.syncing.holdings.share(Path(arguments["path"]), arguments["hours"])
    return {"link": shared.link, "hours": arguments["hours"]}


async def devices(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List the devices of the account; a service tells the day on which it saw each last."""
    syncing = served.office.syncing
    here = await syncing.joined()
    names = await served.office.sync_decisions.device_names()
    if here.hosted:
        return [
            {**_device(each.id, each.active, here.device_id, names), "seen": _day(each.last_seen_day)}
            for each in await syncing.account.devices()
        ]
    return [
        _device(each.public.id, each.revoked is None, here.device_id, names)
        for each in (await syncing.devices()).devices.values()
    ]


async def name(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call the ``device`` whose id begins so, this one where it is empty, by ``name`` on every device."""
    named = await served.office.sync_decisions.name_device(arguments["name"], arguments["device"])
    return {"id": named.id, "name": named.title}


async def sessions(served: Served, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """List the sessions of the account, after those that begin as ``end`` says, or all ``end_others``, were ended."""
    profile = served.office.syncing.profile
    for each in arguments["end"]:
        await profile.end_session(each)
    if arguments["end_others"]:
        await profile.end_other_sessions()
    names = await served.office.sync_decisions.device_names()
    return [
        {
            "id": each.id,
            "device": names.get(each.device_id, DeviceName(each.device_id)).title if each.device_id else "",
            "since": _instant(each.signed_at),
            "this": each.this,
        }
        for each in await profile.sessions()
    ]


async def summary(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Say how the account stands, and how much of its room is used."""
    found = await served.office.syncing.profile.summary()
    return {
        "state": found.state,
        "is deleted at": _instant(found.deleted_at),
        "bytes": found.bytes_used,
        "bytes at most": found.bytes_limit,
        "records": found.records_used,
        "records at most": found.records_limit,
    }


async def freeze(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Freeze the account, or no longer, as ``frozen`` says."""
    await served.office.syncing.profile.freeze(frozen=arguments["frozen"])
    return {"account": "frozen" if arguments["frozen"] else "active"}


async def address_code(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Have a code mailed to the new address ``email``."""
    await served.office.syncing.profile.ask_address(
        arguments["email"], base64url.decode(arguments["verifier"], 32)
    )
    return {"asked": True}


async def address(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Let the account have the address ``email``; ``code`` came there."""
    place = (await served.office.syncing.joined()).place
    await served.office.syncing.profile.change_address(
        _asked({**arguments, "place": place}), arguments["code"]
    )
    return {"mail address": arguments["email"]}


def _device(device_id: str, active: bool, this: str, names: Mapping[str, DeviceName]) -> dict[str, Any]:
    name = names.get(device_id, DeviceName(device_id)).title
    waits = active and not has_come_in(device_id, names)
    return {
        "id": device_id,
        "name": name,
        "state": "active" if active else "revoked",
        "note": _("nothing has come from it yet") if waits else "",
        "this": device_id == this,
    }


def _day(number: int | None) -> str:
    return "" if number is None else (_EPOCH + timedelta(days=number)).isoformat()


def _instant(at: int | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="minutes")


def _asked(arguments: dict[str, Any]) -> Asked:
    verifier = base64url.decode(arguments["verifier"], 32)
    return Asked(service_address(arguments["place"]), arguments["email"], verifier)


async def _until(served: Served, caller: Caller, ask: Callable[[], Awaitable[T | None]]) -> T:
    """Ask again and again until there is an answer. Raises CommandFailed where the owner stops, or a window opens."""
    while (found := await ask()) is None:
        if caller.stopped.is_set():
            raise CommandFailed(_("Stopped."))
        if served.handover.is_set():
            raise CommandFailed(_("A window opened this office: begin again there or here."))
        await asyncio.sleep(_PAUSE_SECONDS)
    return found


def _result(value: Any) -> Item:
    return {"kind": "result", "value": value}


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {"words": list(comparison.words)}


def _told(each: KeptReceipt) -> dict[str, Any]:
    receipt = each.receipt
    return {
        "id": receipt.receipt_id,
        "scope": receipt.scope,
        "server": receipt.members["server"],
        "purged_at": receipt.purged_at,
        "counts": dict(receipt.counts),
        "key": base64url.encode(each.key),
    }


def _save(folder: Path, kept: tuple[KeptReceipt, ...]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in kept:
            (folder / f"receipt-{each.receipt.receipt_id}.json").write_bytes(kept_receipts.to_file(each))
    except OSError as error:
        sentence = _("{path} cannot be written: choose another folder.").format(path=folder)
        raise CommandFailed(sentence) from error
