"""Conversations: the list, titles, drafts, the tree of messages and its branches."""

import pytest
from sqlalchemy.orm import Session

from memory import attachments, branches, chats, messages
from memory.chats import Conversation
from memory.database import Database
from memory.errors import NotFound, Refused
from memory.messages import Speaker

AWKWARD = [
    "it's \"quoted\" -- '; DROP TABLE message; --",
    "שלום עולם ‏(RTL)‎ مرحبا",
    "👩‍👩‍👧‍👦 family 🇩🇪 flag é",
    "line one\nline two\r\nline three\u2028end",
    "with a NUL \0 inside",
    "lone surrogate \ud83d here",
]


def shown(database: Database, conversation: Conversation) -> list[list[str]]:
    turns = database.write_now(branches.path, conversation.id)
    return [[message.text or message.agent_name for message in turn.messages] for turn in turns]


def ask(database: Database, conversation: Conversation, text: str, *names: str) -> tuple[str, list[str]]:
    question = database.write_now(messages.add_owner_message, conversation.id, text)
    speakers = [Speaker(None, name, f"run-{name}", "m") for name in names]
    answers = database.write_now(messages.add_agent_messages, question.id, speakers)
    return question.id, [answer.id for answer in answers]


def test_list_views_order_and_pages(database: Database) -> None:
    made = [database.write_now(chats.create_conversation, title=f"Chat {n}") for n in range(7)]
    for conversation in made:  # each is now the latest
        database.write_now(messages.add_owner_message, conversation.id, "hello")
    database.write_now(chats.archive, made[0].id)
    database.write_now(chats.trash, made[1].id)
    pinned = database.write_now(chats.pin, made[2].id)
    listed = database.write_now(chats.conversations)
    assert listed[0] == pinned and {c.id for c in listed} == {c.id for c in made[2:]}
    stamps = [c.updated_at for c in listed[1:]]
    assert stamps == sorted(stamps, reverse=True)
    pages, last = [], None
    while page := database.write_now(chats.conversations, limit=2, before=last):
        pages.extend(page)
        last = page[-1]
    assert pages == list(listed)
    assert [c.id for c in database.write_now(chats.conversations, view="archived")] == [made[0].id]
    assert [c.id for c in database.write_now(chats.conversations, view="trash")] == [made[1].id]
    assert database.write_now(chats.counts) == {"open": 5, "archived": 1, "trash": 1}
    database.write_now(chats.restore, made[1].id)
    database.write_now(chats.unarchive, made[0].id)
    database.write_now(chats.unpin, made[2].id)
    assert database.write_now(chats.counts) == {"open": 7, "archived": 0, "trash": 0}


def test_titles_by_rule_until_the_owner_names_it(database: Database, conversation: Conversation) -> None:
    database.write_now(messages.add_owner_message, conversation.id, "## What is **rent**? Tell me.\nmore")
    assert database.write_now(chats.conversation, conversation.id).title == "What is rent?"
    database.write_now(chats.rename, conversation.id, " Straße\nund Miete ")
    database.write_now(messages.add_owner_message, conversation.id, "Another question")
    named = database.write_now(chats.conversation, conversation.id)
    assert (named.title, named.title_source) == ("Straße und Miete", "owner")
    assert [c.id for c in database.write_now(chats.search_titles, "MIETE strasse")] == [conversation.id]
    assert database.write_now(chats.search_titles, "miete%") == ()
    assert database.write_now(chats.rename, conversation.id, "").title == "What is rent?"


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_survives(database: Database, conversation: Conversation, text: str) -> None:
    kept = text.replace("\ud83d", "\ufffd")
    database.write_now(chats.rename, conversation.id, text)
    database.write_now(chats.set_draft, conversation.id, {"text": text})
    question = database.write_now(messages.add_owner_message, conversation.id, text)
    (answer,) = database.write_now(messages.add_agent_messages, question.id, [(None, text, "run", "m")])
    database.write_now(messages.append_text, answer.id, text, text)
    database.write_now(messages.append_text, answer.id, text)
    found = database.write_now(messages.message, answer.id)
    assert (found.text, found.thinking, found.agent_name) == (kept + kept, kept, kept)
    assert database.write_now(messages.message, question.id).text == kept
    again = database.write_now(chats.conversation, conversation.id)
    assert again.draft == {"text": text} and "\n" not in again.title and "\0" not in again.title


