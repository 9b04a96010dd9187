"""Every command by name."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from agents.commands import (
    asking,
    backups,
    diagnosis,
    erasing,
    keeping,
    keys,
    ledgers,
    locking,
    privacy,
    recovery,
    remembering,
    running,
    sync_account,
    syncing,
    team,
    transferring,
)
from agents.commands.serving import Served
from agents.door.protocol import Caller, CommandFailed, Item
from memory.errors import StorageError
from memory.transfer.errors import ArchiveRefused
from resources.language import gettext as _
from vault.redaction import redact

Streaming = Callable[[Served, dict[str, Any], Caller], AsyncIterator[Item]]
Answering = Callable[[Served, dict[str, Any]], Awaitable[Any]]

WHILE_LOCKED = ("raise", "hand over")
"""What brings up the window, and shows only that it is locked."""
STREAMING: dict[str, Streaming] = {
    "ask": asking.ask,
    "erase": erasing.erase,
    "erase everything": erasing.erase_everything,
    "follow": asking.follow,
    "backup now": backups.now,
    "backup check": backups.check,
    "backup restore": backups.restore,
    "keys check": keys.check,
    "keys rotate": keys.rotate,
    "memory rebuild": remembering.rebuild,
    "runs resume": running.resume,
    "sync compare": sync_account.compare,
    "sync finish": sync_account.finish,
    "sync answer": sync_account.answer,
    "sync export": sync_account.export,
    "export": transferring.export,
    "verify": transferring.verify,
    "import": transferring.import_,
}
ANSWERING: dict[str, Answering] = {
    "backup list": backups.listed,
    "backup restored": backups.restored,
    "backup remove": backups.remove,
    "backup folder": backups.folder,
    "keys add": keys.add,
    "keys list": keys.listed,
    "keys remove": keys.remove,
    "agents list": team.listed,
    "agents show": team.show,
    "agents add": team.add,
    "agents edit": team.edit,
    "agents remove": team.remove,
    "agents export": team.export,
    "agents import": team.import_,
    "lock now": locking.now,
    "lock passphrase": locking.passphrase,
    "memory search": remembering.search,
    "memory why": remembering.why,
    "memory list": remembering.listed,
    "memory add": remembering.add,
    "memory accept": remembering.accept,
    "memory forget": remembering.forget,
    "runs list": running.listed,
    "runs discard": running.discard,
    "trash list": keeping.trash_list,
    "trash restore": keeping.trash_restore,
    "trash empty": keeping.trash_empty,
    "retention show": keeping.retention_show,
    "retention set": keeping.retention_set,
    "retention preview": keeping.retention_preview,
    "retention run": keeping.retention_run,
    "privacy data": privacy.data,
    "privacy recipients": privacy.receivers,
    "privacy consents": privacy.listed,
    "privacy withdraw": privacy.withdraw,
    "privacy give": privacy.give,
    "privacy purposes": privacy.purposes_,
    "privacy switch": privacy.switch,
    "sync on": syncing.on,
    "sync found in": syncing.found_in,
    "sync join": syncing.join,
    "sync folder": syncing.move,
    "sync off": syncing.off,
    "sync leave": syncing.leave,
    "sync now": syncing.now,
    "sync status": syncing.status,
    "sync devices": sync_account.devices,
    "sync name": sync_account.name,
    "sync sessions": sync_account.sessions,
    "sync account": sync_account.summary,
    "sync freeze": sync_account.freeze,
    "sync address code": sync_account.address_code,
    "sync address": sync_account.address,
    "sync code": sync_account.code,
    "sync sign in": sync_account.sign_in,
    "sync found": sync_account.found,
    "sync join account": sync_account.join,
    "sync announce": sync_account.announce,
    "sync give up": sync_account.give_up,
    "sync let in": sync_account.admit,
    "sync revoke": sync_account.revoke,
    "sync require in": sync_account.require_in,
    "sync recovery": sync_account.recovery,
    "sync mail code": sync_account.mail_code,
    "sync delete": sync_account.delete,
    "sync restore": sync_account.restore,
    "sync receipts": sync_account.receipts,
    "sync share": sync_account.share,
    "sync categories": syncing.categories,
    "sync conflicts": syncing.conflicts,
    "sync aside": syncing.aside,
    "sync apart": syncing.apart,
    "usage": ledgers.usage,
    "outbox": ledgers.outbox,
    "doctor": diagnosis.doctor,
    "recovery made": recovery.made,
    "recovery passphrase": recovery.passphrase,
}


def office_failures() -> tuple[type[Exception], ...]:
    """Return the roots of every exception whose message is a sentence for the owner."""
    from agents.connections.errors import ProviderError
    from agents.errors import AgentsError
    from memory.readers.errors import ReadingError
    from vault.errors import VaultError

    return (StorageError, AgentsError, ProviderError, ReadingError, VaultError)


async def run_command(
    served: Served, command: str, arguments: dict[str, Any], caller: Caller
) -> AsyncIterator[Item]:
    """Run a command and yield its items; the last is ``{"kind": "result", "value": …}``.

    Raises CommandFailed with the sentence of whatever the office refused.
    """
    try:
        if served.office.app_lock.locked and command not in WHILE_LOCKED:
            raise CommandFailed(_("The office is locked: unlock it in its window, then try again."))
        await locking.admit(served, command, arguments)
        if command in STREAMING:
            async for item in STREAMING[command](served, arguments, caller):
                yield item
        elif command in ANSWERING:
            yield {"kind": "result", "value": await ANSWERING[command](served, arguments)}
        elif command == "raise":
            if served.show is None:
                raise CommandFailed(_("The office is open in a terminal and has no window."))
            served.show()
        elif command == "hand over":
            if served.show is None:
                served.handover.set()
            else:
                served.show()
                yield {"kind": "raised"}
        else:
            raise CommandFailed(_("This office knows no command “{name}”.").format(name=command), 2)
    except office_failures() as error:
        raise CommandFailed(redact(str(error)), 2 if isinstance(error, ArchiveRefused) else 1) from error
    except KeyError as error:
        raise CommandFailed(_("The command lacks {name}.").format(name=error), 2) from error
