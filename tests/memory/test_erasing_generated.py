"""Whatever an office holds and whatever of it is erased: the rest is whole, and what is gone is gone everywhere."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from agents.indexing import index_said
from memory import notes
from memory.lifecycle.data_map import data_map
from memory.lifecycle.erasure import Gone, erase
from memory.lifecycle.fingerprints import fingerprints
from memory.lifecycle.subjects import RECORDS, TABLES, Subject
from memory.recall import full_text
from memory.recall.indexing import index_note
from memory.tables import (
    AttachmentTable,
    ConversationTable,
    MessageTable,
    NoteTable,
)
from memory.transfer.comparing import Choice
from tests.agents.test_erasing import _decrypted
from tests.memory.transfer import generated
from tests.memory.transfer.bundles import unzipped
from tests.memory.transfer.profiles import KEY, Profile
from tests.memory.transfer.test_importing import assert_same

_WORDS = {"message": "text", "note": "text", "conversation": "title", "attachment": "name"}
"""The column of each table that says something; each row says something else."""
_NAMES_IDS = {"erased", "audit", "alembic_version"}
"""The audit trail keeps what was done to which connection; of what is erased only a hash is kept."""


@st.composite
def _offices(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Generated offices whose rows are told apart by what they say and in which no hold forbids to erase."""
    made = draw(generated.offices())
    for table, column in _WORDS.items():
        for row in made.get(table, []):
            row[column] = f"the {row[column][:4]} ochre pelican of {table} {row['id']}"
    for row in (row for rows in made.values() for row in rows if "held_at" in row):
        row["held_at"] = None
    for chat in made.get("conversation", []):
        shown = [
            row["id"] for row in made["message"] if row["conversation_id"] == chat["id"] and not row["hidden"]
        ]
        chat["active_leaf_id"] = shown[-1] if shown else None
    for row in made.get("note", []):
        row |= {"kind": "fact", "scope": "office", "scope_id": None, "valid_from": 1, "valid_to": None}
        row |= {"created_at": 1, "state": "active"}
    return made


def _subjects(made: dict[str, list[dict[str, Any]]]) -> list[Subject]:
    return [
        Subject(kind, row["id"])
        for kind, table in TABLES.items()
        for row in made.get(table.__tablename__, [])
    ]


def _index(session: Session) -> None:
    full_text.create(session.connection())
    for identifier in session.scalars(select(MessageTable.id)).all():
        index_said(session, identifier)
    for identifier in session.scalars(select(NoteTable.id)).all():
        index_note(session, notes.note(session, identifier))


def _gone(found: Gone) -> set[str]:
    extent = found.extent
    return {
        *(extent.conversations | extent.messages | extent.files | extent.notes),
        *(extent.agents | extent.connections),
    }


def _assert_whole(session: Session) -> None:
    """The database is sound, no reference leads nowhere, and every tree is one."""
    assert session.execute(text("PRAGMA integrity_check")).fetchall() == [("ok",)]
    assert session.execute(text("PRAGMA foreign_key_check")).fetchall() == []
    rows = {row.id: row for row in session.scalars(select(MessageTable))}
    files = set(session.scalars(select(AttachmentTable.id)))
    batches = {row.batch_id for row in rows.values()}
    for row in rows.values():
        above = rows[row.parent_id] if row.parent_id else None
        assert above is None or above.conversation_id == row.conversation_id
        assert set(row.attachment_ids) <= files
        seen = {row.id}
        while above is not None:
            assert above.id not in seen
            seen.add(above.id)
            above = rows[above.parent_id] if above.parent_id else None
    assert batches or not rows
    for chat in session.scalars(select(ConversationTable)):
        leaf = rows.get(chat.active_leaf_id) if chat.active_leaf_id else None
        assert (leaf is None) == (chat.active_leaf_id is None)
        assert leaf is None or leaf.conversation_id == chat.id


def _assert_unnamed(session: Session, gone: Iterable[str]) -> None:
    """No column of any table that the data map names still says one of the ids."""
    for entry in data_map():
        if entry.table and entry.table not in _NAMES_IDS:
            rows = session.execute(text(f'SELECT * FROM "{entry.table}"')).fetchall()
            said = json.dumps([list(row) for row in rows], default=str)
            for identifier in gone:
                assert identifier not in said, (entry.table, identifier)


@pytest.mark.req("R040")
@pytest.mark.req("R112")
@pytest.mark.req("R134")
@settings(
    max_examples=15,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(made=_offices(), contents=st.tuples(st.binary(max_size=50), st.binary(max_size=50)), data=st.data())
def test_the_rest_is_whole_comes_back_the_same_and_what_is_gone_stays_away(
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: Path,
    made: dict[str, list[dict[str, Any]]],
    contents: tuple[bytes, bytes],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("erased")
    one, other = (Profile.make(folder / name, empty_database) for name in ("one", "other"))
    try:
        generated.write(one, made, contents)
        one.database.write_now(_index)
        there = _subjects(made)
        chosen = data.draw(
            st.lists(st.sampled_from(there), unique=True, max_size=5) if there else st.just([])
        )
        before = one.export(folder / "before.aofx").path
        found = one.database.write_now(erase, chosen, reason="owner", reindex=index_said)
        for blob in found.blobs:
            one.store.delete(blob.id)
        gone = _gone(found)
        assert {subject.id for subject in chosen} <= gone
        one.database.write_now(_assert_whole)
        one.database.write_now(_assert_unnamed, gone)
        _assert_no_trace(one, found, gone)

        first = unzipped(one.export(folder / "first.aofx").path)
        assert other.bring_in(folder / "first.aofx").orphans == 0
        assert_same(first, unzipped(other.export(folder / "second.aofx").path))

        again = one.bring_in(before, Choice(differing="mine"))
        for kind, record in RECORDS.items():
            named = {row["id"] for row in made.get(TABLES[kind].__tablename__, [])} & gone
            assert again.counts[record].get("erased", 0) == len(named)
            assert "new" not in again.counts[record]
        one.database.write_now(_assert_whole)
        one.database.write_now(_assert_unnamed, gone)
    finally:
        one.database.close()
        other.database.close()


def _assert_no_trace(profile: Profile, found: Gone, gone: set[str]) -> None:
    """Neither the search of the office nor one that knows nothing of it finds what is gone in any page."""
    from memory.lifecycle import residue
    from memory.lifecycle.finder import Finder

    assert asyncio.run(profile.database.fold_log())
    # The generated files have ids of one digit, which stands in the audit trail for other reasons.
    found.material.ids[:] = [identifier for identifier in found.material.ids if len(set(identifier)) > 1]
    marks = fingerprints(found.material)
    finder, findings = Finder(marks.pieces), residue.Findings()
    place = profile.home / "office.db"
    residue.search_pages(finder, place, KEY, findings, None, stopped=lambda: False)
    kept = profile.database.write_now(residue.said_elsewhere, marks, frozenset(findings.pieces))
    assert findings.pieces - kept == set()
    words = [f"{table} {identifier}".encode() for table in _WORDS for identifier in gone]
    for page in _decrypted(place, KEY):
        assert not any(word in page for word in words)
