"""Exports of ChatGPT and Claude come into a real office: whole trees, files, agents, notes; wholly or not at all."""

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.lifecycle.bringing_in import bring_in, look_into
from agents.office import Office
from memory import attachments, branches, chat_search, chats, notes
from memory.chats import Turn
from memory.lifecycle import erased
from memory.locations import Locations
from memory.roster import LONGEST_NAME
from memory.tables import MessageTable, ProvenanceTable
from memory.transfer import arriving
from memory.transfer.errors import TransferCancelled
from memory.transfer.incoming import derived_id
from tests.agents.conftest import PASSPHRASE
from tests.memory.transfer import foreign_archives as made


def shown(turns: tuple[Turn, ...]) -> list[tuple[str, str, int, int]]:
    return [
        (turn.messages[0].role, turn.messages[0].text, turn.alternative, turn.alternatives) for turn in turns
    ]


async def paths(office: Office) -> dict[str, tuple[Turn, ...]]:
    listed = await office.database.read(chats.conversations)
    return {one.title: await office.database.read(branches.path, one.id) for one in listed}


def hidden_texts(session: Session) -> list[str]:
    return list(
        session.scalars(select(MessageTable.text).where(MessageTable.hidden).order_by(MessageTable.ordinal))
    )


def extras(session: Session, original_id: str) -> object:
    return session.scalars(
        select(ProvenanceTable.extra).where(ProvenanceTable.original_id == original_id)
    ).one()


@pytest.mark.req("R137")
async def test_a_chatgpt_tree_comes_in_with_every_branch(office: Office, tmp_path: Path) -> None:
    archive = made.zipped(
        tmp_path / "chatgpt.zip", {"conversations.json": [made.branched()], "user.json": {}}
    )
    brought = await bring_in(office, archive)
    assert (brought.source, brought.summary.conversations, brought.problems) == ("chatgpt", 1, ())
    turns = (await paths(office))["Tides"]
    assert shown(turns) == [
        ("owner", "When is high water?", 1, 1),
        ("agent", "At one o’clock.", 2, 2),
        ("owner", "And how high?", 2, 2),
        ("agent", "6.4 metres.", 1, 1),
    ]
    answer = turns[3].messages[0]
    assert (answer.agent_id, answer.agent_name, answer.run_id, answer.model) == (None, "ChatGPT", None, "o3")
    assert "The table says it." in answer.thinking
    # A missing time is that of the version before it.
    assert [turn.messages[0].created_at - 1_700_000_000_000 for turn in turns] == [0, 5_000, 90_000, 95_000]
    assert await office.database.read(hidden_texts) == ["", "", "```python\ntide()\n```", "```\n6.4\n```"]
    assert await office.database.read(extras, "result") == {
        "author": {"role": "tool", "name": "python", "metadata": {}}
    }
    other = await office.database.write(branches.branch, turns[2].messages[0].id, -1)
    assert shown(await office.database.read(branches.path, other.id))[2:] == [
        ("owner", "And low water?", 1, 2),
        ("agent", "At seven.", 1, 1),
    ]
    assert await office.database.read(chat_search.search, "tide()") == []


async def test_the_same_archive_comes_in_once(office: Office, tmp_path: Path) -> None:
    archive = made.zipped(tmp_path / "x.zip", {"conversations.json": [made.branched(1), made.branched(2)]})
    looked = await look_into(office, archive)
    assert looked.summary.conversations == 2 and await office.database.read(chats.conversations) == ()
    await bring_in(office, archive)
    again = await bring_in(office, archive)
    assert (again.summary.conversations, again.summary.already_here) == (0, 2)
    assert len(await office.database.read(chats.conversations)) == 2


