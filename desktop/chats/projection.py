"""Saved turns as the rows that the transcript shows."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from desktop.chats.tool_wording import call_details, call_words
from desktop.pages.avatar import colour_of
from desktop.transcript.citing import with_chips
from desktop.transcript.embedding import with_pictures
from desktop.transcript.rows import (
    Attachment,
    Branch,
    Citation,
    Message,
    MessageState,
    Notice,
    RowAction,
    RowKind,
    Tone,
    ToolCall,
    ToolState,
    TranscriptRow,
)
from desktop.wording import count, local, money, plural, size
from memory.attachments import Attachment as StoredAttachment
from memory.chats import Message as StoredMessage
from memory.chats import Turn
from memory.run_summary import RunSummary, ToolUse
from resources.language import gettext as _
from resources.language import ngettext


class Projection:
    """Makes rows from what is known of a conversation's files, runs and agents."""

    def __init__(self, picture: Callable[[str], bytes]) -> None:
        self.picture = picture
        """Attachment id to a small PNG, empty where there is none yet."""
        self.files: dict[str, StoredAttachment] = {}
        self.runs: dict[str, RunSummary] = {}
        self.faces: dict[str, str] = {}
        """Agent id to avatar."""
        self.restricted = False
        """Whether the whole conversation is."""

    def rows(self, turns: Iterable[Turn]) -> list[TranscriptRow]:
        """Return one row for each turn."""
        return [self.row(turn.messages, (turn.alternative, turn.alternatives)) for turn in turns]

    def row(self, messages: Iterable[StoredMessage], branch: tuple[int, int] = (1, 1)) -> TranscriptRow:
        """Return the row of messages that stand side by side."""
        stored = tuple(messages)
        kind = RowKind.OWNER if stored[0].role == "owner" else RowKind.AGENTS
        shown = Branch(*branch) if branch[1] > 1 else None
        made = tuple(self.message(each, shown if number == 0 else None) for number, each in enumerate(stored))
        return TranscriptRow(stored[0].batch_id, kind, made)

    def message(self, stored: StoredMessage, branch: Branch | None = None) -> Message:
        """Return one message as it is shown."""
        state = MessageState(stored.state)
        citations = tuple(citation(each) for each in stored.citations)
        text = with_chips(stored.text, citations) if citations else stored.text
        text, images = with_pictures(text, self._pictures() if "![" in text else ())
        common: dict[str, Any] = {
            "id": stored.id,
            "text": text,
            "images": images,
            "time": f"{local(stored.created_at):%H:%M}",
            "state": state,
            "branch": branch,
            "pinned": stored.pinned_at is not None,
            "dim": stored.restricted or self.restricted,
            "attachments": self._attachments(stored),
        }
        kept_out = _("restricted: no agent is given this") if stored.restricted else ""
        if stored.role == "owner":
            return Message(author=_("You"), footer=kept_out, **common)
        run = self.runs.get(stored.run_id or "")
        told = footer(run) if run and _told(stored, state) else ""
        # What no run of this office said must not look as if it had.
        told = told if stored.run_id else _("brought in from another app")
        return Message(
            author=stored.agent_name,
            model=stored.model,
            colour=colour_of(stored.agent_name, self.faces.get(stored.agent_id or "", "")),
            thinking=stored.thinking,
            footer=" · ".join(part for part in (kept_out, told) if part),
            citations=citations,
            tools=tuple(tool_call(each) for each in run.tools) if run else (),
            notice=notice(state, run.reason if run else "", run.cap_reached if run else ""),
            **common,
        )

    def _pictures(self) -> list[Attachment]:
        files = [file for file in self.files.values() if file.kind == "image"]
        return [Attachment(file.id, file.name, picture=self.picture(file.id)) for file in files]

    def _attachments(self, stored: StoredMessage) -> tuple[Attachment, ...]:
        files = [self.files[each] for each in stored.attachment_ids if each in self.files]
        kept_out = stored.restricted or self.restricted
        return tuple(
            Attachment(file.id, file.name, file_detail(file), "image", self.picture(file.id), dim)
            if file.kind == "image"
            else Attachment(file.id, file.name, file_detail(file), dim=dim)
            for file, dim in ((file, kept_out or file.restricted) for file in files)
        )


