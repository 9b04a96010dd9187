"""Push: the operations of one call against one space, under the space's lock.

What is written first wins over a crash: the ledger, then the keys, then the records. Keys without a record are swept.
"""

from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.hosted import blobs, chain, ledger, spaces
from memory.sync.hosted.callers import Caller
from memory.sync.hosted.dialects import insert_new
from memory.sync.hosted.pushed import Invalid, Op
from memory.sync.hosted.reading import keys_of, marker_members, record_members
from memory.sync.hosted.service import Service
from memory.sync.hosted.tables.keys import record_keys
from memory.sync.hosted.tables.records import accounts, markers, op_results, record_blobs, records
from memory.sync.hosted.tables.records import spaces as spaces_table
from memory.sync.hosted.verdicts import Held, Outcome, Quota, Seen, State, marker_of


async def push(
    service: Service, caller: Caller, space_id: str, generation: str, ops: list[Op | tuple[str, Invalid]]
) -> list[Outcome]:
    """Judge the operations in order and return the outcome of each. Raises Refusal for the push as a whole."""
    good = [op for op in ops if isinstance(op, Op)]
    async with service.stores.records.write(caller.account_id) as connection:
        account = await chain.lock_account(connection, caller.account_id)
        space = await spaces.find(service, connection, caller, space_id, generation, lock=True)
        if any(not op.erases for op in good):
            spaces.require_writable(caller, space)
        state = await _meet(service, connection, caller, account, space, good)
        outcomes = [
            state.judge(op)
            if isinstance(op, Op)
            else {"op_id": op[0], "outcome": "invalid", "reason": str(op[1])}
            for op in ops
        ]
        if state.accepted:
            await _write(service, connection, caller, space_id, state)
            await service.hints.announce(connection, caller.account_id, space_id, state.head)
    if state.accepted:
        await _destroy(service, caller.account_id, space_id, state.superseded)
        service.hints.committed(caller.account_id, space_id, state.head)
    for outcome in outcomes:
        service.metrics.ops.labels(outcome["outcome"]).inc()
    await _fill_conflicts(service, caller, space_id, outcomes)
    return outcomes


async def _meet(
    service: Service, connection: AsyncConnection, caller: Caller, account: Any, space: Any, ops: list[Op]
) -> State:
    rids = [op.header.rid for op in ops]
    rows = await connection.execute(
        select(records).where(records.c.space_id == space.space_id, records.c.rid.in_(rids))
    )
    seen = await connection.execute(
        select(op_results).where(
            op_results.c.device_id == caller.device, op_results.c.op_id.in_([op.op_id for op in ops])
        )
    )
    marked = await connection.execute(
        select(markers).where(markers.c.space_id == space.space_id, markers.c.rid.in_(rids))
    )
    limits = service.settings
    return State(
        epoch=space.epoch,
        rotating=bool(space.rotating),
        head=space.head,
        quota=Quota(limits.account_bytes, limits.account_records, account.bytes_used, account.records_used),
        held={row.rid: Held(row.rev, row.seq, len(row.ct), row) for row in rows},
        erased=await ledger.erased_among(service, space.space_id, rids),
        seen={row.op_id: Seen(bytes(row.envelope_hash), row.seq) for row in seen},
        markers={row.rid: marker_members(row) for row in marked},
    )


