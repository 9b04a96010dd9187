"""The lines of the list of conversations."""

from memory import chat_list, chats, messages, runs
from memory.chat_list import ChatEntry
from memory.database import Database
from memory.messages import Speaker


def entry(database: Database, conversation_id: str) -> ChatEntry:
    (found,) = database.write_now(chat_list.entries_of, [conversation_id])
    return found


def test_a_line_says_who_spoke_and_what_goes_on(database: Database) -> None:
    chat = database.write_now(chats.create_conversation, title="Rent")
    assert (entry(database, chat.id).speakers, entry(database, chat.id).status) == ((), "")
    question = database.write_now(messages.add_owner_message, chat.id, "Q")
    run = database.write_now(runs.create_run, conversation_id=chat.id, agent_id=None)
    speakers = [Speaker(None, "Ada", run.id), Speaker(None, "Ben", "r2")]
    answers = database.write_now(messages.add_agent_messages, question.id, speakers)
    assert entry(database, chat.id).status == "working" and entry(database, chat.id).speakers == (
        "Ada",
        "Ben",
    )
    database.write_now(runs.set_state, run.id, "running")
    database.write_now(runs.set_state, run.id, "needs_you")
    assert entry(database, chat.id).status == "needs_you"
    database.write_now(runs.set_state, run.id, "done")
    database.write_now(messages.finish_message, answers[0].id, "complete", text="A")
    ready = entry(database, chat.id)
    assert ready.status == "ready"
    database.write_now(chats.set_scroll, chat.id, {"seen_at": ready.updated_at})
    assert entry(database, chat.id).status == ""


def test_an_answer_that_did_not_come_about_is_not_ready(database: Database) -> None:
    chat = database.write_now(chats.create_conversation, title="Rent")
    question = database.write_now(messages.add_owner_message, chat.id, "Q")
    speakers = [Speaker(None, "Ada", "r1"), Speaker(None, "Ben", "r2")]
    answers = database.write_now(messages.add_agent_messages, question.id, speakers)
    database.write_now(messages.finish_message, answers[0].id, "complete", text="A")
    database.write_now(messages.finish_message, answers[1].id, "stopped", text="B")
    assert entry(database, chat.id).status == "stopped"
    database.write_now(messages.finish_message, answers[1].id, "interrupted", text="B")
    assert entry(database, chat.id).status == "interrupted"
    database.write_now(messages.finish_message, answers[0].id, "failed", text="")
    found = entry(database, chat.id)
    assert found.status == "failed" and found.speakers == ("Ada", "Ben")
    database.write_now(chats.set_scroll, chat.id, {"seen_at": found.updated_at})
    assert entry(database, chat.id).status == ""


def test_lines_stand_in_the_order_of_the_list(database: Database) -> None:
    made = [database.write_now(chats.create_conversation, title=f"{n}") for n in range(4)]
    database.write_now(chats.pin, made[1].id)
    database.write_now(chats.archive, made[3].id)
    listed = database.write_now(chat_list.entries, view="open", limit=10)
    assert [e.id for e in listed] == [c.id for c in database.write_now(chats.conversations)]
    assert listed[0].pinned and listed[0].id == made[1].id
    archived = database.write_now(chat_list.entries, view="archived", limit=10)
    assert [(e.id, e.archived) for e in archived] == [(made[3].id, True)]
    named = database.write_now(chat_list.entries_of, [made[3].id, "absent", made[0].id])
    assert [e.id for e in named] == [made[3].id, made[0].id]
