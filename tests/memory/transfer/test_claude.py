"""Claude's conversations, projects and memories: order, branches, blocks, files, and what drifted over the years."""

from typing import Any

import pytest

from memory.transfer.claude.conversations import conversation_of, moment
from memory.transfer.claude.projects import notes_of, project_of
from memory.transfer.incoming import (
    IncomingAgent,
    IncomingConversation,
    IncomingNote,
    Malformed,
    Problem,
)
from tests.memory.transfer import foreign_archives as made
from tests.memory.transfer.foreign_archives import claude_message as said


def of(*messages: dict[str, Any], **fields: Any) -> IncomingConversation:
    return conversation_of(made.claude("k", [*messages], **fields), 77)


def test_branches_follow_the_parents_that_are_named() -> None:
    root = "00000000-0000-4000-8000-000000000000"
    found = of(
        said("q", "human", "Why?", parent_message_uuid=root),
        said("a1", "assistant", "One", parent_message_uuid="q"),
        said("a2", "assistant", "Two", parent_message_uuid="q"),
        current_leaf_message_uuid="a1",
    )
    assert [(one.original_id, one.parent, one.role) for one in found.messages] == [
        ("q", None, "owner"),
        ("a1", "q", "agent"),
        ("a2", "q", "agent"),
    ]
    assert found.leaf == "a1"


@pytest.mark.parametrize("order", ["index", "created_at", ""])
def test_without_parents_index_then_time_then_place_give_the_order(order: str) -> None:
    first, second = said("q", "human", "Why?"), said("a", "assistant", "So.")
    if order == "index":
        first["index"], second["index"] = 0, 1
    if order == "created_at":
        second["created_at"] = "2025-03-01T10:00:05+00:00"
    found = of(*((second, first) if order else (first, second)))
    assert [(one.original_id, one.parent) for one in found.messages] == [("q", None), ("a", "q")]


def test_blocks_become_text_thinking_and_what_is_kept() -> None:
    tool = {"type": "tool_use", "name": "artifacts", "input": {"content": "x"}}
    cited = {"type": "text", "text": "End.", "citations": [{"url": "https://a.invalid"}]}
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "summaries": [{"summary": "s"}], "cut_off": False},
        {"type": "text", "text": "Begin.", "citations": []},
        tool,
        cited,
        {"type": "voice_note", "title": "T", "text": "Said aloud"},
    ]
    (message,) = of(said("a", "assistant", "flat", content=blocks)).messages
    assert (message.text, message.thinking) == ("Begin.\n\nEnd.\n\nT\n\nSaid aloud", "Hm.")
    assert message.extra == {
        "content": [{"type": "thinking"}, {"type": "text"}, tool, cited, {"type": "voice_note"}]
    }
    (old,) = of(said("a", "assistant", "flat", content=None)).messages
    assert (old.text, old.extra) == ("flat", None)


def test_extracted_text_is_a_file_and_others_are_named() -> None:
    (message,) = of(
        said(
            "q",
            "human",
            "",
            attachments=[
                {
                    "file_name": "lease.pdf",
                    "file_size": 9,
                    "file_type": "application/pdf",
                    "extracted_content": "Rent",
                },
                {"file_name": "log.txt", "extracted_content": "Low\ud83d"},
            ],
            files=[{"file_name": "quay.png", "file_uuid": "f-1"}, {"file_name": "lease.pdf.txt"}],
        )
    ).messages
    assert [(file.name, file.content) for file in message.files] == [
        ("lease.pdf.txt", b"Rent"),
        ("log.txt", b"Low?"),
        ("quay.png", None),
    ]
    assert not message.hidden


def test_an_empty_conversation_is_one_and_a_broken_one_is_told() -> None:
    empty = of(name="", is_starred=True, project={"uuid": "p"}, workspace_id="w")
    assert (empty.messages, empty.leaf, empty.pinned, empty.project) == ((), None, True, "p")
    assert empty.extra == {"workspace_id": "w"}
    for broken in ([5], [{"sender": "human"}], [said("a", "human", "x"), said("a", "human", "y")]):
        with pytest.raises(Malformed):
            of(*broken)  # type: ignore[arg-type]  # that is what is broken about them
    with pytest.raises(Malformed):
        of(said("a", "human", "x", parent_message_uuid="b"), said("b", "human", "y", parent_message_uuid="a"))


@pytest.mark.parametrize(
    "broken", ["yesterday", "0001-01-01T00:00:00Z", None, 5, "9999-12-31T23:59:59-14:00"]
)
def test_what_is_no_time_is_none(broken: object) -> None:
    assert moment(broken) is None
    assert moment("2025-03-01T10:00:00.250Z") == moment("2025-03-01T12:00:00.250+02:00") == 1_740_823_200_250


def test_a_project_becomes_an_agent_and_the_conversation_of_its_files() -> None:
    docs = [{"uuid": "d", "filename": "rules.md", "content": "# Rules", "created_at": None}]
    project = {
        "uuid": "p", "name": " Harbour  office ", "description": "Knows it", "prompt_template": "Be brief.",
        "created_at": "2025-03-01T10:00:00Z", "docs": docs, "is_private": True,
    }  # fmt: skip
    agent, files = project_of(project, 77)
    assert isinstance(agent, IncomingAgent) and isinstance(files, IncomingConversation)
    assert (agent.name, agent.role, agent.instructions) == ("Harbour office", "Knows it", "Be brief.")
    assert (files.title, files.project) == ("Project files: Harbour office", "p")
    assert [(file.name, file.content) for file in files.messages[0].files] == [("rules.md", b"# Rules")]
    assert list(project_of({"uuid": "s", "name": "How to", "is_starter_project": True}, 77)) == []
    with pytest.raises(Malformed):
        list(project_of(["no"], 77))


def test_memories_become_notes_of_the_office_and_of_projects() -> None:
    memories = [
        {
            "conversations_memory": "Likes tea.",
            "project_memories": {"p": "Uses sheet 7.", "q": " "},
            "account_uuid": "u",
            "memory_files": [{"path": "a.md", "content": "Old"}],
        },
        "nothing",
    ]
    found = list(notes_of(memories))
    assert [(one.text, one.project) for one in found if isinstance(one, IncomingNote)] == [
        ("Likes tea.", ""),
        ("Uses sheet 7.", "p"),
        ("Old", ""),
    ]
    assert isinstance(found[-1], Problem)
