"""``bureau agents edit``: an agent's Markdown in the owner's editor."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from agents.door.protocol import Caller, CommandFailed
from desktop.command_line.options import GlobalOptions
from desktop.command_line.session import Host, protect
from resources.language import gettext as _


def edit_agent(options: GlobalOptions, name: str, file: Path | None) -> int:
    """Show the agent's Markdown in $EDITOR, or take a file's, and save it."""
    protect()
    try:
        given = file.read_text("utf-8") if file is not None else None
    except (UnicodeDecodeError, OSError):
        sentence = _("{file} is not UTF-8 text: save it as UTF-8 and try again.")
        print(sentence.format(file=file), file=sys.stderr)
        return 1
    return asyncio.run(_edit(options, name, given))


async def _edit(options: GlobalOptions, name: str, given: str | None) -> int:
    try:
        async with Host(options) as host:
            text = given
            if text is None:
                shown = await _value(host, "agents show", {"name": name})
                text = await asyncio.to_thread(click.edit, shown, extension=".md")
            if text is None:
                print(_("Nothing was changed."), file=sys.stderr)
                return 0
            await _value(host, "agents edit", {"name": name, "markdown": text})
            return 0
    except CommandFailed as failure:
        print(failure, file=sys.stderr)
        return failure.code


async def _value(host: Host, command: str, arguments: dict[str, Any]) -> Any:
    value: Any = None
    async for item in host.items(command, arguments, Caller()):
        if item["kind"] == "result":
            value = item["value"]
    return value
