"""Whatever is asked, edited, regenerated and switched, the shown path stays one path through one tree."""

import random

import pytest
from sqlalchemy.orm import Session

from memory import branches, chats, messages
from memory.chats import Turn
from memory.database import Database
from memory.messages import Speaker


def act(session: Session, conversation_id: str, chance: random.Random) -> None:
    turns = branches.path(session, conversation_id)
    owners = [turn.messages[0] for turn in turns if turn.messages[0].role == "owner"]
    switchable = [turn for turn in turns if turn.alternatives > 1]
    choice = chance.random()
    if not owners or choice < 0.4:
        question = messages.add_owner_message(session, conversation_id, "Q")
        answer(session, question.id, chance)
    elif choice < 0.55:
        answer(session, messages.edit_owner_message(session, chance.choice(owners).id, "E").id, chance)
    elif choice < 0.7:
        answer(session, chance.choice(owners).id, chance)
    elif switchable:
        turn = chance.choice(switchable)
        step = chance.choice((-1, 1))
        branches.branch(session, chance.choice(turn.messages).id, step)
        index = turns.index(turn)
        after = branches.path(session, conversation_id)
        assert after[:index] == turns[:index]
        assert after[index].alternative == (turn.alternative - 1 + step) % turn.alternatives + 1
        branches.branch(session, after[index].messages[0].id, -step)
        assert branches.path(session, conversation_id) == turns
        branches.branch(session, turn.messages[0].id, step)


def answer(session: Session, question_id: str, chance: random.Random) -> None:
    speakers = [Speaker(None, f"A{n}", f"r{n}") for n in range(chance.randint(1, 3))]
    messages.add_agent_messages(session, question_id, speakers)


def check(session: Session, conversation_id: str, turns: tuple[Turn, ...]) -> None:
    above = None
    for turn in turns:
        assert {message.parent_id for message in turn.messages} == {above}
        assert [message.position for message in turn.messages] == list(range(len(turn.messages)))
        assert 1 <= turn.alternative <= turn.alternatives
        above = turn.messages[0].id
    assert chats.conversation(session, conversation_id).active_leaf_id == above
    assert branches.tail(session, conversation_id, 5) == turns[-5:]
    steps = branches.outline(session, conversation_id)
    assert [step.message_ids for step in steps] == [tuple(m.id for m in turn.messages) for turn in turns]


@pytest.mark.parametrize("seed", range(8))
def test_the_shown_path_stays_one_path(database: Database, seed: int) -> None:
    def walk(session: Session) -> int:
        chance = random.Random(seed)
        conversation_id = chats.create_conversation(session).id
        for _step in range(60):
            act(session, conversation_id, chance)
            check(session, conversation_id, branches.path(session, conversation_id))
        return len(branches.path(session, conversation_id))

    assert database.write_now(walk) > 1, "the walk wrote nothing that could have been shown wrongly"
