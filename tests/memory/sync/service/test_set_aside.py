"""What goes without proof is set aside: hidden, asked about when it is much, destroyed only after its days."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import notes
from memory.lifecycle import trash
from memory.lifecycle.subjects import Subject
from memory.sync import aside, listing, outbox
from memory.sync.aside import ABSENT, MOST, VERDICT
from memory.tables import SyncRecordTable
from tests.memory.sync.service.looking import edit, state_of, text_of, texts, trashed
from tests.memory.sync.service.offices import Office, settle

AWAY = 200
"""Days after which markers are dropped."""


def away(office: Office, *others: Office, erase: list[str]) -> None:
    """Let others erase notes while a device is away for so long that the markers are dropped."""
    for note in erase:
        others[0].erase(Subject("note", note))
    later = others[0].do(notes.add_note, "written meanwhile")
    settle(*others)
    office.hosted.clock.pass_days(AWAY)
    others[0].erase(Subject("note", later.id))
    settle(*others)
    office.hosted.do_day()


def gone_note(office: Office) -> str:
    found: str = office.do(notes.add_note, "gone").id
    return found


def test_after_a_long_absence_what_was_erased_elsewhere_is_set_aside(offices: list[Office]) -> None:
    one, other, third = offices
    kept, gone = (one.do(notes.add_note, text).id for text in ("kept", "gone"))
    settle(*offices)
    mine = third.do(notes.add_note, "written offline")
    third.seal()  # as a round does that is cut off before it sends
    away(third, one, other, erase=[gone])
    done = third.sync()
    assert (done.aside, done.missing, done.refused) == (1, 0, [])
    assert state_of(third, gone) == "aside" and state_of(third, kept) == "synced"
    settle(*offices)
    assert texts(third) == texts(one) == ["kept", "written offline"]
    # It lies in the trash for 30 days, however few the owner's are, and nobody is told of its end.
    leaves = trashed(third)[gone]
    assert leaves is not None and leaves == third.hosted.clock() + 30 * trash.DAY
    assert third.do(trash.due, leaves) == ()
    before = third.hosted.live(third.member.space_id)
    third.hosted.clock.pass_days(29)
    third.sync()
    assert gone in trashed(third)
    third.hosted.clock.pass_days(2)
    assert third.sync().erased == 1
    assert gone not in trashed(third) and state_of(third, mine.id) == "synced"
    settle(*offices)
    assert third.hosted.live(third.member.space_id) == before


def test_what_is_set_aside_is_taken_back_and_stays_on_this_device(offices: list[Office]) -> None:
    one, other, third = offices
    gone = one.do(notes.add_note, "gone").id
    settle(*offices)
    away(third, one, other, erase=[gone])
    third.sync()
    third.do(trash.restore, [Subject("note", gone)])
    settle(*offices)  # offered once more; the service knows that it was erased
    assert state_of(third, gone) == "kept" and third.do(text_of, gone) == "gone"
    third.do(edit, gone, "gone, and edited")
    settle(*offices)
    third.hosted.clock.pass_days(40)
    settle(*offices)
    assert third.do(text_of, gone) == "gone, and edited" and texts(one) == []


def test_what_is_aside_is_listed_with_its_days_and_why(offices: list[Office]) -> None:
    one, other, third = offices
    gone, doubted = (one.do(notes.add_note, text).id for text in ("# Milk\nand eggs", "bread"))
    settle(*offices)
    away(third, one, other, erase=[gone])
    third.do(edit, doubted, "bread, brown")
    third.sync()
    (listed,) = third.do(listing.set_aside)
    since = third.hosted.clock()
    assert (listed.type, listed.name, listed.state, listed.by) == ("note", "Milk", "aside", ABSENT)
    assert (listed.since, listed.until) == (since, since + 30 * trash.DAY)
    assert third.do(aside.take_back, [listed.rid]) == (Subject("note", gone),)
    third.do(trash.restore, [Subject("note", gone)])
    settle(*offices)
    (listed,) = third.do(listing.apart)
    assert (listed.name, listed.state, listed.by, listed.since) == ("Milk", "kept", VERDICT, None)
    assert third.do(listing.set_aside) == () and third.do(outbox.waiting).kept == 1


def test_what_is_let_go_before_its_days_is_erased_here_and_told_to_nobody(offices: list[Office]) -> None:
    one, other, third = offices
    gone, kept = (one.do(notes.add_note, text).id for text in ("gone", "kept"))
    settle(*offices)
    away(third, one, other, erase=[gone, kept])
    third.sync()
    rids = {each.name: each.rid for each in third.do(listing.set_aside)}
    assert rids.keys() == {"gone", "kept"}
    before = third.hosted.live(third.member.space_id)
    assert third.do(aside.let_go, [rids["gone"]]) == (Subject("note", gone),)
    third.erase(Subject("note", gone))
    assert [each.name for each in third.do(listing.set_aside)] == ["kept"]
    settle(*offices)
    assert gone not in trashed(third) and kept in trashed(third)
    assert third.hosted.live(third.member.space_id) == before
    assert third.do(aside.let_go) == (Subject("note", kept),)


def test_what_a_device_that_was_taken_off_erased_names_it(offices: list[Office]) -> None:
    one, _other, _third = offices
    note = one.do(notes.add_note, "milk").id
    settle(*offices)

    def unproven(session: Session) -> bool:
        known = session.scalars(select(SyncRecordTable).where(SyncRecordTable.local_id == note)).one()
        return aside.remove(session, known, one.hosted.clock(), "d" * 32)

    assert one.do(unproven)
    (listed,) = one.do(listing.set_aside)
    assert listed.by == "d" * 32
    # Shown again because it is live after all, nothing is said of it any more.
    one.do(lambda session: aside.returned(session, session.get_one(SyncRecordTable, listed.rid)))
    assert one.do(listing.set_aside) == () and texts(one) == ["milk"]


def test_from_the_eleventh_on_the_owner_is_asked(offices: list[Office]) -> None:
    one, other, third = offices
    gone = [one.do(notes.add_note, f"note {number}").id for number in range(MOST + 3)]
    settle(*offices)
    for note in gone:
        other.do(edit, note, "edited")  # the erasures of one device do not wait for the other's word
    settle(*offices)
    one.erase(*(Subject("note", each) for each in gone))
    one.sync()
    assert other.sync().asks == len(gone)
    assert other.sync(confirmed=len(gone)).erased == len(gone)
    away(third, one, other, erase=[])
    done = third.sync()
    assert (done.aside, done.missing) == (len(gone), 3)
    states = [state_of(third, each) for each in gone]
    assert (states.count("aside"), states.count("missing")) == (MOST, 3)
    third.do(edit, gone[states.index("missing")], "not sent while nobody knows")
    assert third.sync(missing=2).missing == 3
    assert third.sync(missing=3).missing == 0 and len(trashed(third)) == len(gone)
