"""Markers in every mapped place that holds content; what goes is gone, what stays is cleaned of it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from agents.errors import AgentsError
from agents.events import TextDelta
from agents.office import Office
from memory import chats, messages, notes, runs
from memory.chats import Message
from memory.identifiers import new_id, now
from memory.lifecycle import reports
from memory.lifecycle.reports import EraseReport
from memory.lifecycle.subjects import Subject
from memory.tables import (
    ConversationTable,
    ExportRecordTable,
    MessageTable,
    NoteTable,
    ProvenanceTable,
    RunEventTable,
    RunTable,
)
from tests.agents.conftest import PASSPHRASE, connect, until
from tests.agents.test_erasing import MARKER, WORDS, _say, traces
from tests.peers.aimock import Aimock
from vault.secret import Secret


def _plant(session: Session, conversation_id: str, message: Message, other_run: str) -> str:
    """Repeat the message wherever rows that stay could repeat it; return the run of its own conversation."""
    run = runs.create_run(session, conversation_id=conversation_id, agent_id=None)
    row = session.get_one(RunTable, run.id)
    row.state, row.reason = "failed", f"It said {MARKER}."
    row.history = {"messages": [{"parts": [{"content": f"… {MARKER} …"}]}]}
    row.context = [
        {
            "kind": "notes",
            "label": f"said: {MARKER}",
            "tokens": 7,
            "cost": None,
            "reason": "",
            "source_id": message.id,
        }
    ]
    for number, (owner, kind) in enumerate(
        (
            (run.id, "tool_started"),
            (run.id, "notice"),
            (other_run, "tool_finished"),
            (other_run, "memory_used"),
        )
    ):
        body = {
            "arguments": {"query": MARKER},
            "result": f'<data id="{message.id}">{MARKER}</data>',
            "used": [{"kind": "message", "id": message.id, "reason": MARKER}],
        }
        session.add(RunEventTable(run_id=owner, seq=90 + number, at=1, kind=kind, body=body))
    conversation = session.get_one(ConversationTable, conversation_id)
    conversation.title, conversation.title_source = f"About {MARKER}", "rule"
    conversation.scroll = {"message": message.id, "offset": 3, "seen_at": 5}
    session.add(
        ProvenanceTable(record_type="messages", record_id=message.id, original_id="x", extra={"raw": MARKER})
    )
    session.add(
        ProvenanceTable(
            record_type="conversations", record_id=conversation_id, extra={"raw": [MARKER, "kept"]}
        )
    )
    return run.id


@pytest.mark.req("R047")
async def test_what_repeats_a_message_in_rows_that_stay_is_cleaned(office: Office) -> None:
    conversation, other = await office.create_conversation(), await office.create_conversation()
    sent = await office.send(conversation.id, MARKER)
    away = await office.send(other.id, "@Librarian Is there anything?")
    await office.runs.wait([run.id for run in (*sent.runs, *away.runs)])
    await office.send(conversation.id, "And then?")
    await until(lambda: not office.runs.busy(conversation.id))
    run_id = await office.database.write(_plant, conversation.id, sent.message, away.runs[0].id)
    report = await office.erasing.proved(
        (await office.erasing.erase([Subject("message", sent.message.id)])).id
    )
    assert report.state == "clean", json.dumps(report.proof)
    assert traces(office, (*WORDS, sent.message.id)) == []
    run = await office.database.read(runs.run, run_id)
    assert [(part.label, part.tokens) for part in run.context] == [("…", 7)]
    assert (await office.database.read(chats.conversation, conversation.id)).title == "And then?"
    assert (await office.message(sent.replies[0].id)).parent_id is None


@pytest.mark.parametrize(
    "text",
    [
        "My PIN is 471163.\nPlease keep this whole thing in mind for me.",
        "471163!",
        "Is it **471163**? I wonder",
    ],
)
async def test_a_title_that_says_what_is_gone_goes_however_short_it_is(office: Office, text: str) -> None:
    conversation = await office.create_conversation()
    first, second = await office.database.write(_say, conversation.id, text, "And the weather?")
    titles = [(await office.database.read(chats.conversation, conversation.id)).title]
    await office.erasing.proved((await office.erasing.erase([Subject("message", second.id)])).id)
    titles.append((await office.database.read(chats.conversation, conversation.id)).title)
    await office.database.write(_say, conversation.id, "And the weather today?")
    await office.erasing.proved((await office.erasing.erase([Subject("message", first.id)])).id)
    titles.append((await office.database.read(chats.conversation, conversation.id)).title)
    assert "471163" in titles[0]
    assert titles[1:] == [titles[0], "And the weather today?"]
    assert traces(office, ("471163",)) == []


async def test_rules_about_what_is_gone_go_with_it(office: Office) -> None:
    conversation, agent = await office.create_conversation(title="The quay"), (await office.roster.all())[0]
    await office.keeping.set_rule("conversation", conversation.id, 30)
    await office.keeping.set_rule("agent", agent.id, 30)
    kept = await office.keeping.set_rule("category", "notes", 30)
    subjects = [Subject("conversation", conversation.id), Subject("agent", agent.id)]
    report = await office.erasing.proved((await office.erasing.erase(subjects)).id)
    assert report.state == "clean", json.dumps(report.proof)
    assert await office.keeping.rules() == (kept,)


@pytest.mark.req("R041")
@pytest.mark.req("R046")
async def test_a_file_goes_with_its_key_content_passages_and_vectors(
    offices: Callable[..., Awaitable[Office]], tmp_path: Path
) -> None:
    office = await offices()
    await office.warm()
    conversation = await office.create_conversation()
    source = tmp_path / "pelican-report.txt"
    source.write_text(f"Chapter one.\n\n{MARKER}.\n\n" + "The tide comes twice a day. " * 200)
    file = await office.attach(conversation.id, source)
    await office.files.settled([file.id])
    await office.recall.settled()
    sent = await office.send(conversation.id, "Read this", [file.id])
    await office.runs.wait([run.id for run in sent.runs])
    blob = office.blobs.path(file.blob_id)
    assert blob.exists()
    report = await office.erasing.proved((await office.erasing.erase([Subject("file", file.id)])).id)
    assert report.state == "clean", json.dumps(report.proof)
    assert report.counts["files"] == report.counts["blobs"] == 1
    assert not blob.exists()
    assert traces(office, (*WORDS, file.id, file.blob_id)) == []
    assert (await office.message(sent.message.id)).attachment_ids == ()
    await office.recall.settled()
    assert all(hit.source_kind != "attachment" for hit in (await office.recall.search("pelican tide")).hits)


async def test_a_conversation_of_more_than_a_thousand_levels_goes_whole(office: Office) -> None:
    conversation = await office.create_conversation(title=MARKER)
    await office.database.write(_deep, conversation.id, 1_500)
    kept = await office.notes.add("Remember the milk")
    await office.database.write(chats.set_draft, conversation.id, {"text": f"draft {MARKER}"})
    report = await office.erasing.proved(
        (await office.erasing.erase([Subject("conversation", conversation.id)])).id
    )
    assert (report.state, report.counts["messages"]) == ("clean", 1_500)
    assert traces(office) == []
    assert (await office.database.read(notes.note, kept.id)).text == "Remember the milk"


async def test_copies_made_while_it_existed_are_named_and_earlier_ones_are_not(office: Office) -> None:
    await office.database.write(_export, "before", 1)
    note = await office.notes.add(MARKER)
    await office.database.write(_export, "after", note.created_at + 1)
    report = await office.erasing.erase([Subject("note", note.id)])
    assert [copy.path for copy in await office.database.read(reports.copies, report.copies)] == ["after"]


async def test_a_clock_that_was_set_back_hides_no_copy(office: Office) -> None:
    note = await office.notes.add(f"Note that {MARKER}")
    await office.database.write(_from_the_future, note.id)
    await office.database.write(_export, "after", now())
    report = await office.erasing.erase([Subject("note", note.id)])
    assert [copy.path for copy in await office.database.read(reports.copies, report.copies)] == ["after"]


async def test_an_export_among_temporary_files_is_a_copy_and_no_trace(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for number, stray in enumerate((False, True)):
        note = await office.notes.add(f"Note {number} that {MARKER}")
        export = tmp_path / f"bureau-out-{number}"
        await office.transfers.export(export)
        assert MARKER in (export / "data" / "records" / "memory.jsonl").read_text()
        if stray:
            (tmp_path / "bureau-left.txt").write_text(MARKER)
        report = await office.erasing.proved((await office.erasing.erase([Subject("note", note.id)])).id)
        assert report.state == ("traces" if stray else "clean"), json.dumps(report.proof)
        copies = await office.database.read(reports.copies, report.copies)
        assert [copy.path for copy in copies] == [str(export)]


async def test_words_that_are_also_kept_elsewhere_are_no_traces(office: Office) -> None:
    note = await office.notes.add(MARKER)
    await office.notes.add(f"Again: {MARKER}")
    report = await office.erasing.proved((await office.erasing.erase([Subject("note", note.id)])).id)
    assert report.state == "clean"
    assert report.proof["full"]["said_elsewhere"] > 0
    assert traces(office)


@pytest.mark.parametrize(
    "said", ["The tide comes twice a day. " * 20, "Der Pegel fällt – früh und spät, täglich. " * 20]
)
async def test_what_another_chat_quotes_of_a_file_is_no_trace_of_it(
    office: Office, tmp_path: Path, said: str
) -> None:
    conversation, other = await office.create_conversation(), await office.create_conversation()
    source = tmp_path / "tides.txt"
    source.write_text(f"{MARKER}.\n\n{said}")
    file = await office.attach(conversation.id, source)
    await office.files.settled([file.id])
    await office.database.write(messages.add_owner_message, other.id, f"Is it true? {said}")
    report = await office.erasing.proved((await office.erasing.erase([Subject("file", file.id)])).id)
    assert report.state == "clean", json.dumps(report.proof)
    assert report.proof["full"]["said_elsewhere"] > 0
    assert not traces(office, WORDS)


async def test_agents_and_connections_go_and_leave_their_work_unnamed(office: Office, tmp_path: Path) -> None:
    agent = (await office.roster.all())[0]
    changed = await office.roster.change(agent.id, instructions=f"Always say {MARKER}")
    connection = await connect(office, "anthropic", "http://127.0.0.1:9", "m")
    await office.roster.change(changed.id, connection_id=connection)
    key = Secret("test-key-0123456789")
    named = await office.connections.add(
        "openai-compatible", key, base_url="http://127.0.0.1:9", label=MARKER
    )
    subjects = [
        Subject("agent", agent.id),
        Subject("connection", connection),
        Subject("connection", named.id),
    ]
    report = await office.erasing.proved((await office.erasing.erase(subjects)).id)
    assert report.state == "clean", json.dumps(report.proof)
    assert (report.counts["agents"], report.counts["connections"]) == (1, 2)
    assert traces(office) == []


async def test_what_is_being_streamed_is_stopped_and_two_erasures_take_turns(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"content": f"{MARKER} " * 200}, "chunkSize": 5, "latency": 20})
    await connect(office, "anthropic", server.url, "claude-sonnet-5")
    conversation = await office.create_conversation()
    note = await office.notes.add(f"Note that {MARKER}")
    begun = asyncio.Event()
    office.events.subscribe(lambda event: begun.set() if isinstance(event, TextDelta) else None)
    sent = await office.send(conversation.id, "Tell me everything")
    await begun.wait()
    first, second, third = await asyncio.gather(
        office.erasing.erase([Subject("conversation", conversation.id)]),
        office.erasing.erase([Subject("note", note.id)]),
        office.erasing.erase([Subject("note", note.id)]),
        return_exceptions=True,
    )
    assert isinstance(first, EraseReport)
    assert isinstance(second, EraseReport)
    assert not isinstance(third, EraseReport | AgentsError)
    for report in (first, second):
        assert (await office.erasing.proved(report.id)).state == "clean"
    assert sent.runs[0].id not in office.runs.active
    assert traces(office) == []


async def test_what_another_erasure_removes_beside_the_full_search_is_no_trace(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search finds it, and when it asks who else says it the rows are gone: the other one is not done yet."""
    first, second = [(await office.notes.add(f"{word} that {MARKER}")).id for word in ("Note", "Also")]
    erasing, database = office.erasing, office.database
    search, write_traced = erasing._search, database.write_traced
    searched, gone = threading.Event(), threading.Event()

    def slow_search(marks: Any, touched: Any, exports: Any) -> Any:
        found = search(marks, touched, exports)
        if touched is None and not searched.is_set():
            searched.set()
            assert gone.wait(20)
        return found

    async def slow_to_return(*arguments: Any, **named: Any) -> Any:
        written = await write_traced(*arguments, **named)
        gone.set()
        await asyncio.sleep(0.5)
        return written

    monkeypatch.setattr(erasing, "_search", slow_search)
    report = await erasing.erase([Subject("note", first)])
    assert await asyncio.to_thread(searched.wait, 20)
    monkeypatch.setattr(database, "write_traced", slow_to_return)
    other = await erasing.erase([Subject("note", second)])
    assert [(await erasing.proved(each.id)).state for each in (report, other)] == ["clean", "clean"]


