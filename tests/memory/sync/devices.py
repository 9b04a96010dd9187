"""Two or three offices of one owner, each with a real database, that meet in a folder."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.indexing import index_said
from agents.sync_arrivals import reindex
from memory.blobs import BlobStore
from memory.database import Database
from memory.identifiers import now
from memory.lifecycle import erasure
from memory.lifecycle.subjects import Subject
from memory.migrations import schema
from memory.sync import account_log, space
from memory.sync.account import Account
from memory.sync.arrival import Trust
from memory.sync.device_keys import DeviceKeys
from memory.sync.envelope import Signer
from memory.sync.exchange import Parts, Round, exchange
from memory.sync.folder import FolderCarrier
from memory.sync.recovery import RecoveryKeys
from memory.sync.shapes import shapes
from memory.sync.space import Credentials
from memory.sync.space_keys import SpaceKey, SpaceKeys
from memory.tables import MessageTable, NoteTable
from tests.memory.conftest import KEY
from tests.memory.sync.making import AT, SPACE

TYPES = ("agent", "conversation", "message", "file", "note", "setting")


def make_empty(path: Path) -> Path:
    """Make a database file with all tables and triggers, to be copied."""
    database = Database.open(path, KEY)
    database.write_now(lambda session: schema.create(session.connection()))
    database.close()
    return path


@dataclass
class Ring:
    """The account, and the keys that all devices have."""

    devices: list[DeviceKeys]
    key: SpaceKey = field(default_factory=lambda: SpaceKey.new(SPACE))
    account: Account = field(init=False)

    def __post_init__(self) -> None:
        first = self.devices[0]
        log = [account_log.genesis(first, RecoveryKeys.of(bytes(32)).public, AT)]
        account = account_log.verify(log)
        writer = account_log.Writer(first.id, first.sign)
        for other in self.devices[1:]:
            account = account_log.extend(account, [writer.add_device(account, other.public, AT)])
        self.account = account_log.extend(account, [writer.new_epoch(account, self.key, AT)])


@dataclass
class Device:
    """One office on one device."""

    ring: Ring
    keys: DeviceKeys
    database: Database
    carrier: FolderCarrier
    blobs: BlobStore | None = None
    """Its files, where the test has some."""
    clock: Callable[[], int] = now

    @classmethod
    def make(cls, home: Path, empty: Path, ring: Ring, number: int, folder: Path) -> "Device":
        home.mkdir(parents=True)
        shutil.copy(empty, home / "office.db")
        keys = ring.devices[number]
        database = Database.open(home / "office.db", KEY)
        return cls(ring, keys, database, FolderCarrier(folder, SPACE, keys.id))

    @property
    def credentials(self) -> Credentials:
        return Credentials(
            Signer(self.keys.id, self.keys.sign), SpaceKeys(SPACE, self.ring.key), self.ring.key.epoch
        )

    def reopen(self) -> None:
        """Open the database again, as the next start does."""
        self.database = Database.open(self.database.path, KEY)

    def join(self, types: Sequence[str] = TYPES) -> None:
        founds = self.keys is self.ring.devices[0]
        self.do(space.begin, SPACE, self.keys.id, "folder", self.ring.account, types=types, founds=founds)

    def do(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        return self.database.write_now(operation, *args, **kwargs)

    def erase(self, *subjects: Subject) -> None:
        self.do(erasure.erase, list(subjects), reason="owner", reindex=index_said)

    def sync(self, confirmed: int | None = None) -> Round:
        async def erase(subjects: Sequence[Subject]) -> None:
            await self.database.write(erasure.erase, list(subjects), reason="owner", reindex=index_said)

        parts = Parts(
            self.database,
            self.carrier,
            Trust(self.ring.account, SpaceKeys(SPACE, self.ring.key)),
            self.credentials,
            reindex,
            erase,
            self.clock,
            self.blobs,
        )
        return asyncio.run(exchange(parts, confirmed=confirmed))

    def state(self) -> dict[str, dict[str, Any]]:
        """Return every row that syncs, by type and key, as far as it syncs."""
        return self.do(state_of)

    def text(self, message_or_note: str) -> str | None:
        return self.do(_text, message_or_note)


def settle(*devices: Device, rounds: int = 6) -> list[Round]:
    """Let every device have rounds until nothing moves."""
    done = []
    for _turn in range(rounds):
        turn = [device.sync() for device in devices]
        done += turn
        if not any(each.pulled or each.pushed or each.erased for each in turn):
            break
    else:
        raise AssertionError("the devices talk for ever")
    return done


def state_of(session: Session) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for type_, shape in shapes().items():
        chosen = select(shape.key)
        if shape.synced.only:
            chosen = chosen.where(shape.key.in_(shape.synced.only))
        found[type_] = {
            key: values
            for key, row in shape.read(session, session.scalars(chosen).all()).items()
            if (values := shape.said_by(row, key)) is not None
        }
    return found


def _text(session: Session, identifier: str) -> str | None:
    for table in (MessageTable, NoteTable):
        text = session.scalar(select(table.text).where(table.id == identifier))
        if text is not None:
            return text
    return None
