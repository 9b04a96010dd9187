"""What a later version says in a record that this one knows is kept, and said again."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.sync import outbox, space
from memory.sync.base64url import encode as base64
from memory.sync.hlc import Stamp
from memory.sync.known import unpack
from memory.sync.plaintext import SCHEMA, Entry, Record
from memory.sync.sealing_anew import content
from memory.sync.space import NAMING, OFFICE_NAME, Credentials
from memory.tables import SyncRecordTable
from tests.memory.sync.service.offices import Office, settle

_RECORD = select(SyncRecordTable).where(SyncRecordTable.type == OFFICE_NAME)


def name_office(session: Session, credentials: Credentials, at: int, name: str) -> None:
    """Give the office a name, as a version does in which it has one."""
    here, known = space.of(session), session.scalars(_RECORD).one()
    assert here is not None and here.naming is not None
    clock = space.clock(here).tick(at)
    naming = Entry(base64(here.naming), unpack(known.stamps)[NAMING].stamp)
    fields = {NAMING: naming, "name": Entry(name, Stamp(clock.ms, clock.counter, here.device_id))}
    out = outbox.Outgoing(session, credentials)
    out.put(known, Record(OFFICE_NAME, SCHEMA, fields), clock)
    out.write()
    space.keep_clock(here, clock)


def said(session: Session) -> str:
    here, known = space.of(session), session.scalars(_RECORD).one()
    assert here is not None
    return str(content(session, here, known)[0])


def test_a_name_of_the_office_is_kept_by_who_cannot_show_it(offices: list[Office], tmp_path: Any) -> None:
    one, other, third = offices
    settle(*offices)
    one.hosted.back_up(tmp_path / "backup")
    one.do(name_office, one.parts().credentials, one.hosted.clock(), "The quay")
    settle(one, other)
    assert "The quay" in other.do(said)
    one.hosted.restore(tmp_path / "backup")
    for office in (other, third):
        office.reopen()
        generation = office.sync().generation
        office.sync(generation=generation)
    assert "The quay" in third.do(said)
    settle(other, third)
