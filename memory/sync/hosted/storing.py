"""What a push reads and writes: with PostgreSQL one statement a step, for each round trip holds the space’s lock.

With SQLite the same is several statements of SQLAlchemy, which cost nothing there. What asks is made once.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    LargeBinary,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.sync.hosted import blobs, narrowed
from memory.sync.hosted.callers import Caller
from memory.sync.hosted.dialects import insert_new
from memory.sync.hosted.hints import CHANNEL, hint_of
from memory.sync.hosted.pushed import Op
from memory.sync.hosted.service import Service
from memory.sync.hosted.tables.keys import record_keys
from memory.sync.hosted.tables.records import accounts, markers, op_results, record_blobs, records, spaces
from memory.sync.hosted.verdicts import Held, Seen, State

_LOCK = (
    select(accounts.c.bytes_used, accounts.c.records_used, spaces)
    .join_from(accounts, spaces, spaces.c.account_id == accounts.c.account_id)
    .where(accounts.c.account_id == bindparam("account_id"), spaces.c.space_id == bindparam("space_id"))
    .with_for_update()
)
"""The account stands before the space, as everybody locks them."""
_NO_BYTES = literal(b"", LargeBinary)
_MEET = union_all(
    select(
        literal(True).label("is_record"),
        records.c.rid.label("id"),
        records.c.rev,
        records.c.seq,
        func.length(records.c.ct).label("size"),
        _NO_BYTES.label("envelope_hash"),
    ).where(
        records.c.space_id == bindparam("space_id"), records.c.rid.in_(bindparam("rids", expanding=True))
    ),
    select(
        literal(False),
        op_results.c.op_id,
        literal(""),
        op_results.c.seq,
        literal(0),
        op_results.c.envelope_hash,
    ).where(
        op_results.c.device_id == bindparam("device_id"),
        op_results.c.op_id.in_(bindparam("op_ids", expanding=True)),
    ),
)
_CLEAR = """
WITH gone AS (DELETE FROM records WHERE space_id = $1 AND rid = ANY($2::varchar[])),
    unmarked AS (DELETE FROM markers WHERE space_id = $1 AND rid = ANY($2::varchar[])),
    named AS (DELETE FROM record_blobs WHERE space_id = $1 AND rid = ANY($2::varchar[]) RETURNING sha256)
