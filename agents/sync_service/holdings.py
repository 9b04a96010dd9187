"""What a service holds of this office, in its owner's hands: deleting it, proofs of that, exports of it."""

import asyncio
import logging
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.sync_service.account import ServiceAccount
from agents.sync_service.connecting import reaching
from memory import audit
from memory.database import Database
from memory.errors import Refused, StorageError
from memory.sync import kept_receipts, service_keys
from memory.sync.kept_receipts import KeptReceipt
from memory.sync.service import deletion, exports, proofs
from memory.sync.service.calls import Calls
from memory.sync.service.deletion import Deletion, Mode
from memory.sync.service.exports import Export, Kind
from memory.sync.service.faults import AccountPurged, ServiceRefused, SpacePurged
from memory.sync.service.proofs import Proof
from memory.sync.service.spaces import space_of
from memory.tables import SyncRecordTable
from resources.language import gettext as _

log = logging.getLogger(__name__)

What = Literal["account", "office"]
"""The whole account, or the copy of this office alone."""
_NOTHING_PENDING = "nothing_pending"


class ServiceHoldings:
    """Deletion, receipts and exports. Every call raises NotReached, StorageError or VaultError."""

    def __init__(self, database: Database, account: ServiceAccount) -> None:
        self._database, self._account = database, account

    async def ask_mail_code(self) -> None:
        """Have the code mailed that a deletion at once needs."""
        calls = await self._account.calls()
        with reaching(calls.session.url):
            await deletion.ask_mail_code(calls)

    async def delete(self, what: What, mode: Mode, mail_code: str = "") -> Deletion:
        """Begin to delete at the service; what is on this device stays. ``now`` needs the code from the mail."""
        calls, space_id = await self._here()
        with reaching(calls.session.url):
            if what == "account":
                begun = await deletion.delete_account(calls, mode, mail_code)
            else:
                begun = await deletion.delete_space(calls, space_id, mode, mail_code)
        await self._database.write(
            audit.append, "sync deletion asked", space_id, {"what": what, "mode": mode}
        )
        return begun

    async def restore_pending(self) -> tuple[What, ...]:
        """Call off what is pending, be it of this office, of the account, or of both, and return it.

        Raises ServiceRefused where nothing is.
        """
        restored: list[What] = []
        whats: tuple[What, ...] = ("office", "account")
        for what in whats:
            try:
                await self.restore(what)
                restored.append(what)
            except ServiceRefused as refused:
                if refused.code != _NOTHING_PENDING or (what == whats[-1] and not restored):
                    raise
        return tuple(restored)

    async def restore(self, what: What) -> None:
        """Call a deletion off that is still thought over."""
        calls, space_id = await self._here()
        with reaching(calls.session.url):
            if what == "account":
                await deletion.restore_account(calls)
            else:
                await deletion.restore_space(calls, space_id)
        await self._database.write(audit.append, "sync deletion called off", space_id, {"what": what})

    async def fetch_receipts(self) -> int:
        """Fetch, prove and keep what the service gave for the account; return how many are new.

        Raises ReceiptWrong where one proves nothing, after the others are kept.
        """
        calls = await self._account.calls()
        with reaching(calls.session.url):
            found, fault = await proofs.proofs(calls, await self._keys(calls))
        new = await self._keep(*found)
        if fault is not None:
            raise fault
        return new

    async def fetch_receipt(self, receipt_id: str) -> int:
        """Fetch, prove and keep one receipt, which needs no session any more. Raises ReceiptWrong."""
        calls = await self._account.calls()
        with reaching(calls.session.url):
            return await self._keep(await proofs.proof_of(calls, await self._keys(calls), receipt_id))

    async def prove_erased(self) -> KeptReceipt:
        """Have the service prove that nothing is left there of anything that was erased in this office.

        Raises Refused where nothing was, ReceiptWrong.
        """
        calls, space_id = await self._here()
        rids = await self._database.read(_erased)
        if not rids:
            raise Refused(_("Nothing that was at the service has been erased yet."))
        with reaching(calls.session.url):
            keys = await self._keys(calls)
            proof = await proofs.prove_erased(calls, keys, await space_of(calls, space_id), rids)
        await self._keep(proof)
        kept = await self.receipts()
        return next(each for each in kept if each.receipt.receipt_id == proof.receipt.receipt_id)

    async def receipts(self) -> tuple[KeptReceipt, ...]:
        """Return the receipts that are kept here, proved anew, the oldest first. Raises ReceiptWrong."""
        return await self._database.read(kept_receipts.kept)

    async def note_purge(self, fault: AccountPurged | SpacePurged) -> None:
        """Keep the receipt of a purge that the service told of; where it cannot be had, the next round asks again."""
        if not fault.receipt_id:
            return
        try:
            await self.fetch_receipt(fault.receipt_id)
        except StorageError as error:
            log.warning("The receipt of the purge was not kept: %s", error)

    async def ask_export(self, kind: Kind, hours: int, since_day: int = 0) -> Export:
        """Have the service export what it holds; the link is told only here.

        ``since_day`` counts from 1970-01-01: nothing that happened before it is exported.
        """
        calls = await self._account.calls()
        with reaching(calls.session.url):
            export = await exports.ask_export(calls, kind, hours, since_day)
        await self._database.write(audit.append, "sync export asked", export.export_id, {"kind": kind})
        return export

    async def export_state(self, export_id: str) -> str:
        """Return how far an export is."""
        calls = await self._account.calls()
        with reaching(calls.session.url):
            return await exports.export_state(calls, export_id)

    async def share(self, path: Path, hours: int) -> Export:
        """Hand out a file that is encrypted by age through a link of the service. Raises Refused for any other file."""
        try:
            shared = await asyncio.to_thread(exports.look_at, path)
        except OSError as error:
            raise Refused(
                _("{path} cannot be read: look at its name and who may read it.").format(path=path)
            ) from error
        calls = await self._account.calls()
        with reaching(calls.session.url):
            export = await exports.share(calls, shared, hours)
        await self._database.write(audit.append, "sync file shared", export.export_id, {"bytes": shared.size})
        return export

    async def _keys(self, calls: Calls) -> proofs.Keys:
        shown = await proofs.published_keys(calls)
        return proofs.Keys(await self._database.write(service_keys.meet, shown), shown)

    async def _here(self) -> tuple[Calls, str]:
        calls = await self._account.calls()
        return calls, await self._account.space_id()

    async def _keep(self, *found: Proof) -> int:
        return await self._database.write(_keep, found)


def _keep(session: Session, found: tuple[Proof, ...]) -> int:
    new = [each for each in found if kept_receipts.keep(session, each.receipt, each.key)]
    for each in new:
        audit.append(session, "sync receipt kept", each.receipt.receipt_id, {"scope": each.receipt.scope})
    return len(new)


def _erased(session: Session) -> list[str]:
    """Return the records that the others were told to erase, the most that one receipt may name."""
    chosen = select(SyncRecordTable.rid).where(SyncRecordTable.state == "erased", SyncRecordTable.seq > 0)
    return list(session.scalars(chosen.order_by(SyncRecordTable.seq.desc()).limit(proofs.MOST)))