async def test_killed_while_erasing_all_is_gone_or_all_is_there(
    own_home: Path, offices: Callable[..., Awaitable[Office]]
) -> None:
    for seconds in ("0.0", "0.01", "0.02", "0.04", "0.06", "0.1", "0.15", "0.25", "0.4"):
        home = f"office{seconds}"
        office = await offices(home)
        conversation = await office.create_conversation(title=MARKER)
        await office.database.write(_deep, conversation.id, 400)
        await office.close()
        process = subprocess.run(
            [sys.executable, "-m", "tests.agents.office_to_erase", str(own_home / home), PASSPHRASE, seconds],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
        )
        assert process.returncode == -signal.SIGKILL
        again = await offices(home)
        left = len(await again.database.read(chats.conversations))
        found = await again.database.read(_count)
        assert (left, found) in ((0, 0), (1, 400))
        if not left:
            assert [one.counts["messages"] for one in await again.database.read(reports.reports)] == [400]
        await again.close()


def _deep(session: Session, conversation_id: str, depth: int) -> None:
    parent, rows = None, []
    for number in range(depth):
        identity = new_id()
        rows.append(
            {
                "id": identity,
                "conversation_id": conversation_id,
                "parent_id": parent,
                "batch_id": identity,
                "ordinal": number + 1,
                "role": "owner",
                "text": f"{number} {MARKER}",
                "citations": [],
                "attachment_ids": [],
                "created_at": number,
            }
        )
        parent = identity
    session.execute(insert(MessageTable), rows)
    session.get_one(ConversationTable, conversation_id).active_leaf_id = parent


def _export(session: Session, path: str, at: int) -> None:
    session.add(ExportRecordTable(id=new_id(), at=at, path=path))


def _from_the_future(session: Session, note_id: str) -> None:
    session.get_one(NoteTable, note_id).created_at = now() + 86_400_000


def _count(session: Session) -> int:
    return session.query(MessageTable).count()


async def test_a_full_search_beside_a_change_of_keys_is_made_anew(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of another key are noise, in which nothing is found."""
    note = await office.notes.add(MARKER)
    loop, real, keys = asyncio.get_running_loop(), office.erasing._search, []

    def beside(marks: Any, touched: Any, exports: Any) -> Any:
        if touched is None:
            keys.append(office.database.key)
            if len(keys) == 1:
                asyncio.run_coroutine_threadsafe(office.erasing.deepen(), loop).result(60)
        return real(marks, touched, exports)

    monkeypatch.setattr(office.erasing, "_search", beside)
    report = await office.erasing.erase([Subject("note", note.id)])
    assert (await office.erasing.proved(report.id)).state == "clean"
    assert len(keys) == 2 and keys[0] != keys[1]
