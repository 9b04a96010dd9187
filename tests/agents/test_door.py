"""The local socket: who may enter, what walks through it, and how a command is stopped."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents.door.client import OwnerGone, call
from agents.door.peers import is_descendant
from agents.door.protocol import Caller, CommandFailed
from agents.door.server import Door


async def handle(command, arguments, caller):
    """A small office: echoes, counts until stopped, refuses."""
    if command == "echo":
        yield {"kind": "result", "value": arguments}
    elif command == "count":
        number = 0
        while not caller.stopped.is_set():
            number += 1
            yield {"kind": "text", "text": str(number)}
            await asyncio.sleep(0.01)
        yield {"kind": "result", "value": number}
    else:
        raise CommandFailed("There is no such command: see the help.", 2)


@pytest.fixture
async def door(tmp_path: Path):
    opened = Door(tmp_path / "office.sock", handle)
    await opened.open()
    yield opened
    await opened.close()
    assert not opened.path.exists()


ENTER = """
import asyncio, json, sys
from pathlib import Path
from agents.door.client import call
from agents.door.protocol import Caller, CommandFailed
async def main():
    try:
        async for item in call(Path(sys.argv[1]), "echo", {"text": "héllo"}, Caller()):
            print(json.dumps(item))
    except CommandFailed as failure:
        print("refused:", failure)
asyncio.run(main())
"""


async def visit(path: Path) -> str:
    """Visit the door from a child process of the one that holds it."""
    program = [sys.executable, "-c", ENTER, str(path)]
    process = await asyncio.create_subprocess_exec(
        *program, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."}
    )
    output, _errors = await process.communicate()
    return output.decode()


@pytest.mark.req("R176")
async def test_a_child_of_the_office_is_refused(door: Door) -> None:
    assert "refused: This program may not command the office" in await visit(door.path)


async def test_a_grandchild_cannot_escape_by_a_double_fork(door: Door, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    script = f"{sys.executable} -c '{ENTER}' {door.path} > {answer} 2>&1 &"
    process = await asyncio.create_subprocess_exec(
        "setsid", "sh", "-c", script, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."}
    )
    await process.wait()
    for _try in range(200):
        if answer.exists() and answer.read_text().strip():
            break
        await asyncio.sleep(0.05)
    assert "refused" in answer.read_text()


def test_ancestry_is_followed_up() -> None:
    assert not is_descendant(os.getpid(), os.getpid())
    assert is_descendant(os.getpid(), os.getppid())
    assert not is_descendant(os.getppid(), os.getpid())


async def test_items_and_results_walk_through(door: Door) -> None:
    items = [item async for item in call(door.path, "echo", {"text": "a\nb ü 🦉 \u202e"}, Caller())]
    assert items == [{"kind": "result", "value": {"text": "a\nb ü 🦉 \u202e"}}]


async def test_a_megabyte_passes(door: Door) -> None:
    text = "x" * 5_000_000
    items = [item async for item in call(door.path, "echo", {"text": text}, Caller())]
    assert items[0]["value"]["text"] == text


async def test_a_refusal_carries_its_sentence_and_code(door: Door) -> None:
    with pytest.raises(CommandFailed, match="no such command") as caught:
        async for _item in call(door.path, "dance", {}, Caller()):
            pass
    assert caught.value.code == 2


async def test_stop_reaches_the_command(door: Door) -> None:
    caller = Caller()
    items = []
    async for item in call(door.path, "count", {}, caller):
        items.append(item)
        if len(items) == 3:
            caller.stopped.set()
    assert items[-1]["kind"] == "result"


async def test_what_is_no_message_is_refused(door: Door) -> None:
    for nonsense in (b"\xff\xfe\n", b"[1, 2]\n", b'"text"\n'):
        reader, writer = await asyncio.open_unix_connection(str(door.path))
        writer.write(nonsense)
        await writer.drain()
        assert b'"code":2' in await reader.readline()
        writer.close()
        await writer.wait_closed()
    items = [item async for item in call(door.path, "echo", {}, Caller())]
    assert items, "the door answers on after nonsense"


async def test_an_owner_that_goes_away_is_told(tmp_path: Path) -> None:
    door = Door(tmp_path / "office.sock", handle)
    await door.open()
    with pytest.raises(OwnerGone):
        async for _item in call(door.path, "count", {}, Caller()):
            await door.close()


async def test_nothing_is_sent_to_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    path = tmp_path / "office.sock"
    async with await asyncio.start_unix_server(listen, path):
        monkeypatch.setattr(os, "getuid", lambda: 54_321)
        with pytest.raises(CommandFailed, match="Another user listens"):
            async for _item in call(path, "keys add", {"key": "the key"}, Caller()):
                pass
        while not heard:
            await asyncio.sleep(0)
    assert heard == [b""]


async def test_what_no_encoding_holds_walks_through(door: Door) -> None:
    # So does Python read a name of a file, or a word of a command, that is not UTF-8.
    items = [item async for item in call(door.path, "echo", {"files": ["caf\udce9.txt"]}, Caller())]
    assert items[0]["value"]["files"] == ["caf\udce9.txt"]


@pytest.mark.req("R176")
async def test_the_socket_is_the_owners_alone(door: Door) -> None:
    assert door.path.stat().st_mode & 0o777 == 0o600


async def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "office.sock"
    path.write_text("left behind")
    door = Door(path, handle)
    await door.open()
    assert [item async for item in call(path, "echo", {}, Caller())]
    await door.close()


async def test_who_does_not_read_keeps_the_door_not_open(tmp_path: Path) -> None:
    sent = []

    async def flood(command, arguments, caller):
        while True:
            yield {"kind": "text", "text": "x" * 1_000_000}
            sent.append(command)

    door = Door(tmp_path / "office.sock", flood)
    await door.open()
    visitor = call(door.path, "echo", {}, Caller())
    await anext(visitor)
    before = -1
    while len(sent) != before:  # until nothing more fits
        before = len(sent)
        await asyncio.sleep(0.2)
    await asyncio.wait_for(door.close(), 10)
    with pytest.raises(OwnerGone):
        async for _item in visitor:
            pass
