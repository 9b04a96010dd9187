"""``bureau chat``: a conversation in the terminal."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator

from agents.door.protocol import Caller, CommandFailed
from desktop.command_line.options import GlobalOptions
from desktop.command_line.rendering import Page
from desktop.command_line.session import Host, protect
from resources.language import gettext as _


def converse(options: GlobalOptions, agent: str) -> int:
    """Read prompts until the end of input; Ctrl+C stops an answer, Ctrl+D ends the conversation."""
    protect()
    return asyncio.run(_converse(options, agent))


async def _converse(options: GlobalOptions, agent: str) -> int:
    conversation = ""
    print(_("Write to the office. Ctrl+C stops an answer, Ctrl+D ends."), file=sys.stderr)
    async with Host(options) as host:
        while True:
            prompt = await asyncio.to_thread(_read)
            if prompt is None:
                return 0
            if not prompt.strip():
                continue
            page = Page("ask", as_json=options.as_json)
            caller = Caller()
            arguments = {"prompt": prompt, "agent": agent, "files": [], "conversation": conversation}
            with _stopping(caller):
                try:
                    async for item in host.items("ask", arguments, caller):
                        if item["kind"] == "result":
                            conversation = item["value"]["conversation"]
                        page.show(item)
                except CommandFailed as failure:
                    page.fail(str(failure))


@contextlib.contextmanager
def _stopping(caller: Caller) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGINT, caller.stopped.set)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)


def _read() -> str | None:
    try:
        return input("› " if sys.stdin.isatty() else "")
    except EOFError:
        return None
