"""The same export taken again later, with more chats and more in known chats: only what is new comes in."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from agents.lifecycle.bringing_in import bring_in, look_into
from agents.office import Office
from memory import attachments, branches, chats, integrity, messages
from memory.lifecycle.subjects import Subject
from memory.transfer.errors import TransferCancelled
from tests.agents.conftest import PASSPHRASE
from tests.agents.test_bringing_in import paths, rows
from tests.memory.transfer import foreign_archives as made

BEGUN = 1_700_000_000.0


def chatgpt(length: int, number: int = 1, **fields: Any) -> dict[str, Any]:
    """A chat of ChatGPT in which question and answer alternate, each below the one before."""
    nodes = [made.node("root", None)]
    for place in range(length):
        role = "assistant" if place % 2 else "user"
        parent = str(place - 1) if place else "root"
        nodes.append(made.node(str(place), parent, role, f"{number}: word {place}", BEGUN + place))
    named = {"id": f"c-{number}", "conversation_id": f"c-{number}", "title": f"Chat {number}"}
    return made.chatgpt(nodes, str(length - 1), **named, **fields)


def claude(length: int, number: int = 1) -> dict[str, Any]:
    """A chat of Claude in which question and answer alternate."""
    said = [
        made.claude_message(
            f"{number}-{place}",
            "assistant" if place % 2 else "human",
            f"{number}: word {place}",
            created_at=f"2025-03-01T10:{place:02}:00Z",
            **({"parent_message_uuid": f"{number}-{place - 1}"} if place else {}),
        )
        for place in range(length)
    ]
    return made.claude(f"conv-{number}", said, name=f"Chat {number}")


MAKERS = {"chatgpt": chatgpt, "claude": claude}


def archive(folder: Path, kind: str, name: str, *chats_: dict[str, Any], **members: Any) -> Path:
    people = {"users.json": [{"uuid": "acc", "full_name": "A", "email_address": "a@example.org"}]}
    whole = {"conversations.json": [*chats_], **(people if kind == "claude" else {}), **members}
    return made.zipped(folder / name, whole)


async def shown(office: Office) -> dict[str, list[str]]:
    assert await office.database.read(integrity.check) == ()
    found = await paths(office)
    return {
        title: [message.text for turn in turns for message in turn.messages] for title, turns in found.items()
    }


def said(number: int, length: int) -> list[str]:
    return [f"{number}: word {place}" for place in range(length)]


@pytest.mark.req("R137")
@pytest.mark.parametrize("kind", MAKERS)
async def test_only_what_is_new_comes_in(office: Office, tmp_path: Path, kind: str) -> None:
    make = MAKERS[kind]
    await bring_in(office, archive(tmp_path, kind, "one.zip", make(4, 1), make(2, 2)))
    later = archive(tmp_path, kind, "two.zip", make(9, 1), make(2, 2), make(3, 3))
    looked = await look_into(office, later)
    for found in (looked.summary, (await bring_in(office, later)).summary):
        assert (found.conversations, found.grown, found.already_here, found.messages) == (1, 1, 1, 8)
    assert await shown(office) == {f"Chat {n}": said(n, length) for n, length in ((1, 9), (2, 2), (3, 3))}
    before = await office.database.read(rows)
    again = (await bring_in(office, later)).summary
    assert (again.conversations, again.grown, again.already_here, again.messages) == (0, 0, 3, 0)
    after = await office.database.read(rows)
    assert {name: count for name, count in after.items() if after[name] != before[name]}.keys() <= {
        "import", "audit"
    }  # fmt: skip


async def test_where_its_owner_went_on_here_the_new_is_another_branch(office: Office, tmp_path: Path) -> None:
    await bring_in(office, archive(tmp_path, "chatgpt", "one.zip", chatgpt(4)))
    (chat,) = await office.database.read(chats.conversations)
    mine = await office.database.write(messages.add_owner_message, chat.id, "And here?")
    await bring_in(office, archive(tmp_path, "chatgpt", "two.zip", chatgpt(6)))
    assert await shown(office) == {"Chat 1": [*said(1, 4), "And here?"]}
    turn = (await office.database.read(branches.path, chat.id))[-1]
    assert (turn.messages[0].id, turn.alternatives) == (mine.id, 2)
    await office.database.write(branches.branch, mine.id, 1)
    assert await shown(office) == {"Chat 1": said(1, 6)}


async def test_new_versions_files_and_hidden_messages_come_too(office: Office, tmp_path: Path) -> None:
    await bring_in(office, archive(tmp_path, "chatgpt", "one.zip", chatgpt(2)))
    grown = chatgpt(2)
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_1"}
    content = {"content_type": "multimodal_text", "parts": ["See", picture]}
    more = [
        made.node("1b", "0", "assistant", "Another answer", BEGUN + 9),
        made.node("2", "1b", "user", content, BEGUN + 10),
        made.node(
            "plan", "2", "assistant", {"content_type": "code", "text": "tide()"}, BEGUN + 11, recipient="x"
        ),
    ]
    for one in more:
        grown["mapping"][one["id"]] = one
        grown["mapping"][one["parent"]]["children"].append(one["id"])
    grown["current_node"] = "plan"
    brought = await bring_in(
        office, archive(tmp_path, "chatgpt", "two.zip", grown, **{"file_1.png": made.PICTURE})
    )
    assert (brought.summary.messages, brought.summary.hidden, brought.summary.files) == (2, 1, 1)
    turns = (await paths(office))["Chat 1"]
    assert [turn.messages[0].text for turn in turns] == ["1: word 0", "1: word 1"]
    assert turns[1].alternatives == 2
    (chat,) = await office.database.read(chats.conversations)
    await office.database.write(branches.branch, turns[1].messages[0].id, 1)
    turns = await office.database.read(branches.path, chat.id)
    assert [turn.messages[0].text for turn in turns] == ["1: word 0", "Another answer", "See"]
    (attachment_id,) = turns[2].messages[0].attachment_ids
    (file,) = await office.database.read(attachments.attachments, chat.id)
    assert file.id == attachment_id and await office.files.content(file) == made.PICTURE


async def test_what_was_erased_of_it_stays_away(office: Office, tmp_path: Path) -> None:
    await bring_in(office, archive(tmp_path, "chatgpt", "one.zip", chatgpt(4), chatgpt(2, 2)))
    listed = {one.title: one for one in await office.database.read(chats.conversations)}
    path = await office.database.read(branches.path, listed["Chat 1"].id)
    await office.erasing.erase(
        [Subject("message", path[3].messages[0].id), Subject("conversation", listed["Chat 2"].id)]
    )
    await bring_in(office, archive(tmp_path, "chatgpt", "two.zip", chatgpt(6), chatgpt(4, 2)))
    assert [*(await shown(office)).values()] == [[*said(1, 3), *said(1, 6)[4:]]]


async def test_given_up_in_the_middle_the_chat_is_as_it_was(office: Office, tmp_path: Path) -> None:
    await bring_in(office, archive(tmp_path, "chatgpt", "one.zip", chatgpt(2)))
    before, seen = await office.database.read(rows), []
    many = [chatgpt(900), *(chatgpt(300, number) for number in range(2, 6))]
    later = archive(tmp_path, "chatgpt", "two.zip", *many)

    def cancelled() -> bool:
        seen.append(len(seen))
        return len(seen) > 3

    with pytest.raises(TransferCancelled):
        await bring_in(office, later, cancelled=cancelled)
    assert await office.database.read(rows) == before
    assert await shown(office) == {"Chat 1": said(1, 2)}
    await bring_in(office, later)
    assert (await shown(office))["Chat 1"] == said(1, 900)


async def test_killed_in_the_middle_the_chat_is_as_it_was(
    offices: Callable[..., Awaitable[Office]], own_home: Path, tmp_path: Path
) -> None:
    office = await offices()
    await bring_in(office, archive(tmp_path, "chatgpt", "one.zip", chatgpt(2)))
    office.imports.start()
    await office.imports.settled()
    before = await office.database.read(rows)
    await office.close()
    later = archive(tmp_path, "chatgpt", "two.zip", *(chatgpt(900, number) for number in range(1, 5)))
    for batches in (0, 1, 3):
        words = [str(own_home / "office"), PASSPHRASE, str(later), str(batches)]
        killed = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "tests.agents.import_to_kill", *words], check=False
        )
        assert killed.returncode == -signal.SIGKILL
        office = await offices()
        assert await shown(office) == {"Chat 1": said(1, 2)}
        office.imports.start()
        await office.imports.settled()
        assert await office.database.read(rows) == before
        await office.close()
    office = await offices()
    await bring_in(office, later)
    assert (await shown(office))["Chat 1"] == said(1, 900)


async def test_erased_while_more_of_it_comes_in(office: Office, tmp_path: Path) -> None:
    """A message that new ones hang below goes meanwhile, and another chat wholly."""
    await bring_in(office, archive(tmp_path, "chatgpt", "one.zip", chatgpt(2), chatgpt(2, 2)))
    listed = {one.title: one for one in await office.database.read(chats.conversations)}
    path = await office.database.read(branches.path, listed["Chat 1"].id)
    doomed = [Subject("message", path[1].messages[0].id), Subject("conversation", listed["Chat 2"].id)]
    later = archive(tmp_path, "chatgpt", "two.zip", chatgpt(4), chatgpt(4, 2))
    original, finishing = office.database.write, []

    async def write(operation: Any, *arguments: Any, **named: Any) -> Any:
        if operation.__name__ == "finish" and not finishing:
            finishing.append(True)
            await office.erasing.erase(doomed)
        return await original(operation, *arguments, **named)

    office.database.write = write  # type: ignore[method-assign]  # the last moment at which it can happen
    await bring_in(office, later)
    assert finishing
    assert await office.database.read(integrity.check) == ()
    assert len(await office.database.read(chats.conversations)) == 1
    texts = await office.database.read(_texts)
    assert sorted(texts) == ["1: word 0", "1: word 2", "1: word 3"]


def _texts(session: Session) -> list[str]:
    return list(session.connection().exec_driver_sql("SELECT text FROM message").scalars())
