"""What a run sends, part by part: the account that the composer shows, the run stores and the model gets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from agents.runtime import wording
from agents.runtime.material import Given, Material, attachment_given
from agents.runtime.tokens import OVERHEAD, likely_tokens
from agents.tools.declaration import Tool, as_data
from memory.attachments import Attachment
from memory.chats import Message, Turn
from memory.roster import Agent
from memory.runs import ContextPart
from resources.language import gettext as _
from resources.language import ngettext

if TYPE_CHECKING:
    from agents.connections.prices import Price

CONVERSATION_TOKENS = 40_000
"""Likely tokens of earlier messages that go along; older ones are left out, which the account says."""

SHOWN_OF_NOTE = 80
"""Characters of a note that its line in the account shows."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A note or an earlier passage that goes along: its words, where they come from, and why."""

    kind: Literal["note", "message", "attachment"]
    source_id: str
    text: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier turn for the model: what it said itself, or what it is told."""

    by: Literal["self", "others"]
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """Everything one run sends first. ``parts`` accounts for all of it, in order."""

    instructions: str
    said: tuple[Said, ...]
    question: tuple[Given, ...]
    parts: tuple[ContextPart, ...]
    categories: tuple[str, ...]
    recalled: tuple[Recalled, ...]

    @property
    def tokens(self) -> int:
        """Likely tokens of the whole."""
        return sum(part.tokens for part in self.parts)


@dataclass(frozen=True, slots=True)
class Request:
    """What a context is made of.

    ``turns`` are the last turns before the owner's message, first to last; ``older`` counts those before them.
    """

    agent: Agent
    text: str
    turns: Sequence[Turn]
    older: int
    attachments: Sequence[Attachment]
    earlier_attachments: dict[str, Attachment]
    recalled: Sequence[Recalled]
    tools: Sequence[Tool]
    price: "Price | None"
    team: Sequence[Agent]


def build(request: Request, material: Material) -> Context:
    """Put the context of one run together; what is left out is named in a part and to the model."""
    account = _Account(request.price)
    instructions = wording.instructions(request.agent, request.tools, request.team)
    account.add("instructions", _("Instructions of {agent}").format(agent=request.agent.name), instructions)
    if request.tools:
        label = ngettext("{count} tool", "{count} tools", len(request.tools)).format(count=len(request.tools))
        reason = ", ".join(tool.name for tool in request.tools)
        account.count("tools", label, sum(wording.tool_tokens(tool) for tool in request.tools), reason=reason)
    said = _conversation(request, material, account)
    question: list[Given] = []
    if request.recalled:
        question.append(_notes(request.recalled, account))
    question += _files(request.attachments, material, account)
    account.add("question", _("Your message"), request.text)
    question.append(Given(request.text))
    return Context(
        instructions,
        tuple(said),
        tuple(question),
        account.priced(),
        tuple(dict.fromkeys(account.categories())),
        tuple(request.recalled),
    )


class _Account:
    def __init__(self, price: "Price | None") -> None:
        self.price = price
        self.parts: list[ContextPart] = []

    def add(
        self,
        kind: Literal["instructions", "notes", "conversation", "attachment", "tools", "question"],
        label: str,
        text: str,
        *,
        reason: str = "",
        source_id: str = "",
    ) -> None:
        self.count(kind, label, likely_tokens(text) + OVERHEAD, reason=reason, source_id=source_id)

    def count(
        self,
        kind: Literal["instructions", "notes", "conversation", "attachment", "tools", "question"],
        label: str,
        tokens: int,
        *,
        reason: str = "",
        source_id: str = "",
    ) -> None:
        self.parts.append(ContextPart(kind, label, tokens, None, reason, source_id))

    def priced(self) -> tuple[ContextPart, ...]:
        """Return the parts with what each costs in the tier that all of them together reach."""
        if self.price is None:
            return tuple(self.parts)
        rate = self.price.at(sum(part.tokens for part in self.parts)).input
        return tuple(replace(part, cost=-(-part.tokens * rate // 1_000_000)) for part in self.parts)

    def categories(self) -> list[str]:
        named = {"notes": "note", "question": "conversation"}
        return [named.get(part.kind, part.kind) for part in self.parts]


def _conversation(request: Request, material: Material, account: _Account) -> list[Said]:
    turns = [kept for turn in request.turns if (kept := _speakable(turn))]
    chosen: list[tuple[Message, ...]] = []
    tokens = 0
    for messages in reversed(turns):
        size = sum(likely_tokens(message.text) + OVERHEAD for message in messages)
        if chosen and tokens + size > CONVERSATION_TOKENS:
            break
        tokens += size
        chosen.append(messages)
    chosen.reverse()
    # A model's turn must not come first: providers want the owner to begin.
    while chosen and chosen[0][0].role == "agent" and len(chosen) < len(turns) + request.older:
        chosen.pop(0)
    if not turns:
        return []
    left_out, every = len(turns) - len(chosen) + request.older, len(turns) + request.older
    said: list[Said] = []
    if left_out:
        said.append(Said("others", (Given(wording.left_out(left_out)),)))
    for messages in chosen:
        said += [_said(message, request, material, account) for message in messages]
    label = (
        _("Conversation: last {kept} of {all} turns").format(kept=len(chosen), all=every)
        if left_out
        else ngettext("Conversation: {count} turn", "Conversation: {count} turns", len(turns)).format(
            count=len(turns)
        )
    )
    reason = _("the older turns are left out; they can be found with “recall”") if left_out else ""
    account.count("conversation", label, tokens, reason=reason)
    return said


def _speakable(turn: Turn) -> tuple[Message, ...]:
    return tuple(
        message
        for message in turn.messages
        if not message.restricted and (message.text or (message.role == "owner" and message.attachment_ids))
    )


def _said(message: Message, request: Request, material: Material, account: _Account) -> Said:
    if message.role == "agent":
        if message.agent_id == request.agent.id:
            return Said("self", (Given(message.text),))
        return Said("others", (Given(wording.somebody_said(message.agent_name, message.text)),))
    files = [
        request.earlier_attachments[identifier]
        for identifier in message.attachment_ids
        if identifier in request.earlier_attachments
    ]
    given = _files(files, material, account)
    return Said("others", (*given, Given(message.text)) if message.text else tuple(given))


def _files(attachments: Sequence[Attachment], material: Material, account: _Account) -> list[Given]:
    found: list[Given] = []
    for attachment in attachments:
        given, what, tokens = attachment_given(attachment, material)
        found += given
        account.count(
            "attachment",
            f"{attachment.name}, {what}",
            tokens,
            reason=attachment.note,
            source_id=attachment.id,
        )
    return found


def _notes(recalled: Sequence[Recalled], account: _Account) -> Given:
    lines = []
    for one in recalled:
        lines.append(as_data(one.text, kind=one.kind, id=one.source_id, source=one.source, why=one.reason))
        plain = " ".join(one.text.split())
        quoted = plain if len(plain) <= SHOWN_OF_NOTE else plain[: SHOWN_OF_NOTE - 1] + "…"
        account.add(
            "notes",
            f"{one.source}: {quoted}" if one.source else quoted,
            lines[-1],
            reason=one.reason,
            source_id=one.source_id,
        )
    return Given(wording.notes_heading() + "\n" + "\n".join(lines))
