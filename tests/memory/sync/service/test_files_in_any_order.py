"""Files attached, marked, cut off, erased and started again with in any order: both offices end alike."""

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from memory.lifecycle.subjects import Subject
from memory.sync import transfers
from memory.sync.blob_chunks import chunk_count
from memory.sync.hosted import blobs
from memory.sync.service.faults import Unreachable
from memory.tables import AttachmentTable
from tests.memory.sync.filing import content_of
from tests.memory.sync.service.filing_offices import FilingOffice
from tests.memory.sync.service.offices import Template, hosted_at, settle

offices = st.integers(0, 1)
steps = st.one_of(
    st.tuples(st.just("attach"), offices, st.integers(0, 2)),
    st.tuples(st.just("mark"), offices, st.integers(0, 5)),
    st.tuples(st.just("erase"), offices, st.integers(0, 5)),
    st.tuples(st.just("sync"), offices, st.just(0)),
    st.tuples(st.just("cut"), offices, st.integers(1, 4)),
    st.tuples(st.just("lose"), offices, st.integers(1, 12)),
    st.tuples(st.just("restart"), offices, st.just(0)),
)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(steps, min_size=4, max_size=16))
def test_both_offices_end_alike(template: Template, plan: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, hosted_at(template, Path(folder) / "hosted") as service:
        both = [
            FilingOffice.copied(service, template, number, Path(folder) / f"office{number}")
            for number in range(2)
        ]
        try:
            written: dict[str, bytes] = {}
            for what, who, number in plan:
                _step(both[who], written, what, number)
            for office in both:
                office.cut_at, office.wire.plan = 0, []
            settle(*both)
            _check(both, written)
        finally:
            for office in both:
                office.close()


def _step(office: FilingOffice, written: dict[str, bytes], what: str, number: int) -> None:
    files = sorted(office.filing.files())
    if what == "attach":
        content = content_of(number) if number else b""
        written[office.filing.attach(content).id] = content
    elif what == "mark" and files:
        office.do(_pin, files[number % len(files)], number)
    elif what == "erase" and files:
        office.erase(Subject("file", files[number % len(files)]))
    elif what == "restart":
        office.reopen()
        office.filing.sweep()
    elif what in ("sync", "cut", "lose"):
        office.cut_at = number if what == "cut" else 0
        office.wire.plan = [""] * (number - 1) + ["lose answer"] if what == "lose" else []
        with suppress(Unreachable):
            office.sync()
        office.cut_at, office.wire.plan = 0, []


def _check(both: list[FilingOffice], written: dict[str, bytes]) -> None:
    one, other = both
    assert one.state() == other.state()
    left = one.filing.files()
    for office in both:
        assert {each: office.filing.content(each) for each in left} == {each: written[each] for each in left}
        assert office.do(transfers.moving) == transfers.Moving() and office.filing.transfers() == {}
        office.filing.sweep()
        assert len(office.filing.on_disk()) == len(left)
    one.hosted.do_jobs()
    named = sum(chunk_count(len(written[each])) for each in left)
    whole = {path.name for path in one.hosted_objects()}
    assert len(whole) >= named
    # What an upload left that was erased before its record went, the service lets go within two days.
    one.hosted.clock.pass_days(3)
    one.hosted.do_day()
    one.hosted.run(blobs.sweep(one.hosted.service))
    one.hosted.do_jobs()
    assert len(one.hosted_objects()) == named


def _pin(session: Session, file_id: str, at: int) -> None:
    session.execute(update(AttachmentTable).where(AttachmentTable.id == file_id).values(pinned_at=at))