def file_detail(file: StoredAttachment) -> str:
    """Return what is known of a file: that it is restricted, its pages or size, or how its reading went."""
    if file.restricted:
        return _("restricted")
    if file.state == "failed":
        return file.reason or _("could not be read")
    if file.state == "arriving":
        return _("arriving from another device…")
    if file.state in ("pending", "reading"):
        return _("reading…")
    if file.pages:
        return plural("{count} page", "{count} pages", file.pages)
    return size(file.size)


def file_label(file: StoredAttachment) -> str:
    """Return a file's name with what is known of it; the reason of a failure often names it already."""
    detail = file_detail(file)
    return detail if file.name in detail else f"{file.name} · {detail}"


def citation(row: Mapping[str, Any]) -> Citation:
    """Return a cited place: the page, sheet, slide or line names it, else the file."""
    label = str(row.get("place") or "")
    if not label:
        names = (("page", _("p. {number}")), ("slide", _("slide {number}")), ("line", _("line {number}")))
        label = next((words.format(number=row[key]) for key, words in names if row.get(key)), "")
        label = label or str(row.get("sheet") or row.get("file") or "")
    return Citation(label, str(row.get("file") or ""), str(row.get("quote") or ""))


def tool_call(use: ToolUse) -> ToolCall:
    """Return a tool call as a card."""
    words = call_words(use.tool, use.arguments)
    return ToolCall(
        use.call, words[:1].upper() + words[1:], ToolState(use.state), call_details(use.arguments, use.result)
    )


def _told(stored: StoredMessage, state: MessageState) -> bool:
    """Whether an answer is at its end and took something; one that another answer took in did not."""
    if state in (MessageState.STREAMING, MessageState.QUEUED):
        return False
    return bool(stored.text) or state is not MessageState.COMPLETE


def footer(run: RunSummary) -> str:
    """Return what an answer took: notes, seconds, tokens, cost."""
    parts = []
    if run.note_ids:
        parts.append(
            ngettext("used {count} note", "used {count} notes", len(run.note_ids)).format(
                count=len(run.note_ids)
            )
        )
    if run.started_at and run.finished_at:
        parts.append(_("{seconds} s").format(seconds=f"{(run.finished_at - run.started_at) / 1000:.1f}"))
    if run.input_tokens or run.output_tokens:
        parts.append(_("{count} tokens").format(count=count(run.input_tokens + run.output_tokens)))
        parts.append(money(run.spent) if run.priced else _("price unknown"))
    return " · ".join(parts)


def notice(state: MessageState, reason: str, cap_reached: str = "") -> Notice | None:
    """Return what is said under an answer that did not end as it should, with the doors out."""
    resume, discard = RowAction("resume", _("Resume"), primary=True), RowAction("discard", _("Discard"))
    again = RowAction("retry", _("Try again"), primary=True)
    if state is MessageState.INTERRUPTED:
        sentence = reason or _("Bureau ended while this was under way: resume it or discard it.")
        return Notice(sentence, Tone.WARN, (resume, discard))
    if state is MessageState.FAILED:
        doors = (again, RowAction("keys", _("Open Keys"))) if reason else (again,)
        return Notice(reason or _("This answer failed; try again."), Tone.ERROR, doors)
    if state is MessageState.STOPPED and reason:
        on = RowAction("resume", _("Go on"))
        if not cap_reached:
            return Notice(reason, Tone.INFO, (on,))
        label = _("Open Team") if cap_reached == "agent" else _("Open Settings")
        return Notice(reason, Tone.WARN, (RowAction(f"{cap_reached}_cap", label, primary=True), on))
    if state is MessageState.COMPLETE and reason:
        return Notice(reason, Tone.INFO)
    return None
