"""An account with two devices and a space of two epochs, and records in it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from memory.sync import account_log
from memory.sync.account import Account
from memory.sync.account_log import Writer
from memory.sync.device_keys import DeviceKeys
from memory.sync.envelope import Edit, Envelope, Signer, seal
from memory.sync.hlc import LAST_COUNTER, LAST_MS, Stamp
from memory.sync.plaintext import Entry, Json, Record, encode
from memory.sync.recovery import RecoveryKeys
from memory.sync.space_keys import SpaceKey, SpaceKeys

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))
AT = 1_772_366_400_000
SPACE, RID = "5a" * 16, "1d" * 16


@dataclass(frozen=True)
class Office:
    """What one test plays with; the log ends with the space's second epoch."""

    first: DeviceKeys
    second: DeviceKeys
    recovery: RecoveryKeys
    keys: tuple[SpaceKey, SpaceKey]
    log: list[dict[str, Any]]
    account: Account

    @property
    def signer(self) -> Signer:
        return Signer(self.first.id, self.first.sign)

    @property
    def writer(self) -> Writer:
        return Writer(self.first.id, self.first.sign)

    @property
    def other_writer(self) -> Writer:
        return Writer(self.second.id, self.second.sign)

    def held(self, *epochs: int) -> SpaceKeys:
        return SpaceKeys(SPACE, *(key for key in self.keys if key.epoch in (epochs or (1, 2))))

    def sealed(self, text: str = "words", *, rid: str = RID, epoch: int = 2, parent: int = 0) -> Envelope:
        return seal(Edit(rid, AT, 0, parent), encode(note(text)), self.keys[epoch - 1], self.signer)

    def grown(self, *entries: dict[str, Any]) -> Account:
        return account_log.extend(self.account, list(entries))


def make_office() -> Office:
    first, second = DeviceKeys.new(), DeviceKeys.new()
    recovery = RecoveryKeys.of(bytes(range(32)))
    keys = (SpaceKey.new(SPACE), SpaceKey.new(SPACE, 2))
    log = [account_log.genesis(first, recovery.public, AT)]
    account = account_log.verify(log)
    writer = Writer(first.id, first.sign)
    for step in (
        lambda now: writer.add_device(now, second.public, AT),
        lambda now: writer.new_epoch(now, keys[0], AT),
        lambda now: writer.new_epoch(now, keys[1], AT),
    ):
        log.append(step(account))
        account = account_log.extend(account, log[-1:])
    return Office(first, second, recovery, keys, log, account)


def note(text: str, stamp: Stamp | None = None) -> Record:
    return Record("note", 1, {"text": Entry(text, stamp or Stamp(AT, 0, "ab" * 16))})


def flipped(data: bytes, at: int) -> bytes:
    """Return the bytes with one bit changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


texts = st.text(st.characters(codec="utf-8"), max_size=30)
numbers = st.integers(-(2**53) + 1, 2**53 - 1)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | numbers | texts | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
devices = st.sampled_from(["0a" * 16, "0b" * 16, "ff" * 16])
stamps = st.builds(Stamp, st.integers(0, LAST_MS), st.integers(0, LAST_COUNTER), devices)
entries = st.builds(Entry, values, stamps)
