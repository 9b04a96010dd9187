"""The device that founds a space sends its records before it has read anything."""

from pathlib import Path

import pytest

from memory import notes
from memory.lifecycle.subjects import Subject
from tests.memory.sync.service.looking import state_of
from tests.memory.sync.service.offices import Office, hosted_at, make_template


@pytest.mark.req("R158")
def test_what_another_device_erases_before_the_founder_reads_is_erased_with_proof(tmp_path: Path) -> None:
    template = make_template(tmp_path / "account", 2)
    with hosted_at(template, tmp_path / "hosted") as service:
        founder, other = (
            Office.copied(service, template, number, tmp_path / f"{number}") for number in (0, 1)
        )
        note = founder.do(notes.add_note, "gone").id
        founder.sync()
        other.sync()
        other.erase(Subject("note", note))
        other.sync()
        service.clock.pass_days(1)
        done = founder.sync()
        assert (done.erased, done.aside, done.mended) == (1, 0, 0)
        assert state_of(founder, note) is None
        founder.close()
        other.close()
