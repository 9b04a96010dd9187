"""From the tree of another app to the office's: hidden messages step aside, the shown ones keep every branch."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from memory.transfer.incoming import IncomingFile, IncomingMessage, Malformed
from resources.language import gettext as _


@dataclass(frozen=True, slots=True)
class Said:
    """What a node of a tree says. ``ahead`` marks thinking that belongs to the answer below it."""

    role: Literal["owner", "agent"]
    text: str
    thinking: str = ""
    model: str = ""
    hidden: bool = False
    ahead: bool = False
    files: tuple[IncomingFile, ...] = ()
    extra: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the source's tree; without ``said`` it only joins others. ``at`` is in milliseconds."""

    parent: str | None
    at: int | None
    said: Said | None


def arranged(
    nodes: Mapping[str, Node], leaf: str | None, created_at: int
) -> tuple[tuple[IncomingMessage, ...], str | None]:
    """Return the messages, parents before children and otherwise by time, and the end of the shown path.

    A message without a time gets that of its neighbours. Raises Malformed for nodes in a circle.
    """
    children: dict[str | None, list[str]] = {}
    for identifier, node in nodes.items():
        children.setdefault(node.parent if node.parent in nodes else None, []).append(identifier)
    walk = _walk(children)
    if len(walk) != len(nodes):
        raise Malformed(_("its messages go round in a circle"))
    times = _times(nodes, children, walk, created_at)
    messages, anchors = _messages(nodes, walk, times)
    ordered = _ordered(messages, children, times)
    shown = [each.original_id for each in ordered if not each.hidden]
    end = anchors.get(leaf) if leaf is not None else None
    return tuple(ordered), end or (shown[-1] if shown else None)


def _walk(children: Mapping[str | None, list[str]]) -> list[str]:
    found: list[str] = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        identifier = waiting.pop()
        found.append(identifier)
        waiting += reversed(children.get(identifier, []))
    return found


def _times(
    nodes: Mapping[str, Node], children: Mapping[str | None, list[str]], walk: list[str], created_at: int
) -> dict[str, int]:
    known: dict[str, int | None] = {}
    latest: dict[str | None, int | None] = {}
    for identifier in walk:
        node = nodes[identifier]
        # The version before it comes nearer than the message above it.
        before = latest.get(node.parent) or (known.get(node.parent) if node.parent is not None else None)
        known[identifier] = latest[node.parent] = node.at if node.at is not None else before
    for identifier in reversed(walk):
        if known[identifier] is None:
            below = [at for child in children.get(identifier, []) if (at := known[child]) is not None]
            known[identifier] = min(below, default=None)
    return {identifier: created_at if at is None else at for identifier, at in known.items()}


def _messages(
    nodes: Mapping[str, Node], walk: list[str], times: Mapping[str, int]
) -> tuple[dict[str, IncomingMessage], dict[str, str | None]]:
    """Return the messages by id, and for every node the shown message at or above it."""
    messages: dict[str, IncomingMessage] = {}
    anchors: dict[str, str | None] = {}
    thoughts: dict[str, tuple[str, ...]] = {}
    spoken: set[str] = set()
    for identifier in walk:
        node, said = nodes[identifier], nodes[identifier].said
        above = node.parent if node.parent in nodes else None
        anchor = anchors[above] if above is not None else None
        ahead = thoughts.get(above, ()) if above is not None else ()
        anchors[identifier], thoughts[identifier] = anchor, ahead
        if said is None:
            continue
        thinking = said.thinking
        if said.ahead:
            thoughts[identifier] = (*ahead, identifier)
        elif not said.hidden:
            anchors[identifier], thoughts[identifier] = identifier, ()
            if said.role == "agent" and ahead:
                spoken |= set(ahead)
                thinking = "\n\n".join(
                    (*(messages[one].thinking for one in ahead), *filter(None, [thinking]))
                )
        messages[identifier] = IncomingMessage(
            original_id=identifier,
            parent=anchor,
            role=said.role,
            created_at=times[identifier],
            text=said.text,
            thinking=thinking,
            model=said.model,
            hidden=said.hidden or said.ahead,
            files=said.files,
            extra=said.extra,
        )
    # Thinking that an answer carries now need not stand there twice.
    for identifier in spoken:
        messages[identifier] = replace(messages[identifier], thinking="")
    return messages, anchors


def _ordered(
    messages: Mapping[str, IncomingMessage],
    children: Mapping[str | None, list[str]],
    times: Mapping[str, int],
) -> list[IncomingMessage]:
    ordered: list[IncomingMessage] = []
    number = 0
    ready: list[tuple[int, int, str]] = []

    def offer(parent: str | None) -> None:
        nonlocal number
        for identifier in children.get(parent, []):
            heapq.heappush(ready, (times[identifier], number, identifier))
            number += 1

    offer(None)
    while ready:
        identifier = heapq.heappop(ready)[2]
        if identifier in messages:
            ordered.append(messages[identifier])
        offer(identifier)
    return ordered
