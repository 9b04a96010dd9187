"""Tasks have an owner: it keeps them, reports failures, and ends them."""

import asyncio
import gc

from desktop.tasks import Tasks


async def test_a_task_that_nobody_holds_survives_a_collection():
    finished = asyncio.Event()

    async def work():
        await asyncio.sleep(0.02)
        finished.set()

    tasks = Tasks(lambda error: None)
    tasks.spawn(work(), name="work")
    gc.collect()
    await asyncio.wait_for(finished.wait(), 5)
    await asyncio.sleep(0)
    assert len(tasks) == 0


async def test_a_failure_is_reported_once_and_a_stop_is_not():
    seen: list[Exception] = []

    async def fail():
        raise ValueError("no")

    tasks = Tasks(seen.append)
    tasks.spawn(fail(), name="fails")
    waiting = tasks.spawn(asyncio.sleep(60), name="waits")
    await asyncio.sleep(0.01)
    assert [str(error) for error in seen] == ["no"]
    assert await tasks.cancel(5) == []
    assert waiting is not None and waiting.cancelled()
    assert len(seen) == 1


async def test_after_the_end_new_work_is_dropped_and_what_hangs_is_named():
    async def stubborn():
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if release.is_set():
                    raise

    release = asyncio.Event()
    tasks = Tasks(lambda error: None)
    task = tasks.spawn(stubborn(), name="stubborn")
    await asyncio.sleep(0)
    assert await tasks.cancel(0.05) == ["stubborn"]
    assert tasks.spawn(asyncio.sleep(0), name="late") is None
    release.set()
    assert task is not None
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()
