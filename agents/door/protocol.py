"""What passes through the door: JSON lines.

A client sends ``{"command": name, "arguments": {…}}`` and, if its owner pressed Ctrl+C, ``{"stop": true}``.
The owner answers with any number of ``{"item": {…}}`` and one ``{"end": true}`` or
``{"error": {"sentence": …, "code": 1 | 2}}``. No answer ever holds a secret.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes; a pasted megabyte and a long answer fit many times over."""

Item = dict[str, Any]


@dataclass(slots=True)
class Caller:
    """The other end of one command: whether its owner asked to stop it."""

    stopped: asyncio.Event = field(default_factory=asyncio.Event)


Handler = Callable[[str, dict[str, Any], Caller], AsyncIterator[Item]]


class CommandFailed(Exception):
    """A command ended with a sentence; ``code`` is the exit code, 1 for failed and 2 for wrongly used."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def line(message: dict[str, Any]) -> bytes:
    """Return one message as a line, in ASCII: a path or a word that is no UTF-8 passes unchanged."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


async def messages(reader: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """Yield the messages of a stream until it ends. Raises CommandFailed for what is no message."""
    while True:
        try:
            text = await reader.readline()
        except (ValueError, asyncio.LimitOverrunError) as error:
            raise CommandFailed("the message is too long", 2) from error
        except ConnectionError:
            return
        if not text.endswith(b"\n"):
            return
        try:
            message = json.loads(text)
        except ValueError as error:
            raise CommandFailed("the message is not JSON", 2) from error
        if not isinstance(message, dict):
            raise CommandFailed("the message is not an object", 2)
        yield message
