"""What the owner writes while an answer is at work goes along with its next step, or comes after its end."""

import json
from collections.abc import Callable

import pytest

from agents.events import Event, ToolStarted
from agents.office import Office
from agents.sending import Sent
from memory import runs
from memory.runs import Run
from tests.agents.conftest import connect, until
from tests.peers.aimock import Aimock

pytestmark = pytest.mark.peer
LOOKS = {
    "match": {"userMessage": "quay", "hasToolResult": False},
    "response": {
        "content": "Looking. ",
        "toolCalls": [{"name": "recall", "arguments": '{"query": "quay"}'}],
    },
    "latency": 150,
}
METRES = {"match": {"userMessage": "metres"}, "response": {"content": "It is 6.4 m deep."}}
FEET = {"match": {"hasToolResult": True}, "response": {"content": "It is 21 ft deep."}}


async def both(office: Office, server: Aimock, follow_up: str, **more: object) -> tuple[Sent, Sent]:
    """Ask, and write a follow-up before the first step is over; returns both when nothing works any more."""
    await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    conversation = await office.create_conversation()
    first = await office.send(conversation.id, "How deep is the quay?")
    second = await office.send(conversation.id, follow_up, **more)  # type: ignore[arg-type]  # named by the test
    assert second.queued and second.message.state == "queued"
    await office.runs.wait([run.id for run in (*first.runs, *second.runs)])
    return first, second


async def ended(office: Office, sent: Sent) -> Run:
    return await office.database.read(runs.run, sent.runs[0].id)


def asked(server: Aimock) -> list[str]:
    return [json.dumps(entry["body"]["messages"]) for entry in server.journal()]


async def test_a_follow_up_goes_along_with_the_results_of_the_tools(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock]
) -> None:
    server = aimock(METRES, LOOKS, FEET)
    first, second = await both(office, server, "In metres, please.")
    requests = asked(server)
    assert len(requests) == 2, "the follow-up needed no request of its own"
    assert "In metres" not in requests[0] and "In metres" in requests[1] and "tool" in requests[1]
    assert (await office.message(first.replies[0].id)).text == "Looking. \n\nIt is 6.4 m deep."
    steered = [
        event.body
        for event in await office.database.read(runs.run_events, first.runs[0].id)
        if event.kind == "steered"
    ]
    assert steered == [{"message": second.message.id, "text": "In metres, please."}]
    context = (await ended(office, first)).context
    assert (context[-1].kind, context[-1].source_id) == ("question", second.message.id)
    taken = await ended(office, second)
    assert taken.state == "done" and "took this in" in taken.reason
    assert (await office.message(second.message.id)).state == "complete"
    answer = await office.message(second.replies[0].id)
    assert (answer.state, answer.text) == ("complete", "")
    told = [getattr(event, "run", None) for event in heard]
    assert [run.state for run in told if run is not None and run.id == taken.id] == ["queued", "done"]


async def test_several_follow_ups_keep_their_order(office: Office, aimock: Callable[..., Aimock]) -> None:
    server = aimock(METRES, LOOKS, FEET)
    await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    conversation = await office.create_conversation()
    texts = ["How deep is the quay?", "And how long?", "In metres, please."]
    sent = [await office.send(conversation.id, text) for text in texts]
    await office.runs.wait([one.runs[0].id for one in sent])
    requests = asked(server)
    assert len(requests) == 2
    assert requests[1].index("And how long?") < requests[1].index("In metres, please.")
    assert [(await ended(office, one)).state for one in sent] == ["done"] * 3


@pytest.mark.parametrize(
    ("follow_up", "more"),
    [
        ("@Writer in metres, please", {}),
        ("In metres, please", {"effort": "deep"}),
        ("In metres", {"model": "x"}),
    ],
)
async def test_a_follow_up_on_other_terms_waits_for_the_end(
    office: Office, aimock: Callable[..., Aimock], follow_up: str, more: dict[str, str]
) -> None:
    server = aimock(METRES, LOOKS, FEET)
    first, second = await both(office, server, follow_up, **more)
    assert len(server.journal()) == 3
    assert (await office.message(first.replies[0].id)).text == "Looking. \n\nIt is 21 ft deep."
    assert (await office.message(second.replies[0].id)).text == "It is 6.4 m deep."


async def test_a_follow_up_to_a_run_without_tools_comes_after_its_end(
    office: Office, aimock: Callable[..., Aimock]
) -> None:
    server = aimock(METRES, {"match": {}, "response": {"content": "Deep."}, "latency": 100})
    first, second = await both(office, server, "In metres, please.")
    assert (await office.message(first.replies[0].id)).text == "Deep."
    assert (await office.message(second.replies[0].id)).text == "It is 6.4 m deep."


async def test_a_follow_up_taken_in_is_still_known_after_stop_and_resume(
    office: Office, heard: list[Event], aimock: Callable[..., Aimock]
) -> None:
    slow = {**METRES, "latency": 60_000}
    server = aimock(slow, LOOKS, FEET)
    await connect(office, "anthropic", server.anthropic_url, "claude-sonnet-5")
    conversation = await office.create_conversation()
    first = await office.send(conversation.id, "How deep is the quay?")
    second = await office.send(conversation.id, "In metres, please.")
    await until(lambda: any(isinstance(event, ToolStarted) for event in heard))
    while (await ended(office, second)).state != "done":
        assert (await ended(office, first)).state == "running"
    await office.stop(first.runs[0].id)
    server.replace(METRES)
    await office.resume(first.runs[0].id)
    await office.runs.wait([first.runs[0].id])
    assert (await office.message(first.replies[0].id)).text == "Looking. \n\nIt is 6.4 m deep."
    (resumed,) = asked(server)
    assert "In metres, please." in resumed and "How deep is the quay?" in resumed