async def _write(
    service: Service, connection: AsyncConnection, caller: Caller, space_id: str, state: State
) -> None:
    account_id, written, touched = caller.account_id, state.written(), list(state.touched)
    if state.erasing:
        await ledger.add_erased(service, space_id, state.erasing)
    await _write_keys(service, account_id, space_id, [op for op, _ in written], list(state.erasing))
    referred = await blobs.referred_to(connection, space_id, touched)
    for table in (records, markers, record_blobs):
        await connection.execute(delete(table).where(table.c.space_id == space_id, table.c.rid.in_(touched)))
    if written:
        await connection.execute(insert(records), [_record(account_id, op, seq) for op, seq in written])
    references = [
        {"space_id": space_id, "rid": op.header.rid, "account_id": account_id, "sha256": each.hex()}
        for op, _ in written
        for each in op.envelope.blobs
    ]
    if references:
        await connection.execute(insert(record_blobs), references)
    if state.erasing:
        place = {"space_id": space_id, "account_id": account_id, "day": service.today, "expiry": b""}
        await connection.execute(
            insert(markers),
            [{**place, "rid": rid, "seq": seq, **marker_of(op)} for rid, (seq, op) in state.erasing.items()],
        )
    await connection.execute(
        insert(op_results), [_result(service, caller, op, seq) for op, seq in state.accepted]
    )
    await connection.execute(
        update(spaces_table).where(spaces_table.c.space_id == space_id).values(head=state.head)
    )
    freed = await blobs.let_go(service, connection, account_id, referred)
    await connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id)
        .values(
            bytes_used=accounts.c.bytes_used + state.bytes_grown - freed,
            records_used=accounts.c.records_used + state.records_grown,
        )
    )


async def _write_keys(
    service: Service, account_id: str, space_id: str, written: list[Op], erased: list[str]
) -> None:
    async with service.stores.keys.write(account_id) as keys:
        if erased:
            await keys.execute(
                delete(record_keys).where(record_keys.c.space_id == space_id, record_keys.c.rid.in_(erased))
            )
        if written:
            # A push that was cut after its keys left them behind; the same envelope brings them again.
            await insert_new(
                keys,
                record_keys,
                [
                    {
                        "space_id": space_id,
                        "rid": op.header.rid,
                        "rev": op.header.rev,
                        "account_id": account_id,
                        "wrap_epoch": op.header.epoch,
                        "dek": op.envelope.dek,
                    }
                    for op in written
                ],
            )


def _key(space_id: str, rid: str, rev: str) -> Any:
    return delete(record_keys).where(
        record_keys.c.space_id == space_id, record_keys.c.rid == rid, record_keys.c.rev == rev
    )


async def _destroy(
    service: Service, account_id: str, space_id: str, superseded: list[tuple[str, str]]
) -> None:
    if superseded:
        async with service.stores.keys.write(account_id) as keys:
            for rid, rev in superseded:
                await keys.execute(_key(space_id, rid, rev))


async def _fill_conflicts(service: Service, caller: Caller, space_id: str, outcomes: list[Outcome]) -> None:
    """Put the record that stands in the way into each conflict, with its key."""
    conflicts = [outcome for outcome in outcomes if outcome["outcome"] == "conflict"]
    stored = [outcome["held"].stored for outcome in conflicts if outcome["held"].stored is not None]
    keys = await keys_of(service, caller.account_id, space_id, [row.rid for row in stored])
    for outcome in conflicts:
        held: Held = outcome.pop("held")
        if held.written is not None:
            found = held.written.envelope
            names = ("hdr", "dek", "kc", "ct", "sig")
            outcome["env"] = {**{name: getattr(found, name) for name in names}, "blobs": list(found.blobs)}
        elif (dek := keys.get((held.stored.rid, held.stored.rev))) is not None:
            outcome["env"] = record_members(held.stored, dek)


def _record(account_id: str, op: Op, seq: int) -> dict[str, Any]:
    found = op.envelope
    return {
        "space_id": op.header.space_id,
        "rid": op.header.rid,
        "account_id": account_id,
        "rev": op.header.rev,
        "seq": seq,
        "exp_day": op.header.exp_day,
        "hdr": found.hdr,
        "kc": found.kc,
        "ct": found.ct,
        "sig": found.sig,
        "blobs": b"".join(found.blobs),
    }


def _result(service: Service, caller: Caller, op: Op, seq: int) -> dict[str, Any]:
    return {
        "device_id": caller.device,
        "op_id": op.op_id,
        "account_id": caller.account_id,
        "envelope_hash": op.envelope_hash,
        "seq": seq,
        "day": service.today,
    }
