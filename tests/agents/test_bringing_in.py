"""Exports of ChatGPT and Claude come into a real office: whole trees, files, agents, notes; wholly or not at all."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.lifecycle.bringing_in import bring_in, look_into
from agents.office import Office
from memory import branches, chat_search, chats
from memory.chats import Turn
from memory.tables import MessageTable, ProvenanceTable
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
