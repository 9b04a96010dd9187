"""Rules that matter, each broken on purpose: the random schedules or a named test must notice.

A mutation replaces functions of the client or of the service while it lasts; nothing on the disk is changed.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from memory.sync import (
    admission,
    applying,
    arrival,
    aside,
    comparing,
    exchange,
    folder,
    outbox,
    placing,
    removals,
    sealing_anew,
    settling,
)
from memory.sync.hosted import ledger, pushing, rounds, storing
from memory.sync.hosted.verdicts import State

HERE = "tests/memory/sync/service"
Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutation:
    """A broken rule. ``tests`` are asked where the schedules do not notice."""

    name: str
    patch: Patch
    tests: tuple[str, ...] = ()


@contextmanager
def broken(mutation: Mutation) -> Iterator[None]:
    """Break the rule while this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        mutation.patch(patch)
        yield


def _replays_before_erased(patch: pytest.MonkeyPatch) -> None:
    judge = State.judge

    def mutated(self: State, op: Any) -> Any:
        seen = self.seen.get(op.op_id)
        if seen is not None and seen.envelope_hash == op.envelope_hash:
            return {"op_id": op.op_id, "outcome": "ok", "seq": seen.seq}
        return judge(self, op)

    patch.setattr(State, "judge", mutated)


def _no_erased_set(patch: pytest.MonkeyPatch) -> None:
    async def nothing(*_arguments: Any) -> set[str]:
        return set()

    patch.setattr(pushing.ledger, "erased_among", nothing)


def _no_parent_check(patch: pytest.MonkeyPatch) -> None:
    judge = State.judge

    def mutated(self: State, op: Any) -> Any:
        held = self.held.get(op.header.rid)
        if not op.erases and held is not None and held.rev != op.header.rev and op.op_id not in self.seen:
            return self._put(op, held)
        return judge(self, op)

    patch.setattr(State, "judge", mutated)


def _markers_without_a_number(patch: pytest.MonkeyPatch) -> None:
    erase = State._erase

    def mutated(self: State, op: Any, held: Any) -> Any:
        outcome = erase(self, op, held)
        self.erasing[op.header.rid] = (1, op)
        return outcome

    patch.setattr(State, "_erase", mutated)


def _trim_leaves_the_horizon(patch: pytest.MonkeyPatch) -> None:
    async def mutated(service: Any) -> None:
        from sqlalchemy import delete

        table = rounds.tables.markers
        async with service.stores.records.write() as connection:
            old = table.c.day < service.today - rounds.MARKER_DAYS
            await connection.execute(delete(table).where(old))

    patch.setattr(rounds, "trim_markers", mutated)


def _expiry_without_ledger(patch: pytest.MonkeyPatch) -> None:
    async def nothing(*_arguments: Any) -> None:
        return None

    patch.setattr(ledger, "add_erased", nothing)


def _keys_are_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    add, adding = storing.add_keys, set[asyncio.Task[None]]()

    async def mutated(*arguments: Any) -> None:
        adding.add(asyncio.create_task(add(*arguments)))

    patch.setattr(storing, "add_keys", mutated)


def _push_moves_the_position(patch: pytest.MonkeyPatch) -> None:
    def mutated(session: Any, parts: Any, rids: Any, verdicts: Any) -> Any:
        applied = settling.settle(session, parts, rids, verdicts)
        here = settling.space.of(session)
        if here is not None and here.position:
            here.position = {**here.position, "after": max(here.head, here.position["after"])}
        return applied

    patch.setattr(exchange, "settle", mutated)


def _erased_here_is_taken_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(applying, "GONE", ())


def _set_aside_destroys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(aside, "ASIDE_DAYS", 0)