SELECT DISTINCT sha256 FROM named
"""
_WRITE = f"""
WITH results AS (
    INSERT INTO op_results (device_id, op_id, account_id, envelope_hash, seq, day)
    SELECT $1, taken.op_id, $2, taken.envelope_hash, taken.seq, $3
    FROM unnest($4::varchar[], $5::bytea[], $6::bigint[]) AS taken (op_id, envelope_hash, seq)
), written AS (
    INSERT INTO records (space_id, account_id, rid, rev, seq, exp_day, hdr, kc, ct, sig, blobs)
    SELECT $7, $2, put.rid, put.rev, put.seq, put.exp_day, put.hdr, put.kc, put.ct, put.sig, put.blobs
    FROM unnest($8::varchar[], $9::varchar[], $10::bigint[], $11::bigint[], $12::bytea[], $13::bytea[], $14::bytea[],
        $15::bytea[], $16::bytea[]) AS put (rid, rev, seq, exp_day, hdr, kc, ct, sig, blobs)
), moved AS (
    UPDATE spaces SET head = $17 WHERE space_id = $7
), used AS (
    UPDATE accounts SET bytes_used = bytes_used + $18, records_used = records_used + $19 WHERE account_id = $2
)
SELECT pg_notify('{CHANNEL}', $20)
"""  # noqa: S608  # the channel is ours
# What the row says of its account is what narrowed the statement to it.
_ADD_KEYS = """
WITH mine AS (SELECT set_config('bureau.account', $1, true) AS account_id)
INSERT INTO record_keys (space_id, account_id, rid, rev, wrap_epoch, dek)
SELECT $2, mine.account_id, new.rid, new.rev, new.wrap_epoch, new.dek
FROM mine, unnest($3::varchar[], $4::varchar[], $5::bigint[], $6::bytea[]) AS new (rid, rev, wrap_epoch, dek)
ON CONFLICT DO NOTHING
"""
_DROP_KEYS = """
DELETE FROM record_keys USING unnest($3::varchar[], $4::varchar[]) AS old (rid, rev)
WHERE account_id = $1 AND space_id = $2 AND record_keys.rid = old.rid AND record_keys.rev = old.rev
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a push writes, and who pushes."""

    service: Service
    connection: AsyncConnection
    caller: Caller
    space_id: str

    @property
    def is_sqlite(self) -> bool:
        """Whether the databases are files."""
        return self.service.stores.records.is_sqlite


async def lock(connection: AsyncConnection, caller: Caller, space_id: str) -> Any:
    """Lock account and space; return the row of the space with what the account uses, or None."""
    asked = {"account_id": caller.account_id, "space_id": space_id}
    return (await connection.execute(_LOCK, asked)).first()


async def meet(place: Place, ops: list[Op]) -> tuple[dict[str, Held], dict[str, Seen]]:
    """Return the records that operations are about, by id, and the operations that were taken before."""
    asked = {
        "space_id": place.space_id,
        "rids": [op.header.rid for op in ops],
        "device_id": place.caller.device,
        "op_ids": [op.op_id for op in ops],
    }
    held, seen = {}, {}
    for row in await place.connection.execute(_MEET, asked):
        if row.is_record:
            held[row.id] = Held(row.rev, row.seq, row.size)
        else:
            seen[row.id] = Seen(bytes(row.envelope_hash), row.seq)
    return held, seen


async def clear(place: Place, rids: list[str]) -> set[str]:
    """Take away what stands in the place of records; return the chunks that they named."""
    if not rids:
        return set()
    if not place.is_sqlite:
        rows = await narrowed.fetch(place.connection, _CLEAR, place.space_id, rids)
        return {row["sha256"] for row in rows}
    referred = await blobs.referred_to(place.connection, place.space_id, rids)
    for table in (records, markers, record_blobs):
        await place.connection.execute(
            delete(table).where(table.c.space_id == place.space_id, table.c.rid.in_(rids))
        )
    return referred


async def write(place: Place, state: State, freed: int) -> None:
    """Write the records, the results and the new numbers; ``freed`` are bytes of chunks that were let go."""
    rows = [_record(place, op, seq) for op, seq in state.written()]
    results = [_result(place, op, seq) for op, seq in state.accepted]
    used = {"bytes_used": state.bytes_grown - freed, "records_used": state.records_grown}
    if not place.is_sqlite:
        await _write_at_once(place, rows, results, state.head, used)
        return
    if rows:
        await place.connection.execute(insert(records), rows)
    await place.connection.execute(insert(op_results), results)
    await place.connection.execute(
        update(spaces).where(spaces.c.space_id == place.space_id).values(head=state.head)
    )
    await place.connection.execute(
        update(accounts)
        .where(accounts.c.account_id == place.caller.account_id)
        .values({name: accounts.c[name] + grown for name, grown in used.items()})
    )


async def _write_at_once(
    place: Place, rows: list[dict[str, Any]], results: list[dict[str, Any]], head: int, used: dict[str, int]
) -> None:
    caller = place.caller
    puts = ("rid", "rev", "seq", "exp_day", "hdr", "kc", "ct", "sig", "blobs")
    await narrowed.fetch(
        place.connection,
        _WRITE,
        caller.device,
        caller.account_id,
        place.service.today,
        *([row[name] for row in results] for name in ("op_id", "envelope_hash", "seq")),
        place.space_id,
        *([row[name] for row in rows] for name in puts),
        head,
        *used.values(),
        hint_of(caller.account_id, place.space_id, head),
    )


async def add_keys(service: Service, account_id: str, space_id: str, ops: list[Op]) -> None:
    """Keep the keys of records; they are on disk when this ends.

    A push that was cut after its keys left them behind; the same envelope brings them again.
    """
    rows = [
        {
            "space_id": space_id,
            "rid": op.header.rid,
            "rev": op.header.rev,
            "account_id": account_id,
            "wrap_epoch": op.header.epoch,
            "dek": op.envelope.dek,
        }
        for op in ops
    ]
    if service.stores.keys.is_sqlite:
        async with service.stores.keys.write(account_id) as keys:
            await insert_new(keys, record_keys, rows)
        return
    columns = ([row[name] for row in rows] for name in ("rid", "rev", "wrap_epoch", "dek"))
    async with service.stores.keys.glance() as keys:
        await narrowed.fetch(keys, _ADD_KEYS, account_id, space_id, *columns)


async def drop_keys(
    service: Service, account_id: str, space_id: str, superseded: list[tuple[str, str]]
) -> None:
    """Destroy the keys of revisions."""
    if not service.stores.keys.is_sqlite:
        rids, revs = [rid for rid, _ in superseded], [rev for _, rev in superseded]
        async with service.stores.keys.glance() as keys:
            await narrowed.fetch(keys, _DROP_KEYS, account_id, space_id, rids, revs)
        return
    these = tuple_(record_keys.c.rid, record_keys.c.rev).in_(superseded)
    async with service.stores.keys.write(account_id) as keys:
        await keys.execute(delete(record_keys).where(record_keys.c.space_id == space_id, these))


def _record(place: Place, op: Op, seq: int) -> dict[str, Any]:
    found = op.envelope
    return {
        "space_id": op.header.space_id,
        "rid": op.header.rid,
        "account_id": place.caller.account_id,
        "rev": op.header.rev,
        "seq": seq,
        "exp_day": op.header.exp_day,
        "hdr": found.hdr,
        "kc": found.kc,
        "ct": found.ct,
        "sig": found.sig,
        "blobs": b"".join(found.blobs),
    }


def _result(place: Place, op: Op, seq: int) -> dict[str, Any]:
    return {
        "device_id": place.caller.device,
        "op_id": op.op_id,
        "account_id": place.caller.account_id,
        "envelope_hash": op.envelope_hash,
        "seq": seq,
        "day": place.service.today,
    }
