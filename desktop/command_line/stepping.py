"""Commands of several steps, between which their owner is asked: one office stays open for all of them."""

import asyncio
import contextlib
import gc
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import click

from agents.door.protocol import OWNER_ASKED, Caller, CommandFailed
from desktop.command_line.authentication import given_passphrase
from desktop.command_line.options import GlobalOptions
from desktop.command_line.rendering import Page
from desktop.command_line.session import GARBAGE_THRESHOLD, Host, ending_in_order, protect, stopping
from resources.language import gettext as _


class Steps:
    """The steps of one command: each is a command of the office, and its result is returned."""

    def __init__(self, host: Host, page: Page, passphrase_file: Path | None) -> None:
        self._host, self._page, self._passphrase_file = host, page, passphrase_file

    async def take(self, command: str, **arguments: Any) -> Any:
        """Run one command and return its result; what it says meanwhile is shown.

        Where only the owner may, the passphrase is asked for. Raises CommandFailed, UsageFault.
        """
        try:
            return await self._take(command, arguments)
        except CommandFailed as failure:
            if failure.code != OWNER_ASKED:
                raise
        with interruptible():
            passphrase = given_passphrase(self._passphrase_file)
        return await self._take(command, {**arguments, "authentication": passphrase})

    async def _take(self, command: str, arguments: dict[str, Any]) -> Any:
        value: Any = None
        caller = Caller()
        with stopping(caller):
            async for item in self._host.items(command, arguments, caller):
                if item["kind"] == "result":
                    value = item["value"]
                else:
                    self._page.show(item)
        return value

    def say(self, sentence: str) -> None:
        """Tell the owner what to do now."""
        self._page.show({"kind": "notice", "sentence": sentence})

    def end(self, value: Any) -> None:
        """Show the result of the last step."""
        self._page.show({"kind": "result", "value": value})


def run_steps(
    options: GlobalOptions,
    command: str,
    work: Callable[[Steps], Awaitable[None]],
    passphrase_file: Path | None = None,
) -> int:
    """Run the steps of a command and return the exit code; ``passphrase_file`` holds the passphrase of the lock."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    protect()
    page = Page(command, as_json=options.as_json)

    async def run() -> int:
        try:
            with ending_in_order():
                async with Host(options) as host:
                    await work(Steps(host, page, passphrase_file))
        except CommandFailed as failure:
            page.fail(str(failure))
            return failure.code
        except (asyncio.CancelledError, click.Abort):
            page.fail(_("Stopped."))
            return 1
        return page.exit_code

    return asyncio.run(run())


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl+C end a question to the owner, which the event loop would not hear of before the answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