def _aside_without_a_brake(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(aside, "MOST", 10**6)


def _erasures_without_a_brake(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(exchange, "MOST_ERASED", 10**6)
    patch.setattr(exchange, "FEW", 10**6)


def _revoked_devices_erase(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(arrival, "erases_at_once", lambda *_arguments: True)
    patch.setattr(admission, "erases_at_once", lambda *_arguments: True)


def _held_records_are_lost(patch: pytest.MonkeyPatch) -> None:
    place = placing.Placing.place

    def mutated(self: Any, known: Any, record: Any) -> None:
        if known.state != "held":
            place(self, known, record)
            return
        self.forget(known)

    patch.setattr(placing.Placing, "place", mutated)


def _the_last_number_is_the_position(patch: pytest.MonkeyPatch) -> None:
    ranges = folder._ranges

    def mutated(numbers: Any) -> Any:
        found = ranges(numbers)
        return [[1, found[-1][1]]] if found else []

    patch.setattr(folder, "_ranges", mutated)


def _a_conflict_takes_theirs(patch: pytest.MonkeyPatch) -> None:
    merge = applying.merge

    def mutated(base: Any, local: Any, remote: Any, clock: Any, now: int) -> Any:
        merged = merge(base, local, remote, clock, now)
        return applying.Merged(remote, push=False, clock=merged.clock)

    patch.setattr(applying, "merge", mutated)


def _what_was_never_sent_counts_as_removed(patch: pytest.MonkeyPatch) -> None:
    compare = comparing._compare

    def mutated(session: Any, parts: Any, live: Any, behind: str, end: str) -> Any:
        wanted, removed = compare(session, parts, live, behind, end)
        for row in session.scalars(comparing.select(comparing.SyncRecordTable)):
            if row.seq == 0 and row.rid not in live.items and row.state == "synced":
                aside.remove(session, row, parts.clock(), aside.ABSENT)
        return wanted, removed

    patch.setattr(comparing, "_compare", mutated)


def _what_was_lost_is_not_sent_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sealing_anew, "lacking", lambda *_arguments: None)


def _a_former_key_is_used_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sealing_anew, "under_new_key", lambda *_arguments: 0)


def _older_revisions_are_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(removals, "refuse_older", lambda *_arguments: None)
    patch.setattr(removals, "refuse_erased", lambda *_arguments: None)


def _numbers_are_not_remembered(patch: pytest.MonkeyPatch) -> None:
    taken = outbox.taken

    def mutated(session: Any, seqs: Any) -> None:
        taken(session, {op_id: max(seq - 1, 0) for op_id, seq in seqs.items()})

    patch.setattr(settling.outbox, "taken", mutated)


CARRIER, MISBEHAVING = f"{HERE}/test_carrier.py", f"{HERE}/test_misbehaving.py"
ASIDE, PUSHING = f"{HERE}/test_set_aside.py", "tests/memory/sync/hosted/test_pushing.py"
BETWEEN = f"{CARRIER}::test_what_another_device_writes_between_two_requests_is_neither_missed_nor_overwritten"
MUTATIONS = (
    Mutation(
        "service: a stored answer goes before the erased set",
        _replays_before_erased,
        (f"{CARRIER}::test_the_same_bytes_sent_after_the_marker_was_dropped_stay_erased",),
    ),
    Mutation(
        "service: the erased set is not asked",
        _no_erased_set,
        (f"{CARRIER}::test_another_generation_asks_and_then_everything_is_there_again",),
    ),
    Mutation("service: the parent is not compared", _no_parent_check, (BETWEEN,)),
    Mutation(
        "service: a marker gets an old number",
        _markers_without_a_number,
        (f"{PUSHING}::test_an_erase_wins_over_everything_and_nothing_comes_back",),
    ),
    Mutation(
        "service: markers are dropped and the horizon stays",
        _trim_leaves_the_horizon,
        (f"{PUSHING}::test_first_pages_go_on_past_the_horizon_and_later_ones_are_told_to_compare",),
    ),
    Mutation(
        "service: what is erased is not in the ledger",
        _expiry_without_ledger,
        (f"{CARRIER}::test_another_generation_asks_and_then_everything_is_there_again",),
    ),
    Mutation(
        "service: the keys of a push are not waited for",
        _keys_are_not_waited_for,
        (f"{PUSHING}::test_no_record_is_taken_before_its_key_is_on_the_disk",),
    ),
    Mutation("client: a push moves the position", _push_moves_the_position, (BETWEEN,)),
    Mutation(
        "client: what was erased is taken again",
        _erased_here_is_taken_again,
        (f"{MISBEHAVING}::test_an_erased_record_that_is_given_out_again_is_not_taken_and_erased_once_more",),
    ),
    Mutation(
        "client: what is set aside is destroyed at once",
        _set_aside_destroys,
        (f"{ASIDE}::test_after_a_long_absence_what_was_erased_elsewhere_is_set_aside",),
    ),
    Mutation(
        "client: setting aside asks nobody",
        _aside_without_a_brake,
        (f"{ASIDE}::test_from_the_eleventh_on_the_owner_is_asked",),
    ),
    Mutation(
        "client: erasures of other devices ask nobody",
        _erasures_without_a_brake,
        ("tests/memory/sync/test_two_devices.py::test_so_many_erasures_wait_for_the_owner",),
    ),
    Mutation(
        "client: a device that was taken off erases",
        _revoked_devices_erase,
        (f"{CARRIER}::test_a_marker_of_a_device_that_was_taken_off_only_sets_aside",),
    ),
    Mutation(
        "client: held records are lost",
        _held_records_are_lost,
        (
            "tests/memory/sync/test_two_devices.py::"
            "test_messages_that_come_before_their_chat_are_held_until_it_is_here",
        ),
    ),
    Mutation(
        "client: the last number in a folder is the position",
        _the_last_number_is_the_position,
        ("tests/memory/sync/test_two_devices.py::test_a_file_that_comes_after_later_ones_is_read",),
    ),
    Mutation("client: a conflict takes theirs", _a_conflict_takes_theirs, (BETWEEN,)),
    Mutation(
        "client: what was never sent counts as removed",
        _what_was_never_sent_counts_as_removed,
        (f"{ASIDE}::test_after_a_long_absence_what_was_erased_elsewhere_is_set_aside",),
    ),
    Mutation(
        "client: another generation gets nothing again",
        _what_was_lost_is_not_sent_again,
        (f"{CARRIER}::test_another_generation_asks_and_then_everything_is_there_again",),
    ),
    Mutation(
        "client: what waits keeps its former key",
        _a_former_key_is_used_on,
        (f"{CARRIER}::test_what_waits_under_a_former_key_is_sealed_under_the_new_one",),
    ),
    Mutation(
        "client: older revisions are taken",
        _older_revisions_are_taken,
        (
            f"{MISBEHAVING}::test_an_older_revision_under_a_new_number_is_not_taken",
            f"{MISBEHAVING}::test_an_erased_record_that_is_given_out_again_is_not_taken_and_erased_once_more",
        ),
    ),
    Mutation(
        "client: the number of a push is noted wrong",
        _numbers_are_not_remembered,
        (f"{CARRIER}::test_what_was_sent_has_the_number_that_the_others_read",),
    ),
)
