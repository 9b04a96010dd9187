"""Import: an empty profile becomes the same office; a full one is merged into; a failure leaves no trace."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from memory import attachments, blobs, branches, chats, messages, notes, roster, settings
from memory.errors import DiskFull, Refused
from memory.lifecycle import erased
from memory.tables import (
    AttachmentTable,
    AuditTable,
    BlobTable,
    ConversationTable,
    MessageTable,
    NoteTable,
)
from memory.transfer import incoming_workspace
from memory.transfer.comparing import Choice
from memory.transfer.errors import ArchiveDamaged, TransferCancelled
from memory.transfer.selection import Filters
from memory.transfer.watching import Watch
from tests.memory.transfer.bundles import Files, changed
from tests.memory.transfer.profiles import Opener, Profile, fill

MAY_DIFFER = {
    *("bag-info.txt", "manifest-sha512.txt", "tagmanifest-sha512.txt", "signature.json", "data/export.json"),
    *("data/records/audit.jsonl", "data/records/exports.jsonl"),
}


def assert_same(one: Path, other: Path) -> None:
    """Two exported folders hold the same, but for what says when and where they were made."""
    names = {path.relative_to(one).as_posix() for path in one.rglob("*") if path.is_file()}
    assert names == {path.relative_to(other).as_posix() for path in other.rglob("*") if path.is_file()}
    for name in sorted(names - MAY_DIFFER):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def state(profile: Profile) -> dict[str, Any]:
    """Everything that an import may change."""

    def rows(session: Session) -> dict[str, Any]:
        return {
            table.name: session.connection().exec_driver_sql(f'SELECT * FROM "{table.name}"').fetchall()
            for table in ConversationTable.metadata.sorted_tables
        }

    return {
        "rows": profile.database.write_now(rows),
        "files": sorted(path.name for path in (profile.home / "blobs").iterdir()),
        "workspace": sorted(path.as_posix() for path in profile.workspace.rglob("*")),
        "beside": sorted(path.name for path in profile.home.iterdir()),
    }


@pytest.fixture
def bundle(office: Profile, tmp_path: Path) -> Path:
    return office.export(tmp_path / "office.aofx").path


@pytest.mark.req("R134")
def test_an_empty_profile_becomes_the_same_office(office: Profile, profiles: Opener, tmp_path: Path) -> None:
    first = office.export(tmp_path / "first").path
    other = profiles("other")
    merged = other.bring_in(first)
    assert merged.orphans == 0 and merged.counts["messages"] == {"new": 3}
    assert_same(first, other.export(tmp_path / "second").path)
    chat = other.database.write_now(lambda session: session.scalar(select(ConversationTable.id)))
    assert len(other.database.write_now(branches.path, chat)) == 2
    for file in other.database.write_now(attachments.attachments, chat):
        other.store.verify(other.database.write_now(blobs.blob, file.blob_id))
    assert (other.workspace / "plans" / "100%.txt").read_text() == "odd name"


def test_agents_that_were_never_touched_make_way(bundle: Path, profiles: Opener) -> None:
    other = profiles("other")
    other.database.write_now(roster.create_agent, name="Ada", role="Preset")
    other.database.write_now(settings.change, "runs.effort", "quick")
    other.bring_in(bundle)
    agents = other.database.write_now(roster.agents)
    assert [(agent.name, agent.role) for agent in agents] == [("Ada", "Analyst")]
    assert other.database.write_now(settings.value, "runs.effort") == "deep"


def test_a_second_import_brings_nothing_new(bundle: Path, office: Profile) -> None:
    before = state(office)
    seen = office.look_at(bundle)
    assert seen.total("new") == 0 and seen.total("same") > 10 and not seen.untouched
    office.bring_in(bundle)
    after = state(office)
    for table in before["rows"].keys() - {"audit", "import"}:
        assert before["rows"][table] == after["rows"][table], table
    assert {name: before[name] for name in ("files", "workspace", "beside")} == {
        name: after[name] for name in ("files", "workspace", "beside")
    }


def test_a_full_profile_takes_in_what_is_new(bundle: Path, profiles: Opener) -> None:
    other = profiles("other")
    mine = fill(other)
    (other.workspace / "plans" / "Übersicht 1.md").write_text("mine")
    seen = other.look_at(bundle)
    assert seen.counts["conversations"] == {"new": 1} and seen.counts["settings"].keys() <= {"same", "mine"}
    other.bring_in(bundle)
    listed = [chat.id for chat in other.database.write_now(chats.conversations)]
    assert len(listed) == 2 and mine in listed
    agents = other.database.write_now(roster.agents)
    # Both offices had an Ada with the same character: there is one, and what the other said is hers.
    assert [agent.name for agent in agents] == ["Ada"]
    said = other.database.write_now(lambda session: set(session.scalars(select(MessageTable.agent_id))))
    assert said == {agents[0].id, None}
    assert (other.workspace / "plans" / "Übersicht 1.md").read_text() == "mine"
    assert (other.workspace / "plans" / "Übersicht 1 (2).md").read_bytes() == b"\xff\x00 bytes\r\n"


def test_another_agent_of_the_same_name_gets_one_of_its_own(bundle: Path, profiles: Opener) -> None:
    other = profiles("other")
    mine = other.database.write_now(roster.create_agent, name="Ada", role="Poet")
    other.database.write_now(chats.create_conversation, title="Mine")
    for _time in range(2):
        other.bring_in(bundle)
        agents = {agent.name: agent.role for agent in other.database.write_now(roster.agents)}
        assert agents == {"Ada": "Poet", "Ada (2)": "Analyst"}
    assert other.database.write_now(roster.agent, mine.id).role == "Poet"


def test_the_newer_form_stays_and_the_rest_is_asked(bundle: Path, office: Profile) -> None:
    write = office.database.write_now
    chat = write(chats.conversations)[0]
    note = write(notes.notes)[0]
    write(messages.add_owner_message, chat.id, "And now?")
    write(chats.rename, chat.id, "Mine is newer")
    write(notes.pin_note, note.id, pinned=True)
    seen = office.look_at(bundle)
    assert seen.counts["conversations"] == {"mine": 1} and seen.counts["memory"]["undecided"] == 1
    before = state(office)
    with pytest.raises(Refused, match="say whether yours"):
        office.bring_in(bundle)
    assert state(office) == before
    office.bring_in(bundle, Choice(differing="mine"))
    assert write(notes.note, note.id).pinned_at is not None
    office.bring_in(bundle, Choice(differing="theirs"))
    assert write(notes.note, note.id).pinned_at is None
    assert write(chats.conversation, chat.id).title == "Mine is newer"


@pytest.mark.req("R112")
def test_what_was_erased_here_does_not_come_back_unasked(bundle: Path, profiles: Opener) -> None:
    other = profiles("other")
    other.bring_in(bundle)
    write = other.database.write_now
    chat = write(chats.conversations)[0]
    question = write(branches.path, chat.id)[0].messages[0]
    note = write(notes.notes)[0]

    def erase(session: Session) -> None:
        for child in session.scalars(select(MessageTable).where(MessageTable.parent_id == question.id)):
            child.parent_id = None
        session.flush()
        session.delete(session.get_one(MessageTable, question.id))
        session.delete(session.get_one(NoteTable, note.id))
        session.execute(AttachmentTable.__table__.delete())
        gone = session.scalars(select(BlobTable.sha256)).all()
        session.execute(BlobTable.__table__.delete())
        erased.remember(session, "messages", [question.id], "owner")
        erased.remember(session, "memory", [note.id], "owner")
        erased.remember(session, erased.CONTENT, gone, "owner")

    write(erase)
    seen = other.look_at(bundle)
    assert seen.counts["messages"]["erased"] == 1 and seen.counts["memory"]["erased"] == 1
    assert seen.counts["blobs"] == {"erased": 3} and not seen.new_blobs
    other.bring_in(bundle, Choice(differing="mine"))
    assert write(_count, MessageTable) == 2 and write(_count, AttachmentTable) == 0
    assert len(write(branches.path, chat.id)) == 1
    other.bring_in(bundle, Choice(skip_erased=False, differing="theirs"))
    assert write(_count, MessageTable) == 3 and write(_count, AttachmentTable) == 3


def test_the_children_of_an_erased_message_hang_on_its_parent(bundle: Path, profiles: Opener) -> None:
    other = profiles("other")

    def remember(session: Session) -> None:
        identifiers = json.loads(first_question)["id"]
        erased.remember(session, "messages", [identifiers], "owner")

    from tests.memory.transfer.bundles import files_of

    first_question = files_of(bundle)["data/records/messages.jsonl"].splitlines()[0]
    other.database.write_now(remember)
    other.bring_in(bundle)
    parents = other.database.write_now(lambda session: session.scalars(select(MessageTable.parent_id)).all())
    assert list(parents) == [None, None]


def test_unknown_fields_and_types_go_out_again(bundle: Path, profiles: Opener, tmp_path: Path) -> None:
    def extended(files: Files) -> None:
        lines = [json.loads(line) for line in files["data/records/messages.jsonl"].splitlines()]
        lines[1]["mood"] = {"calm": [1, 2.5, None]}
        files["data/records/messages.jsonl"] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        files["data/records/dreams.jsonl"] = b'{"id":"1","about":"sheep"}\n{"id":"2"}\n'
        said = json.loads(files["data/export.json"])
        said["counts"]["dreams"] = 2
        files["data/export.json"] = json.dumps(said).encode()

    other = profiles("other")
    other.bring_in(changed(bundle, tmp_path / "more.aofx", extended))
    out = other.export(tmp_path / "out").path
    lines = [
        json.loads(line) for line in (out / "data/records/messages.jsonl").read_text("utf-8").splitlines()
    ]
    assert lines[1]["mood"] == {"calm": [1, 2.5, None]} and "mood" not in lines[0]
    assert (out / "data/records/dreams.jsonl").read_bytes() == b'{"id":"1","about":"sheep"}\n{"id":"2"}\n'
    assert (out / "data/records/provenance.jsonl").read_bytes() == b""
    third = profiles("third")
    third.bring_in(out)
    assert_same(out, third.export(tmp_path / "again").path)


def test_a_narrowed_export_comes_in_as_far_as_it_can_stand(
    office: Profile, profiles: Opener, tmp_path: Path
) -> None:
    from memory.lifecycle.data_map import Category

    chat = office.database.write_now(chats.conversations)[0].id
    part = office.export(tmp_path / "chat.aofx", filters=Filters(conversation_id=chat)).path
    other = profiles("other")
    assert other.bring_in(part).orphans == 0
    assert len(other.database.write_now(branches.path, chat)) == 2
    files = office.export(tmp_path / "f.aofx", filters=Filters(categories=frozenset({Category.FILES}))).path
    third = profiles("third")
    assert third.bring_in(files).orphans == 3  # files of a conversation that is not here
    assert third.database.write_now(_count, AttachmentTable) == 0


def _damaged_file(files: Files) -> None:
    name = next(name for name in files if name.startswith("data/files/"))
    files[name] = files[name] + b"!"


def _damaged_blob_record(files: Files) -> None:
    line = json.loads(files["data/records/blobs.jsonl"].splitlines()[0])
    rest = files["data/records/blobs.jsonl"].partition(b"\n")[2]
    files["data/records/blobs.jsonl"] = json.dumps(line | {"size": 5}).encode() + b"\n" + rest


def test_a_failed_import_leaves_the_office_as_it_was(bundle: Path, profiles: Opener, tmp_path: Path) -> None:
    other = profiles("other")
    fill(other)
    before = state(other)
    for number, change in enumerate((_damaged_file, _damaged_blob_record)):
        with pytest.raises(ArchiveDamaged):
            other.bring_in(changed(bundle, tmp_path / f"{number}.aofx", change))
        assert state(other) == before


def test_a_cancelled_import_leaves_the_office_as_it_was(bundle: Path, profiles: Opener) -> None:
    other = profiles("other")
    fill(other)
    before = state(other)
    steps: list[int] = []
    other_watch = Watch(lambda done, total: steps.append(done))
    profiles("measure").bring_in(bundle, watch=other_watch)
    whole = len(steps)
    for last in range(0, whole, 11):
        steps.clear()
        watch = Watch(lambda done, total: steps.append(done), lambda last=last: len(steps) >= last)
        with pytest.raises(TransferCancelled):
            other.bring_in(bundle, watch=watch)
        assert state(other) == before


def test_a_full_disk_leaves_the_office_as_it_was(bundle: Path, profiles: Opener) -> None:
    import resource

    other = profiles("other")
    fill(other)
    before = state(other)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(DiskFull, match="free some space"):
            other.bring_in(bundle)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert state(other) == before


def test_a_crash_between_commit_and_the_last_step_is_made_good(bundle: Path, profiles: Opener) -> None:
    other = profiles("other")
    for token, committed in (("1" * 32, True), ("2" * 32, False)):
        waiting = other.home / f".incoming-{token}"
        (waiting / "notes").mkdir(parents=True)
        (waiting / "notes" / f"{token}.txt").write_text("x")
        if committed:
            from memory import audit

            other.database.write_now(audit.append, incoming_workspace.COMMITTED, token)
    other.database.write_now(incoming_workspace.settle, other.workspace)
    assert [path.name for path in other.workspace.rglob("*.txt")] == ["1" * 32 + ".txt"]
    assert not list(other.home.glob(".incoming-*"))


def test_a_tree_that_leads_in_a_circle_or_elsewhere_is_cut(
    bundle: Path, profiles: Opener, tmp_path: Path
) -> None:
    def crooked(files: Files) -> None:
        lines = [json.loads(line) for line in files["data/records/messages.jsonl"].splitlines()]
        lines[0]["parent_id"] = lines[2]["id"]
        files["data/records/messages.jsonl"] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    other = profiles("other")
    other.bring_in(changed(bundle, tmp_path / "circle.aofx", crooked))
    chat = other.database.write_now(chats.conversations)[0]
    assert len(other.database.write_now(branches.path, chat.id)) == 2


def test_it_is_in_the_audit_trail(bundle: Path, profiles: Opener) -> None:
    other = profiles("other")
    other.bring_in(bundle)
    row = other.database.write_now(
        lambda session: session.scalars(select(AuditTable.detail).where(AuditTable.kind == "imported")).one()
    )
    assert row["counts"]["messages"] == 3 and row["source"] == "bureau"


def _count(session: Session, table: Any) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
