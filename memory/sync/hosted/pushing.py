"""Push: the operations of one call against one space, under the space's lock.

What is written first wins over a crash: the ledger, then the keys, then the records. Keys without a record are swept.
"""

from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.hosted import blobs, ledger, spaces, storing
from memory.sync.hosted.callers import PURGING, Caller
from memory.sync.hosted.errors import not_found
from memory.sync.hosted.pushed import Invalid, Op
from memory.sync.hosted.reading import keys_of, marker_members, record_members
from memory.sync.hosted.service import Service
from memory.sync.hosted.storing import Place
from memory.sync.hosted.tables.keys import record_keys
from memory.sync.hosted.tables.records import markers, record_blobs, records
from memory.sync.hosted.verdicts import Held, Outcome, Quota, State, marker_of


async def push(
    service: Service, caller: Caller, space_id: str, generation: str, ops: list[Op | tuple[str, Invalid]]
) -> list[Outcome]:
    """Judge the operations in order and return the outcome of each. Raises Refusal for the push as a whole."""
    good = [op for op in ops if isinstance(op, Op)]
    async with service.stores.records.write(caller.account_id) as connection:
        place = Place(service, connection, caller, space_id)
        space = await _locked(place, generation)
        if any(not op.erases for op in good):
            spaces.require_writable(caller, space)
        state = await _meet(place, space, good)
        outcomes = [
            state.judge(op)
            if isinstance(op, Op)
            else {"op_id": op[0], "outcome": "invalid", "reason": str(op[1])}
            for op in ops
        ]
        await _find_what_stands(connection, space_id, outcomes)
        if state.accepted:
            await _write(place, state)
    if state.superseded:
        await storing.drop_keys(service, caller.account_id, space_id, state.superseded)
    if state.accepted:
        service.hints.committed(caller.account_id, space_id, state.head)
    for outcome in outcomes:
        service.metrics.ops.labels(outcome["outcome"]).inc()
    await _fill_conflicts(service, caller, space_id, outcomes)
    return outcomes


async def _locked(place: Place, generation: str) -> Any:
    """Return the row of the space, which nobody else writes to until the transaction ends. Raises Refusal."""
    row = await storing.lock(place.connection, place.caller, place.space_id)
    if row is None or row.state == PURGING or row.generation != generation:
        await spaces.find(place.service, place.connection, place.caller, place.space_id, generation)
        raise not_found()  # it went between the two
    return row


async def _meet(place: Place, space: Any, ops: list[Op]) -> State:
    held, seen = await storing.meet(place, ops)
    limits = place.service.settings
    return State(
        epoch=space.epoch,
        rotating=bool(space.rotating),
        head=space.head,
        quota=Quota(limits.account_bytes, limits.account_records, space.bytes_used, space.records_used),
        held=held,
        erased=await ledger.erased_among(place.service, place.space_id, [op.header.rid for op in ops]),
        seen=seen,
    )


async def _write(place: Place, state: State) -> None:
    service, space_id, account_id = place.service, place.space_id, place.caller.account_id
    written = state.written()
    if state.erasing:
        await ledger.add_erased(service, space_id, state.erasing)
        await _destroy_keys(service, account_id, space_id, list(state.erasing))
    if written:
        await storing.add_keys(service, account_id, space_id, [op for op, _ in written])
    referred = await storing.clear(place, [*state.erasing, *{rid for rid, _ in state.superseded}])
    references = [
        {"space_id": space_id, "rid": op.header.rid, "account_id": account_id, "sha256": each.hex()}
        for op, _ in written
        for each in op.envelope.blobs
    ]
    if references:
        await place.connection.execute(insert(record_blobs), references)
    if state.erasing:
        same = {"space_id": space_id, "account_id": account_id, "day": service.today, "expiry": b""}
        await place.connection.execute(
            insert(markers),
            [{**same, "rid": rid, "seq": seq, **marker_of(op)} for rid, (seq, op) in state.erasing.items()],
        )
    freed = await blobs.let_go(service, place.connection, account_id, referred)
    await storing.write(place, state, freed)


async def _destroy_keys(service: Service, account_id: str, space_id: str, rids: list[str]) -> None:
    async with service.stores.keys.write(account_id) as keys:
        await keys.execute(
            delete(record_keys).where(record_keys.c.space_id == space_id, record_keys.c.rid.in_(rids))
        )


async def _find_what_stands(connection: AsyncConnection, space_id: str, outcomes: list[Outcome]) -> None:
    """Read the records that stand in the way, and the markers of those that are gone, as they are under the lock."""
    gone = [outcome for outcome in outcomes if outcome["outcome"] == "erased" and "rid" in outcome]
    if gone:
        rids = {outcome["rid"] for outcome in gone}
        marked = select(markers).where(markers.c.space_id == space_id, markers.c.rid.in_(rids))
        found = {row.rid: marker_members(row) for row in await connection.execute(marked)}
        for outcome in gone:
            if (marker := found.get(outcome.pop("rid"))) is not None:
                outcome["marker"] = marker
    standing = {
        outcome["rid"]: outcome["held"]
        for outcome in outcomes
        if outcome["outcome"] == "conflict" and outcome["held"].written is None
    }
    if standing:
        stored = select(records).where(records.c.space_id == space_id, records.c.rid.in_(standing))
        for row in await connection.execute(stored):
            standing[row.rid].stored = row


async def _fill_conflicts(service: Service, caller: Caller, space_id: str, outcomes: list[Outcome]) -> None:
    """Put the record that stands in the way into each conflict, with its key."""
    conflicts = [outcome for outcome in outcomes if outcome["outcome"] == "conflict"]
    stored = [outcome["held"].stored for outcome in conflicts if outcome["held"].stored is not None]
    keys = await keys_of(service, caller.account_id, space_id, [row.rid for row in stored])
    for outcome in conflicts:
        held: Held = outcome.pop("held")
        del outcome["rid"]
        if held.written is not None:
            found = held.written.envelope
            names = ("hdr", "dek", "kc", "ct", "sig")
            outcome["env"] = {**{name: getattr(found, name) for name in names}, "blobs": list(found.blobs)}
        elif (dek := keys.get((held.stored.rid, held.stored.rev))) is not None:
            outcome["env"] = record_members(held.stored, dek)
