"""Killed in mid-stream: what was committed is there, the run is interrupted, Resume goes on, Discard gives up."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from agents.office import Office
from agents.runtime import wording
from agents.runtime.history import Kept, going_on, is_complete, keep
from memory import integrity, messages, runs
from memory.chats import Message
from memory.runs import RunEvent
from tests.agents.conftest import PASSPHRASE, connect
from tests.peers.aimock import Aimock

LONG = " ".join(f"word{number}" for number in range(400))


@pytest.mark.peer
async def test_kill_9_in_mid_stream_then_resume(
    own_home: Path, offices: Callable[..., Awaitable[Office]], aimock: Callable[..., Aimock]
) -> None:
    server = aimock(
        {"match": {"userMessage": "cut off"}, "response": {"content": " … the end."}},
        {"match": {"userMessage": "And then?"}, "response": {"content": "Nothing more."}},
        {"match": {}, "response": {"content": LONG}, "chunkSize": 5, "latency": 20},
    )
    killed = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.agents.office_to_kill",
            str(own_home / "office"),
            PASSPHRASE,
            server.url,
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert killed.stdout is not None
    committed = False
    for line in killed.stdout:
        committed = committed or line.startswith("committed")
        if committed and line.startswith("piece"):  # some text is on disk, and more came that may not be
            os.kill(killed.pid, signal.SIGKILL)
            break
    killed.stdout.close()
    killed.wait()

    office = await offices()
    check = await office.database.read(_integrity)
    assert check == "ok"
    left = {run.state: run for run in await office.interrupted()}
    assert list(left) == ["interrupted"]
    found = await office.database.read(_replies)
    assert [reply.state for reply in found] == ["interrupted", "interrupted"]
    reply = found[0]
    assert reply.text
    assert LONG.startswith(reply.text)
    assert reply.run_id is not None
    written = await office.database.read(runs.run_events, reply.run_id)
    assert "".join(event.body["text"] for event in written if event.kind == "text") == reply.text

    await office.resume(reply.run_id)
    await office.runs.wait([reply.run_id])
    resumed = await office.message(reply.id)
    assert (resumed.text, resumed.state) == (reply.text + " … the end.", "complete")
    numbers = [event.seq for event in await office.database.read(runs.run_events, reply.run_id)]
    assert numbers == list(range(1, len(numbers) + 1))
    follow_up = found[1].run_id
    assert follow_up is not None
    await office.resume(follow_up)
    await office.runs.wait([follow_up])
    assert (await office.message(found[1].id)).text == "Nothing more."
    told = json.dumps(server.journal()[-1]["body"])
    assert "the end." in told


POINTS = 100


@pytest.mark.peer
async def test_no_kill_point_loses_what_was_committed(
    own_home: Path, offices: Callable[..., Awaitable[Office]], aimock: Callable[..., Aimock]
) -> None:
    server = aimock({"match": {}, "response": {"content": LONG}, "chunkSize": 5, "latency": 5})
    office = await offices()
    await connect(office, "anthropic", server.url, "claude-sonnet-5")
    await office.close()
    chosen = random.Random(20)
    held: dict[str, int] = {}
    ends = []
    with subprocess.Popen(
        [sys.executable, "-m", "tests.agents.office_killed_often", str(own_home / "office"), PASSPHRASE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as killed:
        for point in range(POINTS):
            ends.append(_kill_one(killed, *_point(point, chosen), held))
            office = await offices()
            assert await office.database.read(integrity.check) == ()
            for identity, characters in held.items():
                message = await office.message(identity)
                assert len(message.text) >= characters
                assert message.role == "owner" or LONG.startswith(message.text)
                assert message.state in {"complete", "interrupted"}
            await office.close()
        assert killed.stdin is not None
        killed.stdin.close()
    assert ends == [-signal.SIGKILL] * POINTS
    assert killed.returncode == 0
    assert sum(characters > 0 for characters in held.values()) >= POINTS // 4, (
        "with part of an answer on disk"
    )


def _point(point: int, chosen: random.Random) -> tuple[str, int, float]:
    """Where one child dies: the line from which so many more are waited for, and the seconds after the last."""
    if point % 4 == 0:
        return "child", 0, chosen.uniform(0, 0.3)  # while the office opens
    if point % 4 == 2:
        return "held", chosen.randrange(80), chosen.uniform(0, 0.02)  # with part of an answer on disk
    return "child", chosen.randrange(1, 80), chosen.uniform(0, 0.02)


def _kill_one(
    killed: "subprocess.Popen[str]", start: str, signs: int, delay: float, held: dict[str, int]
) -> int:
    """Let a child go on for so many lines from its first ``start``, kill it a moment later; returns how it ended.

    ``held`` takes over what the child said it had committed: characters by message, 0 for the owner's.
    """
    assert killed.stdin is not None and killed.stdout is not None
    print("go", file=killed.stdin, flush=True)
    child, seen, struck = 0, -1, False  # lines seen from the first ``start``, which itself is number 0
    for line in killed.stdout:
        word, *told = line.split()
        if word == "ended":
            return int(told[0])
        if word == "child":
            child = int(told[0])
        elif word == "said":
            held[told[0]] = 0
        elif word == "held":
            held[told[0]] = int(told[1])
        seen += seen >= 0 or word == start
        if child and seen >= signs and not struck:
            struck = True
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
    raise AssertionError("the process that makes the children ended")


def test_steps_are_kept_and_their_cut_off_text_is_continued() -> None:
    from pydantic_ai.messages import (
        ModelRequest,
        ModelResponse,
        TextPart,
        ThinkingPart,
        ToolCallPart,
        ToolReturnPart,
    )

    call = ToolCallPart("recall", {"query": "quay"}, "call_1")
    first = ModelResponse(parts=[ThinkingPart("hm", signature="s"), TextPart("Looking."), call])
    answered = ModelRequest(parts=[ToolReturnPart("recall", "6.4 m", "call_1")])
    kept = keep("one/claude", len("Looking."), [first, answered])
    again = Kept.from_json(json.loads(json.dumps(kept.to_json())))
    assert again == kept
    assert kept.to_json()["library"].startswith("pydantic-ai-slim 2.")

    steps = going_on(again, "one/claude", "Looking.\n\nIt is 6.", [])
    assert [type(step).__name__ for step in steps] == [
        "ModelResponse",
        "ModelRequest",
        "ModelResponse",
        "ModelRequest",
    ]
    assert steps[2].parts[0].content == "\n\nIt is 6."
    assert steps[3].parts[0].content == wording.CONTINUE
    assert any(isinstance(part, ThinkingPart) for part in steps[0].parts)
    elsewhere = going_on(again, "two/gpt", "Looking.", [])
    assert not any(isinstance(part, ThinkingPart) for step in elsewhere for part in step.parts)
    assert going_on(Kept.from_json(None), "one/claude", "", []) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_call_left_open_gets_its_recorded_result_or_none_at_all(known: bool) -> None:
    from pydantic_ai.messages import ModelResponse, ToolCallPart, ToolReturnPart

    call = ToolCallPart("remember", {"text": "x"}, "call_7")
    kept = keep("one/claude", 0, [ModelResponse(parts=[call])])
    body: dict[str, Any] = {"call": "call_7", "result": "Noted.", "failed": False}
    events = [RunEvent("r", 1, None, 0, "tool_finished", body)] if known else []
    steps = going_on(kept, "one/claude", "", events)
    part = steps[-1].parts[0]
    assert isinstance(part, ToolReturnPart)
    assert part.content == ("Noted." if known else wording.UNKNOWN_OUTCOME)
    assert not is_complete(kept, "")


def test_a_finished_answer_is_not_asked_for_again() -> None:
    from pydantic_ai.messages import ModelResponse, TextPart

    kept = keep("one/claude", 5, [ModelResponse(parts=[TextPart("Done.")])])
    assert is_complete(kept, "Done.")
    assert not is_complete(kept, "Done. And mo")


def _integrity(session: Session) -> str:
    return str(session.connection().exec_driver_sql("PRAGMA integrity_check").scalar_one())


def _replies(session: Session) -> list[Message]:
    latest = runs.runs(session)
    found = [reply for run in latest for reply in messages.messages_of_run(session, run.id)]
    return sorted(found, key=lambda reply: (reply.created_at, reply.text == ""))
