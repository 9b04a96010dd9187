"""ChatGPT's messages, by the type of their content: what is shown, hidden, attached, cited or kept as it came."""

from typing import Any

import pytest

from memory.transfer.chatgpt.contents import said
from memory.transfer.chatgpt.conversations import conversation_of
from memory.transfer.chatgpt.members import Members
from memory.transfer.incoming import IncomingConversation, Malformed
from tests.memory.transfer import foreign_archives as made

NOBODY = Members(())


def message(role: str, content: Any, **fields: Any) -> dict[str, Any]:
    return made.node("m", None, role, content, **fields)["message"]


def test_pictures_are_found_by_the_beginning_of_their_names() -> None:
    members = Members(
        (
            "user-9/file_0a1-photo.png",
            "file_0a12.png",
            "file-Old7-tide table.pdf",
            "dalle-generations/file-Gen.webp",
        )
    )
    assert members.find("sediment://file_0a1#page=2") == "user-9/file_0a1-photo.png"
    assert members.find("file-service://file-Gen") == "dalle-generations/file-Gen.webp"
    assert members.find("file-Old7") == "file-Old7-tide table.pdf"
    assert (members.find("sediment://file_0a"), members.find("sediment://"), members.find("")) == ("", "", "")
    found = said(
        message(
            "user",
            {
                "content_type": "multimodal_text",
                "parts": [
                    {
                        "content_type": "image_asset_pointer",
                        "asset_pointer": "sediment://file_0a1",
                        "size_bytes": 5,
                    },
                    {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_gone"},
                    "What is this?",
                ],
            },
            metadata={"attachments": [{"id": "file_0a1", "name": "quay.png", "mime_type": "image/png"}]},
        ),
        members,
        "",
    )
    assert found.text == "What is this?"
    assert [(file.name, file.member) for file in found.files] == [
        ("quay.png", "user-9/file_0a1-photo.png"),
        ("file_gone", ""),
    ]


@pytest.mark.parametrize(
    ("shown", "role", "fields"),
    [
        (True, "user", {}),
        (True, "assistant", {}),
        (False, "assistant", {"recipient": "browser"}),
        (False, "tool", {}),
        (False, "function", {}),
        (False, "system", {}),
        (True, "system", {"metadata": {"is_user_system_message": True}}),
        (False, "user", {"metadata": {"is_visually_hidden_from_conversation": True}}),
        (False, "somebody new", {}),
    ],
)
def test_what_chatgpt_did_not_show_is_hidden(shown: bool, role: str, fields: dict[str, Any]) -> None:
    assert said(message(role, "words", **fields), NOBODY, "").hidden is not shown


def test_a_picture_that_a_tool_made_is_shown() -> None:
    pointer = {
        "content_type": "image_asset_pointer",
        "asset_pointer": "file-service://file-Gen",
        "metadata": {"dalle": {}},
    }
    made_by_tool = message(
        "tool", {"content_type": "multimodal_text", "parts": [pointer]}, name="dalle.text2im"
    )
    found = said(made_by_tool, Members(("file-Gen-1.webp",)), "gpt-4o")
    assert (found.hidden, found.files[0].member, found.role) == (False, "file-Gen-1.webp", "agent")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"content_type": "code", "language": "python", "text": "a = '```'"}, "````python\na = '```'\n````"),
        ({"content_type": "tether_quote", "url": "u", "title": "T", "text": "a\nb"}, "T\n\nu\n\n> a\n> b"),
        ({"content_type": "system_error", "name": "Timeout", "text": "too long"}, "Timeout: too long"),
        ({"content_type": "user_editable_context", "user_profile": "P", "user_instructions": "I"}, "P\n\nI"),
        ({"content_type": "hologram", "light": [1]}, "[“hologram”, kept as it came]"),
        (
            {
                "content_type": "multimodal_text",
                "parts": [{"content_type": "audio_transcription", "text": "hi"}],
            },
            "hi",
        ),
        ({"content_type": "text", "parts": [None, 5, "x"]}, "x"),
    ],
)
def test_each_type_of_content_has_its_text(content: dict[str, Any], text: str) -> None:
    assert said(message("assistant", content), NOBODY, "").text == text


def test_unknown_content_is_kept_as_it_came() -> None:
    content = {"content_type": "hologram", "light": [1, {"a": None}]}
    assert said(message("assistant", content), NOBODY, "").extra == {"content": content}


def test_citations_become_links_and_stay_in_the_provenance() -> None:
    metadata = {
        "content_references": [
            {
                "matched_text": "\ue200cite\ue202turn0search0\ue201",
                "items": [{"title": "Tide [table]", "url": "https://a.invalid/t"}],
            },
            {"matched_text": "\ue200x\ue201", "alt": "([B](https://b.invalid))"},
        ]
    }
    found = said(
        message(
            "assistant",
            "High\ue200cite\ue202turn0search0\ue201, low\ue200x\ue201.\ue200y\ue201",
            metadata=metadata,
        ),
        NOBODY,
        "",
    )
    assert found.text == "High([Tide (table)](<https://a.invalid/t>)), low([B](https://b.invalid))."
    assert found.extra == metadata
    old = {"citations": [{"start_ix": 4, "end_ix": 15, "metadata": {"title": "Log", "url": "javascript:x"}}]}
    assert said(message("assistant", "Said【11†source】.", metadata=old), NOBODY, "").text == "Said(Log)."


def test_thinking_goes_with_the_answers_below_it_and_nowhere_else() -> None:
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "S", "content": "C"}]}
    conversation = of(
        made.node("q", None, "user", "?", 5.0),
        made.node("t", "q", "assistant", thoughts, 6.0),
        made.node(
            "recap", "t", "assistant", {"content_type": "reasoning_recap", "content": "Thought for 3 s"}, 7.0
        ),
        made.node("a", "recap", "assistant", "One", 8.0),
        made.node("b", "recap", "assistant", "Two", 9.0),
        made.node("t2", "b", "assistant", thoughts, 10.0),
        current="t2",
    )
    by_id = {one.original_id: one for one in conversation.messages}
    assert by_id["a"].thinking == by_id["b"].thinking == "**S**\n\nC\n\nThought for 3 s"
    assert (by_id["t"].thinking, by_id["t"].hidden, by_id["t2"].thinking) == ("", True, "**S**\n\nC")
    assert (by_id["a"].parent, by_id["b"].parent, conversation.leaf) == ("q", "q", "b")


@pytest.mark.parametrize(
    "broken",
    [
        {"id": None, "conversation_id": None},
        {"mapping": None},
        {"mapping": {"a": 5}},
        {"mapping": {"a": made.node("a", "b", "user", "x"), "b": made.node("b", "a", "user", "y")}},
    ],
)
def test_a_conversation_that_is_none_says_why(broken: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        conversation_of(made.chatgpt([], None, **broken), NOBODY, 1)


def test_strange_times_and_fields_are_borne() -> None:
    strange = of(
        made.node("a", "gone", "user", "x", float("nan")),
        made.node("b", "a", "assistant", "y", 1e300),
        made.node("c", "b", "user", "z", -5),
        current="nowhere",
        create_time=float("inf"),
        update_time=True,
        title=None,
        is_starred=True,
        gizmo_id="g-7",
    )
    assert {one.created_at for one in strange.messages} == {77}
    assert (strange.leaf, strange.pinned, strange.extra) == ("c", True, {"gizmo_id": "g-7"})


def of(*nodes: dict[str, Any], current: str, **fields: Any) -> IncomingConversation:
    return conversation_of(made.chatgpt(nodes, current, **fields), NOBODY, 77)
