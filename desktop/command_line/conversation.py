"""``bureau chat``: a conversation in the terminal."""

import asyncio
import contextlib
import sys
import threading

from agents.door.protocol import Caller, CommandFailed
from desktop.command_line.options import GlobalOptions
from desktop.command_line.rendering import Page
from desktop.command_line.session import Host, ending_in_order, protect, stopping
from resources.language import gettext as _


def converse(options: GlobalOptions, agent: str) -> int:
    """Read prompts until the end of input; Ctrl+C stops an answer, Ctrl+D ends the conversation.

    The exit code is that of the last prompt: 1 where it was not answered.
    """
    protect()
    try:
        return asyncio.run(_converse(options, agent))
    except asyncio.CancelledError:
        print(_("Stopped."), file=sys.stderr)
        return 1


async def _converse(options: GlobalOptions, agent: str) -> int:
    code = 0
    with ending_in_order():
        print(_("Write to the office. Ctrl+C stops an answer, Ctrl+D ends."), file=sys.stderr)
        try:
            async with Host(options) as host:
                code = await _talk(host, options, agent)
        except CommandFailed as failure:
            if code == 0:  # else the last prompt has told that the disk takes nothing more
                print(failure, file=sys.stderr)
            code = failure.code
    return code


async def _talk(host: Host, options: GlobalOptions, agent: str) -> int:
    conversation, code = "", 0
    while True:
        prompt = await _prompt()
        if prompt is None:
            return code
        if not prompt.strip():
            continue
        page = Page("ask", as_json=options.as_json)
        caller = Caller()
        arguments = {"prompt": prompt, "agent": agent, "files": [], "conversation": conversation}
        with stopping(caller):
            try:
                code = 0
                async for item in host.items("ask", arguments, caller):
                    if item["kind"] == "result":
                        conversation = item["value"]["conversation"]
                    page.show(item)
            except CommandFailed as failure:
                page.fail(str(failure))
                code = failure.code


async def _prompt() -> str | None:
    """Return the next line, None at the end of input.

    It is read on a thread that nobody waits for: Ctrl+C at the prompt must end the conversation, and a read
    from a terminal cannot be called off.
    """
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str | None] = loop.create_future()

    def settle(text: str | None, error: Exception | None) -> None:
        if line.done():
            return
        if error is not None:
            line.set_exception(error)
        else:
            line.set_result(text)

    def read() -> None:
        text, error = None, None
        try:
            text = _read()
        except Exception as fault:  # noqa: BLE001 - raised again where the line is awaited
            error = fault
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, text, error)

    threading.Thread(target=read, name="prompt", daemon=True).start()
    return await line


def _read() -> str | None:
    if sys.stdin.isatty():
        try:
            return input("› ")
        except EOFError:
            return None
    # Past Python's buffer: its lock, held by a thread that still reads, would abort the process at its end.
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as pipe:
        line = pipe.readline()
    return line.decode("utf-8", "replace").rstrip("\r\n") if line else None
