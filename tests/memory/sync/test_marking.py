"""Every row is marked in portions that a crash does not lose, whatever becomes of the rows meanwhile."""

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from memory import notes
from memory.lifecycle.subjects import Subject
from memory.sync import due, outbox, space
from memory.sync.drain import Drained, drain
from memory.tables import SyncChangeTable, SyncRecordTable, SyncSpaceTable
from tests.memory.sync.devices import Device, settle

MOST = 2


def unmarked_notes(device: Device, count: int) -> list[str]:
    """Write notes as they are in an office where sync is being turned on."""
    written = [device.do(notes.add_note, f"note {number}").id for number in range(count)]
    device.do(lambda session: session.execute(delete(SyncChangeTable)))
    device.do(space.mark_everything)
    return written


def seal_some(device: Device) -> Drained:
    drained: Drained = device.do(drain, device.credentials, 1, MOST)
    return drained


def known(device: Device) -> set[str]:
    def read(session: Session) -> set[str]:
        chosen = select(SyncRecordTable.local_id).where(SyncRecordTable.type == "note")
        return {key for key in session.scalars(chosen) if key is not None}

    found: set[str] = device.do(read)
    return found


def marking(device: Device) -> dict[str, list[object]]:
    found: dict[str, list[object]] = device.do(
        lambda session: session.scalars(select(SyncSpaceTable.marking)).one()
    )
    return found


def test_rows_are_marked_and_sealed_in_portions_and_a_crash_changes_nothing(devices: list[Device]) -> None:
    one, other = devices
    written, names = unmarked_notes(one, 7), len(one.state()["device_name"])
    sealed = []
    while one.do(due.is_due):
        before = one.do(outbox.waiting)
        assert before.outbox == 7 or before.marked + before.outbox == 7 + names
        sealed.append(seal_some(one).sealed)
        one.database.close()
        one.reopen()
    # The names of devices, which say nothing new, come last.
    assert sealed[:3] == [MOST] * 3 and sum(sealed) == 7 and max(sealed) == MOST
    assert marking(one) == {} and known(one) == set(written)
    settle(one, other)
    assert other.state()["note"].keys() == set(written)


def test_rows_that_got_other_numbers_meanwhile_are_all_marked(devices: list[Device]) -> None:
    one, other = devices
    written = unmarked_notes(one, 6)
    assert seal_some(one).sealed == MOST
    one.erase(Subject("note", written[0]))
    # As VACUUM may do it.
    one.do(lambda session: session.execute(text("UPDATE note SET rowid = rowid - 1")))
    while seal_some(one).marking:
        pass
    settle(one, other)
    assert other.state()["note"].keys() == set(written[1:])


def test_where_marking_stands_names_no_row(devices: list[Device]) -> None:
    one, _other = devices
    written = unmarked_notes(one, 6)
    seal_some(one)
    said = str(marking(one))
    assert "note" in said and not any(key in said for key in written)


def test_what_is_taken_out_of_sync_meanwhile_is_not_marked(devices: list[Device]) -> None:
    one, _other = devices
    unmarked_notes(one, 6)
    seal_some(one)
    one.do(lambda session: setattr(space.of(session), "types", ["agent", "conversation", "message"]))
    assert not seal_some(one).marking
    assert marking(one) == {} and len(known(one)) == MOST
