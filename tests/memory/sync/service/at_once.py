"""Databases of many schedules in one process: each works on the thread that asks it, and they share what can be shared.

A schedule is some thousands of transactions of a fraction of a millisecond each; handing every one to a thread and
back takes longer than the transaction, and every new engine would compile all statements anew. Which of two tasks
goes on first is decided by the event loop alone, so the same choices make the same run again.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import aiosqlite.core
import pytest
from sqlalchemy.connectors import asyncio as asyncio_connector
from sqlalchemy.dialects.sqlite import aiosqlite as aiosqlite_dialect
from sqlalchemy.ext.asyncio import engine as asyncio_engine
from sqlalchemy.util import concurrency

from memory import database
from memory.sync.hosted import store


class _Executor:
    """Stands for a pool of threads."""

    def __init__(self, *_args: Any, **_named: Any) -> None:
        pass

    def submit(self, work: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args))
        except BaseException as error:  # noqa: BLE001  # whoever waits is told, as by a thread
            future.set_exception(error)
        return future

    def shutdown(self) -> None:
        pass


class _Queue:
    """Stands for the queue of a thread of aiosqlite."""

    def put_nowait(self, asked: tuple[Any, Callable[[], Any]]) -> None:
        future, work = asked
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  # whoever waits is told, as by a thread
            if future is not None:
                future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class _Thread:
    """Stands for a thread of aiosqlite."""

    daemon = True

    def __init__(self, **_named: Any) -> None:
        pass

    def start(self) -> None:
        pass


async def _submit(_lane: Any, work: Callable[..., Any], /, *args: Any) -> Any:
    await asyncio.sleep(0)  # another task has its turn, as while a thread works
    return work(*args)


async def _here(work: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
    await asyncio.sleep(0)
    return work(*args, **named)


async def _executed(_connection: Any, work: Callable[..., Any], *args: Any, **named: Any) -> Any:
    return work(*args, **named)


def _awaited(work: Any) -> Any:
    """Return what a call of aiosqlite results in, which never waits here: no greenlet has to stand aside for it."""
    try:
        next(work.__await__())
    except StopIteration as ended:
        return ended.value
    raise RuntimeError("a database waits")


async def _spawned(work: Callable[..., Any], *args: Any, _require_await: bool = False, **named: Any) -> Any:
    return work(*args, **named)


def _alike(make: Callable[..., Any]) -> Callable[..., Any]:
    """Let all engines that a function makes have one dialect, with which goes what was compiled for it."""
    first: list[Any] = []

    def made(*args: Any, **named: Any) -> Any:
        engine = make(*args, **named)
        core = getattr(engine, "sync_engine", engine)
        if not first:
            first.append(core)
        core.dialect, core._compiled_cache = first[0].dialect, first[0]._compiled_cache
        return engine

    return made


@contextmanager
def at_once() -> Iterator[None]:
    """Let databases that are made meanwhile work so; all of them must be closed before this ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "ThreadPoolExecutor", _Executor)
        patch.setattr(database._Lane, "submit", _submit)
        patch.setattr(database, "engine", _alike(database.engine))
        patch.setattr(asyncio, "to_thread", _here)
        patch.setattr(aiosqlite.core, "SimpleQueue", _Queue)
        patch.setattr(aiosqlite.core, "Thread", _Thread)
        patch.setattr(aiosqlite.core.Connection, "_execute", _executed)
        patch.setattr(asyncio_engine, "greenlet_spawn", _spawned)
        for place in (concurrency, asyncio_connector, aiosqlite_dialect):
            patch.setattr(place, "await_", _awaited)
        patch.setattr(store, "_sqlite_engine", _alike(store._sqlite_engine))
        yield
