"""How a tool is declared: an async method, what it does to the world, and how its results are marked as data."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Effect = Literal["read", "write-local", "external"]
"""``read`` changes nothing, ``write-local`` changes what the office keeps, ``external`` reaches beyond it."""

_EFFECT = "__tool_effect__"
_TAG = re.compile(r"<(/?)(data|message)\b", re.IGNORECASE)
F = TypeVar("F", bound=Callable[..., Awaitable[str]])


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the runtime takes it: the function's signature and docstring are what the model sees."""

    name: str
    effect: Effect
    function: Callable[..., Awaitable[str]]


def tool(effect: Effect) -> Callable[[F], F]:
    """Mark an async method as a tool. Its name, its parameters and its docstring go to the model."""

    def mark(function: F) -> F:
        setattr(function, _EFFECT, effect)
        return function

    return mark


def tools_of(owner: object) -> tuple[Tool, ...]:
    """Return the marked methods of an object, by name; of a class, to describe them without an object."""
    kind = owner if isinstance(owner, type) else type(owner)
    found = []
    for name in sorted(dir(kind)):
        effect = getattr(getattr(kind, name), _EFFECT, None)
        if effect is not None:
            found.append(Tool(name, effect, getattr(owner, name)))
    return tuple(found)


def as_data(text: str, **about: Any) -> str:
    """Return text from files, notes, tools or other agents, fenced so that a model takes it for material.

    Tags inside that look like the fence are made harmless, so nothing inside can close it.
    """
    attributes = "".join(f' {name}="{_attribute(value)}"' for name, value in about.items() if value)
    return f"<data{attributes}>\n{harmless(text)}\n</data>"


def harmless(text: str) -> str:
    """Return the text with every tag that looks like our fence taken apart."""
    return _TAG.sub(lambda match: f"<\u200b{match[1]}{match[2]}", text)


def _attribute(value: Any) -> str:
    line = " ".join(str(value).splitlines())
    for character, entity in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        line = line.replace(character, entity)
    return line
