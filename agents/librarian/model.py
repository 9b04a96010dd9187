"""The librarian as a model of the agent loop: its replies are made by rule and streamed as text."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from agents.librarian.answering import Result
from agents.librarian.planning import Search, plan
from memory.chats import Message
from memory.roster import Agent

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model

NAME = "librarian"
TOOL = "quote"
FROM_OFFICE = "[From the office"
_PIECE = re.compile(r"(?:\S+\s*){1,12}|\s+")
"""What is streamed at a time: some dozen words."""


def librarian_model(agent: Agent, question: Message) -> "Model":
    """Return the model; it reads its question and its findings from the messages and keeps nothing itself."""
    model: Model = _model_class()()
    return model


def next_reply(messages: "Sequence[ModelMessage]", tools: Sequence[str]) -> str | Search:
    """Return what the librarian says or looks for next; of a text that broke off, only the rest."""
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart, UserPromptPart

    question, said, files = "", "", False
    looked: dict[str, str] = {}
    results: list[Result] = []
    for message in messages:
        for part in message.parts:
            if isinstance(part, UserPromptPart):
                texts = _texts(part)
                files = files or any(text.startswith('<data kind="file"') for text in texts)
                if texts and not texts[-1].startswith(FROM_OFFICE):
                    question = "" if texts[-1].startswith("<data ") else texts[-1]
                    said, looked, results = "", {}, []
            elif isinstance(part, ToolCallPart):
                looked[part.tool_call_id] = str(part.args_as_dict().get("where", ""))
            elif isinstance(part, ToolReturnPart):
                results.append(Result(looked.get(part.tool_call_id, ""), part.model_response_str()))
            elif isinstance(part, TextPart) and isinstance(message, ModelResponse):
                said += part.content
    reply = plan(question, files=files, results=results, may_search=TOOL in tools)
    return reply.removeprefix(said) if isinstance(reply, str) else reply


def _texts(part: Any) -> list[str]:
    given = [part.content] if isinstance(part.content, str) else part.content
    return [piece for piece in given if isinstance(piece, str)]


@cache
def _model_class() -> Any:
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models import Model, StreamedResponse

    class LibrarianStream(StreamedResponse):
        reply: str | Search = ""
        began = datetime.now(UTC)

        async def _get_event_iterator(self) -> AsyncIterator[Any]:
            if isinstance(self.reply, Search):
                call = _call(self.reply)
                yield self._parts_manager.handle_tool_call_part(vendor_part_id=0, **call)
                return
            for piece in _PIECE.findall(self.reply):
                for event in self._parts_manager.handle_text_delta(vendor_part_id=0, content=piece):
                    yield event

        @property
        def model_name(self) -> str:
            return NAME

        @property
        def provider_name(self) -> str | None:
            return None

        @property
        def provider_url(self) -> str | None:
            return None

        @property
        def timestamp(self) -> datetime:
            return self.began

        async def close_stream(self) -> None:
            """There is no connection to close."""

    class LibrarianModel(Model):
        @property
        def model_name(self) -> str:
            return NAME

        @property
        def system(self) -> str:
            return NAME

        async def request(
            self, messages: "list[ModelMessage]", model_settings: Any, model_request_parameters: Any
        ) -> "ModelResponse":
            reply = next_reply(messages, _names(model_request_parameters))
            part = ToolCallPart(**_call(reply)) if isinstance(reply, Search) else TextPart(reply)
            return ModelResponse(parts=[part], model_name=NAME)

        @asynccontextmanager
        async def request_stream(
            self,
            messages: "list[ModelMessage]",
            model_settings: Any,
            model_request_parameters: Any,
            run_context: Any = None,
        ) -> AsyncGenerator[StreamedResponse]:
            stream = LibrarianStream(model_request_parameters)
            stream.reply, stream.began = (
                next_reply(messages, _names(model_request_parameters)),
                datetime.now(UTC),
            )
            yield stream

    return LibrarianModel


def _names(parameters: Any) -> list[str]:
    return [tool.name for tool in parameters.function_tools]


def _call(search: Search) -> dict[str, Any]:
    return {"tool_name": TOOL, "args": {"question": search.question, "where": search.where}}
