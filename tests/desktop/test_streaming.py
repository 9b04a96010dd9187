"""Answers that stream into the window: side by side, stopped one by one."""

import pytest

from desktop.contents import Contents
from desktop.session import Session
from tests.desktop.waiting import until
from vault.secret import Secret


@pytest.mark.peer
async def test_two_agents_stream_side_by_side_and_stopping_one_leaves_the_other(session: Session, aimock):
    usage = {"input_tokens": 10, "output_tokens": 600}
    server = aimock(
        {
            "match": {},
            "response": {"content": "word by word " * 200, "usage": usage},
            "chunkSize": 13,
            "streamingProfile": {"ttft": 50, "tps": 40},
        }
    )
    await session.office.connections.add(
        "anthropic", Secret("loopback-test-value-0123456789"), base_url=server.anthropic_url, model="m"
    )
    contents = Contents(session.window)
    await contents.fill(session)
    page = contents.chat
    page.composer.set_text("@Lead @Writer say this slowly")
    page.composer.submit()
    await until(lambda: page.feed is not None and len(page.feed.active_runs()) == 2, "two runs")
    model = page.view.model()
    row = model.row(1)
    first, second = (message.id for message in row.messages)
    await until(lambda: len(model.text(first)) > 60 and len(model.text(second)) > 60, "both stream")
    await until(lambda: page.header.status().startswith("Working · 2 of 5 agents"), "the header")
    runs = page.feed.active_runs()
    await session.office.stop(runs[0])
    await until(lambda: not model.is_live(first), "the first one ends")
    grown = len(model.text(second))
    await until(lambda: len(model.text(second)) > grown, "the second one goes on")
    page.composer.stop_requested.emit()
    await until(lambda: not page.feed.active_runs(), "all have ended")
    kept = await session.office.message(second)
    assert kept.state == "stopped" and kept.text.startswith("word by word")
    assert model.text(second) == kept.text
