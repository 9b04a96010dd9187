"""Runs commands: in the process that owns the office if there is one, else by opening the office here."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from agents.door.client import call
from agents.door.protocol import OWNER_ASKED, Caller, CommandFailed, Item
from desktop.command_line.ahead import Ahead
from desktop.command_line.options import GlobalOptions
from desktop.command_line.passphrase import passphrase_of
from desktop.command_line.rendering import Page
from desktop.command_line.reporting import logging_to
from memory.errors import OfficeInUse, StorageError
from memory.locations import Locations
from memory.ownership import socket_of_owner
from resources.language import gettext as _
from vault.errors import VaultError
from vault.hardening import forbid_core_dumps
from vault.redaction import install

if TYPE_CHECKING:
    from agents.commands.serving import Served

GARBAGE_THRESHOLD = 50_000
"""Objects made before Python looks for garbage: what a start imports is none, and looking for it takes 0.1 s."""
NEW_OWNER_SECONDS = 15.0
"""How long a command waits for the window that took the office over."""


def run(options: GlobalOptions, command: str, arguments: dict[str, Any], page: Page | None = None) -> int:
    """Run one command, show what it says, on a page of the caller's if it has one, and return the exit code."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    protect()
    page = page or Page(command, as_json=options.as_json)
    return asyncio.run(_run(options, command, arguments, page))


def protect() -> None:
    """Keep secrets out of logs, crash reports and core dumps of this process, before any secret is read."""
    forbid_core_dumps()
    install()


def raise_window(locations: Locations) -> bool:
    """Ask the owner of the office to show its window; False where nobody owns it or it has no window."""
    place = socket_of_owner(locations)
    if place is None:
        return False

    async def ask() -> bool:
        async for _item in call(place, "raise", {}, Caller()):
            pass
        return True

    try:
        return asyncio.run(ask())
    except (OSError, CommandFailed):
        return False


async def _run(options: GlobalOptions, command: str, arguments: dict[str, Any], page: Page) -> int:
    caller = Caller()
    try:
        with ending_in_order(), stopping(caller):
            async with Host(options) as host:
                async for item in host.items(command, arguments, caller):
                    page.show(item)
    except CommandFailed as failure:
        if failure.code != OWNER_ASKED:  # then the command is about to be given again
            page.fail(str(failure))
        return failure.code
    except asyncio.CancelledError:
        page.fail(_("Stopped."))
        return 1
    return page.exit_code


@contextlib.contextmanager
def stopping(caller: Caller) -> Iterator[None]:
    """Let Ctrl+C stop what is under way; a second one cancels this task, should the first take too long."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()

    def interrupt() -> None:
        if not caller.stopped.is_set():
            caller.stopped.set()
        elif task is not None:
            task.cancel()

    with contextlib.suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Let SIGTERM, or a terminal that closes, cancel this task once, so that the office is closed and sealed.

    A second signal ends the process at once.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def restore() -> None:
        for number in signals:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)

    def end() -> None:
        restore()
        if task is not None:
            task.cancel()

    for number in signals:
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        restore()


class Host:
    """The office for one or more commands: opened here and kept open, or reached through its owner's door.

    Where a window takes the office over, what is under way goes on as the window's client.
    """

    def __init__(self, options: GlobalOptions) -> None:
        self._options = options
        self._locations = Locations.find(options.home)
        self._served: Served | None = None
        self._stack = contextlib.AsyncExitStack()
        self._busy = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._close()
        except (StorageError, VaultError) as fault:
            if not isinstance(error, CommandFailed):  # which has said why, or what matters more
                raise CommandFailed(str(fault)) from fault

    async def items(self, command: str, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
        """Yield what a command says, wherever the office is open. Raises CommandFailed or UsageFault."""
        async with self._busy:
            while True:
                moved: Item | None = None
                async for item in self._once(command, arguments, caller):
                    if item.get("kind") == "moved":
                        moved = item
                    else:
                        yield item
                if moved is None:
                    return
                await self._close()
                await self._new_owner()
                command, arguments = moved["command"], moved["arguments"]

    async def _once(self, command: str, arguments: dict[str, Any], caller: Caller) -> AsyncIterator[Item]:
        place = None if self._served else socket_of_owner(self._locations)
        if place is not None:
            try:
                async for item in call(place, command, arguments, caller):
                    yield item
                return
            except (ConnectionRefusedError, FileNotFoundError):
                place = None  # its owner has just closed; nothing was begun there
        served = await self._open(command)
        if served is None:
            async for item in self._once(command, arguments, caller):
                yield item
            return
        from agents.commands.registry import run_command

        async for item in run_command(served, command, arguments, caller):
            yield item

    async def _open(self, command: str) -> "Served | None":
        """Open the office here; None where another process was quicker."""
        if self._served is not None:
            return self._served
        # Around the office: what its closing logs belongs into the log too, not between the lines.
        self._stack.enter_context(logging_to(self._locations))
        ahead = Ahead(self._options, self._locations, command)
        self._stack.callback(ahead.close)
        from agents.commands.registry import office_failures
        from agents.commands.serving import serving

        try:
            vault = await ahead.vault()
            context = serving(self._locations, passphrase_of(self._options), vault, ahead.recall)
            self._served = await self._stack.enter_async_context(context)
        except OfficeInUse:
            await self._stack.aclose()
            await self._new_owner()
            return None
        except office_failures() as error:
            raise CommandFailed(str(error)) from error
        with contextlib.suppress(OSError):  # a full disk keeps nobody from a command that only reads
            install().tell_crashes_to(self._locations.crash_log)
        self._watching = asyncio.create_task(self._hand_over(self._served))
        return self._served

    async def _hand_over(self, served: "Served") -> None:
        await served.handover.wait()
        async with self._busy:
            if self._served is served:
                self._watching = None
                await self._close()

    async def _close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        self._served = None
        await self._stack.aclose()

    async def _new_owner(self) -> Path:
        for _attempt in range(int(NEW_OWNER_SECONDS / 0.05)):
            place = socket_of_owner(self._locations)
            if place is not None and place.exists():
                return place
            await asyncio.sleep(0.05)
        raise CommandFailed(
            _("Another program holds this office and does not answer: close it, then try again.")
        )
