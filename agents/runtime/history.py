"""Between the office and the library: what is sent first, what is kept, what Resume goes on from."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from agents.runtime import wording
from agents.runtime.context import Context
from agents.runtime.material import Given
from memory.attachments import Attachment
from memory.runs import RunEvent

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelRequest, UserContent

Content = Callable[[Attachment], Awaitable[bytes]]
"""Returns the bytes of a file."""

LIBRARY = "pydantic-ai-slim"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run's history column holds: the library's messages of this run's own steps.

    ``provider`` is the connection and model they came from; ``text_length`` is how much of the message's text
    they already contain, so that the rest of the text is what a cut stream left behind.
    """

    provider: str
    text_length: int
    messages: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the column's value."""
        return {
            "library": f"{LIBRARY} {version(LIBRARY)}",
            "provider": self.provider,
            "text_length": self.text_length,
            "messages": self.messages,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any] | None) -> "Kept":
        """Return what is stored; nothing stored means that no step was finished."""
        if not stored:
            return cls("", 0, [])
        return cls(str(stored["provider"]), int(stored["text_length"]), list(stored["messages"]))


async def opening(context: Context, content: Content) -> "list[ModelMessage]":
    """Return the conversation and the question of a context as the library's messages; the last is the question."""
    from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart

    found: list[ModelMessage] = []
    for said in context.said:
        if said.by == "self":
            found.append(ModelResponse(parts=[TextPart(given.text) for given in said.given]))
        else:
            found.append(ModelRequest(parts=[UserPromptPart(await _contents(said.given, content))]))
    found.append(ModelRequest(parts=[UserPromptPart(await _contents(context.question, content))]))
    return found


def keep(provider: str, text_length: int, steps: "Sequence[ModelMessage]") -> Kept:
    """Return what is kept of the steps after the opening."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    return Kept(provider, text_length, ModelMessagesTypeAdapter.dump_python(list(steps), mode="json"))


def going_on(kept: Kept, provider: str, text: str, events: Sequence[RunEvent]) -> "list[ModelMessage]":
    """Return the messages after the opening from which a broken-off run goes on; empty if nothing had come.

    ``text`` is all of the message's text. Calls without an answer get the result their event recorded, or are
    told that nobody knows; nothing that writes is repeated by itself.
    """
    from pydantic_ai.messages import (
        ModelMessagesTypeAdapter,
        ModelRequest,
        ModelResponse,
        TextPart,
        UserPromptPart,
    )

    steps = ModelMessagesTypeAdapter.validate_python(kept.messages)
    if kept.provider != provider:
        steps = without_thinking(steps)
    answers = _answers(steps, events)
    if answers is not None:
        steps.append(answers)
    rest = text[kept.text_length :]
    if rest.strip():
        steps.append(ModelResponse(parts=[TextPart(rest)]))
    if steps and isinstance(steps[-1], ModelResponse):
        steps.append(ModelRequest(parts=[UserPromptPart(wording.CONTINUE)]))
    return steps


def is_complete(kept: Kept, text: str) -> bool:
    """Say whether the kept steps end in the last answer, all of which is in the message's text."""
    if not kept.messages or len(text) > kept.text_length:
        return False
    last = kept.messages[-1]
    return last["kind"] == "response" and not any(part["part_kind"] == "tool-call" for part in last["parts"])


def without_thinking(messages: "Sequence[ModelMessage]") -> "list[ModelMessage]":
    """Return the messages without thinking parts, whose signatures only their own provider accepts."""
    from dataclasses import replace

    from pydantic_ai.messages import ModelResponse, ThinkingPart

    found: list[ModelMessage] = []
    for message in messages:
        if isinstance(message, ModelResponse):
            parts = [part for part in message.parts if not isinstance(part, ThinkingPart)]
            if parts:
                found.append(replace(message, parts=parts))
        else:
            found.append(message)
    return found


def _answers(steps: "Sequence[ModelMessage]", events: Sequence[RunEvent]) -> "ModelRequest | None":
    from pydantic_ai.messages import ModelRequest, ModelResponse, ToolReturnPart

    if not steps or not isinstance(steps[-1], ModelResponse):
        return None
    results = {event.body["call"]: event.body["result"] for event in events if event.kind == "tool_finished"}
    parts = [
        ToolReturnPart(
            call.tool_name, results.get(call.tool_call_id, wording.UNKNOWN_OUTCOME), call.tool_call_id
        )
        for call in steps[-1].tool_calls
    ]
    return ModelRequest(parts=parts) if parts else None


async def _contents(given: Sequence[Given], content: Content) -> "list[UserContent]":
    from pydantic_ai.messages import BinaryContent

    found: list[UserContent] = []
    for piece in given:
        if piece.file is not None:
            found.append(BinaryContent(data=await content(piece.file), media_type=piece.file.media_type))
        elif piece.text:
            found.append(piece.text)
    return found
