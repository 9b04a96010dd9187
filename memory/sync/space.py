"""This office as a space: whether sync is on, what of it syncs, and the clock of this device."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, literal, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session

from memory.identifiers import now
from memory.sync import hooks
from memory.sync.account import Account
from memory.sync.envelope import Signer
from memory.sync.hlc import Clock
from memory.sync.shapes import shapes
from memory.sync.space_keys import SpaceKey, SpaceKeys
from memory.tables import (
    SyncAwaitedTable,
    SyncChangeTable,
    SyncOutboxTable,
    SyncRecordTable,
    SyncSpaceTable,
)

OFFICE_NAME = "office_name"
"""The one record of the space itself; it carries the secret that names all others."""
NAMING = "naming"
"""The field of it that carries the secret."""
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
            types=sorted(types),
            epoch=account.current_epoch(space_id),
            log_n=account.n,
            log_head=account.head,
            naming=os.urandom(32) if founds else None,
        )
    )
    session.flush()
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
    for table in (SyncOutboxTable, SyncChangeTable, SyncAwaitedTable, SyncRecordTable, SyncSpaceTable):
        session.execute(delete(table))
    hooks.drop(session.connection())


def mark_everything(session: Session) -> None:
    """Mark every row that syncs, in the order written: what is known already will turn out to be unchanged."""
    space = of(session)
    at = now()
    for type_, shape in shapes().items():
        if space is None or type_ not in space.types:
            continue
        chosen = select(literal(type_), shape.key, literal(at))
        if shape.synced.only:
            chosen = chosen.where(shape.key.in_(shape.synced.only))
        # Or SQLite would go through an index of random ids, and answers would be sent before their questions.
        chosen = chosen.order_by(literal_column("rowid"))
        session.execute(
            insert(SyncChangeTable).prefix_with("OR IGNORE").from_select(["type", "local_id", "at"], chosen)
        )


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
