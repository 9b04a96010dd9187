"""Two versions of one record become one, alike on every device and in whatever order they arrive.

By field the later stamp wins. Long text that changed on both sides is merged by lines; where the changes touch, the
loser is handed back, to be shown to the owner here and nowhere else. A set is one field per element. A message stays
as it was written, except that the owner rates, pins and redacts it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from memory.sync.errors import PlaintextInvalid
from memory.sync.hlc import Clock, Stamp
from memory.sync.line_merge import merge_text
from memory.sync.plaintext import Entry, Json, Record, canonical, same

LONG_TEXT = {
    "agent": frozenset({"instructions"}),
    "note": frozenset({"text"}),
    "document": frozenset({"notes"}),
}
MESSAGE = "message"
REDACTED = "redacted"
CHANGEABLE = frozenset(
    {
        *(REDACTED, "rating", "pinned"),
        *("trashed_at", "held_at", "restricted", "parent_id", "shown_batch_id", "agent_id"),
    }
)
"""The fields of a message that change after it was written: what its owner does with it, and what it hangs on."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """What lost: a long text that was changed in the same place, or a change of what does not change."""

    field: str
    kept: Entry
    lost: Entry
    reason: Literal["text", "immutable"]


@dataclass(frozen=True, slots=True)
class Merged:
    """The record to keep. ``push`` says whether it differs from what the service has."""

    record: Record
    push: bool
    clock: Clock
    conflicts: tuple[Conflict, ...] = ()


def merge(base: Record | None, local: Record, remote: Record, clock: Clock, now: int) -> Merged:
    """Merge what was edited here with what arrived.

    ``base`` is the last version that both sides knew: the last the service acknowledged. ``clock`` and ``now`` stamp
    a merged text. Raises PlaintextInvalid where the two are not versions of one record.
    """
    if (local.type, local.schema) != (remote.type, remote.schema):
        raise PlaintextInvalid("another type or schema")
    if local.type == MESSAGE:
        fields, conflicts = _message(local.fields, remote.fields)
    else:
        fields, conflicts, clock = _fields(base, local, remote, clock, now)
    record = Record(local.type, local.schema, fields, _extra(base, local.extra, remote.extra))
    return Merged(record, not same(record, remote), clock, tuple(conflicts))


def later(one: Entry, other: Entry) -> Entry:
    """Return the entry that wins. Two values under one stamp (a copied device) are told apart by their JSON."""
    return max(one, other, key=_order)


def members(record: Record, name: str) -> frozenset[str]:
    """Return the elements of a set."""
    prefix = f"{name}/"
    return frozenset(
        field.removeprefix(prefix)
        for field, entry in record.fields.items()
        if field.startswith(prefix) and entry.value is True
    )


def set_fields(name: str, elements: Iterable[str], value: bool, stamp: Stamp) -> dict[str, Entry]:
    """Return the fields that put elements into a set, or take them out."""
    return {f"{name}/{element}": Entry(value, stamp) for element in elements}


def _fields(
    base: Record | None, local: Record, remote: Record, clock: Clock, now: int
) -> tuple[dict[str, Entry], list[Conflict], Clock]:
    before = base.fields if base is not None else {}
    long = LONG_TEXT.get(local.type, frozenset())
    merged, conflicts = {**remote.fields, **local.fields}, []
    for name in local.fields.keys() & remote.fields.keys():
        mine, theirs = local.fields[name], remote.fields[name]
        winner = later(mine, theirs)
        if name in long and mine.value != theirs.value and not _follows(before.get(name), mine, theirs):
            text = _merged_text(before.get(name), mine, theirs)
            if text is None:
                loser = theirs if winner is mine else mine
                conflicts.append(Conflict(name, winner, loser, "text"))
            elif text == theirs.value:
                winner = theirs
            elif text != winner.value:
                clock, stamp = clock.edit(now, max(mine.stamp, theirs.stamp))
                winner = Entry(text, stamp)
        merged[name] = winner
    return merged, conflicts, clock


def _follows(base: Entry | None, mine: Entry, theirs: Entry) -> bool:
    """Whether one of two texts was written upon the other.

    So it was where one is the base, or one device wrote both: it never writes but upon what it wrote before. That may
    not be the base yet, where the answer to a push was lost or is still on its way.
    """
    if base in (mine, theirs):
        return True
    return mine.stamp != theirs.stamp and mine.stamp.device == theirs.stamp.device


def _merged_text(base: Entry | None, mine: Entry, theirs: Entry) -> str | None:
    values = (base.value if base is not None else None, mine.value, theirs.value)
    match values:
        case (str(before), str(one), str(other)):
            return merge_text(before, one, other)
    return None


def _message(
    local: Mapping[str, Entry], remote: Mapping[str, Entry]
) -> tuple[dict[str, Entry], list[Conflict]]:
    """Merge what changes as any field, and the rest so that it stays as first written.

    A redaction rewrites what was written, and stands in one version only: its text comes with the later one, or
    the former text of the other side would bring back what was redacted.
    """
    mine, theirs = _written(local), _written(remote)
    here, there = (_redaction(fields) for fields in (local, remote))
    conflicts = []
    if here != there:
        written = mine if here > there else theirs
    else:
        written = {**theirs, **mine}
        for name in mine.keys() & theirs.keys():
            kept, lost = sorted((mine[name], theirs[name]), key=_order)
            written[name] = kept
            if canonical(kept.value) != canonical(lost.value):
                conflicts.append(Conflict(name, kept, lost, "immutable"))
    merged = dict(written)
    for name in CHANGEABLE & (local.keys() | remote.keys()):
        found = [side[name] for side in (local, remote) if name in side]
        merged[name] = max(found, key=_order)
    return merged, conflicts


def _written(fields: Mapping[str, Entry]) -> dict[str, Entry]:
    return {name: entry for name, entry in fields.items() if name not in CHANGEABLE}


def _redaction(fields: Mapping[str, Entry]) -> tuple[Stamp, bytes]:
    """Return what a redaction is ordered by; less than any where there is none."""
    return _order(fields[REDACTED]) if REDACTED in fields else (Stamp(-1, 0, ""), b"")


def _extra(base: Record | None, local: Mapping[str, Json], remote: Mapping[str, Json]) -> dict[str, Json]:
    """Merge the members that only later versions understand: whoever changed one since the base has its way."""
    before = base.extra if base is not None else {}
    merged = {**remote, **local}
    for name in local.keys() & remote.keys():
        mine, theirs = canonical(local[name]), canonical(remote[name])
        if name in before and canonical(before[name]) in (mine, theirs):
            merged[name] = remote[name] if canonical(before[name]) == mine else local[name]
        else:
            merged[name] = local[name] if mine > theirs else remote[name]
    return merged


def _order(entry: Entry) -> tuple[Stamp, bytes]:
    # By its JSON, for Python takes false for 0.
    return entry.stamp, canonical(entry.value)
