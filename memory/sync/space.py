"""This office as a space: whether sync is on, what of it syncs, and the clock of this device."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session

from memory.identifiers import now
from memory.sync import device_names, hooks, marking
from memory.sync.account import Account
from memory.sync.envelope import Signer
from memory.sync.hlc import Clock
from memory.sync.space_keys import SpaceKey, SpaceKeys
from memory.tables import (
    AttachmentTable,
    DeviceNameTable,
    SyncAwaitedTable,
    SyncChangeTable,
    SyncOutboxTable,
    SyncRecordTable,
    SyncSpaceTable,
    SyncTransferTable,
)
from resources.language import gettext as _

OFFICE_NAME = "office_name"
"""The one record of the space itself; it carries the secret that names all others."""
NAMING = "naming"
"""The field of it that carries the secret."""
ALWAYS = ("device_name",)
"""The types of records that sync whatever the owner chose."""
_HERE = select(SyncSpaceTable)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a device needs to write: its signature, and the keys of its space."""

    signer: Signer
    keys: SpaceKeys
    epoch: int

    @property
    def key(self) -> SpaceKey:
        """The key that is written under now."""
        return self.keys.of(self.epoch)


def begin(
    session: Session,
    space_id: str,
    device_id: str,
    place: str,
    account: Account,
    *,
    types: Iterable[str],
    founds: bool,
) -> None:
    """Turn sync on for an office that never had it; all of it is about to be sent.

    The device that ``founds`` the space makes the secret that names its records; others wait for it.
    """
    hooks.create(session.connection())
    session.add(
        SyncSpaceTable(
            id=space_id,
            device_id=device_id,
            place=place,
            types=sorted({*types, *ALWAYS}),
            epoch=account.current_epoch(space_id),
            log_n=account.n,
            log_head=account.head,
            naming=os.urandom(32) if founds else None,
        )
    )
    device_names.introduce(session, device_id)
    mark_everything(session)


def of(session: Session) -> SyncSpaceTable | None:
    """Return the row of this office's space, None where it was never synced; only within a transaction."""
    return session.scalars(_HERE).one_or_none()


def take_account(session: Session, account: Account, epoch: int | None = None) -> None:
    """Remember how far the account log has come; ``epoch`` is that of the key which is written under from now on."""
    values = {"log_n": account.n, "log_head": account.head} | ({} if epoch is None else {"epoch": epoch})
    session.execute(update(SyncSpaceTable).values(values))


def known_head(session: Session) -> int:
    """Return the largest number of a service that this device knows of, its own revisions among them."""
    here = of(session)
    own = session.scalar(select(func.max(SyncRecordTable.seq))) or 0
    return max(own, here.head if here is not None else 0)


def switch(session: Session, *, enabled: bool) -> None:
    """Turn sync off, or on again: what was changed meanwhile is found by comparing."""
    session.execute(update(SyncSpaceTable).values(enabled=enabled))
    if enabled:
        mark_everything(session)


def note_round(session: Session, at: int, fault: str = "") -> None:
    """Remember that a round went well at ``at``, or why it did not."""
    values = {"fault": fault, "fault_at": at} if fault else {"round_at": at, "fault": "", "fault_at": None}
    session.execute(update(SyncSpaceTable).values(values))


def leave(session: Session) -> None:
    """Forget the space and all that sync keeps of it; the office itself stays as it is."""
    hooks.drop(session.connection())
    gone = (
        SyncOutboxTable,
        SyncChangeTable,
        SyncAwaitedTable,
        SyncRecordTable,
        SyncTransferTable,
        SyncSpaceTable,
        DeviceNameTable,
    )
    for table in gone:
        session.execute(delete(table))
    session.execute(update(AttachmentTable).where(AttachmentTable.content.is_not(None)).values(content=None))
    missing = _("It had not arrived when this device left sync: join again, or attach it anew.")
    session.execute(
        update(AttachmentTable)
        .where(AttachmentTable.blob_id.is_(None), AttachmentTable.state == "arriving")
        .values(state="failed", reason=missing)
    )


def mark_everything(session: Session) -> None:
    """Let every row that syncs be marked, some with each transaction that seals."""
    here = of(session)
    if here is not None:
        marking.begin(here)


def meet_tables(session: Session) -> None:
    """Let edits be marked as the tables are now; where they were not, every row is compared."""
    if of(session) is not None and hooks.renew(session.connection()):
        mark_everything(session)


def mark(session: Session, type_: str, local_id: str) -> None:
    """Mark one row as changed."""
    made = upsert(SyncChangeTable).values(type=type_, local_id=local_id, at=now())
    session.execute(made.on_conflict_do_nothing())


def clock(space: SyncSpaceTable) -> Clock:
    """Return the clock of this device."""
    return Clock(space.device_id, space.clock_ms, space.clock_counter)


def keep_clock(space: SyncSpaceTable, reading: Clock) -> None:
    """Keep the clock, which never goes back."""
    space.clock_ms, space.clock_counter = reading.ms, reading.counter