def test_a_megabyte_of_text(database: Database, conversation: Conversation) -> None:
    text = "ä€🎈 line\n" * 100_000
    question = database.write_now(messages.add_owner_message, conversation.id, text)
    assert database.write_now(messages.message, question.id).text == text
    assert database.write_now(chats.conversation, conversation.id).title == "ä€🎈 line"


def test_draft_scroll_and_choices(database: Database, conversation: Conversation) -> None:
    draft = {"text": "half a th", "attachment_ids": ["x"], "agent_ids": []}
    database.write_now(chats.set_draft, conversation.id, draft)
    database.write_now(chats.set_scroll, conversation.id, {"message": "m", "offset": 12})
    database.write_now(chats.choose, conversation.id, model="large", effort="deep")
    database.write_now(chats.choose, conversation.id, effort="quick")
    found = database.write_now(chats.conversation, conversation.id)
    assert found.draft == draft and found.scroll == {"message": "m", "offset": 12}
    assert (found.model, found.effort) == ("large", "quick")
    with pytest.raises(NotFound, match="absent"):
        database.write_now(chats.rename, "absent", "x")


def test_streaming_and_its_end(database: Database, conversation: Conversation) -> None:
    _, (first, second) = ask(database, conversation, "Q", "Ada", "Ben")
    assert database.write_now(messages.message, first).state == "queued"
    database.write_now(messages.append_texts, [(first, "Hel", "hm"), (second, "", "…"), (first, "lo", "")])
    message = database.write_now(messages.message, first)
    assert (message.text, message.thinking, message.state) == ("Hello", "hm", "streaming")
    cited = [{"file": "a.pdf", "page": 3, "quote": "q"}]
    done = database.write_now(messages.finish_message, first, "complete", citations=cited)
    assert done.citations == tuple(cited) and done.state == "complete"
    database.write_now(messages.append_text, first, " too late")
    assert database.write_now(messages.message, first).text == "Hello"
    assert [m.id for m in database.write_now(messages.messages_of_run, "run-Ben")] == [second]


def test_branches_come_back_as_last_shown(database: Database, conversation: Conversation) -> None:
    first, answers = ask(database, conversation, "Q1", "Ada", "Ben")
    ask(database, conversation, "Q2", "Ada2")
    assert shown(database, conversation) == [["Q1"], ["Ada", "Ben"], ["Q2"], ["Ada2"]]
    # Another second question, then another answer to the first one.
    second = database.write_now(branches.path, conversation.id)[2].messages[0]
    edited = database.write_now(messages.edit_owner_message, second.id, "Q2 edited")
    assert edited.parent_id == second.parent_id == answers[0]
    database.write_now(messages.add_agent_messages, first, [Speaker(None, "Cy", "run-Cy")])
    assert shown(database, conversation) == [["Q1"], ["Cy"]]
    whole = database.write_now(branches.path, conversation.id)
    assert database.write_now(branches.tail, conversation.id) == whole
    turns = database.write_now(branches.path, conversation.id)
    assert (turns[1].alternative, turns[1].alternatives) == (2, 2)
    database.write_now(branches.branch, turns[1].messages[0].id, -1)
    assert shown(database, conversation) == [["Q1"], ["Ada", "Ben"], ["Q2 edited"]]
    database.write_now(branches.branch, edited.id, 1)  # past the last comes the first
    assert shown(database, conversation) == [["Q1"], ["Ada", "Ben"], ["Q2"], ["Ada2"]]
    database.write_now(branches.branch, answers[1], 1)
    database.write_now(branches.branch, turns[1].messages[0].id, 1)
    assert shown(database, conversation) == [["Q1"], ["Ada", "Ben"], ["Q2"], ["Ada2"]]
    database.write_now(branches.reveal, edited.id)
    assert shown(database, conversation)[-1] == ["Q2 edited"]
    with pytest.raises(Refused, match="no other version"):
        database.write_now(branches.branch, first, 1)
    with pytest.raises(Refused, match="cannot be edited"):
        database.write_now(messages.edit_owner_message, answers[0], "x")


