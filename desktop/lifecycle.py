"""The life of the window process: one loop for Qt and asyncio, and an end in named stages."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import qasync
from PySide6.QtWidgets import QApplication

from desktop import first_look
from desktop.collector import Collector
from desktop.diagnostics import Diagnostics
from desktop.faults import sentence_of
from desktop.generators import closed_on
from desktop.opening import Opening
from desktop.quit_signals import QuitSignals
from desktop.tasks import Tasks
from desktop.vault_ahead import VaultAhead
from desktop.window import Window
from memory.locations import Locations
from vault.hardening import forbid_core_dumps

_THREADS = 4
_TASKS_SECONDS = 3.0
_OFFICE_SECONDS = 20.0
_LANES_SECONDS = 3.0

log = logging.getLogger(__name__)


class Lifecycle:
    """Runs the loop until the window is closed or the process is asked to end, then ends it in order."""

    def __init__(
        self,
        app: QApplication,
        window: Window,
        locations: Locations,
        passphrase_file: Path | None,
        vault: VaultAhead,
    ) -> None:
        self._app = app
        self.window = window
        self._locations = locations
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="bureau")
        self.tasks = Tasks(self._report)
        self.opening = Opening(window, self.tasks, locations, passphrase_file, vault)

    def run(self, beside: Callable[[Self], Coroutine[Any, Any, None]] | None = None) -> int:
        """Return the exit code of the process; ``beside`` is work that drives the window."""
        forbid_core_dumps()
        diagnostics = Diagnostics(self._report)
        collector = Collector()
        try:
            with asyncio.Runner(loop_factory=self._loop) as runner, closed_on(runner.get_loop()):
                runner.run(self._live(diagnostics, beside))
            self._end_lanes()
        finally:
            self.window.close_for_good()
            collector.stop()
            diagnostics.remove()
        return 0

    def _loop(self) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = qasync.QEventLoop(self._app)
        loop.set_default_executor(self._executor)
        return loop

    async def _live(
        self, diagnostics: Diagnostics, beside: Callable[[Self], Coroutine[Any, Any, None]] | None
    ) -> None:
        ending = asyncio.Event()
        signals = QuitSignals(ending.set)
        self.window.closing.connect(ending.set)
        try:
            self.tasks.spawn(self.opening.open(diagnostics), name="open the office")
            if beside is not None:
                self.tasks.spawn(beside(self), name="drive the window")
            await ending.wait()
            await self._end()
        finally:
            self.window.closing.disconnect(ending.set)
            signals.restore()

    async def _end(self) -> None:
        """Stop input, save what was typed, cancel tasks, close the office; the lanes follow the loop."""
        if not self.opening.gone:
            self._save_look()
        self.window.setEnabled(False)
        self.window.hide()
        session = self.opening.session
        if session is not None:
            try:
                await session.save_unsaved()
            except Exception:
                log.exception("something typed was not saved at the end")
        left = await self.tasks.cancel(_TASKS_SECONDS)
        if left:
            log.error("still running at the end: %s", ", ".join(left))
        if session is not None:
            session.detach()
            await self.opening.close_door()
            try:
                await asyncio.wait_for(session.office.close(), _OFFICE_SECONDS)
            except TimeoutError:
                log.error("the office did not close within %s seconds", _OFFICE_SECONDS)
        # The loop waits for its executor when it closes, and for ever; the lanes have a limit of their own.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))

    def _end_lanes(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + _LANES_SECONDS
        threads = list(self._executor._threads)
        while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
            time.sleep(0.01)
        if any(thread.is_alive() for thread in threads):
            log.error("a thread did not end; leaving without it")
            logging.shutdown()
            os._exit(1)

    def _save_look(self) -> None:
        try:
            first_look.write(self._locations, self.window.look_now())
        except OSError as error:
            log.warning("the window's place was not saved: %s", sentence_of(error))

    def _report(self, error: BaseException) -> None:
        self.window.report(sentence_of(error))
