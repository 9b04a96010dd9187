"""Notes: superseded, never overwritten; the inbox, the trash, what an agent may use; the audit trail."""

from itertools import count

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from memory import audit, notes, roster
from memory.database import Database
from memory.errors import DatabaseDamaged, Refused
from memory.tables import AuditTable


def texts(found: tuple[notes.Note, ...]) -> list[str]:
    return [note.text for note in found]


def test_a_new_version_ends_the_old_one(database: Database) -> None:
    first = database.write_now(notes.add_note, " Rent is 900 € ", kind="fact")
    database.write_now(notes.pin_note, first.id, pinned=True)
    second = database.write_now(notes.supersede_note, first.id, "Rent is 950 €", model="m")
    assert second.supersedes_id == first.id and second.pinned_at is not None and second.model == "m"
    assert texts(database.write_now(notes.notes)) == ["Rent is 950 €"]
    assert texts(database.write_now(notes.notes, earlier=True)) == ["Rent is 900 €"]
    assert texts(database.write_now(notes.versions, second.id)) == ["Rent is 950 €", "Rent is 900 €"]
    with pytest.raises(Refused, match="newest version"):
        database.write_now(notes.supersede_note, first.id, "Rent is 1 €")


@pytest.mark.parametrize("step", [-40, 40])
def test_a_clock_set_back_or_forward_changes_no_order_and_no_version(
    database: Database, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    days = count(20_000, step)
    monkeypatch.setattr(notes, "now", lambda: next(days) * 86_400_000)
    first = database.write_now(notes.add_note, "Rent is 900 €")
    tea = database.write_now(notes.add_note, "Tea, no milk", state="proposed")
    second = database.write_now(notes.supersede_note, first.id, "Rent is 950 €")
    database.write_now(notes.add_note, "The boat is called Petrel")
    accepted = database.write_now(notes.accept_note, tea.id)
    assert (accepted.valid_from > tea.valid_from) is (step > 0), "the clock as it stands is written down"
    valid = ["The boat is called Petrel", "Rent is 950 €", "Tea, no milk"]
    assert texts(database.write_now(notes.notes)) == valid
    allowed = database.write_now(notes.visible_notes, agent_id=None, conversation_id=None)
    assert sorted(texts(allowed)) == sorted(valid), "a day that has yet to come hides nothing"
    assert texts(database.write_now(notes.notes, earlier=True)) == ["Rent is 900 €"]
    assert texts(database.write_now(notes.versions, second.id)) == ["Rent is 950 €", "Rent is 900 €"]


def test_the_inbox(database: Database) -> None:
    kept = database.write_now(notes.add_note, "Tea, no milk", kind="preference")
    proposed = database.write_now(notes.supersede_note, kept.id, "Tea with milk", state="proposed")
    other = database.write_now(notes.add_note, "Likes rain", state="proposed")
    assert texts(database.write_now(notes.notes)) == ["Tea, no milk"]
    assert set(texts(database.write_now(notes.notes, state="proposed"))) == {"Tea with milk", "Likes rain"}
    database.write_now(notes.accept_note, proposed.id, text="Tea with oat milk")
    assert texts(database.write_now(notes.notes)) == ["Tea with oat milk"]
    database.write_now(notes.reject_note, other.id)
    assert texts(database.write_now(notes.notes, state="rejected")) == ["Likes rain"]
    with pytest.raises(Refused, match="answered already"):
        database.write_now(notes.accept_note, other.id)


def test_forgetting_can_be_undone(database: Database) -> None:
    note = database.write_now(notes.add_note, "A secret cake")
    assert database.write_now(notes.forget_note, note.id).note == note
    assert database.write_now(notes.notes) == ()
    assert database.write_now(notes.visible_notes, agent_id=None, conversation_id=None) == ()
    assert database.write_now(notes.undo_forget, note.id) == note
    assert texts(database.write_now(notes.notes)) == ["A secret cake"]


def test_scopes_words_and_uses(database: Database) -> None:
    ada = database.write_now(roster.create_agent, name="Ada")
    database.write_now(notes.add_note, "Ada's own rule", kind="core", scope="agent", scope_id=ada.id)
    office = database.write_now(notes.add_note, "Straße 5, 3rd floor", kind="core")
    database.write_now(notes.add_note, "only here", scope="conversation", scope_id="c1")
    assert texts(database.write_now(notes.core_notes, agent_id=ada.id)) == [
        "Straße 5, 3rd floor",
        "Ada's own rule",
    ]
    assert texts(database.write_now(notes.core_notes, agent_id="other")) == ["Straße 5, 3rd floor"]
    here = database.write_now(notes.visible_notes, agent_id=None, conversation_id="c1")
    assert set(texts(here)) == {"Straße 5, 3rd floor", "only here"}
    assert texts(database.write_now(notes.notes, text="STRASSE floor")) == ["Straße 5, 3rd floor"]
    assert texts(database.write_now(notes.notes, scope="agent", scope_id=ada.id)) == ["Ada's own rule"]
    database.write_now(notes.mark_used, [office.id])
    used = database.write_now(notes.note, office.id)
    assert used.uses == 1 and used.last_used_at is not None
    with pytest.raises(Refused, match="which agent"):
        database.write_now(notes.add_note, "x", scope="agent")
    with pytest.raises(Refused, match="needs words"):
        database.write_now(notes.add_note, " \n")


@pytest.mark.req("R077")
@pytest.mark.parametrize("how", ["changed", "removed", "rehashed"])
def test_the_audit_trail_shows_what_was_done_to_it(database: Database, how: str) -> None:
    for n in range(5):
        database.write_now(audit.append, "key_added", f"c{n}", {"label": "Ünï"})
    assert database.write_now(audit.verify) == 5
    assert [e.number for e in database.write_now(audit.entries, limit=2, before=4)] == [3, 2]

    def tamper(session: Session) -> None:
        third = AuditTable.number == 3
        if how == "removed":
            session.execute(delete(AuditTable).where(third))
        elif how == "changed":
            session.execute(update(AuditTable).where(third).values(subject="c9"))
        else:
            entry = session.get_one(AuditTable, 3)
            entry.subject = "c9"
            entry.hash = audit._hash(3, entry.at, entry.kind, "c9", entry.detail, entry.previous_hash)

    database.write_now(tamper)
    with pytest.raises(DatabaseDamaged, match=f"entry {4 if how == 'rehashed' else 3}"):
        database.write_now(audit.verify)