def test_a_first_message_can_be_edited(database: Database, conversation: Conversation) -> None:
    first, _ = ask(database, conversation, "One", "Ada")
    database.write_now(messages.edit_owner_message, first, "Two")
    turns = database.write_now(branches.path, conversation.id)
    assert shown(database, conversation) == [["Two"]] and turns[0].alternatives == 2
    database.write_now(branches.branch, turns[0].messages[0].id, 1)
    assert shown(database, conversation) == [["One"], ["Ada"]]


def test_a_clock_set_back_does_not_reorder(
    database: Database, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(2_000_000_000_000, 0, -1_000_000))
    monkeypatch.setattr(messages, "now", lambda: next(clock))
    for n in range(4):
        ask(database, conversation, f"Q{n}", f"A{n}", f"B{n}")
    first = database.write_now(branches.path, conversation.id)[0].messages[0]
    for n in range(3):
        database.write_now(messages.add_agent_messages, first.id, [Speaker(None, f"again {n}", f"r{n}")])
    turns = database.write_now(branches.path, conversation.id)
    assert (turns[1].alternative, turns[1].alternatives) == (4, 4)
    database.write_now(branches.branch, turns[1].messages[0].id, 1)
    texts = shown(database, conversation)
    assert texts == [column for n in range(4) for column in ([f"Q{n}"], [f"A{n}", f"B{n}"])]


def test_long_paths_are_read_in_parts(database: Database, conversation: Conversation) -> None:
    def fill(session: Session) -> None:
        for n in range(300):
            question = messages.add_owner_message(session, conversation.id, f"Q{n}")
            messages.add_agent_messages(session, question.id, [Speaker(None, f"A{n}", f"r{n}")])

    database.write_now(fill)
    steps = database.write_now(branches.outline, conversation.id)
    assert len(steps) == 600
    tail = database.write_now(branches.turns, steps[-3:])
    assert [turn.messages[0].text or turn.messages[0].agent_name for turn in tail] == ["A298", "Q299", "A299"]
    assert database.write_now(branches.tail, conversation.id, 3) == tail
    assert database.write_now(branches.turns, steps) == database.write_now(branches.path, conversation.id)


def test_files_go_from_the_draft_to_the_message(database: Database, conversation: Conversation) -> None:
    from memory.tables import BlobTable

    def blob(session: object, identifier: str) -> None:
        session.add(BlobTable(id=identifier, key=b"k" * 32, size=1, chunks=1, sha256="", created_at=0))

    for identifier in ("b1", "b2"):
        database.write_now(blob, identifier)
    kept = database.write_now(
        attachments.add_attachment, conversation.id, blob_id="b1", name="a\n.pdf", size=1
    )
    gone = database.write_now(attachments.add_attachment, conversation.id, blob_id="b2", name="b", size=1)
    assert database.write_now(attachments.remove_attachment, gone.id) == "b2"
    question = database.write_now(
        messages.add_owner_message, conversation.id, "read it", attachment_ids=[kept.id]
    )
    edited = database.write_now(messages.edit_owner_message, question.id, "read it well")
    assert edited.attachment_ids == (kept.id,)
    (found,) = database.write_now(attachments.attachments, conversation.id)
    assert found.message_id == question.id and found.state == "pending"
    read = database.write_now(
        attachments.update_attachment, kept.id, state="ready", kind="pdf", pages=41, characters=9
    )
    assert (read.kind, read.pages, read.state) == ("pdf", 41, "ready")
    assert database.write_now(attachments.attachments_of, ["absent", kept.id]) == (read,)
    assert database.write_now(attachments.attachments_in_state, "ready") == (read,)
    with pytest.raises(Refused, match="sent already"):
        database.write_now(attachments.remove_attachment, kept.id)
    other = database.write_now(chats.create_conversation)
    with pytest.raises(Refused, match="another conversation"):
        database.write_now(messages.add_owner_message, other.id, "x", attachment_ids=[kept.id])
    assert database.write_now(branches.path, other.id) == ()
