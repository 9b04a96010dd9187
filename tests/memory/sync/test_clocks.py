"""In a folder the nearest that a stamp of another device has come to the own clock vouches for it."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from memory import notes
from memory.identifiers import now
from memory.lifecycle.trash import DAY
from memory.sync import clocks
from memory.tables import SyncSpaceTable
from tests.memory.sync.devices import Device


def shows(device: Device, days: float) -> None:
    """Let the clock of a device be ahead."""
    device.clock = lambda: now() + int(days * DAY)


def has_compared_nothing(session: Session) -> None:
    session.execute(update(SyncSpaceTable).values(clock_ahead=None))


def write(device: Device, days: float = 0) -> None:
    shows(device, days)
    device.do(notes.add_note, "milk")
    device.sync()


def test_a_clock_is_ahead_until_another_device_has_written_about_then(devices: list[Device]) -> None:
    one, other = devices
    other.do(has_compared_nothing)
    shows(other, 60)
    write(one)
    other.sync()
    assert other.do(clocks.ahead) // DAY == 60
    write(one)
    shows(other, 3)
    other.sync()
    assert other.do(clocks.ahead) == 0
    shows(other, 60)  # the others may be idle as long as they like
    write(one)
    other.sync()
    assert other.do(clocks.ahead) == 0


def test_what_it_wrote_itself_and_a_clock_that_is_far_ahead_vouch_for_nothing(devices: list[Device]) -> None:
    one, other = devices
    other.do(has_compared_nothing)
    write(other, 60)
    other.sync()
    assert other.do(clocks.ahead) == 0  # nothing is known
    shows(other, 60)
    write(one)
    other.sync()
    assert other.do(clocks.ahead) // DAY == 60
    one.do(notes.add_note, "written years ahead")
    write(one, 900)
    other.sync()
    assert other.do(clocks.ahead) // DAY == 60


def test_its_owner_vouches_for_a_clock(devices: list[Device]) -> None:
    one, other = devices
    other.do(has_compared_nothing)
    shows(other, 60)
    write(one)
    other.sync()
    other.do(clocks.trust)
    write(one)
    other.sync()
    assert other.do(clocks.ahead) == 0