@pytest.mark.parametrize("number", [1, 2])
async def test_damage_in_the_middle_leaves_the_office_as_it_was(
    office: Office, tmp_path: Path, number: int
) -> None:
    whole = json.dumps([made.branched(each) for each in range(50)])
    archive = made.zipped(tmp_path / "x.zip", {"conversations.json": whole[: len(whole) * number // 3]})
    before = await office.database.read(rows)
    with pytest.raises(Exception, match="ends in the middle"):
        await bring_in(office, archive)
    assert await office.database.read(rows) == before
    assert list(office.locations.blobs.iterdir()) == []


def rows(session: Session) -> dict[str, int]:
    connection = session.connection()
    tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    return {
        name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in [*tables]
    }


CLAUDE = {
    "conversations.json": [
        made.claude(
            "k-1",
            [
                made.claude_message("m-1", "human", "Where do I moor?", files=[{"file_name": "quay.png"}]),
                made.claude_message(
                    "m-2", "assistant", "At berth six.",
                    attachments=[{"file_name": "berths.txt", "extracted_content": "Berth six is dredged."}],
                ),
            ],
            project_uuid="p-1",
        ),
        made.claude("k-2", [], name=""),
        made.claude("k-3", [{"sender": "human"}], name="Broken"),
    ],
    "users.json": [{"uuid": "u", "full_name": "A", "email_address": "a@example.invalid"}],
    "projects.json": [
        {
            "uuid": "p-1", "name": "Lead", "description": "", "prompt_template": "Know the harbour.",
            "docs": [{"uuid": "d-1", "filename": "rules.md", "content": "# Rules\nMoor at dusk."}],
        }
    ],
    "memories.json": [
        {"conversations_memory": "Owns a ketch.", "project_memories": {"p-1": "Draws 1.9 m."}, "account_uuid": "u"}
    ],
}  # fmt: skip


@pytest.mark.req("R137")
async def test_a_claude_batch_brings_conversations_agents_files_and_notes(
    office: Office, tmp_path: Path
) -> None:
    archive = made.zipped(tmp_path / "data-batch-0000.zip", CLAUDE)
    brought = await bring_in(office, archive)
    assert (brought.summary.conversations, brought.summary.agents, brought.summary.notes) == (3, 1, 2)
    assert [(one.subject, "no record" in one.reason) for one in brought.problems] == [("“Broken”", True)]
    agent = next(one for one in await office.roster.all() if one.instructions == "Know the harbour.")
    assert agent.name == "Lead 2"  # the office has a Lead already
    listed = {one.title: one for one in await office.database.read(chats.conversations)}
    assert set(listed) == {"Moorings", "", "Project files: Lead"}
    assert listed["Moorings"].agent_id == listed["Project files: Lead"].agent_id == agent.id
    files = await office.database.read(attachments.attachments, listed["Moorings"].id)
    assert [(one.name, one.state) for one in files] == [("quay.png", "failed"), ("berths.txt", "pending")]
    assert "does not hold it" in files[0].reason
    assert await office.files.content(files[1]) == b"Berth six is dredged."
    told = await office.database.read(notes.notes)
    assert {(one.text, one.scope, one.scope_id) for one in told} == {
        ("Owns a ketch.", "office", None),
        ("Draws 1.9 m.", "agent", agent.id),
    }
    kept = await office.database.read(extras, "u/conversations")
    assert kept == {"source": "Claude"}
    again = await bring_in(office, archive)
    assert (again.summary.conversations, again.summary.agents, again.summary.notes) == (0, 0, 0)


async def test_a_project_of_a_very_long_name_comes_in_under_the_beginning_of_it(
    office: Office, tmp_path: Path
) -> None:
    project = {
        "uuid": "p-1",
        "name": "Harbour " * 60,
        "description": "",
        "prompt_template": "Brief.",
        "docs": [],
    }
    await bring_in(office, made.zipped(tmp_path / "x.zip", {**CLAUDE, "projects.json": [project]}))
    agent = next(one for one in await office.roster.all() if one.instructions == "Brief.")
    assert agent.name.startswith("Harbour Harbour") and len(agent.name) <= LONGEST_NAME
    assert await office.database.read(extras, "p-1") == {"name": project["name"].strip()}


async def test_what_came_in_is_read_and_found_in_the_background(office: Office, tmp_path: Path) -> None:
    office.imports.start()
    await bring_in(office, made.zipped(tmp_path / "x.zip", CLAUDE))
    await office.imports.settled()
    found = await office.recall.search("Where do I moor?", words_only=True)
    assert [hit.text for hit in found.hits[:2]] == ["At berth six.", "Where do I moor?"]
    pending = await office.database.read(attachments.attachments_in_state, "pending")
    await office.files.settled([one.id for one in pending])
    listed = {one.title: one for one in await office.database.read(chats.conversations)}
    (rules,) = await office.database.read(attachments.attachments, listed["Project files: Lead"].id)
    await office.files.settled([rules.id])
    assert (await office.database.read(attachments.attachment, rules.id)).state == "ready"


async def test_files_come_in_with_the_messages_that_carry_them(office: Office, tmp_path: Path) -> None:
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_1"}
    content = {"content_type": "multimodal_text", "parts": [pointer, "Look"]}
    nodes = [made.node("q", None, "user", content, 5.0), made.node("q2", "q", "user", content, 6.0)]
    archive = made.zipped(
        tmp_path / "x.zip",
        {"conversations.json": [made.chatgpt(nodes, "q2")], "user-1/file_1-quay.png": made.PICTURE},
    )
    brought = await bring_in(office, archive)
    assert brought.summary.missing_files == 0
    ((_title, turns),) = (await paths(office)).items()
    assert turns[0].messages[0].attachment_ids == turns[1].messages[0].attachment_ids != ()
    (file,) = await office.database.read(attachments.attachments, turns[0].messages[0].conversation_id)
    assert (file.message_id, file.name) == (turns[0].messages[0].id, "file_1-quay.png")
    assert await office.files.content(file) == made.PICTURE


async def test_what_was_erased_here_does_not_come_back(office: Office, tmp_path: Path) -> None:
    archive = made.zipped(tmp_path / "x.zip", {"conversations.json": [made.branched(1), made.branched(2)]})
    ids = [derived_id("chatgpt", "conversation", f"c-{number}") for number in (1, 2)]
    question = derived_id("chatgpt", "message", "c-2", "q2b")
    await office.database.write(erased.remember, "conversations", [ids[0]], "owner")
    await office.database.write(erased.remember, "messages", [question], "owner")
    brought = await bring_in(office, archive)
    assert (brought.summary.conversations, brought.summary.erased) == (1, 2)
    (listed,) = await office.database.read(chats.conversations)
    turns = await office.database.read(branches.path, listed.id)
    assert [turn.messages[0].text for turn in turns] == [
        "When is high water?",
        "At one o’clock.",
        "6.4 metres.",
    ]


async def test_a_file_whose_content_was_erased_stays_away(office: Office, tmp_path: Path) -> None:
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_1"}
    node = made.node("q", None, "user", {"content_type": "multimodal_text", "parts": [pointer, "Look"]}, 5.0)
    archive = made.zipped(
        tmp_path / "x.zip", {"conversations.json": [made.chatgpt([node], "q")], "file_1.png": made.PICTURE}
    )
    digest = hashlib.sha256(made.PICTURE).hexdigest()
    await office.database.write(erased.remember, erased.CONTENT, [digest], "owner")
    assert (await bring_in(office, archive)).summary.erased == 1
    counted = await office.database.read(rows)
    assert (counted["message"], counted["attachment"], counted["blob"]) == (1, 0, 0)


@pytest.mark.parametrize("when", ["at once", "in the middle"])
async def test_stopped_by_its_owner_nothing_stays(office: Office, tmp_path: Path, when: str) -> None:
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_1"}
    picture = made.node("q", None, "user", {"content_type": "multimodal_text", "parts": [pointer]}, 5.0)
    conversations = [made.chatgpt([picture], "q"), *(made.branched(number) for number in range(2, 200))]
    archive = made.zipped(
        tmp_path / "x.zip", {"conversations.json": conversations, "file_1.png": made.PICTURE}
    )
    before, asked = await office.database.read(rows), 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return when == "at once" or asked > 3

    with pytest.raises(TransferCancelled):
        await bring_in(office, archive, cancelled=cancelled)
    assert await office.database.read(rows) == before
    assert list(office.locations.blobs.iterdir()) == []


async def test_while_it_comes_in_nobody_sees_it(office: Office, tmp_path: Path) -> None:
    conversations = [made.branched(number) for number in range(200)]
    archive = made.zipped(tmp_path / "x.zip", {"conversations.json": conversations})
    seen: list[int] = []

    def look(_done: int, _total: int) -> None:
        seen.append(len(office.database.write_now(chats.conversations)))
        seen.append(len(office.database.write_now(chat_search.search, "water")))

    brought = await bring_in(office, archive, progress=look)
    assert brought.summary.conversations == 200 and len(seen) > 6 and set(seen) == {0}


async def test_killed_in_the_middle_the_next_start_takes_it_away(own_home: Path, tmp_path: Path) -> None:
    """kill -9 at several moments: the office opens, shows nothing half-done, and the archive comes in afterwards."""
    conversations = [made.branched(number) for number in range(400)]
    archive = made.zipped(tmp_path / "x.zip", {"conversations.json": conversations})
    home = own_home / "killed"
    left = 0
    for batches in (0, 1, 5, 20, 40):
        command = [
            sys.executable,
            "-m",
            "tests.agents.import_to_kill",
            str(home),
            PASSPHRASE,
            str(archive),
            str(batches),
        ]
        assert (await asyncio.to_thread(subprocess.run, command)).returncode == -signal.SIGKILL
        office = await Office.open(Locations.find(home), passphrase=PASSPHRASE)
        left += len(await office.database.read(arriving.unfinished))
        assert await office.database.read(chats.conversations) == ()
        office.imports.start()
        await office.imports.settled()
        assert await office.database.read(arriving.unfinished) == ()
        assert (await office.database.read(rows))["message"] == 0
        await office.close()
    assert left == 5
    office = await Office.open(Locations.find(home), passphrase=PASSPHRASE)
    try:
        assert (await bring_in(office, archive)).summary.conversations == 400
    finally:
        await office.close()


async def test_closing_the_office_ends_an_import(
    offices: Callable[..., Awaitable[Office]], tmp_path: Path
) -> None:
    conversations = [made.branched(number) for number in range(400)]
    archive = made.zipped(tmp_path / "x.zip", {"conversations.json": conversations})
    office, loop, begun = await offices("closing"), asyncio.get_running_loop(), asyncio.Event()
    coming = asyncio.create_task(
        bring_in(
            office, archive, progress=lambda _done, _total: loop.call_soon_threadsafe(begun.set) and None
        )
    )
    await begun.wait()
    await office.close()
    with pytest.raises(TransferCancelled, match="closed"):
        await coming
    again = await offices("closing")
    assert await again.database.read(chats.conversations) == ()
    again.imports.start()
    await again.imports.settled()
    assert (await again.database.read(rows))["message"] == 0
